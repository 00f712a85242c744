//! The editable form of an address space: overlapping mappings with priorities.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Target;
use crate::error::{Error, Result};

/// Names a mapping for later edits. No two mappings of the process have the same, so that a list of
/// edits need not say which address space each is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId(pub(super) u64);

/// Whether the guest may write to mapped RAM. Registers ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// RAM.
    ReadWrite,
    /// ROM: writes are ignored.
    ReadOnly,
}

/// A window into a target. Where windows overlap the higher priority shows; among equals the later
/// one.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// What `info mtree` calls it.
    pub name: String,
    /// First address, or `None` while it is not visible.
    pub base: Option<u64>,
    /// Length in bytes, not 0.
    pub size: u64,
    /// Where the window begins in the target, in bytes.
    pub offset: u64,
    /// Larger wins. Plain RAM is 0 and so are most registers.
    pub priority: i32,
    /// Read-only or not, for RAM.
    pub access: Access,
    /// What is seen through it.
    pub target: Target,
}

impl Mapping {
    /// A read-write window of priority 0 at the beginning of `target`.
    pub fn new(name: impl Into<String>, base: u64, size: u64, target: Target) -> Self {
        Self {
            name: name.into(),
            base: Some(base),
            size,
            offset: 0,
            priority: 0,
            access: Access::ReadWrite,
            target,
        }
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.base.map(|base| base + (self.size - 1))
    }
}

/// One change of a mapping. Edits for different mappings may be mixed in one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Moves the window to a base, or hides it. A base with which the window would not fit below
    /// 2^64 hides it: an address decoder would never match.
    Move(MappingId, Option<u64>),
    /// Changes whether RAM can be written through it.
    Access(MappingId, Access),
}

/// All mappings of a space, visible or not.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) mappings: BTreeMap<MappingId, Mapping>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Layout {
    pub(super) fn insert(&mut self, mapping: Mapping) -> Result<MappingId> {
        let fits = mapping.base.is_none_or(|base| base.checked_add(mapping.size - 1).is_some());
        if mapping.size == 0 || !fits {
            return Err(Error::message(format!("mapping '{}' does not fit", mapping.name)));
        }
        let id = MappingId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        self.mappings.insert(id, mapping);
        Ok(id)
    }

    /// Applies one edit and tells whether anything is different now. An edit for a mapping of
    /// another space, or for one that was just removed, changes nothing.
    pub(super) fn edit(&mut self, edit: Edit) -> bool {
        match edit {
            Edit::Move(id, base) => self.mappings.get_mut(&id).is_some_and(|mapping| {
                let base = base.filter(|base| base.checked_add(mapping.size - 1).is_some());
                std::mem::replace(&mut mapping.base, base) != base
            }),
            Edit::Access(id, access) => self
                .mappings
                .get_mut(&id)
                .is_some_and(|mapping| std::mem::replace(&mut mapping.access, access) != access),
        }
    }
}
