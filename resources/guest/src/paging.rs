//! Identity mapping beyond the first GiB, one GiB at a time when it is first wanted.
//!
//! entry.s maps GiB 0. Another GiB costs one page directory from a pool; entries go from not present to present,
//! so no TLB needs flushing. What is not RAM is mapped uncached.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::boot;
use crate::entry::pdpt;
use crate::hardware::write64;

const POOL: usize = 64;
const GIB: u64 = 1 << 30;
const LARGE: u64 = 2 << 20;

#[repr(C, align(4096))]
struct Directories([[u64; 512]; POOL]);

#[unsafe(link_section = ".noinit")]
static mut DIRECTORIES: Directories = Directories([[0; 512]; POOL]);
static USED: AtomicUsize = AtomicUsize::new(0);
static MAPPED: [AtomicUsize; 8] = [const { AtomicUsize::new(0) }; 8];

/// Maps every GiB that `address..address+length` touches. False beyond 512 GiB or when the pool is used up.
pub fn ensure(address: u64, length: u64) -> bool {
    let Some(last) = address.checked_add(length.max(1) - 1) else {
        return false;
    };
    if last >= 512 * GIB {
        return false;
    }
    (address / GIB..=last / GIB).all(map_gib)
}

fn map_gib(gib: u64) -> bool {
    let (word, bit) = (gib as usize / 64, gib % 64);
    if gib == 0 || MAPPED[word].load(Relaxed) >> bit & 1 == 1 {
        return true;
    }
    let index = USED.fetch_add(1, Relaxed);
    if index >= POOL {
        USED.store(POOL, Relaxed);
        return false;
    }
    let directory = (&raw const DIRECTORIES) as u64 + index as u64 * 4096;
    for page in 0..512 {
        let start = gib * GIB + page * LARGE;
        let flags = if boot::is_ram(start) { 0x87 } else { 0x9f };
        write64(directory + page * 8, start | flags);
    }
    write64(pdpt.address() + gib * 8, directory | 7);
    MAPPED[word].fetch_or(1 << bit, Relaxed);
    true
}
