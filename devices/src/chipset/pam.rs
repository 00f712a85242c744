//! What RAM the guest sees, by the programmable attribute map and SMRAM registers of the 82441FX
//! (datasheet 290549, sections 3.2.18 and 3.2.19).
//!
//! RAM lies at 0 to 640 KiB, from 1 MiB to the PCI hole, and from 4 GiB on. In each of 13 segments
//! of 0xC0000 to 0xFFFFF two bits choose what reads and what writes reach: RAM, or whatever else is
//! there (ROM, PCI). At 0xA0000 RAM appears while SMRAM is open.
//!
//! A segment is a window on RAM that is shown, read-only or writable, or hidden. The mode that reads
//! ROM and writes RAM is a window of registers that does both; a guest cannot execute from it under
//! KVM, but it can copy a ROM onto itself, which is what the mode is for.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::memory::{
    Access, Action, AddressSpace, Edit, Mapped, Mapping, MappingId, RamBlock, Region, Target,
};
use crate::pci::ConfigSpace;

/// The registers: the first nibble belongs to no segment, the second to the last one.
pub(super) const PAM0: u8 = 0x59;
pub(super) const PAM_END: u8 = 0x60;
/// System management RAM control.
pub(super) const SMRAM: u8 = 0x72;
const OPEN: u8 = 1 << 6;
const LOCKED: u8 = 1 << 4;
/// The bits that locking makes read-only: open, locked, and the segment's base.
const LOCKABLE: u8 = 0x57;

const LOW_END: u64 = 0xa_0000;
const SEGMENTS: u64 = 0xc_0000;
const MIB: u64 = 1 << 20;
const HIGH: u64 = 1 << 32;
/// Above ROMs, which the board maps at 0 or 1.
const PRIORITY: i32 = 2;

/// First address, bytes, register and the position of its two bits.
fn segments() -> impl Iterator<Item = (u64, u64, u8, u32)> {
    let small = (0u8..12).map(|n| {
        let shift = if n % 2 == 0 { 0 } else { 4 };
        (SEGMENTS + u64::from(n) * 0x4000, 0x4000, PAM0 + 1 + n / 2, shift)
    });
    small.chain([(0xf_0000, 0x1_0000, PAM0, 4)])
}

/// RAM as the chip decodes it.
pub(super) struct RamMap {
    segments: Vec<Segment>,
    smram: Option<MappingId>,
    _mapped: Vec<Mapped>,
}

struct Segment {
    base: u64,
    register: u8,
    shift: u32,
    ram: MappingId,
    write_only: MappingId,
}

impl RamMap {
    /// Maps `ram`, of which the first `low` bytes are below the PCI hole; the segments are hidden.
    pub(super) fn new(space: &Arc<AddressSpace>, ram: &RamBlock, low: u64) -> Result<Self> {
        let mut mapped = Vec::new();
        let mut add = |mapping: Mapping| {
            let guard = space.add(mapping)?;
            let id = guard.id();
            mapped.push(guard);
            Ok::<_, crate::error::Error>(id)
        };
        let window = |base, size| Mapping::new(ram.name(), base, size, Target::Ram(ram.clone()));
        let low = low.min(ram.size());
        add(window(0, low.min(LOW_END)))?;
        if low > MIB {
            add(Mapping { offset: MIB, ..window(MIB, low - MIB) })?;
        }
        if ram.size() > low {
            add(Mapping { offset: low, ..window(HIGH, ram.size() - low) })?;
        }
        let hidden = |base, size, target| {
            let mapping = Mapping::new(ram.name(), 0, size, target);
            Mapping { base: None, offset: base, priority: PRIORITY, ..mapping }
        };
        let smram = match low {
            SEGMENTS.. => Some(add(hidden(LOW_END, SEGMENTS - LOW_END, Target::Ram(ram.clone())))?),
            _ => None,
        };
        let writes = Arc::new(WriteOnly { ram: ram.clone(), space: space.clone() });
        let mut list = Vec::new();
        for (base, size, register, shift) in
            segments().filter(|(base, size, ..)| base + size <= low)
        {
            let write_only = Mapping {
                name: "pam-write".into(),
                ..hidden(base, size, Target::Io(writes.clone()))
            };
            list.push(Segment {
                base,
                register,
                shift,
                ram: add(hidden(base, size, Target::Ram(ram.clone())))?,
                write_only: add(write_only)?,
            });
        }
        Ok(Self { segments: list, smram, _mapped: mapped })
    }

    /// What the registers ask for now.
    pub(super) fn follow(&self, config: &ConfigSpace) -> Vec<Edit> {
        let open = (config.u8(SMRAM) & OPEN != 0).then_some(LOW_END);
        let smram = self.smram.map(|id| Edit::Move(id, open));
        smram.into_iter().chain(self.segments.iter().flat_map(|s| s.follow(config))).collect()
    }
}

impl Segment {
    fn follow(&self, config: &ConfigSpace) -> [Edit; 3] {
        let bits = config.u8(self.register) >> self.shift;
        let (read, write) = (bits & 1 != 0, bits & 2 != 0);
        let access = if write { Access::ReadWrite } else { Access::ReadOnly };
        let base = Some(self.base);
        [
            Edit::Access(self.ram, access),
            Edit::Move(self.ram, base.filter(|_| read)),
            Edit::Move(self.write_only, base.filter(|_| write && !read)),
        ]
    }
}

/// Applies the lock of the SMRAM register after a write to it.
pub(super) fn lock_smram(config: &mut ConfigSpace) {
    let value = config.u8(SMRAM);
    if value & LOCKED != 0 {
        config.set_u8(SMRAM, value & !OPEN);
        config.set_writable(SMRAM, &[!LOCKABLE]);
    }
}

/// Whether registers that matter here are in `touched`.
pub(super) fn concerns(touched: &Range<usize>) -> bool {
    let overlaps = |start: u8, end: u8| touched.start < end.into() && touched.end > start.into();
    overlaps(PAM0, PAM_END) || overlaps(SMRAM, SMRAM + 1)
}

/// Reads what is below RAM, writes RAM. Offsets are addresses.
struct WriteOnly {
    ram: RamBlock,
    space: Arc<AddressSpace>,
}

impl WriteOnly {
    /// The byte that would be read if the segments were not there; 0 where nothing is.
    fn beneath(&self, address: u64) -> u8 {
        let holds = |mapping: &Mapping| {
            mapping.priority < PRIORITY
                && mapping.base.is_some_and(|base| {
                    address.checked_sub(base).is_some_and(|offset| offset < mapping.size)
                })
        };
        let visible = self.space.mappings().into_iter().filter(holds);
        let Some(mapping) = visible.max_by_key(|mapping| mapping.priority) else {
            return 0;
        };
        let offset = mapping.offset + (address - mapping.base.unwrap_or(address));
        match mapping.target {
            Target::Ram(block) => block.load(offset, 1) as u8,
            Target::Io(region) => region.read(offset, 1) as u8,
        }
    }
}

impl Region for WriteOnly {
    fn read(&self, offset: u64, size: usize) -> u64 {
        let byte = |at| u64::from(self.beneath(offset + at as u64)) << (8 * at);
        (0..size.min(8)).map(byte).sum()
    }

    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        self.ram.store(offset, size, value);
        Action::None
    }

    fn max_width(&self) -> usize {
        8
    }
}
