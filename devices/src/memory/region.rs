//! The registers of a device, as a bus sees them.

use super::Edit;
use crate::request::Request;

/// A window of registers. A device implements this on a type of its own that holds its registers
/// behind one small private lock; calls come from any vCPU thread at any time.
pub trait Region: Send + Sync {
    /// Reads `size` (1, 2, 4 or 8, at most [`Self::max_width`]) bytes at `offset`, which is a
    /// multiple of `size`. The value is little endian, zero-extended.
    fn read(&self, offset: u64, size: usize) -> u64;

    /// Writes `size` bytes at `offset`. What the write asks of the world beyond the device is
    /// returned and done by the caller, who holds no lock of the device any more.
    fn write(&self, offset: u64, size: usize, value: u64) -> Action;

    /// The widest access the registers accept, in bytes; wider and unaligned ones are split.
    fn max_width(&self) -> usize {
        4
    }
}

/// What a register write asks for.
#[derive(Debug, Default)]
#[must_use = "an action that is dropped does not happen"]
pub enum Action {
    /// Nothing beyond the device itself.
    #[default]
    None,
    /// A change of the machine's run state.
    Request(Request),
    /// A change of an address space's layout, to be in force at the guest's next instruction.
    Layout(Vec<Edit>),
}
