//! A PCI bus: which function is where, and where interrupt pins lead.
//!
//! The bus has one small lock around its table and one around its router. Both are released before
//! a function's own configuration space, or the router, is reached.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::BarSpec;
use super::config::register as reg;
use crate::error::{Error, Result};
use crate::memory::Action;

/// One function of a device, as the bus reaches it.
pub trait Function: Send + Sync {
    /// Reads `size` (1, 2 or 4) bytes of configuration space at `offset`, a multiple of `size`.
    fn read_config(&self, offset: u8, size: usize) -> u32;

    /// Writes them. What the write asks beyond the function (moved windows) is for the caller.
    fn write_config(&self, offset: u8, size: usize, value: u32) -> Action;

    /// The name of the device's class.
    fn class(&self) -> &str;

    /// The id that the user gave the device; empty if none.
    fn id(&self) -> &str;

    /// Its base address registers with the address each is at, if any.
    fn bars(&self) -> Vec<(BarSpec, Option<u64>)>;
}

/// Where the interrupt pins of a bus's devices lead.
pub trait IntxRouter: Send + Sync {
    /// The pin (0 to 3 for INTA# to INTD#) of the function at `devfn` goes high or low. Called for
    /// changes only.
    fn set(&self, devfn: u8, pin: u8, high: bool);
}

type Functions = BTreeMap<u8, Arc<dyn Function>>;

/// A bus with up to 32 devices of 8 functions.
pub struct PciBus {
    name: String,
    functions: Mutex<Functions>,
    router: Mutex<Option<Arc<dyn IntxRouter>>>,
}

impl PciBus {
    /// An empty bus called `name` (`pci.0`).
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            functions: Mutex::new(Rank::Bus, Default::default()),
            router: Mutex::new(Rank::Bus, Default::default()),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts `function` at `devfn` (device times 8 plus function), or as function 0 of the first
    /// free device. It is there as long as the returned slot.
    ///
    /// # Errors
    /// The place is taken, the bus is full, or the device is one of several functions where one of
    /// them does not say so.
    pub fn plug(self: &Arc<Self>, devfn: Option<u8>, function: Arc<dyn Function>) -> Result<Slot> {
        let present: Functions = self.lock().clone();
        let free = |device: &u8| present.range(device * 8..=device * 8 + 7).next().is_none();
        let first_free = || (0..32).find(free).map(|device| device * 8);
        let devfn = devfn.or_else(first_free).ok_or_else(|| {
            let class = function.class();
            let text = "all in use or reserved";
            Error::message(format!("PCI: no slot/function available for {class}, {text}"))
        })?;
        check_place(&present, devfn, function.as_ref())?;
        self.lock().insert(devfn, function);
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

    /// Leads the interrupt pins of this bus to `router` as long as the guard exists.
    pub fn route_intx(self: &Arc<Self>, router: Arc<dyn IntxRouter>) -> RouterGuard {
        *self.router.lock() = Some(router);
        RouterGuard(self.clone())
    }

    /// Drives an interrupt pin; see [`IntxRouter::set`]. Without a router it leads nowhere.
    pub fn drive_intx(&self, devfn: u8, pin: u8, high: bool) {
        let router = self.router.lock().clone();
        if let Some(router) = router {
            router.set(devfn, pin, high);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Functions> {
        self.functions.lock()
    }
}

/// Refuses a place that is taken, and a mix of single-function and multi-function devices.
fn check_place(present: &Functions, devfn: u8, function: &dyn Function) -> Result<()> {
    let (slot, number) = (devfn >> 3, devfn & 7);
    let refuse = |text: String| Err(Error::message(format!("PCI: {text}")));
    if let Some(other) = present.get(&devfn) {
        let (class, owner) = (function.class(), other.class());
        let id = if other.id().is_empty() { "(null)" } else { other.id() };
        return refuse(format!(
            "slot {slot} function {number} not available for {class}, in use by {owner},id={id}"
        ));
    }
    let several = |function: &dyn Function| {
        function.read_config(reg::HEADER_TYPE, 1) & u32::from(reg::MULTIFUNCTION) != 0
    };
    if number != 0 {
        return match present.get(&(slot << 3)) {
            Some(zero) if !several(zero.as_ref()) => refuse(format!(
                "single function device can't be populated in function {slot:x}.{number:x}"
            )),
            _ => Ok(()),
        };
    }
    match present.range(devfn + 1..=devfn + 7).next() {
        Some((other, _)) if !several(function) => refuse(format!(
            "{slot:x}.0 indicates single function, but {slot:x}.{:x} is already populated.",
            other & 7
        )),
        _ => Ok(()),
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
        // The function goes after the lock: it lets go of its pin and its windows.
        let function = self.bus.lock().remove(&self.devfn);
        drop(function);
    }
}

/// Interrupt pins lead to a router as long as this exists.
pub struct RouterGuard(Arc<PciBus>);

impl Drop for RouterGuard {
    fn drop(&mut self) {
        let router = self.0.router.lock().take();
        drop(router);
    }
}
