//! Handlers of `pci.json`.

use devices::chipset::HostBridge;
use devices::pci::{BarInfo, BarKind, BusInfo, FunctionInfo, bus_info};
use qapi::handlers::Pci;
use qapi::{Error, PciDeviceClass, PciDeviceId, PciDeviceInfo, PciInfo, PciMemoryRegion};

use super::Monitor;

impl Pci for Monitor<'_> {
    fn query_pci(&mut self) -> Result<Vec<PciInfo>, Error> {
        let bridges = self.control.machine.tree.objects::<HostBridge>();
        Ok(bridges.iter().map(|(_, bridge)| pci_info(bus_info(bridge.bus(), 0))).collect())
    }
}

fn pci_info(bus: BusInfo) -> PciInfo {
    let devices = bus.functions.into_iter().map(device_info).collect();
    PciInfo { bus: bus.number.into(), devices }
}

fn device_info(function: FunctionInfo) -> PciDeviceInfo {
    let (vendor, subsystem) = function.subsystem.unzip();
    PciDeviceInfo {
        bus: function.bus.into(),
        slot: function.slot.into(),
        function: function.function.into(),
        class_info: PciDeviceClass {
            desc: function.description.map(Into::into),
            class: function.class.into(),
        },
        id: PciDeviceId {
            device: function.device.into(),
            vendor: function.vendor.into(),
            subsystem: subsystem.map(Into::into),
            subsystem_vendor: vendor.map(Into::into),
        },
        irq: function.irq.map(Into::into),
        irq_pin: function.pin.into(),
        qdev_id: function.id,
        // No class of ours has a bus behind it.
        pci_bridge: None,
        regions: function.bars.into_iter().map(region).collect(),
    }
}

fn region(bar: BarInfo) -> PciMemoryRegion {
    let memory = bar.kind != BarKind::Io;
    PciMemoryRegion {
        bar: bar.bar.into(),
        r#type: if memory { "memory" } else { "io" }.into(),
        address: bar.address.map_or(-1, |address| address as i64),
        size: bar.size as i64,
        prefetch: memory.then_some(bar.prefetch),
        mem_type_64: memory.then_some(bar.kind == BarKind::Memory64),
    }
}
