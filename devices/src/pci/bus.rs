//! A PCI bus: which function is where.
//!
//! The bus has one small lock around its table. It is released before a function's own
//! configuration space is accessed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Error, Result};
use crate::memory::Action;

/// One function of a device, as the bus reaches it.
pub trait Function: Send + Sync {
    /// Reads `size` (1, 2 or 4) bytes of configuration space at `offset`, a multiple of `size`.
    fn read_config(&self, offset: u8, size: usize) -> u32;

    /// Writes them. What the write asks beyond the function (moved windows) is for the caller.
    fn write_config(&self, offset: u8, size: usize, value: u32) -> Action;
}

/// A bus with up to 32 devices of 8 functions.
pub struct PciBus {
    name: String,
    functions: Mutex<BTreeMap<u8, Arc<dyn Function>>>,
}

impl PciBus {
    /// An empty bus called `name` (`pci.0`).
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), functions: Mutex::default() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts `function` at `devfn` (device times 8 plus function), or as function 0 of the first
    /// free device. It is there as long as the returned slot.
    ///
    /// # Errors
    /// The place is taken or the bus is full.
    pub fn plug(self: &Arc<Self>, devfn: Option<u8>, function: Arc<dyn Function>) -> Result<Slot> {
        let mut functions = self.lock();
        let free = |device: &u8| functions.range(device * 8..=device * 8 + 7).next().is_none();
        let devfn = match devfn {
            Some(devfn) if !functions.contains_key(&devfn) => devfn,
            Some(devfn) => {
                return Err(Error::InUse {
                    what: "PCI address",
                    name: format!("{:02x}.{}", devfn >> 3, devfn & 7),
                });
            }
            None => match (0..32).find(free) {
                Some(device) => device * 8,
                None => return Err(Error::message("PCI: no slot available, all in use")),
            },
        };
        functions.insert(devfn, function);
        Ok(Slot { bus: self.clone(), devfn })
    }

    /// The function at `devfn`.
    pub fn function(&self, devfn: u8) -> Option<Arc<dyn Function>> {
        self.lock().get(&devfn).cloned()
    }

    /// All functions by place.
    pub fn functions(&self) -> Vec<(u8, Arc<dyn Function>)> {
        self.lock().iter().map(|(devfn, function)| (*devfn, function.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u8, Arc<dyn Function>>> {
        self.functions.lock().expect("bus lock")
    }
}

/// A function's place on a bus, taken as long as this exists.
pub struct Slot {
    bus: Arc<PciBus>,
    devfn: u8,
}

impl Slot {
    /// Device times 8 plus function.
    pub fn devfn(&self) -> u8 {
        self.devfn
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.bus.lock().remove(&self.devfn);
    }
}
