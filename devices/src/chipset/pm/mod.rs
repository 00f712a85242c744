//! Power management: function 3 of the 82371AB (PIIX4), 8086:7113 (datasheet 290562, chapter 7;
//! ACPI 6 chapter 4).
//!
//! - [`PmRegisters`]: events, control, timer and general-purpose events, with the system control
//!   interrupt that follows them.
//! - `ports`: where these are: 64 ports that configuration registers 0x40 and 0x80 place, the
//!   general-purpose event block at 0xAFE0, and the APM control port 0xB2.
//!
//! There is no system management mode: configuration register 0x5B says so to firmware, and the
//! APM port switches between legacy and ACPI mode itself, as firmware's SMI handler would. The
//! SMBus host is absent; its configuration registers only keep what is written.

mod ports;
mod registers;
mod timer;

pub use registers::PmRegisters;

use std::ops::Range;
use std::sync::Arc;

use self::ports::{ApmPorts, GpePorts, PmPorts};
use crate::error::Result;
use crate::memory::{Access, Edit, Mapping, MappingId, Target};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::pci::{Address, ConfigSpace, Effects, Endpoint, Identity, register};
use crate::request::WakeupReason;
use crate::{pci_properties, property};

/// `PIIX4_PM`, at 01.3 of the bus of an `i440FX-pcihost`.
pub static PIIX4_PM: Class = Class {
    description: "PM",
    make: Some(|_| Box::<PowerManagement>::default()),
    bus: Some(BusKind::Pci),
    properties: pci_properties!(
        PowerManagement,
        "PIIX4_PM",
        property!(PowerManagement, "disable_s3", disable_s3: u8, "1: the tables offer no S3"),
        property!(PowerManagement, "disable_s4", disable_s4: u8, "1: the tables offer no S4"),
        property!(PowerManagement, "s4_val", s4_val: u8, "sleep type that means S4"),
    ),
    ..Class::base("PIIX4_PM", "pci-device")
};

/// Where firmware and the board put the power management ports.
const USUAL_BASE: u16 = 0x600;
/// The interrupt line of the system control interrupt.
const SCI: u32 = 9;
const PMBA: u8 = 0x40;
const PMREGMISC: u8 = 0x80;
const ENABLED: u8 = 1;

/// The power management function.
pub struct PowerManagement {
    addr: Address,
    multifunction: bool,
    disable_s3: u8,
    disable_s4: u8,
    s4_val: u8,
    parts: Option<(Arc<Endpoint>, Arc<PmRegisters>)>,
}

impl Default for PowerManagement {
    fn default() -> Self {
        Self {
            addr: Address::default(),
            multifunction: false,
            disable_s3: 0,
            disable_s4: 0,
            s4_val: 2,
            parts: None,
        }
    }
}

impl PowerManagement {
    /// Whether the ACPI tables should offer suspend to RAM (S3).
    pub fn s3_enabled(&self) -> bool {
        self.disable_s3 == 0
    }

    /// Whether the ACPI tables should offer suspend to disk (S4).
    pub fn s4_enabled(&self) -> bool {
        self.disable_s4 == 0
    }

    /// The sleep type that means S4, for the ACPI tables to name.
    pub fn s4_type(&self) -> u8 {
        self.s4_val
    }

    /// The registers, for whoever causes events from another thread. `None` before the device is
    /// realized.
    pub fn registers(&self) -> Option<&Arc<PmRegisters>> {
        self.parts.as_ref().map(|(_, registers)| registers)
    }

    /// As [`PmRegisters::power_button`].
    pub fn power_button(&self) {
        self.registers().into_iter().for_each(|registers| registers.power_button());
    }

    /// As [`PmRegisters::wakes_on`]; to be asked before the reset that goes with waking up.
    pub fn wakes_on(&self, reason: WakeupReason) -> bool {
        self.registers().is_some_and(|registers| registers.wakes_on(reason))
    }

    /// As [`PmRegisters::wake`].
    pub fn wake(&self, reason: WakeupReason) {
        self.registers().into_iter().for_each(|registers| registers.wake(reason));
    }

    /// Puts the ports at 0x600 and enables them, as firmware does; also after each reset, where
    /// there is no firmware.
    pub fn enable(&self) {
        if let Some((endpoint, _)) = &self.parts {
            endpoint.program(PMBA, &(u32::from(USUAL_BASE) | 1).to_le_bytes());
            endpoint.program(PMREGMISC, &[ENABLED]);
            endpoint.program(register::INTERRUPT_LINE, &[SCI as u8]);
        }
    }
}

impl Object for PowerManagement {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let sci = context.irq(SCI)?;
        let registers = PmRegisters::new(context.platform, sci, self.s4_val);
        context.map_ports("acpi-gpe0", 0xafe0, 4, Arc::new(GpePorts(registers.clone())))?;
        context.map_ports("apm-io", 0xb2, 2, Arc::new(ApmPorts(registers.clone())))?;
        let target = Target::Io(Arc::new(PmPorts(registers.clone())));
        let ports = context.platform.ports.clone();
        let window = context.add_mapping(
            &ports,
            Mapping {
                name: "piix4-pm".into(),
                base: None,
                size: ports::SIZE,
                offset: 0,
                priority: 0,
                access: Access::ReadWrite,
                target,
            },
        )?;
        let effects = Some(Arc::new(Decoder(window)) as Arc<dyn Effects>);
        let endpoint = Endpoint::new(context, "PIIX4_PM", config_space(), effects)?;
        endpoint.plug(context, &mut self.addr, self.multifunction)?;
        self.parts = Some((endpoint, registers));
        Ok(())
    }

    fn reset(&mut self) {
        if let Some((endpoint, registers)) = &self.parts {
            registers.reset();
            endpoint.reset();
        }
    }
}

fn config_space() -> ConfigSpace {
    ConfigSpace::new(Identity {
        vendor: 0x8086,
        device: 0x7113,
        revision: 3,
        class: 0x0680,
        subsystem: Identity::QEMU,
        pin: 1,
        ..Identity::default()
    })
    .scratch()
    .preset(register::STATUS, &[0x80, 0x02])
    .preset(PMBA, &[0x01])
    // System management interrupts are set up already: firmware leaves them alone.
    .preset(0x5b, &[0x02])
    // The decoders of legacy devices, as on QEMU's `pc`.
    .preset(0x5f, &[0x10])
    .preset(0x63, &[0x60])
    .preset(0x90, &[0x01])
}

/// Places the ports.
struct Decoder(MappingId);

impl Effects for Decoder {
    fn written(&self, config: &mut ConfigSpace, _touched: Range<usize>) -> Vec<Edit> {
        let enabled = config.u8(PMREGMISC) & ENABLED != 0;
        let base = u64::from(config.u16(PMBA)) & !(ports::SIZE - 1);
        vec![Edit::Move(self.0, enabled.then_some(base))]
    }
}
