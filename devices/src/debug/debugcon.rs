//! `isa-debugcon`: every byte written to one port goes to a character device; reading the port
//! tells the guest that somebody listens.

use std::sync::Arc;

use crate::chardev::{Attachment, CharEvent, Frontend};
use crate::error::{Error, Result};
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::property;

pub(super) static CLASS: Class = Class {
    description: "passes bytes written to one port to a character device",
    make: Some(|_| Box::<DebugCon>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(DebugCon, "iobase", iobase: u32, "I/O port"),
        property!(DebugCon, "readback", readback: u32, "what reading the port gives"),
        property!(DebugCon, "chardev", chardev: Option<String>, "ID of a chardev to use as a backend"),
    ],
    ..Class::base("isa-debugcon", "isa-device")
};

/// The device.
pub struct DebugCon {
    iobase: u32,
    readback: u32,
    chardev: Option<String>,
}

impl Default for DebugCon {
    fn default() -> Self {
        Self { iobase: 0xe9, readback: 0xe9, chardev: None }
    }
}

impl Object for DebugCon {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let label = self
            .chardev
            .as_deref()
            .ok_or_else(|| Error::message("Can't create debugcon device, empty char device"))?;
        let output = context.chardev(label, Arc::new(Deaf))?;
        let port = Arc::new(Port { readback: self.readback, output });
        context.map_ports("isa-debugcon", self.iobase.into(), 1, port)?;
        Ok(())
    }
}

struct Port {
    readback: u32,
    output: Attachment,
}

impl Region for Port {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        self.readback.into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        // Nothing tells the guest to wait: what the reader does not take is lost.
        self.output.write(&[value as u8]);
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}

/// The port has no input.
struct Deaf;

impl Frontend for Deaf {
    fn can_receive(&self) -> usize {
        0
    }

    fn receive(&self, _data: &[u8]) {}

    fn event(&self, _event: CharEvent) {}
}
