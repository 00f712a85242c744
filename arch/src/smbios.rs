//! SMBIOS tables: who made the machine, its UUID, processors and memory.
//!
//! Version 2.8 of the System Management BIOS reference specification (DSP0134) with the 32-bit
//! entry point, the structures a guest needs: types 0, 1, 3, 4, 16, 17, 19, 32 and 127. The entry
//! point goes to the start of [`layout::SMBIOS`], the structures follow it.

use crate::layout::{self, GIB, KIB, MIB, Placed};

/// What the tables tell. Strings end at their first NUL; an empty one is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmbiosConfig {
    /// Who wrote the firmware.
    pub firmware_vendor: String,
    /// The firmware's version.
    pub firmware_version: String,
    /// The firmware's date, as `mm/dd/yyyy`.
    pub firmware_date: String,
    /// Who made the machine.
    pub manufacturer: String,
    /// The machine's name.
    pub product: String,
    /// The machine's version.
    pub version: String,
    /// The machine's UUID, most significant byte first as it is written.
    pub uuid: [u8; 16],
    /// Bytes of RAM.
    pub ram: u64,
    /// Processor sockets.
    pub sockets: u32,
    /// Cores in a socket.
    pub cores: u32,
    /// Threads in a socket.
    pub threads: u32,
    /// CPUID leaf 1: EAX in the low half, EDX in the high half.
    pub processor_id: u64,
}

/// The structures do not fit their area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SMBIOS tables need {size} bytes, there is room for {room}")]
pub struct SmbiosError {
    /// Bytes needed.
    pub size: usize,
    /// Bytes of the area.
    pub room: usize,
}

const ENTRY_POINT: usize = 0x1f;
const STRUCTURES: usize = 0x20;
/// What one memory device holds, unless that would make too many of them.
const DEVICE_SIZE: u64 = 16 * GIB;
const MAX_DEVICES: u64 = 256;
const ARRAY_HANDLE: u16 = 0x1000;
const NO_HANDLE: u16 = 0xffff;
const NO_ERROR_INFORMATION: u16 = 0xfffe;

/// Builds the entry point and the structures.
///
/// # Errors
///
/// When they do not fit into [`layout::SMBIOS_SIZE`]: too many sockets or very long strings.
pub fn build(config: &SmbiosConfig) -> Result<Placed, SmbiosError> {
    let mut t = Table::default();
    firmware(&mut t, config);
    system(&mut t, config);
    chassis(&mut t, config);
    let room = layout::SMBIOS_SIZE as usize;
    for socket in 0..config.sockets {
        processor(&mut t, config, socket);
        if t.bytes.len() > room {
            break; // what follows would only be thrown away
        }
    }
    memory(&mut t, config.ram);
    let status = [0; 7];
    t.push(32, 0x2000, &status, &[]);
    t.push(127, 0x7f00, &[], &[]);

    let size = STRUCTURES + t.bytes.len();
    if size > room {
        return Err(SmbiosError { size, room });
    }
    let mut bytes = entry_point(&t);
    bytes.resize(STRUCTURES, 0);
    bytes.extend(t.bytes);
    Ok(Placed { address: layout::SMBIOS, bytes })
}

fn entry_point(t: &Table) -> Vec<u8> {
    let mut e = b"_SM_\0".to_vec();
    e.extend([ENTRY_POINT as u8, 2, 8]);
    e.extend((t.largest as u16).to_le_bytes());
    e.extend([0; 6]);
    e.extend(b"_DMI_\0");
    e.extend((t.bytes.len() as u16).to_le_bytes());
    e.extend((layout::SMBIOS as u32 + STRUCTURES as u32).to_le_bytes());
    e.extend((t.count as u16).to_le_bytes());
    e.push(0x28);
    e[0x15] = checksum(&e[0x10..]);
    e[4] = checksum(&e);
    e
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, b| sum.wrapping_sub(*b))
}

#[derive(Default)]
struct Table {
    bytes: Vec<u8>,
    count: usize,
    largest: usize,
}

impl Table {
    /// Appends a structure. `body` follows the four bytes of the header; the numbers of strings in
    /// it must have been made with [`Strings`].
    fn push(&mut self, kind: u8, handle: u16, body: &[u8], strings: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend([kind, 4 + body.len() as u8]);
        self.bytes.extend(handle.to_le_bytes());
        self.bytes.extend(body);
        self.bytes.extend(strings);
        if strings.is_empty() {
            self.bytes.push(0);
        }
        self.bytes.push(0);
        self.count += 1;
        self.largest = self.largest.max(self.bytes.len() - start);
    }
}

/// The strings after a structure.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    count: u8,
}

impl Strings {
    /// The number by which the structure names `text`; 0 for none.
    fn add(&mut self, text: &str) -> u8 {
        let text = text.split('\0').next().unwrap_or_default();
        if text.is_empty() {
            return 0;
        }
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        self.count += 1;
        self.count
    }
}

fn firmware(t: &mut Table, config: &SmbiosConfig) {
    let mut s = Strings::default();
    let mut b = vec![s.add(&config.firmware_vendor), s.add(&config.firmware_version)];
    b.extend(0xe800u16.to_le_bytes()); // start segment
    b.push(s.add(&config.firmware_date));
    b.push(0); // 64 KiB of ROM
    b.extend((1u64 << 3).to_le_bytes()); // characteristics are not told
    b.extend([0, 1 << 4 | 1 << 2]); // a virtual machine
    b.extend([0, 0, 0xff, 0xff]);
    t.push(0, 0, &b, &s.bytes);
}

fn system(t: &mut Table, config: &SmbiosConfig) {
    let mut s = Strings::default();
    let mut b =
        vec![s.add(&config.manufacturer), s.add(&config.product), s.add(&config.version), 0];
    // The first three fields of a UUID are little endian here (section 7.2.1).
    let mut uuid = config.uuid;
    uuid[..4].reverse();
    uuid[4..6].reverse();
    uuid[6..8].reverse();
    b.extend(uuid);
    b.extend([6, 0, 0]); // woken by the power switch
    t.push(1, 0x100, &b, &s.bytes);
}

fn chassis(t: &mut Table, config: &SmbiosConfig) {
    let (other, safe, unknown) = (1, 3, 2);
    let mut s = Strings::default();
    let mut b = vec![s.add(&config.manufacturer), other, s.add(&config.version)];
    b.extend([0, 0, safe, safe, safe, unknown]);
    b.extend([0; 9]); // OEM data, height, cords, contained elements, SKU
    t.push(3, 0x300, &b, &s.bytes);
}

fn processor(t: &mut Table, config: &SmbiosConfig, socket: u32) {
    let (central, other) = (3, 1u8);
    let mut s = Strings::default();
    let mut b = vec![s.add(&format!("CPU {socket}")), central, other, s.add(&config.manufacturer)];
    b.extend(config.processor_id.to_le_bytes());
    b.push(s.add(&config.version));
    b.push(0); // voltage
    b.extend([0; 6]); // clock and speeds are unknown
    b.extend([0x41, other]); // socket populated, processor enabled
    for _cache in 0..3 {
        b.extend(NO_HANDLE.to_le_bytes());
    }
    b.extend([0; 3]);
    let at_most_255 = |n: u32| u8::try_from(n).unwrap_or(0xff);
    b.extend([at_most_255(config.cores), at_most_255(config.cores), at_most_255(config.threads)]);
    b.extend((1u16 << 2).to_le_bytes()); // 64-bit capable
    b.extend(u16::from(other).to_le_bytes());
    t.push(4, 0x400 + socket as u16, &b, &s.bytes);
}

fn memory(t: &mut Table, ram: u64) {
    let device_size = DEVICE_SIZE.max(ram.div_ceil(MAX_DEVICES).next_multiple_of(MIB));
    let devices = ram.div_ceil(device_size) as u16;
    let (other, system_memory, multi_bit_ecc) = (1, 3, 6);
    let mut b = vec![other, system_memory, multi_bit_ecc];
    let kib = ram / KIB;
    let short = u32::try_from(kib).ok().filter(|kib| *kib < 0x8000_0000);
    b.extend(short.unwrap_or(0x8000_0000).to_le_bytes());
    b.extend(NO_ERROR_INFORMATION.to_le_bytes());
    b.extend(devices.to_le_bytes());
    b.extend(if short.is_some() { 0 } else { ram }.to_le_bytes());
    t.push(16, ARRAY_HANDLE, &b, &[]);
    for n in 0..devices {
        let size = device_size.min(ram - u64::from(n) * device_size);
        memory_device(t, n, size);
    }
    for (n, (start, size)) in (0..).zip(layout::ram_ranges(ram)) {
        mapped_range(t, n, start.0, size);
    }
}

fn memory_device(t: &mut Table, n: u16, size: u64) {
    let (dimm, ram, other) = (9, 7, 1 << 1);
    let mut s = Strings::default();
    let mib = size / MIB;
    // Bit 15 of the short size means KiB; 0x7fff sends the reader to the extended size.
    let short = match size {
        _ if size.is_multiple_of(MIB) || mib >= 32 => mib.min(0x7fff) as u16,
        _ => 0x8000 | (size / KIB) as u16,
    };
    let extended = if short == 0x7fff { mib as u32 } else { 0 };
    let mut b = Vec::new();
    b.extend(ARRAY_HANDLE.to_le_bytes());
    b.extend(NO_ERROR_INFORMATION.to_le_bytes());
    b.extend([0xff; 4]); // widths are unknown
    b.extend(short.to_le_bytes());
    b.extend([dimm, 0, s.add(&format!("DIMM {n}")), 0, ram]);
    b.extend(u16::to_le_bytes(other));
    b.extend([0; 7]); // speed, manufacturer, numbers, attributes
    b.extend(extended.to_le_bytes());
    b.extend([0; 8]); // configured speed, voltages
    t.push(17, 0x1100 + n, &b, &s.bytes);
}

fn mapped_range(t: &mut Table, n: u16, start: u64, size: u64) {
    let last = start.saturating_add(size - size.min(1));
    let mut b = Vec::new();
    let short = u32::try_from(last / KIB).ok().filter(|kib| *kib < u32::MAX);
    let (short_start, short_end) = match short {
        Some(end) => ((start / KIB) as u32, end),
        None => (u32::MAX, u32::MAX),
    };
    b.extend(short_start.to_le_bytes());
    b.extend(short_end.to_le_bytes());
    b.extend(ARRAY_HANDLE.to_le_bytes());
    b.push(1);
    let (long_start, long_end) = if short.is_some() { (0, 0) } else { (start, last) };
    b.extend(long_start.to_le_bytes());
    b.extend(long_end.to_le_bytes());
    t.push(19, 0x1300 + n, &b, &[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SmbiosConfig {
        SmbiosConfig {
            firmware_vendor: "vmm".into(),
            firmware_version: String::new(),
            firmware_date: "01/01/2026".into(),
            manufacturer: "QEMU".into(),
            product: "Standard PC (i440FX + PIIX, 1996)".into(),
            version: "pc-i440fx-7.2".into(),
            uuid: *b"\x12\x34\x56\x78\x9a\xbc\xde\xf0ABCDEFGH",
            ram: 20 * GIB,
            sockets: 2,
            cores: 3,
            threads: 300,
            processor_id: 0x0102_0304_0506_0708,
        }
    }

    struct Structure {
        kind: u8,
        handle: u16,
        formatted: Vec<u8>,
        strings: Vec<String>,
    }

    /// Reads the tables as a guest does, from the entry point.
    fn parse(placed: &Placed) -> Vec<Structure> {
        let b = &placed.bytes;
        let word = |at: usize| u16::from_le_bytes([b[at], b[at + 1]]);
        assert_eq!((&b[..4], &b[0x10..0x15]), (&b"_SM_"[..], &b"_DMI_"[..]));
        assert_eq!(checksum(&b[..usize::from(b[5])]), 0);
        assert_eq!(checksum(&b[0x10..usize::from(b[5])]), 0);
        let table = u32::from_le_bytes(b[0x18..0x1c].try_into().unwrap());
        let mut at = (u64::from(table) - placed.address) as usize;
        assert_eq!(at + usize::from(word(0x16)), b.len());
        let (mut all, mut largest) = (Vec::new(), 0);
        while at < b.len() {
            let start = at;
            let length = usize::from(b[at + 1]);
            let formatted = b[at..at + length].to_vec();
            at += length;
            let mut strings = Vec::new();
            while b[at] != 0 {
                let n = b[at..].iter().position(|c| *c == 0).unwrap();
                strings.push(String::from_utf8(b[at..at + n].to_vec()).unwrap());
                at += n + 1;
            }
            at += if strings.is_empty() { 2 } else { 1 };
            largest = largest.max(at - start);
            all.push(Structure {
                kind: formatted[0],
                handle: u16::from_le_bytes([formatted[2], formatted[3]]),
                formatted,
                strings,
            });
        }
        assert_eq!(usize::from(word(0x1c)), all.len());
        assert_eq!(usize::from(word(8)), largest);
        all
    }

    fn of_kind(all: &[Structure], kind: u8) -> Vec<&Structure> {
        all.iter().filter(|s| s.kind == kind).collect()
    }

    #[test]
    fn structures_hold_what_was_asked() {
        let all = parse(&build(&config()).unwrap());
        let kinds: Vec<u8> = all.iter().map(|s| s.kind).collect();
        assert_eq!(kinds, [0, 1, 3, 4, 4, 16, 17, 17, 19, 19, 32, 127]);
        let lengths: Vec<u8> = all.iter().map(|s| s.formatted[1]).collect();
        assert_eq!(lengths, [0x18, 0x1b, 0x16, 0x2a, 0x2a, 0x17, 0x28, 0x28, 0x1f, 0x1f, 11, 4]);
        let mut handles: Vec<u16> = all.iter().map(|s| s.handle).collect();
        handles.dedup();
        assert_eq!(handles.len(), all.len());

        assert_eq!(all[0].strings, ["vmm", "01/01/2026"]);
        assert_eq!(all[0].formatted[4..6], [1, 0]);
        assert_eq!(all[1].strings[1], "Standard PC (i440FX + PIIX, 1996)");
        assert_eq!(all[1].formatted[8..24], *b"\x78\x56\x34\x12\xbc\x9a\xf0\xdeABCDEFGH");
        assert_eq!(all[4].strings[0], "CPU 1");
        assert_eq!(all[4].formatted[8..16], [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(all[4].formatted[0x23..0x26], [3, 3, 255]);
    }

    #[test]
    fn memory_adds_up() {
        for ram in [MIB / 2, 16 * MIB, 100 * MIB + 4096, 20 * GIB, 3000 * GIB, 5 << 40, 1 << 50] {
            let all = parse(&build(&SmbiosConfig { ram, ..config() }).unwrap());
            let total: u64 = of_kind(&all, 17)
                .iter()
                .map(|s| {
                    let short = u16::from_le_bytes([s.formatted[12], s.formatted[13]]);
                    let extended = u32::from_le_bytes(s.formatted[0x1c..0x20].try_into().unwrap());
                    match short {
                        0x7fff => u64::from(extended) * MIB,
                        _ if short & 0x8000 != 0 => u64::from(short & 0x7fff) * KIB,
                        _ => u64::from(short) * MIB,
                    }
                })
                .sum();
            assert_eq!(total / MIB, ram / MIB, "{ram:#x}");
            let mapped: u64 = of_kind(&all, 19)
                .iter()
                .map(|s| {
                    let word = |at| {
                        u64::from(u32::from_le_bytes(s.formatted[at..at + 4].try_into().unwrap()))
                    };
                    let long = |at| u64::from_le_bytes(s.formatted[at..at + 8].try_into().unwrap());
                    match word(4) {
                        0xffff_ffff => (long(0x17) + 1 - long(0x0f)) / KIB,
                        start => word(8) + 1 - start,
                    }
                })
                .sum();
            assert_eq!(mapped, ram / KIB, "{ram:#x}");
        }
    }

    #[test]
    fn too_much_is_refused() {
        let sockets = SmbiosConfig { sockets: u32::MAX, ..config() };
        assert!(build(&sockets).is_err());
        let string = SmbiosConfig { product: "x".repeat(70_000), ..config() };
        assert_eq!(build(&string).unwrap_err().room, 0x1_0000);
    }
}
