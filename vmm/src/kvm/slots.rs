//! Guest memory as KVM has it: one memory slot for each range of RAM or ROM in the flat map.
#![allow(unsafe_code)] // KVM_SET_USER_MEMORY_REGION trusts the addresses it is given.

use devices::lock::{Mutex, Rank};
use std::collections::BTreeMap;
use std::sync::Arc;

use devices::memory::{Access, Listener, RamBlock, Range, Target};
use kvm_bindings::{KVM_MEM_READONLY, kvm_userspace_memory_region};
use kvm_ioctls::VmFd;

const PAGE: u64 = 4096;

/// Keeps the slots of a virtual machine in step with the flat map of guest memory. Its lock is
/// only taken below the layout lock.
pub(crate) struct Slots {
    vm: Arc<VmFd>,
    /// By first guest address: the slot's number, and the memory that must outlive it.
    used: Mutex<BTreeMap<u64, (u32, RamBlock)>>,
}

impl Slots {
    pub(crate) fn new(vm: Arc<VmFd>) -> Self {
        Self { vm, used: Mutex::new(Rank::Slots, Default::default()) }
    }

    fn set(&self, slot: u32, range: &Range, block: &RamBlock, size: u64) -> Result<(), String> {
        let read_only = range.access == Access::ReadOnly;
        let region = kvm_userspace_memory_region {
            slot,
            flags: if read_only { KVM_MEM_READONLY } else { 0 },
            guest_phys_addr: range.start,
            memory_size: size,
            userspace_addr: block.region().as_ptr() as u64 + range.offset,
        };
        // SAFETY: the range lies within the block (the flat map is made from mappings that do),
        // and `used` keeps the block mapped until the slot is deleted. A size of 0 deletes.
        unsafe { self.vm.set_user_memory_region(region) }.map_err(|error| {
            format!("KVM refuses memory '{}' at 0x{:x}: {error}", range.name, range.start)
        })
    }

    fn remove(&self, range: &Range) -> Result<(), String> {
        let mut used = self.used.lock();
        let Some((slot, block)) = used.remove(&range.start) else { return Ok(()) };
        self.set(slot, range, &block, 0)
    }

    fn add(&self, range: &Range) -> Result<(), String> {
        let Target::Ram(block) = &range.target else { return Ok(()) };
        let size = range.last - range.start + 1;
        if [range.start, size, range.offset].iter().any(|value| value % PAGE != 0)
            || range.offset.checked_add(size).is_none_or(|end| end > block.size())
        {
            return Err(format!("memory '{}' is not made of whole pages", range.name));
        }
        let mut used = self.used.lock();
        let taken: Vec<u32> = used.values().map(|(slot, _)| *slot).collect();
        let slot = (0..).find(|slot| !taken.contains(slot)).expect("endless");
        self.set(slot, range, block, size)?;
        used.insert(range.start, (slot, block.clone()));
        Ok(())
    }
}

impl Listener for Slots {
    fn ram_changed(&self, removed: &[&Range], added: &[&Range]) -> Result<(), String> {
        removed.iter().try_for_each(|range| self.remove(range))?;
        added.iter().try_for_each(|range| self.add(range))
    }
}
