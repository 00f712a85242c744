//! What the boot processor deals with between two commands: the SCI, faults of other processors.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::hardware::{inb, inw, outb, outw};
use crate::{acpi, apic, interrupts, jobs, power, say, smp};

const POWER_BUTTON: u16 = 0x100;
const SLEEP_BUTTON: u16 = 0x200;
const RTC: u16 = 0x400;

/// Vector of the SCI once `sci on` was given, 0 before.
static SCI_VECTOR: AtomicUsize = AtomicUsize::new(0);
static SCI_SEEN: AtomicU64 = AtomicU64::new(0);
static TICKS_SEEN: AtomicU64 = AtomicU64::new(0);
static OBEY: AtomicBool = AtomicBool::new(false);

/// Whether a power-button press turns the machine off.
pub fn set_obey(on: bool) {
    OBEY.store(on, Relaxed);
}

/// Unmasks the SCI (level, active low unless the MADT says otherwise); its vector.
pub fn enable_sci() -> usize {
    let vector = apic::unmask_legacy(u32::from(acpi::get().fixed.sci), true);
    SCI_SEEN.store(interrupts::count(vector), Relaxed);
    SCI_VECTOR.store(vector, Relaxed);
    vector
}

/// After S3: the IOAPIC and the PM1 enable register have forgotten, so the SCI is off again.
pub fn forget() {
    SCI_VECTOR.store(0, Relaxed);
}

/// Masks the SCI.
pub fn disable_sci() {
    if SCI_VECTOR.swap(0, Relaxed) != 0 {
        apic::mask_legacy(u32::from(acpi::get().fixed.sci));
    }
}

/// Deals with everything that has happened.
pub fn handle() {
    let ticks = interrupts::count(interrupts::TIMER);
    jobs::add_to_counter(0, ticks - TICKS_SEEN.swap(ticks, Relaxed));
    while let Some((cpu, vector, rip)) = smp::take_fault() {
        say!("event fault cpu={cpu} vector={vector} rip={rip:#x}");
    }
    let vector = SCI_VECTOR.load(Relaxed);
    if vector != 0 && interrupts::count(vector) != SCI_SEEN.load(Relaxed) {
        SCI_SEEN.store(interrupts::count(vector), Relaxed);
        system_control_interrupt();
        // It masked itself when it fired.
        apic::unmask_legacy(u32::from(acpi::get().fixed.sci), true);
    }
}

fn system_control_interrupt() {
    let fixed = &acpi::get().fixed;
    let enabled = inw(fixed.pm1_event + u16::from(fixed.pm1_event_length) / 2);
    let status = inw(fixed.pm1_event) & enabled;
    outw(fixed.pm1_event, status);
    for (bit, name) in [(POWER_BUTTON, "pwrbtn"), (SLEEP_BUTTON, "slpbtn"), (RTC, "rtc")] {
        if status & bit != 0 {
            say!("event {name}");
        }
    }
    general_purpose_events();
    if status & POWER_BUTTON != 0 && OBEY.load(Relaxed) {
        power::enter_s5();
    }
}

/// Reports and clears the enabled bits of GPE0.
fn general_purpose_events() {
    let fixed = &acpi::get().fixed;
    let half = u16::from(fixed.gpe0_length) / 2;
    for byte in 0..half {
        let pending = inb(fixed.gpe0 + byte) & inb(fixed.gpe0 + half + byte);
        if pending != 0 {
            outb(fixed.gpe0 + byte, pending);
            say!("event gpe byte={byte} status={pending:#x}");
        }
    }
}
