//! Application processors: INIT and SIPI, then an idle loop in ring 3 that runs jobs (jobs.rs).

use core::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::*};

use crate::acpi;
use crate::apic;
use crate::entry::{MAX_CPUS, TRAMPOLINE};
use crate::interrupts::{self, WAKE};
use crate::{jobs, ring0, time, trampoline};

const INIT: u32 = 0x4500;
const STARTUP: u32 = 0x4600;

/// APIC id + 1 of the processor that runs in a slot, 0: none. Slots follow the MADT, the boot processor in slot 0.
static RUNNING: [AtomicU16; MAX_CPUS] = [const { AtomicU16::new(0) }; MAX_CPUS];
static STARTED: AtomicBool = AtomicBool::new(false);
/// Faults of application processors not yet reported, by slot: vector + 1, and where.
static FAULTS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
static FAULT_RIPS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

fn announce(slot: usize) {
    RUNNING[slot].store(u16::from(apic::id()) + 1, Release);
}

/// The boot processor runs, no other does (at start and after S3).
pub fn boot_processor_alone() {
    RUNNING.iter().for_each(|slot| slot.store(0, Release));
    STARTED.store(false, Release);
    announce(0);
}

/// The APIC id of the processor in `slot`, if one runs there.
pub fn apic_id(slot: usize) -> Option<u8> {
    RUNNING.get(slot)?.load(Acquire).checked_sub(1).map(|id| id as u8)
}

/// Slots with a running processor.
pub fn running() -> impl DoubleEndedIterator<Item = usize> + Clone {
    (0..acpi::get().cpus().len()).filter(|&slot| apic_id(slot).is_some())
}

/// Starts every processor of the MADT but this one; waits until they run, two seconds at most.
pub fn start_all() {
    let wanted = acpi::get().cpus().len();
    if STARTED.swap(true, AcqRel) {
        return;
    }
    let own = apic::id();
    let others = acpi::get().cpus().iter().copied().filter(move |&id| id != own);
    trampoline::prepare_processors(others.clone());
    others.clone().for_each(|id| apic::send(id, INIT));
    time::sleep_until(10, || false);
    for patience in [200, 2000] {
        others.clone().for_each(|id| apic::send(id, STARTUP | (TRAMPOLINE >> 12) as u32));
        // A second SIPI is for processors that missed the first; running ones ignore it.
        if time::sleep_until(patience, || running().count() == wanted) {
            break;
        }
    }
}

/// An application processor's ring 3.
pub fn processor_main(slot: usize) -> ! {
    apic::init_local();
    announce(slot);
    wake(0);
    ring0::sti();
    processor_loop(slot)
}

fn processor_loop(slot: usize) -> ! {
    loop {
        let seen = interrupts::seen();
        if !jobs::step(slot) {
            ring0::wait(interrupts::event_word(), seen);
        }
    }
}

/// After an exception on an application processor: note it, drop the job, go on.
pub fn processor_fault(slot: usize, vector: u64, rip: u64) -> ! {
    jobs::drop_job(slot);
    FAULT_RIPS[slot].store(rip, Relaxed);
    FAULTS[slot].store(vector + 1, Release);
    wake(0);
    processor_loop(slot)
}

/// A fault to report: slot, vector, instruction.
pub fn take_fault() -> Option<(usize, u64, u64)> {
    running().find_map(|slot| match FAULTS[slot].swap(0, AcqRel) {
        0 => None,
        vector => Some((slot, vector - 1, FAULT_RIPS[slot].load(Relaxed))),
    })
}

/// Interrupts the processor in `slot` so that it looks at its job.
pub fn wake(slot: usize) {
    if let Some(id) = apic_id(slot) {
        apic::send(id, WAKE as u32);
    }
}
