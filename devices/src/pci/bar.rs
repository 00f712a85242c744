//! Base address registers: where the windows of a function are (PCI 3.0 section 6.2.5).

use super::ConfigSpace;
use super::config::register as reg;
use crate::memory::{Edit, MappingId};

/// What a base address register points to, and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    /// I/O ports.
    Io,
    /// Memory below 4 GiB.
    Memory32,
    /// Memory anywhere; takes the following register too.
    Memory64,
}

/// A base address register as a device asks for it.
#[derive(Debug, Clone, Copy)]
pub struct BarSpec {
    /// Which, 0 to 5.
    pub index: u8,
    /// What it points to.
    pub kind: BarKind,
    /// Whether reads of the memory have no effects.
    pub prefetchable: bool,
    /// Bytes, a power of two: at least 4 of ports, at least 16 of memory.
    pub size: u64,
}

/// Unmapped windows lie at no address; a base of 0 counts as not programmed, as on QEMU's `pc`.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) spec: BarSpec,
    window: MappingId,
    /// Where the window was last put.
    at: Option<u64>,
}

impl Bar {
    /// The register's initial value and the bits of it that can be written, as 64 bits.
    pub(super) fn layout(spec: BarSpec) -> (u64, u64) {
        let kind = match spec.kind {
            BarKind::Io => 1,
            BarKind::Memory32 => 0,
            BarKind::Memory64 => 4,
        };
        let address = match spec.kind {
            BarKind::Memory64 => u64::MAX,
            _ => u32::MAX.into(),
        };
        (kind | u64::from(spec.prefetchable) << 3, address & !(spec.size - 1))
    }

    pub(super) fn new(spec: BarSpec, window: MappingId) -> Self {
        Self { spec, window, at: None }
    }

    pub(super) fn register(index: u8) -> u8 {
        reg::BAR0 + 4 * index
    }

    /// Where the registers put the window: nowhere while its decoder is off, and nowhere if the
    /// address was not programmed, is all ones (as while a guest asks for the size), or wraps.
    pub(super) fn decode(spec: BarSpec, config: &ConfigSpace) -> Option<u64> {
        let (enable, limit) = match spec.kind {
            BarKind::Io => (reg::COMMAND_IO, 0xffff),
            BarKind::Memory32 => (reg::COMMAND_MEMORY, u64::from(u32::MAX) - 1),
            BarKind::Memory64 => (reg::COMMAND_MEMORY, u64::MAX - 1),
        };
        if config.u16(reg::COMMAND) & enable == 0 {
            return None;
        }
        let register = Self::register(spec.index);
        let mut value = u64::from(config.u32(register));
        if spec.kind == BarKind::Memory64 {
            value |= u64::from(config.u32(register + 4)) << 32;
        }
        let base = value & !(spec.size - 1);
        let last = base.checked_add(spec.size - 1)?;
        (base != 0 && last <= limit).then_some(base)
    }

    /// The edit that puts the window where the registers say, if it is elsewhere.
    pub(super) fn follow(&mut self, config: &ConfigSpace) -> Option<Edit> {
        let base = Self::decode(self.spec, config);
        if std::mem::replace(&mut self.at, base) == base {
            return None;
        }
        Some(Edit::Move(self.window, base))
    }
}
