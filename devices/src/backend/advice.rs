//! How guest RAM is taken from the host, and what the host is told about it (madvise(2)).
#![allow(unsafe_code)] // madvise takes an address.

use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use rustix::mm::{Advice, madvise};
use vm_memory::VolatileMemory;

use crate::error::{Error, Result};
use crate::memory::RamBlock;

/// Bytes of the smallest page of the host.
const PAGE: u64 = 4096;

/// How guest RAM is taken from the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RamPolicy {
    /// Other processes can map it too.
    pub share: bool,
    /// The host may look for equal pages and keep them once.
    pub merge: bool,
    /// It is part of the process's core dump.
    pub dump: bool,
    /// All of it is taken now, not page by page as the guest comes to it.
    pub prealloc: bool,
    /// All of it counts against the host's limits now.
    pub reserve: bool,
}

impl Default for RamPolicy {
    fn default() -> Self {
        Self { share: false, merge: true, dump: true, prealloc: false, reserve: true }
    }
}

impl RamPolicy {
    /// Takes zeroed memory, of the given names and sizes in bytes (not 0; filled up to whole
    /// pages). Private memory is advised for huge pages. With `prealloc` this takes as long as the
    /// host needs to find and clear that much memory.
    ///
    /// # Errors
    /// The host refuses; then nothing is taken.
    pub fn allocate(&self, blocks: &[(&str, u64)]) -> Result<Vec<RamBlock>> {
        blocks.iter().map(|(name, size)| self.block(name, *size)).collect()
    }

    fn block(&self, name: &str, size: u64) -> Result<RamBlock> {
        let size = size.checked_next_multiple_of(PAGE).unwrap_or(size);
        let block = if self.share {
            RamBlock::shared(name, size, self.reserve)?
        } else {
            RamBlock::private(name, size, self.reserve)?
        };
        // Hosts without huge pages or page merging know no such advice: fine without.
        let _ = advise(&block, Advice::LinuxHugepage);
        if self.merge {
            set_merge(&block, true);
        }
        if !self.dump {
            set_dump(&block, false);
        }
        if self.prealloc {
            populate(&block)?;
        }
        Ok(block)
    }
}

/// Whether the host may look for equal pages.
pub(super) fn set_merge(block: &RamBlock, on: bool) {
    let advice = if on { Advice::LinuxMergeable } else { Advice::LinuxUnmergeable };
    if let Err(error) = advise(block, advice) {
        log::debug!("memory '{}' cannot be merged: {error}", block.name());
    }
}

/// Whether a core dump of the process has it.
pub(super) fn set_dump(block: &RamBlock, on: bool) {
    let advice = if on { Advice::LinuxDoDump } else { Advice::LinuxDontDump };
    if let Err(error) = advise(block, advice) {
        log::warn!("memory '{}' is in core dumps: {error}", block.name());
    }
}

/// Takes every page of it from the host now. What it holds stays.
///
/// # Errors
/// The host does not have that much.
pub(super) fn populate(block: &RamBlock) -> Result<()> {
    match advise(block, Advice::LinuxPopulateWrite) {
        Ok(()) => Ok(()),
        // Linux before 5.14.
        Err(Errno::INVAL) => {
            touch(block);
            Ok(())
        }
        Err(error) => Err(Error::message(format!(
            "cannot preallocate guest memory '{}': {}",
            block.name(),
            error.kind()
        ))),
    }
}

/// Writes to every page what it holds.
fn touch(block: &RamBlock) {
    let slice = block.slice();
    for page in (0..block.size()).step_by(PAGE as usize) {
        let byte = slice.get_atomic_ref::<AtomicU8>(page as usize).expect("within the block");
        byte.fetch_or(0, Ordering::Relaxed);
    }
}

fn advise(block: &RamBlock, advice: Advice) -> std::result::Result<(), Errno> {
    let region = block.region();
    // SAFETY: the range is exactly the mapping that `region` owns and keeps for this call, and no
    // advice of this module changes what the memory holds.
    unsafe { madvise(region.as_ptr().cast(), region.size(), advice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_keeps_what_is_there() {
        let block = RamBlock::anonymous("t", 3 * PAGE).unwrap();
        block.store(0, 8, u64::MAX);
        block.store(2 * PAGE, 8, 5);
        touch(&block);
        assert_eq!([0, PAGE, 2 * PAGE].map(|at| block.load(at, 8)), [u64::MAX, 0, 5]);
    }
}
