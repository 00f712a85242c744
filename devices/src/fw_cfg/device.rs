//! `fw_cfg_io`: the device at I/O ports.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::{Arc, OnceLock};

use vm_memory::{GuestAddressSpace, GuestMemoryAtomic};

use super::dma::{self, Operation};
use super::items::Items;
use crate::error::{Error, Result};
use crate::memory::{Action, RamView, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::property;

const SELECTOR: u64 = 0x510;
const DMA: u64 = 0x514;
/// What the DMA register reads as.
const DMA_SIGNATURE: &[u8; 8] = b"QEMU CFG";
/// File slots there are at least.
const MIN_SLOTS: u16 = 0x10;
/// File slots there are at most: keys must stay below the flags.
const MAX_SLOTS: u16 = 0x3fe0;

pub(super) static CLASS: Class = Class {
    description: "firmware configuration",
    make: Some(|_| Box::<FwCfg>::default()),
    bus: Some(BusKind::System),
    properties: &[
        property!(FwCfg, "dma_enabled", dma_enabled: bool, "whether there is the DMA interface"),
        property!(FwCfg, "x-file-slots", file_slots: u16, "number of files that fit"),
    ],
    ..Class::base("fw_cfg_io", "fw_cfg")
};

/// The device.
pub struct FwCfg {
    dma_enabled: bool,
    file_slots: u16,
    items: OnceLock<Arc<Mutex<Items>>>,
}

impl Default for FwCfg {
    fn default() -> Self {
        Self { dma_enabled: true, file_slots: 0x20, items: OnceLock::new() }
    }
}

impl FwCfg {
    /// Sets the item `key` (see [`super::key`]), instead of the one that was there.
    pub fn add_item(&self, key: u16, bytes: Vec<u8>) {
        lock(self.items()).add_item(key, bytes);
    }

    /// Adds a file. Files have keys in the order of their names, so all of them are added before
    /// the guest looks.
    ///
    /// # Errors
    /// The name is empty, longer than 55 bytes or taken; the contents exceed 32 bits; or no slot
    /// is left.
    pub fn add_file(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        lock(self.items()).add_file(name, bytes)
    }

    fn items(&self) -> &Arc<Mutex<Items>> {
        self.items.get_or_init(|| {
            Arc::new(Mutex::new(Rank::Device, Items::new(self.file_slots, self.dma_enabled)))
        })
    }
}

fn lock(items: &Mutex<Items>) -> MutexGuard<'_, Items> {
    items.lock()
}

impl Object for FwCfg {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        if !(MIN_SLOTS..=MAX_SLOTS).contains(&self.file_slots) {
            return Err(Error::message(format!(
                "\"file_slots\" must be between 0x{MIN_SLOTS:x} and 0x{MAX_SLOTS:x}"
            )));
        }
        let items = self.items().clone();
        context.map_ports("fwcfg", SELECTOR, 2, Arc::new(Ports(items.clone())))?;
        if self.dma_enabled {
            let memory = context.platform.ram.clone();
            let register = DmaRegister { items, memory };
            context.map_ports("fwcfg.dma", DMA, 8, Arc::new(register))?;
        }
        Ok(())
    }

    fn reset(&mut self) {
        lock(self.items()).reset();
    }
}

/// Selector and data register.
struct Ports(Arc<Mutex<Items>>);

impl Region for Ports {
    fn read(&self, _offset: u64, size: usize) -> u64 {
        // Only single bytes can be read, at either port.
        if size == 1 { lock(&self.0).read_byte().into() } else { 0 }
    }

    fn write(&self, _offset: u64, size: usize, value: u64) -> Action {
        // A single byte would be data, and no item can be written.
        if size == 2 {
            lock(&self.0).select(value as u16);
        }
        Action::None
    }

    fn max_width(&self) -> usize {
        2
    }
}

/// The address of a DMA descriptor, big endian; writing its low half starts the operation.
struct DmaRegister {
    items: Arc<Mutex<Items>>,
    memory: GuestMemoryAtomic<RamView>,
}

impl DmaRegister {
    fn start(&self, descriptor: u64) {
        let memory = self.memory.memory();
        let Some(operation) = Operation::fetch(&memory, descriptor) else {
            dma::report(&memory, descriptor, true);
            return;
        };
        let transfer = operation.apply(&mut lock(&self.items));
        operation.finish(&memory, descriptor, &transfer);
    }
}

impl Region for DmaRegister {
    fn read(&self, offset: u64, size: usize) -> u64 {
        let mut bytes = [0; 8];
        let part = DMA_SIGNATURE.iter().skip(offset as usize).take(size);
        bytes.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(bytes)
    }

    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        match (offset, size) {
            (0, 4) => lock(&self.items).dma_high = (value as u32).to_be(),
            (4, 4) => {
                let high = std::mem::take(&mut lock(&self.items).dma_high);
                self.start(u64::from(high) << 32 | u64::from((value as u32).to_be()));
            }
            _ => {} // Halves of halves are not written.
        }
        Action::None
    }
}
