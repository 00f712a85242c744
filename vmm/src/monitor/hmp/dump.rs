//! Memory as text: `x`, `xp` and disassembly.

use std::fmt::Write;
use std::sync::Arc;

use arch::cpu::regs::State;
use arch::paging::{self, PagingRegisters};
use devices::memory::{AddressSpace, Map, Piece};
use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};

use super::format::{Format, Kind};
use super::registers;
use crate::machine::Machine;

/// The most values that one command prints.
pub(super) const MAX_COUNT: u64 = 1 << 16;
/// The longest instruction (Intel SDM volume 2, section 2.3.11).
const MAX_INSTRUCTION: usize = 15;
/// Code bytes in a line of disassembly.
const CODE_COLUMN: usize = 8;

/// Reads guest memory by a processor's addresses or the machine's. RAM and ROM are read as they
/// are; registers as the processor reads them, with what that causes.
pub(super) struct Reader {
    map: Arc<Map>,
    space: Arc<AddressSpace>,
    paging: Option<PagingRegisters>,
}

impl Reader {
    /// By physical addresses.
    pub(super) fn physical(machine: &Machine) -> Self {
        let space = machine.platform.memory.clone();
        Self { map: space.snapshot(), space, paging: None }
    }

    /// By the linear addresses of the processor that has these registers.
    pub(super) fn of_cpu(machine: &Machine, state: &State) -> Self {
        Self { paging: Some(registers::paging(state)), ..Self::physical(machine) }
    }

    /// Fills `buffer` from `address` on; `false` where there is nothing.
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        let mut done = 0;
        while done < buffer.len() {
            let left = &mut buffer[done..];
            let Some((physical, room)) = self.translate(address.wrapping_add(done as u64)) else {
                return false;
            };
            let length = left.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let taken = match self.map.piece(physical, length as u64) {
                Piece::Memory(slice) => slice.copy_to(&mut left[..slice.len()]),
                Piece::Registers(bytes) => {
                    let bytes = (bytes as usize).min(8);
                    self.space.read(physical, &mut left[..bytes]);
                    bytes
                }
                Piece::Nothing(_) => return false,
            };
            done += taken;
        }
        true
    }

    /// The physical address, and how many bytes lie behind each other there.
    fn translate(&self, address: u64) -> Option<(u64, u64)> {
        let Some(registers) = &self.paging else { return Some((address, u64::MAX - address)) };
        let read = |address: u64, buffer: &mut [u8]| self.map.read_memory(address, buffer);
        let found = paging::translate(&read, registers, address).ok()?;
        Some((found.physical, found.page_size - (found.physical & (found.page_size - 1))))
    }
}

/// The bytes at `address` as hexadecimal digits; `??` where there are none.
pub(super) fn bytes_text(reader: &Reader, address: u64, count: u64) -> String {
    let byte = |offset| {
        let mut byte = [0];
        match reader.read(address.wrapping_add(offset), &mut byte) {
            true => format!("{:02x}", byte[0]),
            false => "??".into(),
        }
    };
    (0..count).map(byte).collect::<Vec<_>>().join(" ")
}

/// Lines of 16 bytes (8 of single bytes), each after its address. A line with an address where
/// nothing is ends the dump.
pub(super) fn table(reader: &Reader, address: u64, format: Format) -> String {
    // A number of characters counts in units of the size.
    let bytes = format.count * format.size as u64;
    let size = if format.kind == Kind::Character { 1 } else { format.size };
    let line = if size == 1 { 8 } else { 16 };
    let mut text = String::new();
    let mut done = 0;
    while done < bytes {
        let start = address.wrapping_add(done);
        // Writing to a string cannot fail.
        let _ = write!(text, "{start:016x}:");
        let length = (bytes - done).min(line);
        let mut values = Vec::new();
        for at in (0..length).step_by(size) {
            let mut value = [0; 8];
            if !reader.read(start.wrapping_add(at), &mut value[..size]) {
                let _ = writeln!(text, " Cannot access memory");
                return text;
            }
            values.push(u64::from_le_bytes(value));
        }
        for value in values {
            let _ = write!(text, " {}", format.kind.column(value, size));
        }
        text.push('\n');
        done += length;
    }
    text
}

/// Instructions, one in a line after its address and its bytes.
pub(super) fn instructions(reader: &Reader, address: u64, count: u64, bits: u32) -> String {
    let mut formatter = GasFormatter::new();
    let options = formatter.options_mut();
    options.set_gas_show_mnemonic_size_suffix(true);
    options.set_space_after_operand_separator(true);
    options.set_uppercase_hex(false);
    options.set_branch_leading_zeros(false);
    options.set_first_operand_char_index(9);
    let mut text = String::new();
    let mut address = address;
    for _ in 0..count {
        let mut code = [0; MAX_INSTRUCTION];
        let there = (0..code.len())
            .take_while(|at| {
                let here = address.wrapping_add(*at as u64);
                reader.read(here, &mut code[*at..=*at])
            })
            .count();
        if there == 0 {
            let _ = writeln!(text, "0x{address:08x}: unable to read memory");
            break;
        }
        let mut decoder = Decoder::with_ip(bits, &code[..there], address, DecoderOptions::NONE);
        let instruction = decoder.decode();
        let length = instruction.len().max(1).min(there);
        let mut words = String::new();
        formatter.format(&instruction, &mut words);
        line(&mut text, address, &code[..length], &words);
        address = address.wrapping_add(length as u64);
    }
    text
}

/// An instruction; bytes that do not fit its line follow in one of their own.
fn line(text: &mut String, address: u64, code: &[u8], words: &str) {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!(" {b:02x}")).collect::<String>();
    let (first, more) = code.split_at(code.len().min(CODE_COLUMN));
    let width = 3 * CODE_COLUMN;
    let _ = writeln!(text, "0x{address:08x}: {:width$}  {words}", hex(first));
    if !more.is_empty() {
        let next = address.wrapping_add(CODE_COLUMN as u64);
        let _ = writeln!(text, "0x{next:08x}: {}", hex(more));
    }
}

#[cfg(test)]
mod tests {
    use devices::memory::{Mapping, RamBlock, Target};

    use super::*;

    const BASE: u64 = 0xffff_fff0 & !0xfff;

    /// The last page below 4 GiB, with a reset vector like a firmware's.
    fn reader() -> (Reader, impl Drop) {
        let block = RamBlock::anonymous("rom", 0x1000).unwrap();
        block.slice().subslice(0xff0, 16).unwrap().copy_from(b"\xea\x5b\xe0\0\xf006/23/99\0\xfc\0");
        let space = AddressSpace::new("memory", 0);
        let mapped = space.add(Mapping::new("rom", BASE, 0x1000, Target::Ram(block))).unwrap();
        (Reader { map: space.snapshot(), space, paging: None }, mapped)
    }

    fn dump(text: &str) -> String {
        let (reader, _mapped) = reader();
        let (format, _) = Format::parse(text).unwrap();
        table(&reader, 0xffff_fff0, format)
    }

    #[test]
    fn tables_look_like_qemus() {
        assert_eq!(dump("4xb"), "00000000fffffff0: 0xea 0x5b 0xe0 0x00\n");
        assert_eq!(dump("2xh"), "00000000fffffff0: 0x5bea 0x00e0\n");
        assert_eq!(
            dump("8xw"),
            "00000000fffffff0: 0x00e05bea 0x2f3630f0 0x392f3332 0x00fc0039\n\
             0000000100000000: Cannot access memory\n"
        );
        assert_eq!(dump("4db"), "00000000fffffff0: 234  91 224   0\n");
        assert_eq!(dump("4ob"), "00000000fffffff0: 0352 0133 0340   0\n");
        assert_eq!(
            dump("2cw"),
            "00000000fffffff0: '\\xea' '[' '\\xe0' '\\x00' '\\xf0' '0' '6' '/'\n"
        );
        assert_eq!(dump("0x"), "");
    }

    #[test]
    fn an_access_across_the_end_is_refused() {
        let (reader, _mapped) = reader();
        let format = Format { count: 1, kind: Kind::Hexadecimal, size: 8 };
        let expected = "00000000fffffffc: Cannot access memory\n";
        assert_eq!(table(&reader, 0xffff_fffc, format), expected);
        let expected = "ffffffffffffffff: Cannot access memory\n";
        assert_eq!(table(&reader, u64::MAX, format), expected);
    }

    #[test]
    fn instructions_are_decoded_up_to_the_end_of_memory() {
        let (reader, _mapped) = reader();
        let text = instructions(&reader, 0xffff_fff0, 1, 16);
        assert_eq!(text, "0xfffffff0:  ea 5b e0 00 f0           ljmpw    $0xf000, $0xe05b\n");
        let text = instructions(&reader, 0xffff_ffff, 3, 16);
        assert!(text.contains("0xffffffff:  00"), "{text}");
        assert!(text.ends_with("0x100000000: unable to read memory\n"), "{text}");
        assert_eq!(bytes_text(&reader, 0xffff_fffe, 4), "fc 00 ?? ??");
    }

    #[test]
    fn long_instructions_take_two_lines() {
        let mut text = String::new();
        line(&mut text, 0x1000, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "nop");
        assert_eq!(text, "0x00001000:  01 02 03 04 05 06 07 08  nop\n0x00001008:  09 0a\n");
    }
}
