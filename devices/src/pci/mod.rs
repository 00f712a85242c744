//! Conventional PCI (PCI Local Bus Specification 3.0): buses, functions, configuration space.

mod bus;

pub use bus::{Function, PciBus, Slot};
