//! Conventional PCI (PCI Local Bus Specification 3.0): buses, functions, configuration space.
//!
//! - [`ConfigSpace`]: the 256 registers of a function with what may be written to each.
//! - [`Endpoint`]: a function on a bus: configuration space, base addresses, interrupt pin. A
//!   device has one, and says with [`Effects`] what its own configuration registers do.
//! - [`PciBus`]: which function is where, and who listens to the interrupt pins.
//! - [`bus_info`]: what a look at the configuration registers of a bus tells.
//!
//! Locks, each above the next: an endpoint's registers; whatever lock the device's [`Effects`]
//! have; the interrupt router's; the interrupt line's. Where a base address moves, the edit of the
//! address space is returned and made with none of them held.

mod address;
mod bar;
#[cfg(test)]
pub(crate) mod bench;
mod bus;
mod config;
mod endpoint;
mod info;
#[cfg(test)]
mod tests;

pub use address::{Address, set_address};
pub use bar::{BarKind, BarSpec};
pub use bus::{Function, IntxRouter, PciBus, RouterGuard, Slot};
pub use config::{ConfigSpace, Identity, register};
pub use endpoint::{Effects, Endpoint};
pub use info::{BarInfo, BusInfo, FunctionInfo, bus_info, class_description};

use crate::object::Class;

static PCI: Class = Class::owned("PCI", "bus");
static PCI_DEVICE: Class = Class::base("pci-device", "device");
static PCI_HOST_BRIDGE: Class = Class::base("pci-host-bridge", "sys-bus-device");

/// The bus class and the abstract classes of everything that is plugged into such a bus.
pub static CLASSES: &[&Class] = &[&PCI, &PCI_DEVICE, &PCI_HOST_BRIDGE];
