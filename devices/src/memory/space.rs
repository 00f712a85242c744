//! An address space: layout, published map, and access through it.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use super::flatten::{flatten, ram_difference};
use super::layout::Layout;
use super::{Access, Action, Edit, Map, Mapping, MappingId, Range, Target};
use crate::error::Result;
use crate::trace::{GUEST_ERRORS, points};
use crate::{limited, trace};

/// Told of each change of the RAM ranges before the new map is published, with the layout lock
/// held. First come all removals, then all additions.
pub trait Listener: Send + Sync {
    /// Makes the guest's own accesses follow.
    ///
    /// # Errors
    /// The host refuses; the text goes to whoever asked for the mapping, or to the log.
    fn ram_changed(&self, removed: &[&Range], added: &[&Range]) -> std::result::Result<(), String>;
}

/// One address space: guest physical memory, or I/O ports.
pub struct AddressSpace {
    name: &'static str,
    unassigned: u64,
    layout: Mutex<Layout>,
    published: ArcSwap<Map>,
    listener: OnceLock<Arc<dyn Listener>>,
}

impl AddressSpace {
    /// An empty space in which nothing answers: reads of it give the low bytes of `unassigned`.
    pub fn new(name: &'static str, unassigned: u64) -> Arc<Self> {
        Arc::new(Self {
            name,
            unassigned,
            layout: Mutex::new(Rank::Layout, Default::default()),
            published: ArcSwap::default(),
            listener: OnceLock::new(),
        })
    }

    /// `memory` or `I/O`, as in `info mtree`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Connects the accelerator, once, before anything is mapped.
    pub fn set_listener(&self, listener: Arc<dyn Listener>) {
        assert!(self.listener.set(listener).is_ok(), "one listener per address space");
    }

    /// The map as it is now.
    pub fn map(&self) -> arc_swap::Guard<Arc<Map>> {
        self.published.load()
    }

    /// The map as it is now, to be kept.
    pub fn snapshot(&self) -> Arc<Map> {
        self.published.load_full()
    }

    /// All mappings, visible or not, in the order of their creation.
    pub fn mappings(&self) -> Vec<Mapping> {
        self.lock().mappings.values().cloned().collect()
    }

    /// Adds a mapping; it lasts as long as the returned guard.
    ///
    /// # Errors
    /// The window has no size or does not fit below 2^64; or the accelerator refuses it, in which
    /// case nothing has changed.
    pub fn add(self: &Arc<Self>, mapping: Mapping) -> Result<Mapped> {
        let mut layout = self.lock();
        let id = layout.insert(mapping)?;
        if let Err(text) = self.publish(&layout) {
            layout.mappings.remove(&id);
            let _ = self.publish(&layout);
            return Err(crate::error::Error::message(text));
        }
        Ok(Mapped { space: self.clone(), id })
    }

    /// Changes mappings at once; edits for mappings of other spaces are passed over. When this
    /// returns every vCPU sees the new map. What the accelerator refuses is logged: a guest's
    /// register write has no other way to fail.
    pub fn edit(&self, edits: &[Edit]) {
        let mut layout = self.lock();
        let changed = edits.iter().fold(false, |changed, edit| layout.edit(*edit) | changed);
        if changed && let Err(text) = self.publish(&layout) {
            log::error!("{} map: {text}", self.name);
        }
    }

    fn remove(&self, id: MappingId) {
        let mut layout = self.lock();
        layout.mappings.remove(&id);
        if let Err(text) = self.publish(&layout) {
            log::error!("{} map: {text}", self.name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Layout> {
        self.layout.lock()
    }

    fn publish(&self, layout: &Layout) -> std::result::Result<(), String> {
        let new = flatten(layout);
        let old = self.published.load_full();
        let (removed, added) = ram_difference(&old, &new);
        trace!(
            points::FLATVIEW_NEW,
            "{} RAM ranges removed {} added {}",
            self.name,
            removed.len(),
            added.len()
        );
        let result = match self.listener.get() {
            Some(listener) if !(removed.is_empty() && added.is_empty()) => {
                listener.ram_changed(&removed, &added)
            }
            _ => Ok(()),
        };
        self.published.store(Arc::new(new));
        result
    }

    /// Reads `data.len()` (up to 8) bytes at `address` as a vCPU or the monitor does: registers
    /// have their effects.
    pub fn read(&self, address: u64, data: &mut [u8]) {
        let map = self.map();
        let mut missed = 0;
        for_each_part(&map, address, data.len(), |part| {
            let value = match part.range.map(|range| &range.target) {
                Some(Target::Ram(block)) => block.load(part.offset, part.size),
                Some(Target::Io(region)) => {
                    let value = region.read(part.offset, part.size);
                    self.trace_access(&points::MEMORY_REGION_OPS_READ, address, &part, value);
                    value
                }
                None => {
                    missed += part.size;
                    self.unassigned
                }
            };
            data[part.at..part.at + part.size].copy_from_slice(&value.to_le_bytes()[..part.size]);
        });
        if missed > 0 {
            limited!(
                GUEST_ERRORS,
                "Invalid read at addr {address:#x}, size {missed}, region '{}'",
                self.name
            );
        }
    }

    /// Writes `data` (up to 8 bytes) at `address`. Changes of this or another layout are the
    /// caller's to apply, as is a request: both are returned, in order.
    pub fn write(&self, address: u64, data: &[u8], mut act: impl FnMut(Action)) {
        let map = self.map();
        let mut missed = 0;
        for_each_part(&map, address, data.len(), |part| {
            let mut bytes = [0u8; 8];
            bytes[..part.size].copy_from_slice(&data[part.at..part.at + part.size]);
            let value = u64::from_le_bytes(bytes);
            match part.range {
                Some(Range { target: Target::Ram(block), access: Access::ReadWrite, .. }) => {
                    block.store(part.offset, part.size, value);
                }
                Some(Range { target: Target::Io(region), .. }) => {
                    self.trace_access(&points::MEMORY_REGION_OPS_WRITE, address, &part, value);
                    act(region.write(part.offset, part.size, value));
                }
                _ => missed += part.size,
            }
        });
        if missed > 0 {
            limited!(
                GUEST_ERRORS,
                "Invalid write at addr {address:#x}, size {missed}, region '{}'",
                self.name
            );
        }
    }

    fn trace_access(&self, point: &trace::Point, address: u64, part: &Part<'_>, value: u64) {
        let (address, size) = (address.wrapping_add(part.at as u64), part.size);
        trace!(point, "addr {address:#x} value {value:#x} size {size} name '{}'", self.name);
    }
}

/// One naturally aligned part of an access.
struct Part<'a> {
    range: Option<&'a Range>,
    /// Offset in the range's target.
    offset: u64,
    /// Where the part's bytes are in the access.
    at: usize,
    size: usize,
}

/// Splits an access into parts that are aligned in their target, no wider than it accepts, and
/// within one range.
fn for_each_part(map: &Map, address: u64, length: usize, mut visit: impl FnMut(Part<'_>)) {
    let mut at = 0;
    while at < length {
        let here = address.wrapping_add(at as u64);
        let left = length - at;
        let range = map.find(here);
        let (offset, widest) = match range {
            Some(range) => {
                let offset = range.offset + (here - range.start);
                let room =
                    usize::try_from(range.last - here).unwrap_or(usize::MAX).saturating_add(1);
                let width = match &range.target {
                    Target::Ram(_) => 8,
                    Target::Io(region) => region.max_width(),
                };
                (offset, room.min(width))
            }
            None => (here, 1),
        };
        let size = part_size(offset, left.min(widest).min(8));
        visit(Part { range, offset, at, size });
        at += size;
    }
}

/// The largest power of two that is at most `limit` (not 0) and divides `offset`.
fn part_size(offset: u64, limit: usize) -> usize {
    let alignment = if offset == 0 { 8 } else { 1 << offset.trailing_zeros().min(3) };
    (1 << limit.ilog2()).min(alignment)
}

/// A mapping that lasts as long as this guard.
pub struct Mapped {
    space: Arc<AddressSpace>,
    id: MappingId,
}

impl Mapped {
    /// Names the mapping in edits.
    pub fn id(&self) -> MappingId {
        self.id
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        self.space.remove(self.id);
    }
}

#[cfg(test)]
mod tests;
