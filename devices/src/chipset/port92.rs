//! System control port A at port 0x92: the address line 20 gate and a quick reset.
//!
//! The gate is stored and has no effect: KVM guests always have address line 20.

use crate::lock::{Mutex, Rank};
use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::request::Request;

/// `port92`, on the ISA bus.
pub static PORT92: Class = Class {
    make: Some(|_| Box::<Port92>::default()),
    bus: Some(BusKind::Isa),
    ..Class::base("port92", "isa-device")
};

/// The port.
#[derive(Default)]
pub struct Port92(Arc<Register>);

impl Object for Port92 {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        context.map_ports("port92", 0x92, 1, self.0.clone())?;
        Ok(())
    }

    fn reset(&mut self) {
        *self.0.0.lock() = 0;
    }
}

struct Register(Mutex<u8>);

impl Default for Register {
    fn default() -> Self {
        Self(Mutex::new(Rank::Device, 0))
    }
}

/// Resets when it goes from 0 to 1.
const RESET: u8 = 1 << 0;

impl Region for Register {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        (*self.0.lock()).into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        let value = value as u8;
        let old = std::mem::replace(&mut *self.0.lock(), value);
        if value & !old & RESET != 0 {
            return Action::Request(Request::Reset);
        }
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}
