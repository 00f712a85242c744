//! The flat, immutable form of an address space that is looked up on every exit.

use std::fmt;
use std::sync::Arc;

use vm_memory::VolatileSlice;

use super::{Access, MappingId, RamBlock, Region};

/// What a range leads to.
#[derive(Clone)]
pub enum Target {
    /// Memory that the guest reads and executes directly.
    Ram(RamBlock),
    /// Registers.
    Io(Arc<dyn Region>),
}

impl Target {
    /// Whether both are the same thing.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ram(a), Self::Ram(b)) => a.is(b),
            (Self::Io(a), Self::Io(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ram(block) => write!(f, "ram {}", block.name()),
            Self::Io(_) => f.write_str("i/o"),
        }
    }
}

/// A run of addresses that leads to one target.
#[derive(Debug, Clone)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// Last address, inclusive.
    pub last: u64,
    /// Where `start` is in the target, in bytes.
    pub offset: u64,
    /// Read-only or not, for RAM.
    pub access: Access,
    /// The priority of the mapping it shows.
    pub priority: i32,
    /// The mapping's name.
    pub name: Arc<str>,
    /// What it leads to.
    pub target: Target,
    /// The mapping it shows.
    pub(super) mapping: MappingId,
}

impl Range {
    /// Whether both show the same part of the same target in the same place and manner.
    pub fn same(&self, other: &Self) -> bool {
        self.start == other.start
            && self.last == other.last
            && self.offset == other.offset
            && self.access == other.access
            && self.target.is(&other.target)
    }
}

/// A published map: ranges in ascending order that do not overlap.
#[derive(Debug, Default)]
pub struct Map {
    pub(super) ranges: Vec<Range>,
}

impl Map {
    /// The range that holds `address`.
    pub fn find(&self, address: u64) -> Option<&Range> {
        let index = self.ranges.partition_point(|range| range.last < address);
        self.ranges.get(index).filter(|range| range.start <= address)
    }

    /// All ranges, ascending.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// What there is from `address` on, as far as one range or gap goes and at most `limit` bytes.
    pub fn piece(&self, address: u64, limit: u64) -> Piece<'_> {
        let index = self.ranges.partition_point(|range| range.last < address);
        let Some(range) = self.ranges.get(index) else { return Piece::Nothing(limit) };
        if address < range.start {
            return Piece::Nothing(limit.min(range.start - address));
        }
        let length = limit.min((range.last - address).saturating_add(1));
        let Target::Ram(block) = &range.target else { return Piece::Registers(length) };
        let offset = range.offset + (address - range.start);
        // A mapping that reaches beyond its block shows nothing there.
        let inside = block.size().saturating_sub(offset);
        match block.slice().subslice(offset as usize, length.min(inside) as usize) {
            Ok(slice) if !slice.is_empty() => Piece::Memory(slice),
            _ => Piece::Nothing(length),
        }
    }

    /// Reads RAM and ROM; `false` if the range is not all of them.
    pub fn read_memory(&self, address: u64, data: &mut [u8]) -> bool {
        let mut done = 0;
        while done < data.len() {
            let Some(here) = address.checked_add(done as u64) else { return false };
            let Piece::Memory(slice) = self.piece(here, (data.len() - done) as u64) else {
                return false;
            };
            slice.copy_to(&mut data[done..done + slice.len()]);
            done += slice.len();
        }
        true
    }
}

/// What is at an address.
#[derive(Debug)]
pub enum Piece<'a> {
    /// RAM or ROM, not empty.
    Memory(VolatileSlice<'a>),
    /// That many bytes of registers.
    Registers(u64),
    /// That many bytes of nothing.
    Nothing(u64),
}
