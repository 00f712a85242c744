//! Waking up from sleep to RAM: what firmware does with the waking vector (ACPI 6.3, section
//! 5.2.10).

use vm_memory::{Bytes, GuestAddress, GuestMemory};

use super::Entry;
use crate::acpi::FACS_WAKING_VECTOR;
use crate::layout::MIB;

/// The real-mode entry that the guest left in its FACS at guest physical address `facs`. `None`
/// if there is none: the vector is zero, not below 1 MiB, or not in memory. The machine then resets.
pub fn waking_vector<M: GuestMemory + ?Sized>(memory: &M, facs: u64) -> Option<Entry> {
    let address = facs.checked_add(FACS_WAKING_VECTOR)?;
    let vector: u32 = memory.read_obj(GuestAddress(address)).ok()?;
    (vector != 0 && u64::from(vector) < MIB)
        .then_some(Entry::RealMode { cs: (vector >> 4) as u16, ip: (vector & 0xf) as u16 })
}
