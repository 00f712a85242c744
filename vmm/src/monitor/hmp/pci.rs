//! `info pci`.

use std::fmt::Write;

use qapi::{PciDeviceInfo, PciInfo, PciMemoryRegion};

/// All functions of all buses, from what `query-pci` answers.
pub(super) fn text(buses: &[PciInfo]) -> String {
    let mut text = String::new();
    for device in buses.iter().flat_map(|bus| &bus.devices) {
        // Writing to a string cannot fail.
        let _ = function(&mut text, device);
    }
    text
}

fn function(out: &mut String, device: &PciDeviceInfo) -> std::fmt::Result {
    let PciDeviceInfo { bus, slot, function, id, .. } = device;
    writeln!(out, "  Bus {bus:2}, device {slot:3}, function {function}:")?;
    let class = match &device.class_info.desc {
        Some(words) => words.clone(),
        None => format!("Class {:04}", device.class_info.class),
    };
    writeln!(out, "    {class}: PCI device {:04x}:{:04x}", id.vendor, id.device)?;
    if let (Some(vendor), Some(subsystem)) = (id.subsystem_vendor, id.subsystem) {
        writeln!(out, "      PCI subsystem {vendor:04x}:{subsystem:04x}")?;
    }
    if let Some(irq) = device.irq {
        let pin = char::from(b'A' + (device.irq_pin - 1).clamp(0, 3) as u8);
        writeln!(out, "      IRQ {irq}, pin {pin}")?;
    }
    device.regions.iter().try_for_each(|region| bar(out, region))?;
    writeln!(out, "      id \"{}\"", device.qdev_id)
}

/// Where a window is; -1 when it is nowhere.
fn bar(out: &mut String, region: &PciMemoryRegion) -> std::fmt::Result {
    let PciMemoryRegion { bar, address, size, .. } = region;
    let last = address.wrapping_add(size - 1);
    if region.r#type == "io" {
        return writeln!(out, "      BAR{bar}: I/O at 0x{address:04x} [0x{last:04x}].");
    }
    let wide = if region.mem_type_64 == Some(true) { 64 } else { 32 };
    let prefetch = if region.prefetch == Some(true) { " prefetchable" } else { "" };
    writeln!(out, "      BAR{bar}: {wide} bit{prefetch} memory at 0x{address:08x} [0x{last:08x}].")
}

#[cfg(test)]
mod tests {
    use qapi::{PciDeviceClass, PciDeviceId};

    use super::*;

    #[test]
    fn a_function_looks_like_qemus() {
        let region = |bar, kind: &str, address, size, wide| PciMemoryRegion {
            bar,
            r#type: kind.into(),
            address,
            size,
            prefetch: (kind == "memory").then_some(wide),
            mem_type_64: (kind == "memory").then_some(wide),
        };
        let device = PciDeviceInfo {
            bus: 0,
            slot: 1,
            function: 3,
            class_info: PciDeviceClass { desc: Some("Bridge".into()), class: 0x680 },
            id: PciDeviceId {
                device: 0x7113,
                vendor: 0x8086,
                subsystem: Some(0x1100),
                subsystem_vendor: Some(0x1af4),
            },
            irq: Some(9),
            irq_pin: 1,
            qdev_id: "x".into(),
            pci_bridge: None,
            regions: vec![
                region(0, "io", 0xc000, 32, false),
                region(1, "memory", 0xfebf_1000, 0x1000, false),
                region(4, "memory", 0xfe00_0000, 0x4000, true),
                region(5, "io", -1, 16, false),
            ],
        };
        let expected = "  Bus  0, device   1, function 3:
    Bridge: PCI device 8086:7113
      PCI subsystem 1af4:1100
      IRQ 9, pin A
      BAR0: I/O at 0xc000 [0xc01f].
      BAR1: 32 bit memory at 0xfebf1000 [0xfebf1fff].
      BAR4: 64 bit prefetchable memory at 0xfe000000 [0xfe003fff].
      BAR5: I/O at 0xffffffffffffffff [0x000e].
      id \"x\"
";
        assert_eq!(text(&[PciInfo { bus: 0, devices: vec![device] }]), expected);
    }
}
