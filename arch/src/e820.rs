//! The memory map, named after the BIOS call (`INT 15h, AX=E820h`) that used to report it.
//!
//! Entry types are those of the ACPI specification 6.3, section 15. The same map is handed to Linux
//! in its boot parameters, to PVH kernels in their start information and to firmware in the
//! `etc/e820` file of fw_cfg.

use std::ops::Range;

use linux_loader::loader::bootparam::boot_e820_entry;
use linux_loader::loader::elf::start_info::hvm_memmap_table_entry;

use crate::layout;

/// What a range of physical memory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Memory free for use.
    Usable = 1,
    /// Not available.
    Reserved = 2,
    /// ACPI tables, free for use once they are read.
    AcpiReclaimable = 3,
    /// Memory the firmware needs kept over sleep.
    AcpiNvs = 4,
}

/// One range of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// First physical address.
    pub address: u64,
    /// Bytes, not 0.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
}

impl Entry {
    /// The first address after the range; ranges end below 2^64.
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

/// A memory map: entries in address order that do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(Vec<Entry>);

impl Map {
    /// The map of a `pc` machine with `ram` bytes of RAM that is booted without firmware.
    ///
    /// `extra` ranges are laid over it in order: what they cover takes their kind.
    pub fn pc(ram: u64, extra: &[Entry]) -> Map {
        use Kind::{Reserved, Usable};
        let mut map = Map::default();
        let low = layout::low_ram(ram);
        map.set(0..low, Usable);
        map.remove(layout::VGA_HOLE..layout::EXTENDED);
        map.set(layout::EBDA..layout::VGA_HOLE, Reserved);
        map.set(layout::BIOS_AREA..layout::EXTENDED, Reserved);
        if let Some(area) = layout::acpi_area(ram) {
            map.set(area.start..low, Reserved);
        }
        let kvm = layout::KVM_IDENTITY_MAP;
        map.set(kvm..kvm + layout::KVM_RESERVED_SIZE, Reserved);
        map.set_high_ram(ram);
        for entry in extra {
            map.set(entry.address..entry.end(), entry.kind);
        }
        map
    }

    /// The map for the firmware (`etc/e820` of fw_cfg): RAM, and the pages that KVM needs. The
    /// firmware itself knows the holes of the first MiB and where it puts its tables.
    pub fn firmware(ram: u64) -> Map {
        let mut map = Map::default();
        map.set(0..layout::low_ram(ram), Kind::Usable);
        let kvm = layout::KVM_IDENTITY_MAP;
        map.set(kvm..kvm + layout::KVM_RESERVED_SIZE, Kind::Reserved);
        map.set_high_ram(ram);
        map
    }

    fn set_high_ram(&mut self, ram: u64) {
        let start = layout::HIGH_RAM_START;
        let end = start.saturating_add(layout::high_ram(ram));
        self.set(start..end, Kind::Usable);
    }

    /// The entries, in address order.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Gives `range` a kind, whatever it was before. An empty range changes nothing.
    pub fn set(&mut self, range: Range<u64>, kind: Kind) {
        if range.is_empty() {
            return;
        }
        self.remove(range.clone());
        let at = self.0.partition_point(|e| e.address < range.start);
        let entry = Entry { address: range.start, size: range.end - range.start, kind };
        self.0.insert(at, entry);
        self.0.dedup_by(|next, entry| {
            let joins = entry.end() == next.address && entry.kind == next.kind;
            if joins {
                entry.size += next.size;
            }
            joins
        });
    }

    /// Makes a hole of `range`. An empty range changes nothing.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let piece = |start: u64, end: u64, kind| {
            (start < end).then(|| Entry { address: start, size: end - start, kind })
        };
        self.0 = std::mem::take(&mut self.0)
            .into_iter()
            .flat_map(|e| {
                [
                    piece(e.address, e.end().min(range.start), e.kind),
                    piece(e.address.max(range.end), e.end(), e.kind),
                ]
            })
            .flatten()
            .collect();
    }

    /// Whether all of `range` is usable memory. An empty range is, anywhere.
    pub fn is_usable(&self, range: &Range<u64>) -> bool {
        range.is_empty()
            || self
                .0
                .iter()
                .any(|e| e.kind == Kind::Usable && e.address <= range.start && range.end <= e.end())
    }

    /// The highest page-aligned address, such that `size` bytes from there are usable and end at
    /// or below `limit`.
    pub fn highest(&self, size: u64, limit: u64) -> Option<u64> {
        self.0.iter().rev().find_map(|e| {
            let end = e.end().min(limit);
            let start = end.checked_sub(size)? & !(layout::PAGE - 1);
            (e.kind == Kind::Usable && start >= e.address).then_some(start)
        })
    }

    /// The entries as Linux' boot parameters hold them. The zero page has room for 128.
    pub fn to_boot_params(&self) -> Vec<boot_e820_entry> {
        self.0
            .iter()
            .map(|e| boot_e820_entry { addr: e.address, size: e.size, r#type: e.kind as u32 })
            .collect()
    }

    /// The entries as the PVH start information's memory map holds them.
    pub fn to_pvh(&self) -> Vec<hvm_memmap_table_entry> {
        self.0
            .iter()
            .map(|e| hvm_memmap_table_entry {
                addr: e.address,
                size: e.size,
                type_: e.kind as u32,
                reserved: 0,
            })
            .collect()
    }

    /// The content of fw_cfg's `etc/e820`: per entry address, size (64 bits each) and type (32
    /// bits), packed and little endian.
    pub fn to_fw_cfg(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 20);
        for e in &self.0 {
            bytes.extend(e.address.to_le_bytes());
            bytes.extend(e.size.to_le_bytes());
            bytes.extend((e.kind as u32).to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{GIB, MIB};

    fn entries(map: &Map) -> Vec<(u64, u64, Kind)> {
        map.entries().iter().map(|e| (e.address, e.end(), e.kind)).collect()
    }

    #[test]
    fn small_and_large_machines() {
        use Kind::{Reserved, Usable};
        assert_eq!(
            entries(&Map::pc(128 * MIB, &[])),
            [
                (0, 0x9_fc00, Usable),
                (0x9_fc00, 0xa_0000, Reserved),
                (0xe_0000, 0x10_0000, Reserved),
                (0x10_0000, 0x7fe_0000, Usable),
                (0x7fe_0000, 0x800_0000, Reserved),
                (0xfeff_c000, 0xff00_0000, Reserved),
            ]
        );
        assert_eq!(
            entries(&Map::pc(64 * GIB, &[]))[3..],
            [
                (0x10_0000, 0xbffe_0000, Usable),
                (0xbffe_0000, 0xc000_0000, Reserved),
                (0xfeff_c000, 0xff00_0000, Reserved),
                (4 * GIB, 65 * GIB, Usable),
            ]
        );
    }

    #[test]
    fn every_size_gives_an_ordered_map_with_all_memory() {
        for ram in [4096, 640 << 10, MIB, 2 * MIB, 16 * MIB, 3 * GIB, 8 * GIB] {
            let map = Map::pc(ram, &[]);
            for pair in map.entries().windows(2) {
                assert!(pair[0].end() <= pair[1].address);
            }
            assert!(map.entries().iter().all(|e| e.size > 0));
        }
        let _ = Map::pc(u64::MAX, &[]);
    }

    #[test]
    fn boot_data_is_usable_and_tables_are_not() {
        for ram in [2 * MIB, 16 * MIB, 128 * MIB, 3 * GIB, 4 * GIB, 64 * GIB] {
            let map = Map::pc(ram, &[]);
            let data_end = layout::COMMAND_LINE + layout::COMMAND_LINE_SIZE;
            assert!(map.is_usable(&(0..data_end)));
            for table in [
                layout::RSDP..layout::RSDP + layout::RSDP_SIZE,
                layout::SMBIOS..layout::SMBIOS + layout::SMBIOS_SIZE,
                layout::acpi_area(ram).unwrap(),
            ] {
                let covers = |e: &&Entry| e.address <= table.start && table.end <= e.end();
                let entry = map.entries().iter().find(covers).unwrap();
                assert_eq!(entry.kind, Kind::Reserved);
            }
        }
    }

    #[test]
    fn extra_ranges_split_and_join() {
        let reserve = |address, size| Entry { address, size, kind: Kind::AcpiNvs };
        let extra = [reserve(0x20_0000, 0x1000), reserve(0x20_1000, 0x1000), reserve(0, 0)];
        let map = Map::pc(16 * MIB, &extra);
        let around: Vec<_> =
            entries(&map).into_iter().filter(|e| (0x10_0000..0xfe_0000).contains(&e.0)).collect();
        assert_eq!(
            around,
            [
                (0x10_0000, 0x20_0000, Kind::Usable),
                (0x20_0000, 0x20_2000, Kind::AcpiNvs),
                (0x20_2000, 0xfe_0000, Kind::Usable),
            ]
        );
        assert!(map.is_usable(&(0x10_0000..0x20_0000)));
        assert!(!map.is_usable(&(0x10_0000..0x20_0001)));
        assert!(map.is_usable(&(5..5)));
    }

    #[test]
    fn highest_respects_limit_and_kind() {
        let map = Map::pc(8 * GIB, &[]);
        assert_eq!(map.highest(1, u64::MAX), Some(9 * GIB - 4096));
        assert_eq!(map.highest(5000, 4 * GIB), Some(0xbffd_e000));
        assert_eq!(map.highest(MIB, 0x3800_0000), Some(0x3800_0000 - MIB));
        assert_eq!(map.highest(u64::MAX, u64::MAX), None);
        assert_eq!(map.highest(6 * GIB, 4 * GIB), None);
    }

    #[test]
    fn encodings() {
        let map = Map::firmware(4 * GIB);
        let bytes = map.to_fw_cfg();
        assert_eq!(bytes.len(), 3 * 20);
        assert_eq!(bytes[..8], [0; 8]);
        assert_eq!(bytes[8..16], (3 * GIB).to_le_bytes());
        assert_eq!(bytes[16..20], [1, 0, 0, 0]);
        assert_eq!(bytes[20..28], 0xfeff_c000u64.to_le_bytes());
        assert_eq!(bytes[36..40], [2, 0, 0, 0]);
        assert_eq!(bytes[40..48], (4 * GIB).to_le_bytes());

        let zero_page = map.to_boot_params();
        let pvh = map.to_pvh();
        assert_eq!({ zero_page[2].addr }, 4 * GIB);
        assert_eq!({ zero_page[1].r#type }, 2);
        assert_eq!((pvh[2].size, pvh[1].type_), (GIB, 2));
    }
}
