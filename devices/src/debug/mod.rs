//! Ports for talking to the host while debugging: a console of one port, an exit of one write, and
//! the panic notifier.

mod debugcon;
mod exit;
mod pvpanic;
#[cfg(test)]
mod tests;

pub use debugcon::DebugCon;
pub use exit::DebugExit;
pub use pvpanic::PvPanic;

use crate::object::Class;

/// The classes of this folder.
pub static CLASSES: &[&Class] = &[&debugcon::CLASS, &exit::CLASS, &pvpanic::CLASS];
