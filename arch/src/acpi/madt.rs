//! The interrupt controllers (MADT, ACPI 6.3 section 5.2.12).

use super::{Cpu, SCI};
use crate::layout;

/// Processors from this identifier on have a local x2APIC entry: 255 means "all" in the short one.
const FIRST_X2APIC: u32 = 255;
/// Processor flags.
const ENABLED: u32 = 1 << 0;
const ONLINE_CAPABLE: u32 = 1 << 1;
/// Source overrides: active high and level triggered.
const LEVEL_HIGH: u16 = 0x000d;
/// ISA interrupts that PCI devices and the SCI share.
const LEVEL_IRQS: [u8; 4] = [5, SCI, 10, 11];

/// The table's content after the standard header. A processor's UID is its position in `cpus`.
pub(super) fn madt(cpus: &[Cpu]) -> Vec<u8> {
    let mut t = Vec::new();
    t.extend((layout::LAPIC as u32).to_le_bytes());
    t.extend(1u32.to_le_bytes()); // two 8259s exist as well
    for (uid, cpu) in (0..).zip(cpus) {
        t.extend(processor(uid, cpu));
    }
    let io_apic_id = 0;
    t.extend([1, 12, io_apic_id, 0]);
    t.extend((layout::IOAPIC as u32).to_le_bytes());
    t.extend(0u32.to_le_bytes()); // its first interrupt
    t.extend(source_override(0, 2, 0));
    for irq in LEVEL_IRQS {
        t.extend(source_override(irq, irq.into(), LEVEL_HIGH));
    }
    // Non-maskable interrupts arrive at LINT1 of every processor.
    t.extend([4, 6, 0xff, 0, 0, 1]);
    if (0..).zip(cpus).any(|(uid, cpu)| is_x2apic(uid, cpu)) {
        t.extend([10, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    }
    t
}

fn is_x2apic(uid: u32, cpu: &Cpu) -> bool {
    cpu.apic_id >= FIRST_X2APIC || uid >= FIRST_X2APIC
}

fn processor(uid: u32, cpu: &Cpu) -> Vec<u8> {
    // One that is not there may come later.
    let flags = if cpu.present { ENABLED } else { ONLINE_CAPABLE };
    let mut entry;
    if is_x2apic(uid, cpu) {
        entry = vec![9, 16, 0, 0];
        entry.extend(cpu.apic_id.to_le_bytes());
        entry.extend(flags.to_le_bytes());
        entry.extend(uid.to_le_bytes());
    } else {
        entry = vec![0, 8, uid as u8, cpu.apic_id as u8];
        entry.extend(flags.to_le_bytes());
    }
    entry
}

fn source_override(irq: u8, gsi: u32, flags: u16) -> Vec<u8> {
    let mut entry = vec![2, 10, 0, irq];
    entry.extend(gsi.to_le_bytes());
    entry.extend(flags.to_le_bytes());
    entry
}
