//! The PCI function of the 82441FX, 8086:1237: which RAM is where.
//!
//! After a reset none of the PAM segments is open, so that a firmware ROM is visible below 1 MiB.
//! When a kernel is started without firmware the board opens them all.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::pam::{self, RamMap};
use crate::error::{Error, Result};
use crate::memory::{Edit, RamBlock};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::pci::{Address, ConfigSpace, Effects, Endpoint, Identity};
use crate::pci_properties;

/// `i440FX`, at 00.0 of the bus of an `i440FX-pcihost`.
pub static I440FX: Class = Class {
    description: "Host bridge",
    make: Some(|_| Box::<I440fx>::default()),
    bus: Some(BusKind::Pci),
    properties: pci_properties!(I440fx, "i440FX"),
    ..Class::base("i440FX", "pci-device")
};

/// The memory controller.
#[derive(Default)]
pub struct I440fx {
    addr: Address,
    multifunction: bool,
    decoder: Arc<Decoder>,
    endpoint: Option<Arc<Endpoint>>,
}

impl I440fx {
    /// Gives the machine its RAM, once: `ram` with its first `low` bytes (a multiple of 4 KiB)
    /// below the PCI hole and the rest from 4 GiB on.
    ///
    /// # Errors
    /// The accelerator refuses the memory, or there is RAM already.
    pub fn connect_ram(&self, ram: &RamBlock, low: u64) -> Result<()> {
        let Some(endpoint) = &self.endpoint else {
            return Err(Error::message("RAM needs a memory controller"));
        };
        let map = RamMap::new(endpoint.memory(), ram, low)?;
        if self.decoder.0.set(map).is_err() {
            return Err(Error::message("the memory controller has RAM already"));
        }
        endpoint.refresh();
        Ok(())
    }

    /// Makes RAM of the whole of 0xC0000 to 0xFFFFF, readable and writable, as firmware leaves it.
    pub fn open_all(&self) {
        if let Some(endpoint) = &self.endpoint {
            endpoint.program(pam::PAM0, &[0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33]);
        }
    }
}

impl Object for I440fx {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let config = ConfigSpace::new(Identity {
            vendor: 0x8086,
            device: 0x1237,
            revision: 2,
            class: 0x0600,
            subsystem: Identity::QEMU,
            ..Identity::default()
        })
        .scratch()
        .preset(0x57, &[0x10])
        .preset(pam::SMRAM, &[0x02]);
        let endpoint = Endpoint::new(context, "i440FX", config, Some(self.decoder.clone()))?;
        endpoint.plug(context, &mut self.addr, self.multifunction)?;
        self.endpoint = Some(endpoint);
        Ok(())
    }

    fn reset(&mut self) {
        self.endpoint.iter().for_each(|endpoint| endpoint.reset());
    }
}

/// The address decoder, which has RAM to show once that is connected.
#[derive(Default)]
struct Decoder(OnceLock<RamMap>);

impl Effects for Decoder {
    fn written(&self, config: &mut ConfigSpace, touched: Range<usize>) -> Vec<Edit> {
        if !pam::concerns(&touched) {
            return Vec::new();
        }
        pam::lock_smram(config);
        self.0.get().map_or_else(Vec::new, |map| map.follow(config))
    }
}
