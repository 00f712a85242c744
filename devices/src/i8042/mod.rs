//! The keyboard controller (Intel 8042, IBM PC/AT Technical Reference, "Keyboard controller") with
//! nothing plugged into its two connectors: self test, command byte, output port with the reset
//! line, and the time-out of every byte sent to a keyboard or mouse.
//!
//! One lock guards the registers; only vCPU threads take it.

mod controller;
mod device;
#[cfg(test)]
mod tests;

pub use device::I8042;

use crate::object::Class;

/// The classes of this folder.
pub static CLASSES: &[&Class] = &[&device::CLASS];
