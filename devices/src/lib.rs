//! The machine's parts: the object tree with its classes and properties, clocks and timers,
//! memory regions with the published address map, interrupt lines, PCI, the chipset, and the
//! character back ends.
//!
//! Nothing here knows KVM or the monitor: every device can be driven by a test that maps its
//! registers and reads and writes them.

pub mod backend;
#[cfg(test)]
mod bench;
pub mod chardev;
pub mod chipset;
pub mod clock;
pub mod debug;
pub mod error;
pub mod event_loop;
pub mod fw_cfg;
pub mod i8042;
pub mod interrupt;
pub mod lock;
pub mod memory;
pub mod object;
pub mod pci;
pub mod request;
pub mod rtc;
pub mod serial;
pub mod trace;
