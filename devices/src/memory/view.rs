//! Guest RAM as devices reach it by DMA: the blocks at their addresses, without the holes and
//! overlays that only CPUs see.

use vm_memory::{
    GuestAddress, GuestMemoryError, GuestMemoryRegion, GuestMemoryRegionBytes,
    GuestRegionCollection, GuestUsize, MemoryRegionAddress, VolatileMemory, VolatileSlice,
};

use super::RamBlock;
use crate::error::{Error, Result};

/// All of guest RAM; implements `vm_memory::GuestMemory`.
pub type RamView = GuestRegionCollection<RamRegion>;

/// A part of a block at a guest physical address.
#[derive(Debug)]
pub struct RamRegion {
    base: GuestAddress,
    block: RamBlock,
    offset: u64,
    size: u64,
}

impl RamRegion {
    /// `size` bytes (not 0) of `block` from `offset`, at guest physical address `base`.
    ///
    /// # Errors
    /// The part is not inside the block, or would end beyond 2^64.
    pub fn new(base: u64, block: RamBlock, offset: u64, size: u64) -> Result<Self> {
        let inside = offset.checked_add(size).is_some_and(|end| end <= block.size());
        if size == 0 || !inside || base.checked_add(size - 1).is_none() {
            return Err(Error::message(format!("memory '{}' is too small", block.name())));
        }
        Ok(Self { base: GuestAddress(base), block, offset, size })
    }
}

impl GuestMemoryRegion for RamRegion {
    type B = ();

    fn len(&self) -> GuestUsize {
        self.size
    }

    fn start_addr(&self) -> GuestAddress {
        self.base
    }

    fn bitmap(&self) {}

    fn get_slice(
        &self,
        offset: MemoryRegionAddress,
        count: usize,
    ) -> std::result::Result<VolatileSlice<'_>, GuestMemoryError> {
        let end = offset.0.checked_add(count as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(GuestMemoryError::InvalidBackendAddress);
        }
        Ok(self.block.region().get_slice((self.offset + offset.0) as usize, count)?)
    }
}

impl GuestMemoryRegionBytes for RamRegion {}

#[cfg(test)]
mod tests {
    use vm_memory::Bytes;

    use super::*;

    #[test]
    fn parts_of_one_block_are_seen_at_their_addresses_and_nowhere_else() {
        let block = RamBlock::anonymous("ram", 0x4000).unwrap();
        let low = RamRegion::new(0, block.clone(), 0, 0x3000).unwrap();
        let high = RamRegion::new(0x1_0000_0000, block.clone(), 0x3000, 0x1000).unwrap();
        let view = RamView::from_regions(vec![low, high]).unwrap();
        view.write_obj(7u64, GuestAddress(0x1_0000_0000)).unwrap();
        assert_eq!(block.load(0x3000, 8), 7);
        assert!(view.write_obj(7u64, GuestAddress(0x2ffc)).is_err());
        assert_eq!(block.load(0x3000, 8), 7, "a write that does not fit reaches nothing else");
        assert!(view.read_obj::<u64>(GuestAddress(0x1_0000_0ffc)).is_err());
        assert!(RamRegion::new(0, block, 0x3000, 0x1001).is_err());
    }
}
