//! The real-time clock with its battery-backed memory: the Motorola MC146818A (data sheet of 1984)
//! at ports 0x70 and 0x71, with the century byte of the PC at 0x32 and 0x37.
//!
//! Time is not counted but computed: the clock chosen by the user plus an offset that moves when
//! the guest sets the time. Likewise the flags of register C are brought up to date when they are
//! looked at, and timers run only for interrupts that are enabled and not pending. Seconds follow
//! the chosen clock; the periodic interrupt follows the machine's own time, so that none is due
//! while the machine is stopped.
//!
//! One lock guards the registers. It is taken by vCPU threads, by the clocks (timers) and by
//! control (firmware's bytes, the time of day); events and requests are sent without it.

mod alarm;
mod date;
mod device;
mod properties;
mod registers;
#[cfg(test)]
mod tests;

pub use date::DateTime;
pub use device::{Rtc, RtcTime};

use crate::object::Class;

/// The classes of this folder.
pub static CLASSES: &[&Class] = &[&device::CLASS];
