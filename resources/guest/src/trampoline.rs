//! The real-mode page through which application processors and a waking machine come back to long mode.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use crate::entry::{TRAMPOLINE, trampoline_end, trampoline_start};
use crate::hardware::{read8, write8};

unsafe extern "C" {
    safe static ap_next_slot: AtomicU32;
    safe static trampoline_wakes: AtomicU32;
}

fn copy(wakes: u32) {
    let (from, end) = (trampoline_start.address(), trampoline_end.address());
    for offset in 0..end - from {
        write8(TRAMPOLINE + offset, read8(from + offset));
    }
    trampoline_wakes.store(wakes, SeqCst);
}

/// Whoever comes next is an application processor; they get slots from 1.
pub fn prepare_processors() {
    ap_next_slot.store(1, SeqCst);
    copy(0);
}

/// Whoever comes next is the boot processor, waking.
pub fn prepare_waking() {
    copy(1);
}
