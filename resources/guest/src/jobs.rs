//! Background work, one job a CPU: spinning and dirtying memory. Application processors run theirs in their idle
//! loop, the boot processor between two looks at the serial line, so a job is cut into short steps.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::*};

use crate::entry::MAX_CPUS;
use crate::hardware::{pause, tsc, write64};
use crate::{smp, time};

const NONE: u8 = 0;
const SPIN: u8 = 1;
const DIRTY: u8 = 2;
const STOPPING: u8 = 3;
const PAGE: u64 = 4096;
/// Work of one step: iterations, or pages.
const STEP: u64 = 4096;

struct Job {
    kind: AtomicU8,
    start: AtomicU64,
    deadline: AtomicU64,
    address: AtomicU64,
    pages: AtomicU64,
    /// Pages a second, 0: no limit.
    rate: AtomicU64,
    done: AtomicU64,
}

static JOBS: [Job; MAX_CPUS] = [const {
    Job {
        kind: AtomicU8::new(NONE),
        start: AtomicU64::new(0),
        deadline: AtomicU64::new(0),
        address: AtomicU64::new(0),
        pages: AtomicU64::new(0),
        rate: AtomicU64::new(0),
        done: AtomicU64::new(0),
    }
}; MAX_CPUS];

/// A counter of its own cache line.
#[repr(align(64))]
struct Counter(AtomicU64);

static COUNTERS: [Counter; MAX_CPUS] = [const { Counter(AtomicU64::new(0)) }; MAX_CPUS];
static DIRTIED: AtomicU64 = AtomicU64::new(0);

/// Address of CPU 0's counter; the others follow, 64 bytes apart.
pub fn counter_address() -> u64 {
    (&raw const COUNTERS) as u64
}

/// The counter of a CPU.
pub fn counter(slot: usize) -> u64 {
    COUNTERS[slot].0.load(Relaxed)
}

/// Adds to the counter of a CPU.
pub fn add_to_counter(slot: usize, amount: u64) {
    COUNTERS[slot].0.fetch_add(amount, Relaxed);
}

/// Pages written by every dirty job so far.
pub fn dirtied() -> u64 {
    DIRTIED.load(Relaxed)
}

/// True while the CPU has a job.
pub fn is_busy(slot: usize) -> bool {
    JOBS[slot].kind.load(Acquire) != NONE
}

/// The kind of job of a CPU.
pub fn name(slot: usize) -> &'static str {
    match JOBS[slot].kind.load(Acquire) {
        SPIN => "spin",
        DIRTY => "dirty",
        STOPPING => "stopping",
        _ => "idle",
    }
}

fn start(slot: usize, kind: u8, ms: u64) {
    let job = &JOBS[slot];
    let now = tsc();
    job.start.store(now, Relaxed);
    job.deadline
        .store(if ms == 0 { u64::MAX } else { now.saturating_add(time::cycles(ms)) }, Relaxed);
    job.done.store(0, Relaxed);
    job.kind.store(kind, Release);
    wake(slot);
}

/// Ends the sleep of an application processor; the boot processor is awake.
fn wake(slot: usize) {
    if slot != 0 {
        smp::wake(slot);
    }
}

/// Keeps a CPU busy for `ms` (0: until stopped), adding to its counter.
pub fn spin(slot: usize, ms: u64) {
    start(slot, SPIN, ms);
}

/// Writes one word a page over the range, round and round, `rate` pages a second (0: as fast as it goes).
pub fn dirty(slot: usize, address: u64, length: u64, rate: u64, ms: u64) {
    let job = &JOBS[slot];
    job.address.store(address, Relaxed);
    job.pages.store(length / PAGE, Relaxed);
    job.rate.store(rate, Relaxed);
    start(slot, DIRTY, ms);
}

/// Asks the job of `slot` to end. The boot processor's own ends here and now.
pub fn stop(slot: usize) {
    let kind = &JOBS[slot].kind;
    if slot == 0 {
        kind.store(NONE, Release);
    } else if kind.load(Acquire) != NONE {
        kind.store(STOPPING, Release);
        wake(slot);
    }
}

/// The CPU that ran the job of `slot` has given it up, or is gone.
pub fn drop_job(slot: usize) {
    JOBS[slot].kind.store(NONE, Release);
}

/// Does a little of this CPU's job; false when there is none.
pub fn step(slot: usize) -> bool {
    let job = &JOBS[slot];
    let kind = job.kind.load(Acquire);
    match kind {
        NONE => return false,
        SPIN => {
            for _ in 0..STEP {
                COUNTERS[slot].0.fetch_add(1, Relaxed);
            }
        }
        DIRTY => job.dirty_some(),
        _ => drop_job(slot),
    }
    if kind != STOPPING && tsc() >= job.deadline.load(Relaxed) {
        drop_job(slot);
    }
    true
}

impl Job {
    fn dirty_some(&self) {
        let (rate, done) = (self.rate.load(Relaxed), self.done.load(Relaxed));
        let due = match rate {
            0 => STEP,
            _ => {
                let elapsed = u128::from(tsc().saturating_sub(self.start.load(Relaxed)));
                let wanted = elapsed * u128::from(rate) / u128::from(time::tsc_hz());
                (wanted as u64).saturating_sub(done).min(STEP)
            }
        };
        if due == 0 {
            (0..64).for_each(|_| pause());
            return;
        }
        let (address, pages) = (self.address.load(Relaxed), self.pages.load(Relaxed));
        for n in done..done + due {
            write64(address + n % pages * PAGE, n + 1);
        }
        self.done.store(done + due, Relaxed);
        DIRTIED.fetch_add(due, Relaxed);
    }
}
