//! The real-mode page through which application processors and a waking machine come back to long mode.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::SeqCst};

use crate::entry::{MAX_CPUS, TRAMPOLINE, trampoline_end, trampoline_start};
use crate::hardware::{read8, write8};

unsafe extern "C" {
    safe static slot_of_apic: [AtomicU8; 256];
    safe static trampoline_wakes: AtomicU32;
}

fn copy(wakes: u32) {
    let (from, end) = (trampoline_start.address(), trampoline_end.address());
    for offset in 0..end - from {
        write8(TRAMPOLINE + offset, read8(from + offset));
    }
    trampoline_wakes.store(wakes, SeqCst);
}

/// Whoever comes next is an application processor; they get slots from 1, in the order of the APIC ids given.
pub fn prepare_processors(ids: impl Iterator<Item = u8>) {
    slot_of_apic.iter().for_each(|slot| slot.store(0, SeqCst));
    for (slot, id) in (1..MAX_CPUS as u8).zip(ids) {
        slot_of_apic[usize::from(id)].store(slot, SeqCst);
    }
    copy(0);
}

/// Whoever comes next is the boot processor, waking.
pub fn prepare_waking() {
    copy(1);
}
