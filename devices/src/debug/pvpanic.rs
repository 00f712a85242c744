//! `pvpanic`: the guest's kernel tells that it has crashed (QEMU `docs/specs/pvpanic.txt`).

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::request::Request;
use crate::trace::GUEST_ERRORS;
use crate::{limited, property};

/// Bit 0: the guest panicked.
const PANICKED: u8 = 1;
/// Bit 1: it panicked and has loaded a crash kernel.
const CRASH_LOADED: u8 = 2;

pub(super) static CLASS: Class = Class {
    description: "tells the monitor that the guest's kernel has crashed",
    make: Some(|_| Box::<PvPanic>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(PvPanic, "ioport", ioport: u16, "I/O port"),
        property!(PvPanic, "events", events: u8, "the events the guest may report, as bits"),
    ],
    ..Class::base("pvpanic", "isa-device")
};

/// The device.
pub struct PvPanic {
    ioport: u16,
    events: u8,
}

impl PvPanic {
    /// Its I/O port.
    pub fn port(&self) -> u16 {
        self.ioport
    }
}

impl Default for PvPanic {
    fn default() -> Self {
        Self { ioport: 0x505, events: PANICKED | CRASH_LOADED }
    }
}

impl Object for PvPanic {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let port = Arc::new(Port { events: self.events });
        context.map_ports("pvpanic", self.ioport.into(), 1, port)?;
        Ok(())
    }
}

struct Port {
    events: u8,
}

impl Region for Port {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        self.events.into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        let unknown = value as u8 & !(PANICKED | CRASH_LOADED);
        if unknown != 0 {
            limited!(GUEST_ERRORS, "pvpanic: unknown event bits {unknown:#x}");
        }
        let reported = value as u8 & self.events;
        if reported & PANICKED != 0 {
            Action::Request(Request::Panicked)
        } else if reported & CRASH_LOADED != 0 {
            Action::Request(Request::CrashLoaded)
        } else {
            Action::None
        }
    }

    fn max_width(&self) -> usize {
        1
    }
}
