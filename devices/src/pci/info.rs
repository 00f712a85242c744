//! What `query-pci` and `info pci` show: a bus as its configuration registers describe it.

use std::sync::Arc;

use super::config::register as reg;
use super::{BarKind, Function, PciBus};

/// A bus and what is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusInfo {
    /// Its number.
    pub number: u8,
    /// The functions on it, by device and function.
    pub functions: Vec<FunctionInfo>,
}

/// One function of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// The number of its bus.
    pub bus: u8,
    /// The device, 0 to 31.
    pub slot: u8,
    /// The function, 0 to 7.
    pub function: u8,
    /// Base class and sub-class.
    pub class: u16,
    /// What they mean.
    pub description: Option<&'static str>,
    /// Vendor.
    pub vendor: u16,
    /// Device.
    pub device: u16,
    /// Subsystem vendor and subsystem; a bridge has none.
    pub subsystem: Option<(u16, u16)>,
    /// What is in the interrupt line register; only of functions with a pin.
    pub irq: Option<u8>,
    /// Interrupt pin: 0 none, 1 to 4 INTA# to INTD#.
    pub pin: u8,
    /// The user's id of the device, or empty.
    pub id: String,
    /// Its base addresses, by register.
    pub bars: Vec<BarInfo>,
}

/// A base address register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarInfo {
    /// Which, 0 to 5.
    pub bar: u8,
    /// What it points to and how wide it is.
    pub kind: BarKind,
    /// Where the window is; `None` (-1 in QMP) if it is not mapped.
    pub address: Option<u64>,
    /// Bytes.
    pub size: u64,
    /// Whether reads of the memory have no effects.
    pub prefetch: bool,
}

/// Describes the bus, which is bus `number`, from the registers of its functions.
pub fn bus_info(bus: &PciBus, number: u8) -> BusInfo {
    let functions = bus.functions();
    let describe = |(devfn, function): &(u8, Arc<dyn Function>)| {
        function_info(number, *devfn, function.as_ref())
    };
    BusInfo { number, functions: functions.iter().map(describe).collect() }
}

fn function_info(bus: u8, devfn: u8, function: &dyn Function) -> FunctionInfo {
    let word = |offset| function.read_config(offset, 2) as u16;
    let byte = |offset| function.read_config(offset, 1) as u8;
    let (class, pin) = (word(0x0a), byte(reg::INTERRUPT_PIN));
    let plain = byte(reg::HEADER_TYPE) & !reg::MULTIFUNCTION == 0;
    let mut bars: Vec<BarInfo> = function
        .bars()
        .into_iter()
        .map(|(spec, address)| BarInfo {
            bar: spec.index,
            kind: spec.kind,
            address,
            size: spec.size,
            prefetch: spec.prefetchable,
        })
        .collect();
    bars.sort_by_key(|bar| bar.bar);
    FunctionInfo {
        bus,
        slot: devfn >> 3,
        function: devfn & 7,
        class,
        description: class_description(class),
        vendor: word(0x00),
        device: word(0x02),
        subsystem: plain.then(|| (word(0x2c), word(0x2e))),
        irq: (pin != 0).then(|| byte(reg::INTERRUPT_LINE)),
        pin,
        id: function.id().into(),
        bars,
    }
}

/// What a class code is called, for the classes that have a name there.
pub fn class_description(class: u16) -> Option<&'static str> {
    Some(match class {
        0x0100 => "SCSI controller",
        0x0101 => "IDE controller",
        0x0104 => "RAID controller",
        0x0106 => "SATA controller",
        0x0200 => "Ethernet controller",
        0x0300 => "VGA controller",
        0x0380 => "Display controller",
        0x0401 | 0x0403 => "Audio controller",
        0x0500 => "RAM controller",
        0x0600 => "Host bridge",
        0x0601 => "ISA bridge",
        0x0604 => "PCI bridge",
        0x0680 => "Bridge",
        0x0700 => "Serial port",
        0x0900 => "Keyboard",
        0x0c03 => "USB controller",
        _ => return None,
    })
}
