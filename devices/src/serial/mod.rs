//! Serial ports: the National PC16550D UART on the ISA bus.

mod device;
mod registers;
#[cfg(test)]
mod tests;
mod uart;

pub use device::IsaSerial;
pub use uart::Uart;

use crate::object::Class;

/// The classes of this folder.
pub static CLASSES: &[&Class] = &[&device::CLASS];
