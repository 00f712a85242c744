//! The DMA interface: a descriptor in guest memory names the operation.

use std::sync::Arc;

use vm_memory::{Bytes, GuestAddress, GuestMemoryError};

use super::items::Items;
use crate::limited;
use crate::memory::RamView;
use crate::trace::GUEST_ERRORS;

const ERROR: u32 = 0x01;
const READ: u32 = 0x02;
const SKIP: u32 = 0x04;
const SELECT: u32 = 0x08;
const WRITE: u32 = 0x10;

/// Bytes of a descriptor: control, length, address, all big endian.
const DESCRIPTOR: usize = 16;
/// Zeros written after the end of an item at most; a descriptor that wants more is in error.
const PADDING: usize = 1 << 20;

/// What a descriptor asks for.
pub(super) struct Operation {
    control: u32,
    length: u32,
    address: u64,
}

/// What is left to do once the items are no longer locked.
pub(super) enum Transfer {
    /// Nothing.
    Done,
    /// Nothing, and the descriptor is in error.
    Refused,
    /// The item's bytes from an offset go to guest memory, and zeros after its end.
    Copy(Arc<[u8]>, usize),
}

impl Operation {
    /// The descriptor at `at`; `None` if guest memory has nothing there.
    pub(super) fn fetch(memory: &RamView, at: u64) -> Option<Self> {
        let mut bytes = [0; DESCRIPTOR];
        memory.read_slice(&mut bytes, GuestAddress(at)).ok()?;
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let address = u64::from(word(8)) << 32 | u64::from(word(12));
        Some(Self { control: word(0), length: word(4), address })
    }

    /// Does to the items what it asks for.
    pub(super) fn apply(&self, items: &mut Items) -> Transfer {
        if self.control & SELECT != 0 {
            items.select((self.control >> 16) as u16);
        }
        let length = self.length as usize;
        if self.control & READ != 0 {
            let (bytes, start) = items.take(length);
            Transfer::Copy(bytes, start)
        } else if self.control & WRITE != 0 {
            // No item can be written.
            if length == 0 { Transfer::Done } else { Transfer::Refused }
        } else {
            if self.control & SKIP != 0 {
                items.take(length);
            }
            Transfer::Done
        }
    }

    /// Moves the bytes and tells the guest how it went, in the descriptor at `at`.
    pub(super) fn finish(&self, memory: &RamView, at: u64, transfer: &Transfer) {
        let failed = match transfer {
            Transfer::Done => false,
            Transfer::Refused => true,
            Transfer::Copy(bytes, start) => self.copy(memory, &bytes[*start..]).is_err(),
        };
        report(memory, at, failed);
    }

    fn copy(&self, memory: &RamView, rest: &[u8]) -> Result<(), GuestMemoryError> {
        let length = self.length as usize;
        let (bytes, padding) = (&rest[..length.min(rest.len())], length.saturating_sub(rest.len()));
        if !bytes.is_empty() {
            memory.write_slice(bytes, GuestAddress(self.address))?;
        }
        if padding > PADDING {
            return Err(GuestMemoryError::InvalidGuestAddress(GuestAddress(self.address)));
        }
        if padding > 0 {
            // The bytes fitted, so the sum can only be too large by the padding itself.
            let end = self.address.saturating_add(bytes.len() as u64);
            memory.write_slice(&vec![0; padding], GuestAddress(end))?;
        }
        Ok(())
    }
}

/// Writes the outcome into the control word of the descriptor at `at`.
pub(super) fn report(memory: &RamView, at: u64, failed: bool) {
    let control = if failed { ERROR } else { 0 };
    // A descriptor that cannot be written has nobody who reads it.
    if memory.write_slice(&control.to_be_bytes(), GuestAddress(at)).is_err() {
        limited!(GUEST_ERRORS, "fw_cfg: no memory for a DMA descriptor at {at:#x}");
    }
}
