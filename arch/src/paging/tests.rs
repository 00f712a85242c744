use std::cell::RefCell;
use std::collections::HashMap;

use super::*;

const P: u64 = PRESENT;
const PW: u64 = PRESENT | WRITABLE;
const PWU: u64 = PRESENT | WRITABLE | USER;

/// Physical memory of 8-byte words; what is not there reads as 0 below 16 MiB and fails above.
#[derive(Default)]
struct Words(HashMap<u64, u64>);

impl Words {
    fn set(&mut self, table: u64, index: u64, entry: u64) {
        self.0.insert(table + 8 * index, entry);
    }

    fn set32(&mut self, table: u64, index: u64, entry: u32) {
        let (word, high) = (table + 4 * (index & !1), index & 1);
        let value = self.0.entry(word).or_default();
        *value |= u64::from(entry) << (32 * high);
    }
}

impl PhysicalRead for Words {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        for (at, byte) in (address..).zip(buffer.iter_mut()) {
            let word = self.0.get(&(at & !7)).copied().unwrap_or(0);
            *byte = word.to_le_bytes()[(at & 7) as usize];
        }
        address < 16 << 20
    }
}

fn registers(mode: Mode) -> PagingRegisters {
    let (cr4, efer) = match mode {
        Mode::Off => return PagingRegisters::default(),
        Mode::Bits32 { large } => (if large { CR4_PSE } else { 0 }, 0),
        Mode::Pae => (CR4_PAE, EFER_NXE),
        Mode::Level4 => (CR4_PAE, EFER_LMA | EFER_NXE),
        Mode::Level5 => (CR4_PAE | CR4_LA57, EFER_LMA | EFER_NXE),
    };
    PagingRegisters { cr0: CR0_PG | 1, cr3: 0x1000, cr4, efer }
}

fn page(physical: u64, page_size: u64, rights: &str) -> Result<Translation, WalkError> {
    let access = Access {
        user: rights.contains('u'),
        write: rights.contains('w'),
        execute: rights.contains('x'),
    };
    Ok(Translation { physical, page_size, access })
}

fn ranges(words: &Words, registers: &PagingRegisters) -> Vec<(u64, u64, bool, bool)> {
    Mappings::new(words, registers).map(|r| (r.start, r.last, r.user, r.write)).collect()
}

#[test]
fn without_paging_addresses_are_physical() {
    let (words, off) = (Words::default(), registers(Mode::Off));
    assert_eq!(translate(&words, &off, 0x1234), page(0x1234, 1 << 32, "uwx"));
    assert_eq!(ranges(&words, &off), []);
}

#[test]
fn two_levels() {
    let mut words = Words::default();
    words.set32(0x1000, 1, 0x2000 | PWU as u32);
    words.set32(0x2000, 3, 0x7000 | PW as u32);
    words.set32(0x2000, 4, 0x9000 | PW as u32);
    // 4 MiB at 0x3_0040_0000: bits 32 and 33 of the address are bits 13 and 14 of the entry.
    words.set32(0x1000, 1023, 0x0040_6000 | (LARGE | PWU) as u32);
    let small = registers(Mode::Bits32 { large: false });
    let large = registers(Mode::Bits32 { large: true });
    assert_eq!(translate(&words, &small, 0x40_3123), page(0x7123, 4096, "wx"));
    // Bits above 32 do not count.
    assert_eq!(translate(&words, &small, 0xff_0040_3123), page(0x7123, 4096, "wx"));
    let absent = |address, level| Err(WalkError::NotPresent { address, level });
    assert_eq!(translate(&words, &small, 0x40_2000), absent(0x40_2000, 1));
    assert_eq!(translate(&words, &small, 0x80_0000), absent(0x80_0000, 2));
    assert_eq!(translate(&words, &large, 0xffc1_2345), page(0x3_0041_2345, 4 << 20, "uwx"));
    assert_eq!(
        ranges(&words, &large),
        [(0x40_3000, 0x40_4fff, false, true), (0xffc0_0000, 0xffff_ffff, true, true)]
    );
}

#[test]
fn pae() {
    let mut words = Words::default();
    let mut registers = registers(Mode::Pae);
    registers.cr3 = 0x1020;
    words.set(0x1020, 3, 0x2000 | P);
    words.set(0x2000, 0, 0x3000 | PWU);
    words.set(0x2000, 1, 0x0012_3456_7820_0000 & ADDRESS | LARGE | P | USER | NO_EXECUTE);
    words.set(0x3000, 511, 0x000f_0000_0000_5000 | PWU);
    assert_eq!(
        translate(&words, &registers, 0xc01f_f007),
        page(0x000f_0000_0000_5007, 4096, "uwx")
    );
    assert_eq!(
        translate(&words, &registers, 0xc020_0001),
        page(0x0002_3456_7820_0001, 2 << 20, "u")
    );
    assert_eq!(ranges(&words, &registers).len(), 2);
}

#[test]
fn four_levels_combine_rights() {
    let mut words = Words::default();
    let registers = registers(Mode::Level4);
    words.set(0x1000, 0, 0x2000 | PWU);
    words.set(0x1000, 511, 0x2000 | PWU | NO_EXECUTE);
    words.set(0x2000, 0, 0x3000 | PW);
    words.set(0x2000, 1, 0x4000_0000 | LARGE | PWU);
    words.set(0x3000, 0, 0x4000 | P | USER);
    words.set(0x3000, 1, 0x60_0000 | LARGE | PWU);
    words.set(0x4000, 1, 0x8000 | PWU);
    assert_eq!(translate(&words, &registers, 0x1fff), page(0x8fff, 4096, "x"));
    assert_eq!(translate(&words, &registers, 0x20_0000), page(0x60_0000, 2 << 20, "wx"));
    let gib = page(0x4000_0005, 1 << 30, "uwx");
    assert_eq!(translate(&words, &registers, 0x4000_0005), gib);
    let high = 0xffff_ff80_4000_0005;
    assert_eq!(translate(&words, &registers, high), page(0x4000_0005, 1 << 30, "uw"));
    let no_nx = PagingRegisters { efer: EFER_LMA, ..registers };
    assert_eq!(translate(&words, &no_nx, high), gib);
    let wrong = 0x8000_0000_0000;
    assert_eq!(translate(&words, &registers, wrong), Err(WalkError::NotCanonical(wrong)));
    let low = [
        (0x1000, 0x1fff, false, false),
        (0x20_0000, 0x3f_ffff, false, true),
        (0x4000_0000, 0x7fff_ffff, true, true),
    ];
    let mut expected = low.to_vec();
    expected.extend(low.map(|(start, last, user, write)| {
        let base = 0xffff_ff80_0000_0000;
        (base + start, base + last, user, write)
    }));
    assert_eq!(ranges(&words, &registers), expected);
}

#[test]
fn five_levels() {
    let mut words = Words::default();
    let registers = registers(Mode::Level5);
    words.set(0x1000, 511, 0x2000 | PW);
    words.set(0x2000, 511, 0x3000 | PW);
    words.set(0x3000, 511, 0x4000 | PW);
    words.set(0x4000, 511, 0x5000 | PW);
    words.set(0x5000, 511, 0x6000 | PW);
    assert_eq!(translate(&words, &registers, u64::MAX), page(0x6fff, 4096, "wx"));
    assert_eq!(ranges(&words, &registers), [(0xffff_ffff_ffff_f000, u64::MAX, false, true)]);
    let absent = WalkError::NotPresent { address: 0xff_8000_0000_0000, level: 5 };
    assert_eq!(translate(&words, &registers, 0xff_8000_0000_0000), Err(absent));
    assert!(matches!(translate(&words, &registers, 1 << 57), Err(WalkError::NotCanonical(_))));
}

#[test]
fn tables_outside_of_memory() {
    let mut words = Words::default();
    let registers = registers(Mode::Level4);
    words.set(0x1000, 0, ADDRESS | PW);
    words.set(0x1000, 1, 0x2000 | PW);
    words.set(0x2000, 0, LARGE | PW);
    let error = WalkError::Memory { address: 0, table: ADDRESS };
    assert_eq!(translate(&words, &registers, 0), Err(error));
    assert_eq!(ranges(&words, &registers).len(), 1);
}

/// A table that is its own child at every level maps 2^36 pages.
#[test]
fn loops_end() {
    let reads = RefCell::new(0u32);
    let itself = |_: u64, buffer: &mut [u8]| {
        *reads.borrow_mut() += 1;
        for entry in buffer.chunks_mut(8) {
            entry.copy_from_slice(&(0x1000 | PWU).to_le_bytes());
        }
        true
    };
    let mut mappings = Mappings::new(&itself, &registers(Mode::Level4));
    let first = mappings.next().unwrap();
    assert_eq!(first.start, 0);
    assert!(first.size() > 1 << 30);
    assert_eq!(mappings.next(), None);
    assert!(mappings.gave_up());
    assert!(*reads.borrow() <= 1 << 16);
}

/// Pages that never join: the iterator hands them out one by one, so its caller can stop.
#[test]
fn ranges_come_as_they_are_found() {
    // Tables at 0x5000 down to 0x1000, all entries of one lead to the next.
    let alternating = |table: u64, buffer: &mut [u8]| {
        for (n, entry) in (0..).zip(buffer.chunks_mut(8)) {
            let value = match (table, n % 2) {
                (0x1000, 0) => 0x8000 | P,
                (0x1000, _) => 0x8000 | PW,
                _ => (table - 0x1000) | PW,
            };
            entry.copy_from_slice(&value.to_le_bytes());
        }
        true
    };
    let registers = PagingRegisters { cr3: 0x5000, ..registers(Mode::Level5) };
    let mut mappings = Mappings::new(&alternating, &registers);
    let lines: Vec<_> = mappings.by_ref().take(1000).collect();
    assert_eq!(lines.len(), 1000);
    assert!(lines.iter().all(|r| r.size() == 4096));
    assert!(!mappings.gave_up());
}
