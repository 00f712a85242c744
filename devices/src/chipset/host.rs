//! The system's side of the 82441FX: the root of the PCI bus and the ports to its configuration.

use std::sync::Arc;

use super::config_ports::{BASE, ConfigPorts, SIZE};
use crate::error::Result;
use crate::object::{Bus, BusKind, Class, Object, PlugContext};
use crate::pci::PciBus;

/// `i440FX-pcihost`: directly on the machine, with the bus `pci.0` below it.
pub static I440FX_PCIHOST: Class = Class {
    make: Some(|_| Box::new(HostBridge::new())),
    bus: Some(BusKind::System),
    ..Class::base("i440FX-pcihost", "pci-host-bridge")
};

/// The host bridge.
pub struct HostBridge {
    bus: Arc<PciBus>,
    ports: Arc<ConfigPorts>,
}

impl HostBridge {
    fn new() -> Self {
        let bus = PciBus::new("pci.0");
        Self { ports: Arc::new(ConfigPorts::new(bus.clone())), bus }
    }

    /// The bus below it, which is bus 0.
    pub fn bus(&self) -> &Arc<PciBus> {
        &self.bus
    }

    /// Its configuration ports.
    pub fn ports(&self) -> &Arc<ConfigPorts> {
        &self.ports
    }
}

impl Object for HostBridge {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        context.map_ports("pci-conf", BASE, SIZE, self.ports.clone())?;
        context.offer_bus(self.bus.name(), Bus::Pci(self.bus.clone()))
    }

    fn reset(&mut self) {
        self.ports.reset();
    }
}
