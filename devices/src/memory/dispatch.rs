//! From an access of a CPU to the registers it reaches, and from what they ask to its effect.

use std::sync::Arc;

use super::{Action, AddressSpace};
use crate::request::Request;

/// Both address spaces, as a CPU reaches them. Whoever plays a CPU — a vCPU thread, a test client —
/// goes through here, so that layout changes are in force when a write returns.
#[derive(Clone)]
pub struct Dispatch {
    memory: Arc<AddressSpace>,
    ports: Arc<AddressSpace>,
}

impl Dispatch {
    /// A CPU's view of guest physical memory and I/O ports.
    pub fn new(memory: Arc<AddressSpace>, ports: Arc<AddressSpace>) -> Self {
        Self { memory, ports }
    }

    /// Reads up to 8 bytes of guest physical memory.
    pub fn read_memory(&self, address: u64, data: &mut [u8]) {
        self.memory.read(address, data);
    }

    /// Reads up to 8 bytes at an I/O port.
    pub fn read_port(&self, port: u16, data: &mut [u8]) {
        self.ports.read(port.into(), data);
    }

    /// Writes up to 8 bytes of guest physical memory. A request is for control; the CPU must not
    /// execute another instruction before it is handled.
    pub fn write_memory(&self, address: u64, data: &[u8]) -> Option<Request> {
        self.write(&self.memory, address, data)
    }

    /// Writes up to 8 bytes at an I/O port; see [`Dispatch::write_memory`].
    pub fn write_port(&self, port: u16, data: &[u8]) -> Option<Request> {
        self.write(&self.ports, port.into(), data)
    }

    fn write(&self, space: &AddressSpace, address: u64, data: &[u8]) -> Option<Request> {
        let mut request = None;
        space.write(address, data, |action| match action {
            Action::None => {}
            Action::Request(new) => request = Some(new),
            Action::Layout(edits) => {
                self.memory.edit(&edits);
                self.ports.edit(&edits);
            }
        });
        request
    }
}
