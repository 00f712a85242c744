//! ACPI tables (ACPI 6.5, section 5.2): RSDP, RSDT/XSDT, MADT, FADT, and a scan of the AML for `_S3_` and `_S5_`.

use crate::boot;
use crate::entry::MAX_CPUS;
use crate::hardware::{read8, read16, read32, read64};
use crate::paging;
use crate::single::Single;

/// A legacy interrupt that is wired or polarised differently (MADT interrupt source override).
#[derive(Clone, Copy, Default)]
pub struct Override {
    pub irq: u8,
    pub gsi: u32,
    pub flags: u16,
}

/// Fixed hardware from the FADT; a zero port or address means absent.
#[derive(Clone, Copy, Default)]
pub struct Fixed {
    pub facs: u64,
    pub sci: u16,
    pub smi_command: u16,
    pub acpi_enable: u8,
    pub pm1_event: u16,
    pub pm1_event_length: u8,
    pub pm1_control: u16,
    pub pm_timer: u16,
    pub gpe0: u16,
    pub gpe0_length: u8,
    pub reset_space: u8,
    pub reset_address: u64,
    pub reset_value: u8,
    /// Hardware-reduced ACPI: address space and address of the sleep control register.
    pub sleep_control: Option<(u8, u64)>,
}

/// Everything learnt from the tables.
pub struct Acpi {
    pub found: bool,
    cpus: [u8; MAX_CPUS],
    cpu_count: usize,
    overrides: [Override; 16],
    override_count: usize,
    pub ioapic: u64,
    pub ioapic_gsi_base: u32,
    pub fixed: Fixed,
    /// SLP_TYP of S3 and of S5.
    pub s3: Option<u8>,
    pub s5: Option<u8>,
}

static ACPI: Single<Acpi> = Single::new(Acpi {
    found: false,
    cpus: [0; MAX_CPUS],
    cpu_count: 0,
    overrides: [Override { irq: 0, gsi: 0, flags: 0 }; 16],
    override_count: 0,
    ioapic: 0xfec0_0000,
    ioapic_gsi_base: 0,
    fixed: Fixed {
        facs: 0,
        sci: 0,
        smi_command: 0,
        acpi_enable: 0,
        pm1_event: 0,
        pm1_event_length: 0,
        pm1_control: 0,
        pm_timer: 0,
        gpe0: 0,
        gpe0_length: 0,
        reset_space: 0,
        reset_address: 0,
        reset_value: 0,
        sleep_control: None,
    },
    s3: None,
    s5: None,
});

/// What `learn` found.
pub fn get() -> &'static Acpi {
    ACPI.get()
}

/// Reads the tables. Without any, one CPU and the customary IOAPIC are assumed.
pub fn learn() {
    let acpi = ACPI.get();
    acpi.ioapic = 0xfec0_0000;
    let Some(rsdp) = find_rsdp() else {
        return;
    };
    acpi.found = true;
    let revision = read8(rsdp + 15);
    let (root, width) = if revision >= 2 && read64(rsdp + 24) != 0 {
        (read64(rsdp + 24), 8)
    } else {
        (u64::from(read32(rsdp + 16)), 4)
    };
    for_each_entry(root, width, |table| match signature(table) {
        b"APIC" => acpi.learn_madt(table),
        b"FACP" => acpi.learn_fadt(table),
        b"SSDT" => acpi.scan_aml(table),
        _ => {}
    });
}

fn find_rsdp() -> Option<u64> {
    let told = boot::get().rsdp;
    let is_rsdp = |&address: &u64| {
        paging::ensure(address, 64) && read64(address) == u64::from_le_bytes(*b"RSD PTR ")
    };
    Some(told)
        .filter(|&a| a != 0)
        .filter(is_rsdp)
        .or_else(|| (0xe0000..0x10_0000).step_by(16).find(is_rsdp))
}

fn for_each_entry(root: u64, width: u64, mut each: impl FnMut(u64)) {
    let Some(length) = table_length(root) else {
        return;
    };
    for at in (36..length).step_by(width as usize) {
        let table = if width == 8 { read64(root + at) } else { u64::from(read32(root + at)) };
        if table_length(table).is_some() {
            each(table);
        }
    }
}

/// Length of the table at `address`, which is mapped then; `None` for what cannot be a table.
fn table_length(address: u64) -> Option<u64> {
    if address == 0 || !paging::ensure(address, 36) {
        return None;
    }
    let length = u64::from(read32(address + 4));
    ((36..1 << 20).contains(&length) && paging::ensure(address, length)).then_some(length)
}

fn signature(table: u64) -> &'static [u8; 4] {
    match &read32(table).to_le_bytes() {
        b"APIC" => b"APIC",
        b"FACP" => b"FACP",
        b"SSDT" => b"SSDT",
        _ => b"    ",
    }
}

impl Acpi {
    /// Local APIC ids of the CPUs that may be started, in MADT order; one (the boot CPU's, 0) without a MADT.
    pub fn cpus(&self) -> &[u8] {
        if self.cpu_count == 0 { &[0] } else { &self.cpus[..self.cpu_count] }
    }

    /// GSI and MADT flags (polarity bits 0-1, trigger bits 2-3; 0: as the bus) of a legacy interrupt.
    pub fn legacy(&self, irq: u32) -> (u32, u16) {
        if !self.found && irq == 0 {
            return (2, 0);
        }
        self.overrides[..self.override_count]
            .iter()
            .find(|o| u32::from(o.irq) == irq)
            .map_or((irq, 0), |o| (o.gsi, o.flags))
    }

    fn add_cpu(&mut self, id: u32, flags: u32) {
        if flags & 1 == 1 && id < 0xff && self.cpu_count < MAX_CPUS {
            self.cpus[self.cpu_count] = id as u8;
            self.cpu_count += 1;
        }
    }

    fn learn_madt(&mut self, table: u64) {
        let length = u64::from(read32(table + 4));
        let mut at = 44;
        while at + 2 <= length {
            let entry = table + at;
            let size = u64::from(read8(entry + 1));
            match read8(entry) {
                0 => self.add_cpu(u32::from(read8(entry + 3)), read32(entry + 4)),
                1 if read32(entry + 8) == 0 => self.ioapic = u64::from(read32(entry + 4)),
                2 if self.override_count < self.overrides.len() => {
                    self.overrides[self.override_count] = Override {
                        irq: read8(entry + 3),
                        gsi: read32(entry + 4),
                        flags: read16(entry + 8),
                    };
                    self.override_count += 1;
                }
                9 => self.add_cpu(read32(entry + 4), read32(entry + 8)),
                _ => {}
            }
            if size < 2 {
                break;
            }
            at += size;
        }
    }

    fn learn_fadt(&mut self, table: u64) {
        let length = u64::from(read32(table + 4));
        let wide = |offset: u64, narrow: u64| {
            let long = if length >= offset + 8 { read64(table + offset) } else { 0 };
            if long != 0 { long } else { u64::from(read32(table + narrow)) }
        };
        let port = |offset: u64| read32(table + offset) as u16;
        let flags = read32(table + 112);
        self.fixed = Fixed {
            facs: wide(132, 36),
            sci: read16(table + 46),
            smi_command: port(48),
            acpi_enable: read8(table + 52),
            pm1_event: port(56),
            pm1_event_length: read8(table + 88),
            pm1_control: port(64),
            pm_timer: port(76),
            gpe0: port(80),
            gpe0_length: read8(table + 92),
            ..Fixed::default()
        };
        if length >= 129 && flags & 1 << 10 != 0 {
            self.fixed.reset_space = read8(table + 116);
            self.fixed.reset_address = read64(table + 120);
            self.fixed.reset_value = read8(table + 128);
        }
        if length >= 256 && flags & 1 << 20 != 0 && read64(table + 248) != 0 {
            self.fixed.sleep_control = Some((read8(table + 244), read64(table + 248)));
        }
        let dsdt = wide(140, 40);
        if table_length(dsdt).is_some() {
            self.scan_aml(dsdt);
        }
    }

    /// Finds `Name (_Sx_, Package () {SLP_TYPa, …})` by its bytes: name, PackageOp, length, count, first element.
    fn scan_aml(&mut self, table: u64) {
        let length = u64::from(read32(table + 4));
        for at in table + 36..(table + length).saturating_sub(9) {
            let kind = match &read32(at).to_le_bytes() {
                b"_S3_" => &mut self.s3,
                b"_S5_" => &mut self.s5,
                _ => continue,
            };
            if read8(at + 4) != 0x12 {
                continue;
            }
            let element = at + 6 + u64::from(read8(at + 5) >> 6) + 1;
            *kind = match read8(element) {
                0x0a => Some(read8(element + 1)),
                value @ 0..=1 => Some(value),
                _ => *kind,
            };
        }
    }
}
