//! `isa-debug-exit`: a write ends the process with the status `(value << 1) | 1`, so that a test
//! guest can report a result.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::property;
use crate::request::Request;

pub(super) static CLASS: Class = Class {
    description: "ends the process when the guest writes to its port",
    make: Some(|_| Box::<DebugExit>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(DebugExit, "iobase", iobase: u32, "first I/O port"),
        property!(DebugExit, "iosize", iosize: u32, "number of I/O ports"),
    ],
    ..Class::base("isa-debug-exit", "isa-device")
};

/// The device.
pub struct DebugExit {
    iobase: u32,
    iosize: u32,
}

impl Default for DebugExit {
    fn default() -> Self {
        Self { iobase: 0x501, iosize: 2 }
    }
}

impl Object for DebugExit {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        if self.iosize == 0 {
            return Err(Error::message("Parameter 'iosize' expects at least 1"));
        }
        let (base, size) = (self.iobase.into(), self.iosize.into());
        context.map_ports("isa-debug-exit", base, size, Arc::new(Exit))?;
        Ok(())
    }
}

struct Exit;

impl Region for Exit {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        0
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        Action::Request(Request::Exit((value as i32) << 1 | 1))
    }
}
