//! Physical memory of the `pc` (i440FX and PIIX) machine.
//!
//! RAM starts at 0 and is split around the PCI hole the way QEMU's `pc-i440fx` machines split it:
//! less than 3.5 GiB stays in one piece, 3.5 GiB or more leaves 3 GiB below the hole and continues
//! at 4 GiB. The first MiB has the classic PC holes (video memory, ROMs).
//!
//! When a kernel is loaded without firmware, the boot data it is given lies at the fixed low
//! addresses below; the tables that must survive the boot lie in memory which the memory map
//! reserves: the RSDP and SMBIOS in the ROM area, the ACPI tables at the end of low RAM.
//!
//! Addresses and sizes are in bytes.

use std::ops::Range;

use vm_memory::GuestAddress;

/// One KiB.
pub const KIB: u64 = 1 << 10;
/// One MiB.
pub const MIB: u64 = 1 << 20;
/// One GiB.
pub const GIB: u64 = 1 << 30;
/// Size of a page.
pub const PAGE: u64 = 4 * KIB;
/// The end of the 32-bit address space, where RAM continues above the PCI hole.
pub const HIGH_RAM_START: u64 = 4 * GIB;
/// RAM of this size and more is split.
pub const SPLIT_AT: u64 = 3 * GIB + 512 * MIB;
/// What stays below the PCI hole when RAM is split.
pub const SPLIT_LOW: u64 = 3 * GIB;

/// Global descriptor table of the boot protocols, see [`crate::boot::Entry`].
pub const GDT: u64 = 0x500;
/// Size of the area of the descriptor table.
pub const GDT_SIZE: u64 = 0x100;
/// PVH start information with its module list and memory map.
pub const PVH_START_INFO: u64 = 0x6000;
/// Size of the PVH start information's area.
pub const PVH_START_INFO_SIZE: u64 = PAGE;
/// Linux boot parameters, the "zero page".
pub const BOOT_PARAMS: u64 = 0x7000;
/// Size of the Linux boot parameters.
pub const BOOT_PARAMS_SIZE: u64 = PAGE;
/// Stack of the 64-bit entry, growing down from its end.
pub const BOOT_STACK: u64 = 0x8000;
/// Size of the boot stack.
pub const BOOT_STACK_SIZE: u64 = PAGE;
/// Page tables of the 64-bit entry: PML4, page directory pointers, four page directories.
pub const PAGE_TABLES: u64 = 0x9000;
/// Size of the page tables, which map the first 4 GiB one to one.
pub const PAGE_TABLES_SIZE: u64 = 6 * PAGE;
/// The kernel command line.
pub const COMMAND_LINE: u64 = 0x2_0000;
/// Room for the command line with its final NUL.
pub const COMMAND_LINE_SIZE: u64 = 0x1_0000;

/// Extended BIOS data area: the end of conventional memory.
pub const EBDA: u64 = 0x9_fc00;
/// Video memory, the first hole in RAM.
pub const VGA_HOLE: u64 = 0xa_0000;
/// End of the video memory hole; option ROMs follow.
pub const VGA_HOLE_END: u64 = 0xc_0000;
/// The part of the ROM area that holds the RSDP; the PAM registers must map RAM here.
pub const BIOS_AREA: u64 = 0xe_0000;
/// The ACPI root pointer. Guests search `0xe0000..0x100000` in steps of 16.
pub const RSDP: u64 = BIOS_AREA;
/// Size of the root pointer's area.
pub const RSDP_SIZE: u64 = 64;
/// The SMBIOS entry point. Guests search `0xf0000..0x100000` in steps of 16.
pub const SMBIOS: u64 = 0xf_0000;
/// Room for the SMBIOS entry point and structures.
pub const SMBIOS_SIZE: u64 = 0x1_0000;
/// End of the first MiB: extended memory starts.
pub const EXTENDED: u64 = MIB;

/// Size of the ACPI table area at the end of low RAM.
pub const ACPI_SIZE: u64 = 128 * KIB;
/// The smallest RAM into which a kernel can be loaded: the first MiB, the table area, something
/// between.
pub const MIN_DIRECT_BOOT: u64 = 2 * MIB;

/// First address of the chipset's fixed ranges, the end of the 32-bit PCI hole.
pub const PCI_HOLE_END: u64 = IOAPIC;
/// I/O APIC registers.
pub const IOAPIC: u64 = 0xfec0_0000;
/// Size of the I/O APIC registers.
pub const IOAPIC_SIZE: u64 = PAGE;
/// Local APIC registers after reset.
pub const LAPIC: u64 = 0xfee0_0000;
/// Size of the local APIC registers; as an address of writes by devices, the range of MSIs is
/// 1 MiB.
pub const LAPIC_SIZE: u64 = MIB;
/// One page of identity map for KVM on processors that cannot run real mode.
pub const KVM_IDENTITY_MAP: u64 = 0xfeff_c000;
/// Three pages for KVM's task state segment.
pub const KVM_TSS: u64 = KVM_IDENTITY_MAP + PAGE;
/// Size of the identity map and the task state segment together.
pub const KVM_RESERVED_SIZE: u64 = 4 * PAGE;
/// The largest firmware image: it may not reach down to the KVM pages.
pub const MAX_FIRMWARE: u64 = HIGH_RAM_START - (KVM_IDENTITY_MAP + KVM_RESERVED_SIZE);
/// How much of the end of a firmware image is also visible below 1 MiB.
pub const FIRMWARE_ALIAS: u64 = 128 * KIB;

/// Bytes of RAM below the PCI hole for a machine with `ram` bytes.
pub const fn low_ram(ram: u64) -> u64 {
    if ram >= SPLIT_AT { SPLIT_LOW } else { ram }
}

/// Bytes of RAM from 4 GiB on for a machine with `ram` bytes.
pub const fn high_ram(ram: u64) -> u64 {
    ram - low_ram(ram)
}

/// The pieces of RAM in address order: start and bytes. The holes below 1 MiB are not cut out,
/// because RAM exists behind them (the chipset's PAM registers uncover it).
pub fn ram_ranges(ram: u64) -> Vec<(GuestAddress, u64)> {
    let mut ranges = vec![(GuestAddress(0), low_ram(ram))];
    if high_ram(ram) > 0 {
        ranges.push((GuestAddress(HIGH_RAM_START), high_ram(ram)));
    }
    ranges
}

/// The range below 4 GiB that belongs to PCI memory windows: from the end of low RAM to the I/O
/// APIC.
pub const fn pci_hole(ram: u64) -> Range<u64> {
    low_ram(ram)..PCI_HOLE_END
}

/// The ACPI tables' area: the last 128 KiB of low RAM, page aligned. `None` if the machine has
/// less than [`MIN_DIRECT_BOOT`].
pub const fn acpi_area(ram: u64) -> Option<Range<u64>> {
    if ram < MIN_DIRECT_BOOT {
        return None;
    }
    let end = low_ram(ram) & !(PAGE - 1);
    Some(end - ACPI_SIZE..end)
}

/// Bytes and the physical address where a guest finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// First physical address.
    pub address: u64,
    /// The content.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `info mtree -f` of `qemu-system-x86_64 -M pc -m N` (7.2) shows.
    #[test]
    fn split_is_that_of_qemu() {
        for (mib, low, high) in [
            (3072, 0xc000_0000, 0),
            (3400, 0xd480_0000, 0),
            (3583, 0xdff0_0000, 0),
            (3584, 0xc000_0000, 0x2000_0000),
            (3585, 0xc000_0000, 0x2010_0000),
            (4096, 0xc000_0000, 0x4000_0000),
            (5120, 0xc000_0000, 0x8000_0000),
        ] {
            assert_eq!((low_ram(mib * MIB), high_ram(mib * MIB)), (low, high));
        }
        assert_eq!(ram_ranges(GIB), [(GuestAddress(0), GIB)]);
        assert_eq!(ram_ranges(4 * GIB), [(GuestAddress(0), 3 * GIB), (GuestAddress(4 * GIB), GIB)]);
    }

    #[test]
    fn fixed_areas_do_not_overlap() {
        let mut areas = [
            ("gdt", GDT, GDT_SIZE),
            ("pvh", PVH_START_INFO, PVH_START_INFO_SIZE),
            ("boot params", BOOT_PARAMS, BOOT_PARAMS_SIZE),
            ("stack", BOOT_STACK, BOOT_STACK_SIZE),
            ("page tables", PAGE_TABLES, PAGE_TABLES_SIZE),
            ("command line", COMMAND_LINE, COMMAND_LINE_SIZE),
            ("ebda", EBDA, VGA_HOLE - EBDA),
            ("vga", VGA_HOLE, VGA_HOLE_END - VGA_HOLE),
            ("rsdp", RSDP, RSDP_SIZE),
            ("smbios", SMBIOS, SMBIOS_SIZE),
            ("ioapic", IOAPIC, IOAPIC_SIZE),
            ("lapic", LAPIC, LAPIC_SIZE),
            ("kvm", KVM_IDENTITY_MAP, KVM_RESERVED_SIZE),
            ("firmware", HIGH_RAM_START - MAX_FIRMWARE, MAX_FIRMWARE),
        ];
        areas.sort_by_key(|a| a.1);
        for pair in areas.windows(2) {
            assert!(pair[0].1 + pair[0].2 <= pair[1].1, "{} overlaps {}", pair[0].0, pair[1].0);
        }
        assert_eq!(KVM_TSS, 0xfeff_d000);
        assert_eq!(MAX_FIRMWARE, 16 * MIB);
    }

    #[test]
    fn acpi_area_is_at_the_end_of_low_ram() {
        assert_eq!(acpi_area(2 * MIB - 1), None);
        assert_eq!(acpi_area(2 * MIB), Some(0x1e_0000..0x20_0000));
        assert_eq!(acpi_area(64 * GIB), Some(0xbffe_0000..0xc000_0000));
        assert_eq!(acpi_area(128 * MIB + 1), Some(0x7fe_0000..0x800_0000));
    }
}
