//! The differentiated definition block: PCI host bridge, ISA devices, processors, sleep states.

use acpi_tables::Aml;
use acpi_tables::aml::{
    AddressSpace, AddressSpaceCacheable, Arg, Device, EISAName, Field, FieldAccessType, FieldEntry,
    FieldLockRule, FieldUpdateRule, IO, Method, Name, OpRegion, OpRegionSpace, Package, Path,
    ResourceTemplate, Return, Scope, Store,
};

use super::resource::{Encoded, IsaIrq};
use super::{AcpiConfig, Cpu, GPE0_BLOCK, GPE0_LENGTH, Serial, link};
use crate::layout;

/// `_STA`: present, enabled, shown, working.
const WORKING: u8 = 0x0f;
/// `_STA` of devices that a user interface need not show.
const HIDDEN: u8 = 0x0b;
const ABSENT: u8 = 0;

/// The table's content after the standard header.
pub(super) fn dsdt(config: &AcpiConfig) -> Vec<u8> {
    let mut aml = Vec::new();
    Scope::new("\\_SB_".into(), vec![&host_bridge(config)]).to_aml_bytes(&mut aml);
    link::links().to_aml_bytes(&mut aml);
    processors(&config.cpus).to_aml_bytes(&mut aml);
    // SLP_TYP values of the PIIX4 as QEMU models it.
    if config.s3 {
        sleep_state("_S3_", 1).to_aml_bytes(&mut aml);
    }
    if config.s4 {
        sleep_state("_S4_", 2).to_aml_bytes(&mut aml);
    }
    sleep_state("_S5_", 0).to_aml_bytes(&mut aml);
    aml
}

fn sleep_state(name: &str, slp_typ: u8) -> Encoded {
    let values = Package::new(vec![&slp_typ, &slp_typ, &0u8, &0u8]);
    Encoded::new(&Name::new(name.into(), &values))
}

fn host_bridge(config: &AcpiConfig) -> Encoded {
    let gpe0 = IO::new(GPE0_BLOCK, GPE0_BLOCK, 1, GPE0_LENGTH);
    Encoded::new(&Device::new(
        "PCI0".into(),
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0A03")),
            &Name::new("_ADR".into(), &0u8),
            &Name::new("_UID".into(), &0u8),
            &Name::new("_CRS".into(), &windows(config)),
            &link::routing(),
            &Device::new(
                "GPE0".into(),
                vec![
                    &Name::new("_HID".into(), &EISAName::new("PNP0A06")),
                    &Name::new("_UID".into(), &"GPE0 resources"),
                    &Name::new("_STA".into(), &HIDDEN),
                    &Name::new("_CRS".into(), &ResourceTemplate::new(vec![&gpe0])),
                ],
            ),
            &isa_bridge(config),
        ],
    ))
}

/// The bus numbers, ports and memory that belong to the PCI bus.
fn windows(config: &AcpiConfig) -> Encoded {
    use AddressSpaceCacheable::{Cacheable, NotCacheable};
    let buses = AddressSpace::new_bus_number(0u16, 255);
    let config_ports = IO::new(0xcf8, 0xcf8, 1, 8);
    let ports_below = AddressSpace::new_io(0u16, 0xcf7, None);
    let ports_above = AddressSpace::new_io(0xd00u16, 0xffff, None);
    let video = AddressSpace::new_memory(
        Cacheable,
        true,
        layout::VGA_HOLE as u32,
        layout::VGA_HOLE_END as u32 - 1,
        None,
    );
    let low = &config.pci_window;
    let memory = AddressSpace::new_memory(NotCacheable, true, low.start, low.end - 1, None);
    let high = config
        .pci_window_64
        .as_ref()
        .map(|w| AddressSpace::new_memory(Cacheable, true, w.start, w.end - 1, None));
    let mut all: Vec<&dyn Aml> =
        vec![&buses, &config_ports, &ports_below, &ports_above, &video, &memory];
    if let Some(high) = &high {
        all.push(high);
    }
    Encoded::new(&ResourceTemplate::new(all))
}

fn isa_bridge(config: &AcpiConfig) -> Encoded {
    let mut parts = vec![
        Encoded::new(&Name::new("_ADR".into(), &0x0001_0000u32)),
        link::registers(),
        isa_device("RTC_", "PNP0B00", 0, vec![&ports(0x70, 2), &IsaIrq(8)]),
    ];
    if config.i8042 {
        let (data, command) = (ports(0x60, 1), ports(0x64, 1));
        let keyboard: Vec<&dyn Aml> = vec![&data, &command, &IsaIrq(1)];
        parts.push(isa_device("KBD_", "PNP0303", 0, keyboard));
        parts.push(isa_device("MOU_", "PNP0F13", 0, vec![&IsaIrq(12)]));
    }
    parts.extend(config.serial.iter().map(serial));
    if config.fw_cfg {
        parts.push(fw_cfg());
    }
    parts.extend(config.pvpanic.map(pvpanic));
    let parts = parts.iter().map(|p| p as &dyn Aml).collect();
    Encoded::new(&Device::new("ISA_".into(), parts))
}

/// A fixed range of at most 255 ports.
fn ports(first: u16, count: u8) -> IO {
    IO::new(first, first, 1, count)
}

fn isa_device(name: &str, id: &str, uid: u8, resources: Vec<&dyn Aml>) -> Encoded {
    Encoded::new(&Device::new(
        name.into(),
        vec![
            &Name::new("_HID".into(), &EISAName::new(id)),
            &Name::new("_UID".into(), &uid),
            &Name::new("_STA".into(), &WORKING),
            &Name::new("_CRS".into(), &ResourceTemplate::new(resources)),
        ],
    ))
}

fn serial(port: &Serial) -> Encoded {
    let name = format!("CM{:02X}", port.uid);
    let (io, irq) = (ports(port.port, 8), IsaIrq(port.irq));
    isa_device(&name, "PNP0501", port.uid, vec![&io, &irq])
}

/// QEMU's firmware configuration device.
fn fw_cfg() -> Encoded {
    let io = ports(0x510, 12);
    Encoded::new(&Device::new(
        "FWCF".into(),
        vec![
            &Name::new("_HID".into(), &"QEMU0002"),
            &Name::new("_STA".into(), &HIDDEN),
            &Name::new("_CRS".into(), &ResourceTemplate::new(vec![&io])),
        ],
    ))
}

/// The panic notifier: one register, read to learn the events it knows, written to report one.
fn pvpanic(port: u16) -> Encoded {
    let io = ports(port, 1);
    let register = Path::new("PEPT");
    Encoded::new(&Device::new(
        "PEVT".into(),
        vec![
            &Name::new("_HID".into(), &"QEMU0001"),
            &Name::new("_STA".into(), &WORKING),
            &Name::new("_CRS".into(), &ResourceTemplate::new(vec![&io])),
            &OpRegion::new("PEOR".into(), OpRegionSpace::SystemIO, &port, &1u8),
            &Field::new(
                "PEOR".into(),
                FieldAccessType::Byte,
                FieldLockRule::NoLock,
                FieldUpdateRule::Preserve,
                vec![FieldEntry::Named(*b"PEPT", 8)],
            ),
            &Method::new("RDPT".into(), 0, false, vec![&Return::new(&register)]),
            &Method::new("WRPT".into(), 1, false, vec![&Store::new(&register, &Arg(0))]),
        ],
    ))
}

/// One device per possible processor; its UID is that of the MADT.
fn processors(cpus: &[Cpu]) -> Encoded {
    let devices: Vec<Encoded> = (0u32..)
        .zip(cpus)
        .map(|(uid, cpu)| {
            let status = if cpu.present { WORKING } else { ABSENT };
            Encoded::new(&Device::new(
                format!("C{uid:03X}").as_str().into(),
                vec![
                    &Name::new("_HID".into(), &"ACPI0007"),
                    &Name::new("_UID".into(), &uid),
                    &Name::new("_STA".into(), &status),
                ],
            ))
        })
        .collect();
    let devices = devices.iter().map(|d| d as &dyn Aml).collect();
    Encoded::new(&Scope::new("\\_SB_".into(), devices))
}
