//! The ISA bridge of the 82371SB (PIIX3), 8086:7000 (datasheet 290550): the ISA bus, the PCI
//! interrupt router and the reset control register. The edge/level registers belong to the
//! interrupt controllers.

use crate::lock::{Mutex, Rank};
use std::sync::Arc;

use super::HostBridge;
use super::pirq::{DISABLED, PIRQRC, PirqRouter};
use crate::error::{Error, Result};
use crate::memory::{Action, Region};
use crate::object::{Bus, BusKind, Class, Object, PlugContext};
use crate::pci::{Address, ConfigSpace, Endpoint, Identity};
use crate::pci_properties;
use crate::request::Request;

/// `PIIX3`, at 01.0 of the bus of an `i440FX-pcihost`, a multi-function device.
pub static PIIX3: Class = Class {
    description: "ISA bridge",
    make: Some(|_| Box::<Piix3>::default()),
    bus: Some(BusKind::Pci),
    properties: pci_properties!(Piix3, "PIIX3"),
    ..Class::base("PIIX3", "pci-piix3")
};

/// The ISA bridge.
#[derive(Default)]
pub struct Piix3 {
    addr: Address,
    multifunction: bool,
    reset_control: Arc<ResetControl>,
    endpoint: Option<Arc<Endpoint>>,
}

impl Object for Piix3 {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let config = ConfigSpace::new(Identity {
            vendor: 0x8086,
            device: 0x7000,
            class: 0x0601,
            subsystem: Identity::QEMU,
            ..Identity::default()
        })
        .scratch()
        .preset(0x07, &[0x02])
        .preset(0x4c, &[0x4d, 0x00, 0x03])
        .preset(PIRQRC, &[DISABLED; 4])
        .preset(0x69, &[0x02])
        .preset(0x70, &[0x80])
        .preset(0x76, &[0x0c, 0x0c, 0x02])
        .preset(0xa0, &[0x08])
        .preset(0xa8, &[0x0f]);
        let router = Arc::new(PirqRouter::new(context.platform.interrupts.clone()));
        let endpoint = Endpoint::new(context, "PIIX3", config, Some(router.clone()))?;
        let bridges = context.tree.objects::<HostBridge>();
        let above = bridges.iter().find(|(_, host)| Arc::ptr_eq(host.bus(), endpoint.bus()));
        let Some((_, host)) = above else {
            return Err(Error::message("'PIIX3' must be on the bus of an 'i440FX-pcihost'"));
        };
        let claim = host.ports().claim_reset_control(self.reset_control.clone());
        endpoint.plug(context, &mut self.addr, self.multifunction)?;
        context.offer_bus("isa.0", Bus::Isa)?;
        context.keep(claim);
        context.keep(endpoint.bus().route_intx(router));
        self.endpoint = Some(endpoint);
        Ok(())
    }

    fn reset(&mut self) {
        *self.reset_control.0.lock() = 0;
        self.endpoint.iter().for_each(|endpoint| endpoint.reset());
    }
}

/// The reset control register, which chooses between a soft and a hard reset; both reset the
/// whole machine here.
struct ResetControl(Mutex<u8>);

impl Default for ResetControl {
    fn default() -> Self {
        Self(Mutex::new(Rank::Device, 0))
    }
}

const HARD: u8 = 1 << 1;
const RESET_CPU: u8 = 1 << 2;

impl Region for ResetControl {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        (*self.0.lock()).into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        let value = value as u8;
        if value & RESET_CPU != 0 {
            return Action::Request(Request::Reset);
        }
        *self.0.lock() = value & HARD;
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}
