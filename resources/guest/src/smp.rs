//! Application processors: INIT and SIPI, then an idle loop in ring 3 that runs jobs (jobs.rs).

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::*};

use crate::acpi;
use crate::apic;
use crate::entry::{MAX_CPUS, TRAMPOLINE};
use crate::interrupts::{self, WAKE};
use crate::{jobs, ring0, time, trampoline};

const INIT: u32 = 0x4500;
const STARTUP: u32 = 0x4600;

/// Processors that run, the boot processor included.
static RUNNING: AtomicUsize = AtomicUsize::new(1);
static STARTED: AtomicBool = AtomicBool::new(false);
/// APIC id by slot.
static APIC_IDS: [AtomicU8; MAX_CPUS] = [const { AtomicU8::new(0) }; MAX_CPUS];
/// Faults of application processors not yet reported, by slot: vector + 1, and where.
static FAULTS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
static FAULT_RIPS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

pub fn running() -> usize {
    RUNNING.load(Acquire)
}

/// Forgets the application processors: after S3 they wait for SIPI again.
pub fn forget() {
    RUNNING.store(1, Release);
    STARTED.store(false, Release);
}

/// Starts every processor of the MADT but this one; how many run within two seconds.
pub fn start_all() -> usize {
    let wanted = acpi::get().cpus().len();
    if STARTED.swap(true, AcqRel) {
        return running();
    }
    let own = apic::id();
    APIC_IDS[0].store(own, Release);
    trampoline::prepare_processors();
    let others = || acpi::get().cpus().iter().filter(move |&&id| id != own);
    others().for_each(|&id| apic::send(id, INIT));
    time::sleep_until(10, || false);
    for _ in 0..2 {
        others().for_each(|&id| apic::send(id, STARTUP | (TRAMPOLINE >> 12) as u32));
        // A second SIPI is for processors that missed the first; running ones ignore it.
        if time::sleep_until(200, || running() == wanted) {
            break;
        }
    }
    time::sleep_until(2000, || running() == wanted);
    running()
}

/// An application processor's ring 3.
pub fn processor_main(slot: usize) -> ! {
    apic::init_local();
    APIC_IDS[slot].store(apic::id(), Release);
    RUNNING.fetch_add(1, AcqRel);
    wake_boot_processor();
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
    wake_boot_processor();
    processor_loop(slot)
}

/// A fault to report: slot, vector, instruction.
pub fn take_fault() -> Option<(usize, u64, u64)> {
    (1..running()).find_map(|slot| match FAULTS[slot].swap(0, AcqRel) {
        0 => None,
        vector => Some((slot, vector - 1, FAULT_RIPS[slot].load(Relaxed))),
    })
}

fn wake_boot_processor() {
    apic::send(APIC_IDS[0].load(Acquire), WAKE as u32);
}

/// Interrupts the processor in `slot` so that it looks at its job.
pub fn wake(slot: usize) {
    if slot != 0 {
        apic::send(APIC_IDS[slot].load(Acquire), WAKE as u32);
    }
}

pub fn apic_id(slot: usize) -> u8 {
    APIC_IDS[slot].load(Acquire)
}
