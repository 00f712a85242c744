//! Local APIC (xAPIC, MMIO) and IOAPIC. The legacy PICs are masked for good.

use crate::acpi;
use crate::hardware::{outb, read32, write32};
use crate::interrupts::{self, SPURIOUS};
use crate::paging;
use crate::ring0;

const LAPIC: u64 = 0xfee0_0000;
const ID: u64 = 0x20;
const TPR: u64 = 0x80;
const EOI: u64 = 0xb0;
const SVR: u64 = 0xf0;
const ICR_LOW: u64 = 0x300;
const ICR_HIGH: u64 = 0x310;
const LVT_TIMER: u64 = 0x320;
const LVT_LINT0: u64 = 0x350;
const LVT_LINT1: u64 = 0x360;
const TIMER_INITIAL: u64 = 0x380;
const TIMER_CURRENT: u64 = 0x390;
const TIMER_DIVIDE: u64 = 0x3e0;
const MASKED: u32 = 0x1_0000;
const PERIODIC: u32 = 0x2_0000;

/// Level and polarity bits of an IOAPIC redirection entry.
pub const LEVEL: u32 = 0x8000;
pub const ACTIVE_LOW: u32 = 0x2000;

/// Masks the PICs, on the boot processor.
pub fn mask_pics() {
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

/// Enables this CPU's local APIC: LINT0 (PIC) masked, LINT1 an NMI, timer stopped.
pub fn init_local() {
    paging::ensure(LAPIC, 4096);
    write32(LAPIC + SVR, 0x100 | SPURIOUS as u32);
    write32(LAPIC + LVT_LINT0, MASKED);
    write32(LAPIC + LVT_LINT1, 0x400);
    write32(LAPIC + LVT_TIMER, MASKED);
    write32(LAPIC + TPR, 0);
    write32(LAPIC + EOI, 0);
}

/// This CPU's APIC id.
pub fn id() -> u8 {
    (read32(LAPIC + ID) >> 24) as u8
}

/// Starts the timer, undivided: `initial` bus cycles, once or again and again.
pub fn start_timer(vector: usize, initial: u32, periodic: bool) {
    write32(LAPIC + TIMER_DIVIDE, 0xb);
    write32(LAPIC + LVT_TIMER, vector as u32 | if periodic { PERIODIC } else { 0 });
    write32(LAPIC + TIMER_INITIAL, initial);
}

/// Lets the timer run silently from its maximum.
pub fn start_silent_timer() {
    start_timer(MASKED as usize, u32::MAX, false);
}

/// Bus cycles that the timer has left.
pub fn timer_current() -> u32 {
    read32(LAPIC + TIMER_CURRENT)
}

/// Stops the timer.
pub fn stop_timer() {
    write32(LAPIC + LVT_TIMER, MASKED);
    write32(LAPIC + TIMER_INITIAL, 0);
}

/// Sends an interrupt command (`low` as in the ICR) to one APIC.
pub fn send(target: u8, low: u32) {
    while read32(LAPIC + ICR_LOW) & 0x1000 != 0 {
        core::hint::spin_loop();
    }
    write32(LAPIC + ICR_HIGH, u32::from(target) << 24);
    write32(LAPIC + ICR_LOW, low);
}

fn ioapic_read(register: u32) -> u32 {
    let base = acpi::get().ioapic;
    write32(base, register);
    read32(base + 16)
}

fn ioapic_write(register: u32, value: u32) {
    let base = acpi::get().ioapic;
    write32(base, register);
    write32(base + 16, value);
}

/// True when an IOAPIC answers; tells the interrupt stub where it is.
pub fn init_ioapic() -> bool {
    let base = acpi::get().ioapic;
    paging::ensure(base, 4096);
    interrupts::set_ioapic(base);
    let version = ioapic_read(1);
    version != 0xffff_ffff && version & 0xff != 0
}

/// Pins of the IOAPIC.
pub fn ioapic_pins() -> u32 {
    (ioapic_read(1) >> 16 & 0xff) + 1
}

/// Routes a GSI to the boot processor; `mode` is `LEVEL` and `ACTIVE_LOW` bits. A level interrupt masks itself when it fires.
pub fn unmask(gsi: u32, mode: u32) {
    let pin = gsi - acpi::get().ioapic_gsi_base;
    let vector = interrupts::gsi_vector(gsi);
    let register = 0x10 + pin * 2;
    ring0::cli();
    interrupts::set_level_register(vector, if mode & LEVEL != 0 { register as u8 } else { 0 });
    ioapic_write(register + 1, u32::from(id()) << 24);
    ioapic_write(register, vector as u32 | mode);
    ring0::sti();
}

/// Masks a GSI.
pub fn mask(gsi: u32) {
    ring0::cli();
    ioapic_write(0x10 + (gsi - acpi::get().ioapic_gsi_base) * 2, MASKED);
    ring0::sti();
}

/// Routes a legacy interrupt with the MADT's wiring, else as the ISA bus does (edge, active high). Returns its vector.
pub fn unmask_legacy(irq: u32, level_by_default: bool) -> usize {
    let (gsi, flags) = acpi::get().legacy(irq);
    let level = if flags & 0xc == 0 { level_by_default } else { flags & 0xc == 0xc };
    let low = if flags & 3 == 0 { level_by_default } else { flags & 3 == 3 };
    unmask(gsi, if level { LEVEL } else { 0 } | if low { ACTIVE_LOW } else { 0 });
    interrupts::gsi_vector(gsi)
}

/// Masks a legacy interrupt.
pub fn mask_legacy(irq: u32) {
    mask(acpi::get().legacy(irq).0);
}
