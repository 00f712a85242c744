//! Tables of fixed shape: RSDP, FACS and FADT (ACPI 6.3, sections 5.2.5, 5.2.10 and 5.2.9).

use acpi_tables::fadt::{FADTBuilder, Flags};
use acpi_tables::gas::{AccessSize, AddressSpace, GAS};
use acpi_tables::{Aml, Checksum};

use super::{OEM_ID, OEM_REVISION, OEM_TABLE_ID};

/// The system control interrupt.
pub const SCI: u8 = 9;
/// Port that switches ACPI mode on and off.
pub const SMI_COMMAND: u16 = 0xb2;
/// Value for [`SMI_COMMAND`] that switches ACPI mode on.
pub const ACPI_ENABLE: u8 = 0xf1;
/// Value for [`SMI_COMMAND`] that switches ACPI mode off.
pub const ACPI_DISABLE: u8 = 0xf0;
/// PM1a status and enable registers, two ports each.
pub const PM1A_EVENT: u16 = 0x600;
/// PM1a control register, two ports.
pub const PM1A_CONTROL: u16 = 0x604;
/// Power management timer, four ports, 24 bits.
pub const PM_TIMER: u16 = 0x608;
/// General purpose event registers: status, then enable.
pub const GPE0_BLOCK: u16 = 0xafe0;
/// Ports of the general purpose event block.
pub const GPE0_LENGTH: u8 = 4;
/// The PIIX3's reset control register.
pub const RESET_PORT: u16 = 0xcf9;
/// A hard reset in the reset control register.
pub const RESET_VALUE: u8 = 0x06;
/// CMOS register of the century.
pub const RTC_CENTURY: u8 = 0x32;
/// Size and alignment of the FACS.
pub const FACS_SIZE: u64 = 64;
/// Offset of the 32-bit firmware waking vector in the FACS.
pub const FACS_WAKING_VECTOR: u64 = 12;

/// IAPC boot flags: ISA devices exist; an 8042 exists.
const LEGACY_DEVICES: u16 = 1 << 0;
const HAS_8042: u16 = 1 << 1;
/// Worst latencies that mean "state not supported".
const NO_C2: u16 = 0xfff;
const NO_C3: u16 = 0xfff;

/// The root pointer, revision 2.
pub(super) fn rsdp(rsdt: u32, xsdt: u32) -> Vec<u8> {
    let mut bytes = b"RSD PTR ".to_vec();
    bytes.push(0);
    bytes.extend(OEM_ID);
    bytes.push(2);
    bytes.extend(rsdt.to_le_bytes());
    bytes[8] = checksum(&bytes);
    bytes.extend(36u32.to_le_bytes());
    bytes.extend(u64::from(xsdt).to_le_bytes());
    bytes.extend([0; 4]);
    bytes[32] = checksum(&bytes);
    bytes
}

fn checksum(bytes: &[u8]) -> u8 {
    let mut sum = Checksum::default();
    sum.append(bytes);
    sum.value()
}

/// The control structure. Version 0: the 32-bit waking vector is the only one.
pub(super) fn facs() -> [u8; FACS_SIZE as usize] {
    let mut bytes = [0; FACS_SIZE as usize];
    bytes[..4].copy_from_slice(b"FACS");
    bytes[4..8].copy_from_slice(&(FACS_SIZE as u32).to_le_bytes());
    bytes
}

/// The fixed description table. The power button is fixed hardware (flag clear), a sleep button
/// does not exist (flag set, no control method device).
pub(super) fn fadt(facs: u32, dsdt: u32, i8042: bool) -> Vec<u8> {
    let mut t = FADTBuilder::new(OEM_ID, OEM_TABLE_ID, OEM_REVISION)
        .firmware_ctrl_32(facs)
        .dsdt_32(dsdt)
        .flag(Flags::Wbinvd)
        .flag(Flags::ProcC1)
        .flag(Flags::SlpButton)
        .flag(Flags::RtcS4)
        .flag(Flags::ResetRegSup)
        .flag(Flags::UsePlatformClock);
    t.x_dsdt = u64::from(dsdt).into();
    t.sci_int = u16::from(SCI).into();
    t.smi_cmd = u32::from(SMI_COMMAND).into();
    t.acpi_enable = ACPI_ENABLE;
    t.acpi_disable = ACPI_DISABLE;
    t.pm1a_evt_blk = u32::from(PM1A_EVENT).into();
    t.pm1_evt_len = 4;
    t.pm1a_cnt_blk = u32::from(PM1A_CONTROL).into();
    t.pm1_cnt_len = 2;
    t.pm_tmr_blk = u32::from(PM_TIMER).into();
    t.pm_tmr_len = 4;
    t.gpe0_blk = u32::from(GPE0_BLOCK).into();
    t.gpe0_blk_len = GPE0_LENGTH;
    t.x_pm1a_evt_blk = io(PM1A_EVENT, 32, AccessSize::WordAccess);
    t.x_pm1a_cnt_blk = io(PM1A_CONTROL, 16, AccessSize::WordAccess);
    t.x_pm_tmr_blk = io(PM_TIMER, 32, AccessSize::DwordAccess);
    t.x_gpe0_blk = io(GPE0_BLOCK, 8 * GPE0_LENGTH, AccessSize::ByteAccess);
    t.p_lvl2_lat = NO_C2.into();
    t.p_lvl3_lat = NO_C3.into();
    t.century = RTC_CENTURY;
    let boot = LEGACY_DEVICES | if i8042 { HAS_8042 } else { 0 };
    t.iapc_boot_arch = boot.into();
    t.reset_reg = io(RESET_PORT, 8, AccessSize::ByteAccess);
    t.reset_value = RESET_VALUE;
    let mut bytes = Vec::new();
    t.finalize().to_aml_bytes(&mut bytes);
    bytes
}

fn io(port: u16, bits: u8, access: AccessSize) -> GAS {
    GAS::new(AddressSpace::SystemIo, bits, 0, access, port.into())
}
