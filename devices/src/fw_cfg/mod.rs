//! The firmware configuration device (QEMU `docs/specs/fw_cfg.txt`): numbered items and named files
//! that the board offers to firmware and kernels, by port or by DMA.
//!
//! Items are added by control and read by vCPU threads. One lock guards them; it is not held while
//! guest memory is written. DMA descriptors come from the guest and are believed in nothing: what
//! one of them can make us do is bounded by the item it reads.

mod device;
mod dma;
mod items;
#[cfg(test)]
mod tests;

pub use device::FwCfg;
pub use items::key;

use crate::object::Class;

static FW_CFG: Class = Class::base("fw_cfg", "sys-bus-device");

/// The classes of this folder.
pub static CLASSES: &[&Class] = &[&FW_CFG, &device::CLASS];
