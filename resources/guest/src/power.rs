//! Sleep states and resets. Each function returns only if the machine did not react.

use crate::acpi;
use crate::entry::TRAMPOLINE;
use crate::hardware::{inb, inw, outb, outw, pause, tsc, write8, write32};
use crate::text::Refusal;
use crate::{paging, ring0, trampoline};

/// Long enough for any monitor to act, short enough to notice that it does not.
const PATIENCE: u64 = 1 << 30;
const SLEEP_ENABLE: u16 = 1 << 13;

fn linger() {
    let start = tsc();
    while tsc() - start < PATIENCE {
        pause();
    }
}

/// Switches to ACPI mode if the firmware has not.
pub fn enable_acpi() {
    let fixed = &acpi::get().fixed;
    if fixed.pm1_control == 0 || fixed.smi_command == 0 || inw(fixed.pm1_control) & 1 == 1 {
        return;
    }
    outb(fixed.smi_command, fixed.acpi_enable);
    let start = tsc();
    while inw(fixed.pm1_control) & 1 == 0 && tsc() - start < PATIENCE {
        pause();
    }
}

fn sleep(kind: u8) {
    let fixed = &acpi::get().fixed;
    if let Some((space, address)) = fixed.sleep_control {
        write_byte(space, address, kind << 2 | 0x20);
    } else {
        enable_acpi();
        let control = inw(fixed.pm1_control) & !(7 << 10) | u16::from(kind) << 10;
        outw(fixed.pm1_control, control | SLEEP_ENABLE);
    }
    linger();
}

fn has_sleep_register() -> bool {
    let fixed = &acpi::get().fixed;
    fixed.pm1_control != 0 || fixed.sleep_control.is_some()
}

/// Soft off.
pub fn enter_s5() -> Refusal {
    match acpi::get().s5 {
        Some(kind) if has_sleep_register() => {
            sleep(kind);
            "still running"
        }
        _ => "no S5 in the ACPI tables",
    }
}

/// Suspend to RAM, with the waking vector set to the trampoline.
pub fn enter_s3() -> Refusal {
    let facs = acpi::get().fixed.facs;
    match acpi::get().s3 {
        Some(kind) if has_sleep_register() && facs != 0 && paging::ensure(facs, 64) => {
            trampoline::prepare_waking();
            write32(facs + 12, TRAMPOLINE as u32);
            sleep(kind);
            "still running"
        }
        _ => "no S3 in the ACPI tables",
    }
}

/// A byte to a port (space 1) or to memory (space 0).
fn write_byte(space: u8, address: u64, value: u8) {
    match space {
        1 => outb(address as u16, value),
        _ if paging::ensure(address, 1) => write8(address, value),
        _ => {}
    }
}

/// Resets the machine in the named way.
pub fn reset(way: &str) -> Refusal {
    match way {
        "kbd" => outb(0x64, 0xfe),
        "port92" => outb(0x92, inb(0x92) & !1 | 1),
        "cf9" => {
            outb(0xcf9, 0x02);
            outb(0xcf9, 0x06);
        }
        "acpi" => {
            let fixed = &acpi::get().fixed;
            if fixed.reset_address == 0 {
                return "no reset register in the FADT";
            }
            write_byte(fixed.reset_space, fixed.reset_address, fixed.reset_value);
        }
        "triple" => ring0::triple_fault(),
        _ => return "ways: kbd port92 cf9 acpi triple",
    }
    linger();
    "still running"
}
