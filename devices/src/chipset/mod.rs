//! The chips of the `pc` machine: the 82441FX host bridge, the 82371SB (PIIX3) ISA bridge, the
//! power management function of the 82371AB (PIIX4), and system control port A (port 92).

mod config_ports;
mod host;
mod i440fx;
mod pam;
mod piix3;
mod pirq;
mod pm;
mod port92;
#[cfg(test)]
mod tests;

pub use config_ports::ConfigPorts;
pub use host::{HostBridge, I440FX_PCIHOST};
pub use i440fx::{I440FX, I440fx};
pub use piix3::{PIIX3, Piix3};
pub use pm::{PIIX4_PM, PmRegisters, PowerManagement};
pub use port92::{PORT92, Port92};

use crate::object::Class;

static PCI_PIIX3: Class = Class::base("pci-piix3", "pci-device");

/// The chipset's classes.
pub static CLASSES: &[&Class] = &[&I440FX_PCIHOST, &I440FX, &PCI_PIIX3, &PIIX3, &PIIX4_PM, &PORT92];
