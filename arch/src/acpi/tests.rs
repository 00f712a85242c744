use super::*;
use crate::layout;

const BASE: u64 = 0x7fe_0000;

fn config(cpus: u32) -> AcpiConfig {
    AcpiConfig {
        cpus: (0..cpus).map(|n| Cpu { apic_id: n, present: n % 2 == 0 }).collect(),
        serial: vec![Serial { uid: 1, port: 0x3f8, irq: 4 }],
        i8042: true,
        pvpanic: Some(0x505),
        fw_cfg: true,
        s3: true,
        s4: true,
        pci_window: 0x800_0000..layout::PCI_HOLE_END as u32,
        pci_window_64: Some(0x1_0000_0000..0x1_8000_0000),
    }
}

fn built(config: &AcpiConfig) -> AcpiTables {
    build(config, BASE..BASE + layout::ACPI_SIZE, layout::RSDP).unwrap()
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |a, b| a.wrapping_add(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The table at a physical address, with its checksum checked.
fn table(tables: &AcpiTables, address: u64, signature: &[u8; 4]) -> Vec<u8> {
    let all = &tables.tables;
    let bytes = &all.bytes[(address - all.address) as usize..];
    let bytes = &bytes[..u32_at(bytes, 4) as usize];
    assert_eq!(&bytes[..4], signature);
    assert_eq!(sum(bytes), 0, "{signature:?}");
    bytes.to_vec()
}

/// FADT and MADT as found through the XSDT.
fn listed(tables: &AcpiTables) -> (Vec<u8>, Vec<u8>) {
    let root = &tables.rsdp.bytes;
    let xsdt = table(tables, u64_at(root, 24), b"XSDT");
    (table(tables, u64_at(&xsdt, 36), b"FACP"), table(tables, u64_at(&xsdt, 44), b"APIC"))
}

#[test]
fn root_pointer_leads_to_everything() {
    let tables = built(&config(4));
    let root = &tables.rsdp.bytes;
    assert_eq!(tables.rsdp.address, 0xe_0000);
    assert_eq!((&root[..8], root.len()), (&b"RSD PTR "[..], 36));
    assert_eq!((sum(&root[..20]), sum(root)), (0, 0));
    let rsdt = table(&tables, u32_at(root, 16).into(), b"RSDT");
    let xsdt = table(&tables, u64_at(root, 24), b"XSDT");
    assert_eq!((rsdt.len(), xsdt.len()), (44, 52));
    for n in 0..2 {
        let entry = u64_at(&xsdt, 36 + 8 * n);
        assert_eq!(u64::from(u32_at(&rsdt, 36 + 4 * n)), entry);
    }
    let (fadt, _) = listed(&tables);
    assert_eq!(u64::from(u32_at(&fadt, 36)), tables.facs);
    assert_eq!(u64::from(u32_at(&fadt, 40)), u64_at(&fadt, 140));
    table(&tables, u32_at(&fadt, 40).into(), b"DSDT");
    assert_eq!(tables.facs % 64, 0);
    let facs = &tables.tables.bytes[(tables.facs - BASE) as usize..][..64];
    assert_eq!((&facs[..4], u32_at(facs, 4)), (&b"FACS"[..], 64));
    assert_eq!(facs[8..], [0; 56]);
}

#[test]
fn fadt_describes_the_piix4() {
    let (fadt, _) = listed(&built(&config(1)));
    assert_eq!(u16::from_le_bytes([fadt[46], fadt[47]]), 9);
    assert_eq!(u32_at(&fadt, 48), 0xb2);
    assert_eq!(fadt[52..54], [0xf1, 0xf0]);
    assert_eq!(u32_at(&fadt, 56), 0x600);
    assert_eq!(u32_at(&fadt, 64), 0x604);
    assert_eq!(u32_at(&fadt, 76), 0x608);
    assert_eq!(u32_at(&fadt, 80), 0xafe0);
    assert_eq!(fadt[88..93], [4, 2, 0, 4, 4]);
    assert_eq!(fadt[108], 0x32);
    assert_eq!(fadt[109..111], [3, 0]);
    // Fixed power button, no sleep button, 24-bit timer, reset register.
    assert_eq!(u32_at(&fadt, 112), 0x84a5);
    assert_eq!((u64_at(&fadt, 120), fadt[128]), (0xcf9, 6));
    let no_keyboard = AcpiConfig { i8042: false, ..config(1) };
    assert_eq!(listed(&built(&no_keyboard)).0[109], 1);
}

/// The MADT's entries: type and content.
fn madt_entries(madt: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut rest = &madt[44..];
    while let [kind, length, ..] = *rest {
        entries.push((kind, rest[2..length.into()].to_vec()));
        rest = &rest[length.into()..];
    }
    assert!(rest.is_empty());
    entries
}

#[test]
fn madt_lists_processors_and_overrides() {
    let (_, madt) = listed(&built(&config(4)));
    assert_eq!(u32_at(&madt, 36), 0xfee0_0000);
    let entries = madt_entries(&madt);
    let cpus: Vec<_> = entries.iter().filter(|e| e.0 == 0).collect();
    assert_eq!(cpus.len(), 4);
    assert_eq!(cpus[2].1, [2, 2, 1, 0, 0, 0]);
    assert_eq!(cpus[3].1, [3, 3, 2, 0, 0, 0]);
    let overrides: Vec<_> =
        entries.iter().filter(|e| e.0 == 2).map(|e| (e.1[1], e.1[2], e.1[6])).collect();
    let expected = [(0, 2, 0), (5, 5, 13), (9, 9, 13), (10, 10, 13), (11, 11, 13)];
    assert_eq!(overrides, expected);
    assert!(entries.contains(&(4, vec![0xff, 0, 0, 1])));
    assert!(entries.iter().all(|e| e.0 != 9 && e.0 != 10));
}

#[test]
fn large_identifiers_are_x2apic() {
    let mut config = config(300);
    config.cpus[10].apic_id = 0x1_0000;
    let (_, madt) = listed(&built(&config));
    let entries = madt_entries(&madt);
    let short = entries.iter().filter(|e| e.0 == 0).count();
    let long: Vec<_> = entries.iter().filter(|e| e.0 == 9).collect();
    assert_eq!((short, long.len()), (254, 46));
    assert_eq!(long[0].1[2..14], [0, 0, 1, 0, 1, 0, 0, 0, 10, 0, 0, 0]);
    assert_eq!(long[1].1[2..14], [255, 0, 0, 0, 2, 0, 0, 0, 255, 0, 0, 0]);
    assert!(entries.iter().any(|e| e.0 == 10));
}

#[test]
fn sizes_and_mistakes() {
    let room = BASE..BASE + layout::ACPI_SIZE;
    for cpus in [0, 1, 255, 256, 1024] {
        assert!(build(&config(cpus), room.clone(), layout::RSDP).is_ok());
    }
    let error = |config: &AcpiConfig, area| build(config, area, layout::RSDP).unwrap_err();
    let too_small = error(&config(1), BASE..BASE + 512);
    assert!(matches!(too_small, AcpiError::NoRoom { room: 512, .. }));
    assert_eq!(error(&config(5000), room.clone()), AcpiError::Cpus(5000));
    assert_eq!(error(&config(1), BASE + 8..BASE + 0x1_0000), AcpiError::Address(BASE + 8));
    assert_eq!(error(&config(1), 0x1_0000_0000..0x1_0002_0000), AcpiError::Address(0x1_0000_0000));
    let empty = AcpiConfig { pci_window: 5..5, ..config(1) };
    assert_eq!(error(&empty, room), AcpiError::Window(5));
}

/// Whether `program` can be started; says so when it cannot.
fn has(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("-v").output().is_ok();
    if !found {
        harness::skip(&format!("arch::{program}"), "package acpica-tools is not installed");
    }
    found
}

fn run(program: &str, arguments: &[&str], directory: &std::path::Path) -> String {
    let output = std::process::Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn disassembler_accepts_the_tables() {
    if !has("iasl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let tables = built(&config(300));
    let (fadt, madt) = listed(&tables);
    let dsdt = table(&tables, u32_at(&fadt, 40).into(), b"DSDT");
    for (name, bytes) in [("facp", &fadt), ("apic", &madt), ("dsdt", &dsdt)] {
        std::fs::write(directory.join(format!("{name}.dat")), bytes).unwrap();
        let log = run("iasl", &["-d", &format!("{name}.dat")], directory);
        let source = std::fs::read_to_string(directory.join(format!("{name}.dsl")));
        let source = source.unwrap_or_else(|_| panic!("{name}: {log}"));
        for bad in ["Error", "Invalid", "Unknown", "Warning", "Incorrect"] {
            assert!(!source.contains(bad) && !log.contains(bad), "{name}: {log}");
        }
        if name == "dsdt" {
            for device in ["LNKD", "PEVT", "KBD_", "CM01", "FWCF", "C12B"] {
                assert!(source.contains(device.trim_end_matches('_')), "{device}");
            }
        }
    }
    // What is taken apart compiles again: every name resolves.
    let log = run("iasl", &["-oa", "dsdt.dsl"], directory);
    assert!(log.contains("0 Errors"), "{log}");
}

#[test]
fn links_follow_the_routing_registers() {
    if !has("acpiexec") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let tables = built(&config(2));
    let (fadt, _) = listed(&tables);
    let dsdt = table(&tables, u32_at(&fadt, 40).into(), b"DSDT");
    std::fs::write(directory.join("dsdt.dat"), dsdt).unwrap();
    let evaluate = |what: &str| run("acpiexec", &["-b", what, "dsdt.dat"], directory);
    // The interpreter's configuration space is memory that starts as zeros: link connected.
    let log = evaluate("evaluate \\_SB.LNKA._STA");
    assert!(log.contains("000000000000000B"), "{log}");
    let log = evaluate("evaluate \\_SB.LNKA._DIS;evaluate \\_SB.LNKA._STA");
    assert!(log.contains("0000000000000009"), "{log}");
    for object in ["PCI0._CRS", "LNKB._CRS", "LNKS._PRS"] {
        let log = evaluate(&format!("evaluate \\_SB.{object}"));
        assert!(log.contains("returned object"), "{log}");
        assert!(!log.contains("AE_"), "{log}");
    }
}
