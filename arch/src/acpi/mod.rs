//! The ACPI tables of the `pc` machine, for guests that are started without firmware.
//!
//! Tables follow the ACPI specification 6.3 (chapter 5 for the tables, 19 and 20 for AML); the
//! hardware they describe is the PIIX4's power management as QEMU's `pc` machine shows it: event
//! block at port 0x600, GPE block at 0xafe0, SMI command port 0xb2, SCI on interrupt 9.
//!
//! [`build`] computes the tables for an area of memory; it keeps no addresses of its own.

mod dsdt;
mod fixed;
mod link;
mod madt;
mod resource;

use std::ops::Range;

use acpi_tables::sdt::Sdt;

use crate::layout::Placed;

pub use fixed::{
    ACPI_DISABLE, ACPI_ENABLE, FACS_SIZE, FACS_WAKING_VECTOR, GPE0_BLOCK, GPE0_LENGTH, PM_TIMER,
    PM1A_CONTROL, PM1A_EVENT, RESET_PORT, RESET_VALUE, RTC_CENTURY, SCI, SMI_COMMAND,
};

/// A processor the machine has, or may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// Its local APIC's identifier. Processors are named by their position in the list.
    pub apic_id: u32,
    /// Whether it is there now.
    pub present: bool,
}

/// A 16550 serial port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serial {
    /// Number of the port, 1 for COM1.
    pub uid: u8,
    /// First I/O port of eight.
    pub port: u16,
    /// ISA interrupt, 0 to 15.
    pub irq: u8,
}

/// What the tables tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcpiConfig {
    /// All possible processors, at most 4096.
    pub cpus: Vec<Cpu>,
    /// The serial ports that exist.
    pub serial: Vec<Serial>,
    /// A PS/2 keyboard and mouse controller at ports 0x60 and 0x64, interrupts 1 and 12.
    pub i8042: bool,
    /// The panic notifier's I/O port, usually 0x505.
    pub pvpanic: Option<u16>,
    /// The firmware configuration device at ports 0x510..0x51c.
    pub fw_cfg: bool,
    /// Whether sleep to RAM is offered.
    pub s3: bool,
    /// Whether sleep to disk is offered.
    pub s4: bool,
    /// Memory window of the PCI bus below 4 GiB, see [`crate::layout::pci_hole`]; not empty.
    pub pci_window: Range<u32>,
    /// Memory window of the PCI bus above 4 GiB.
    pub pci_window_64: Option<Range<u64>>,
}

/// Why tables cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcpiError {
    /// The area is too small.
    #[error("the ACPI tables need {size} bytes, there is room for {room}")]
    NoRoom {
        /// Bytes needed.
        size: u64,
        /// Bytes of the area.
        room: u64,
    },
    /// The area does not lie below 4 GiB at a multiple of 64.
    #[error("the ACPI tables cannot lie at {0:#x}")]
    Address(u64),
    /// More processors than names for them.
    #[error("the ACPI tables can describe 4096 processors, not {0}")]
    Cpus(usize),
    /// A window without any address in it.
    #[error("the PCI memory window at {0:#x} is empty")]
    Window(u64),
}

/// The tables, ready to be copied into guest memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcpiTables {
    /// The root pointer; the address is the one a boot protocol may pass on.
    pub rsdp: Placed,
    /// All other tables, from the start of the area.
    pub tables: Placed,
    /// Physical address of the FACS, which the guest writes its waking vector to.
    pub facs: u64,
}

const OEM_ID: [u8; 6] = *b"VMM   ";
const OEM_TABLE_ID: [u8; 8] = *b"VMMPC   ";
const OEM_REVISION: u32 = 1;
const MAX_CPUS: usize = 4096;

/// Builds all tables for `area` (below 4 GiB, start a multiple of 64) with the root pointer at
/// `rsdp` (a multiple of 16).
///
/// # Errors
///
/// When the tables do not fit, or `config` holds too many processors or an empty window.
pub fn build(config: &AcpiConfig, area: Range<u64>, rsdp: u64) -> Result<AcpiTables, AcpiError> {
    let below_4g = u32::try_from(area.start).is_ok() && area.end <= 1 << 32;
    if !below_4g || !area.start.is_multiple_of(FACS_SIZE) {
        return Err(AcpiError::Address(area.start));
    }
    if config.cpus.len() > MAX_CPUS {
        return Err(AcpiError::Cpus(config.cpus.len()));
    }
    if config.pci_window.is_empty() {
        return Err(AcpiError::Window(config.pci_window.start.into()));
    }
    if let Some(window) = config.pci_window_64.as_ref().filter(|w| w.is_empty()) {
        return Err(AcpiError::Window(window.start));
    }

    let mut out = Area::new(area.start);
    let facs = out.push(fixed::facs().as_slice());
    let dsdt = out.push(sdt(*b"DSDT", 2, &dsdt::dsdt(config)).as_slice());
    let fadt = out.push(&fixed::fadt(facs, dsdt, config.i8042));
    let madt = out.push(sdt(*b"APIC", 5, &madt::madt(&config.cpus)).as_slice());
    let listed = [fadt, madt];
    let rsdt: Vec<u8> = listed.iter().flat_map(|a| a.to_le_bytes()).collect();
    let rsdt = out.push(sdt(*b"RSDT", 1, &rsdt).as_slice());
    let xsdt: Vec<u8> = listed.iter().flat_map(|a| u64::from(*a).to_le_bytes()).collect();
    let xsdt = out.push(sdt(*b"XSDT", 1, &xsdt).as_slice());

    let (size, room) = (out.bytes.len() as u64, area.end.saturating_sub(area.start));
    if size > room {
        return Err(AcpiError::NoRoom { size, room });
    }
    Ok(AcpiTables {
        rsdp: Placed { address: rsdp, bytes: fixed::rsdp(rsdt, xsdt) },
        tables: Placed { address: area.start, bytes: out.bytes },
        facs: facs.into(),
    })
}

/// The tables one after the other.
struct Area {
    base: u64,
    bytes: Vec<u8>,
}

impl Area {
    fn new(base: u64) -> Area {
        Area { base, bytes: Vec::new() }
    }

    /// Appends a table at the next multiple of 64 and returns its address.
    fn push(&mut self, table: &[u8]) -> u32 {
        let at = self.bytes.len().next_multiple_of(FACS_SIZE as usize);
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(table);
        // The caller checks the end of the area, and an area ends below 4 GiB: an address that
        // does not fit belongs to a set of tables that is refused.
        (self.base + at as u64) as u32
    }
}

/// A table with the standard header.
fn sdt(signature: [u8; 4], revision: u8, body: &[u8]) -> Sdt {
    let mut table = Sdt::new(signature, 36, revision, OEM_ID, OEM_TABLE_ID, OEM_REVISION);
    table.append_slice(body);
    table
}

#[cfg(test)]
mod tests;
