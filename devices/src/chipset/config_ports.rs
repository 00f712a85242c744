//! Configuration mechanism #1 (PCI 3.0 section 3.2.2.3.2): the address register at port 0xCF8 and
//! the window to the addressed register at 0xCFC.
//!
//! The address register is a doubleword and nothing else. Among its bytes, 0xCF9 belongs to the
//! ISA bridge, which puts its reset control register there.

use crate::lock::{Mutex, Rank};
use std::fmt;
use std::sync::Arc;

use crate::memory::{Action, Region};
use crate::pci::{Function, PciBus};
use crate::trace;
use crate::trace::points::{PCI_CFG_READ, PCI_CFG_WRITE};

/// The first port.
pub(super) const BASE: u64 = 0xcf8;
/// How many ports there are.
pub(super) const SIZE: u64 = 8;
/// Where the window begins.
const DATA: u64 = 4;
/// The byte that is not the address register's.
const RESET_CONTROL: u64 = 1;
const ENABLE: u32 = 1 << 31;

/// The eight ports of a host bridge.
pub struct ConfigPorts {
    bus: Arc<PciBus>,
    address: Mutex<u32>,
    reset_control: Mutex<Option<Arc<dyn Region>>>,
}

impl ConfigPorts {
    pub(super) fn new(bus: Arc<PciBus>) -> Self {
        Self {
            bus,
            address: Mutex::new(Rank::Device, Default::default()),
            reset_control: Mutex::new(Rank::Device, Default::default()),
        }
    }

    /// Puts `register`, of one byte, at port 0xCF9 as long as the guard exists.
    pub fn claim_reset_control(self: &Arc<Self>, register: Arc<dyn Region>) -> Claim {
        *self.reset_control.lock() = Some(register);
        Claim(self.clone())
    }

    pub(super) fn reset(&self) {
        *self.address.lock() = 0;
    }

    fn reset_control(&self) -> Option<Arc<dyn Region>> {
        self.reset_control.lock().clone()
    }

    /// The function and register that the window at `offset` shows now, with the bus and the
    /// low bits of the address register as the hardware sees them.
    fn target(&self, offset: u64) -> Option<(u8, u8)> {
        let address = *self.address.lock();
        let bus = address >> 16 & 0xff;
        let register = (address as u8 & !3) | (offset as u8 & 3);
        (address & ENABLE != 0 && bus == 0).then_some(((address >> 8) as u8, register))
    }
}

impl Region for ConfigPorts {
    fn read(&self, offset: u64, size: usize) -> u64 {
        match (offset, size) {
            (0, 4) => (*self.address.lock()).into(),
            (RESET_CONTROL, 1) => self.reset_control().map_or(u64::MAX, |r| r.read(0, 1)),
            (DATA.., _) => self
                .target(offset)
                .and_then(|(devfn, register)| {
                    let function = self.bus.function(devfn)?;
                    let value = function.read_config(register, size);
                    let place = Place(function.as_ref(), devfn, register);
                    trace!(PCI_CFG_READ, "{place} -> {value:#x}");
                    Some(value.into())
                })
                .unwrap_or(u64::MAX),
            _ => u64::MAX,
        }
    }

    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        match (offset, size) {
            (0, 4) => *self.address.lock() = value as u32,
            (RESET_CONTROL, 1) => {
                return self.reset_control().map_or(Action::None, |r| r.write(0, 1, value));
            }
            (DATA.., _) => {
                if let Some((devfn, register)) = self.target(offset)
                    && let Some(function) = self.bus.function(devfn)
                {
                    let place = Place(function.as_ref(), devfn, register);
                    trace!(PCI_CFG_WRITE, "{place} <- {value:#x}");
                    return function.write_config(register, size, value as u32);
                }
            }
            _ => {}
        }
        Action::None
    }
}

/// A register of a function, as trace lines name it.
struct Place<'a>(&'a dyn Function, u8, u8);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(function, devfn, register) = self;
        write!(f, "{} 00:{:02x}.{} @{register:#x}", function.class(), devfn >> 3, devfn & 7)
    }
}

/// Port 0xCF9 is taken as long as this exists.
pub struct Claim(Arc<ConfigPorts>);

impl Drop for Claim {
    fn drop(&mut self) {
        *self.0.reset_control.lock() = None;
    }
}
