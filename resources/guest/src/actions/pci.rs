//! PCI configuration space through mechanism #1 (ports 0xcf8 and 0xcfc).

use super::Outcome;
use crate::hardware::{inb, inl, inw, outb, outl, outw};
use crate::prompt::Answer;
use crate::put;
use crate::text::{Refusal, Words, parse};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

/// Bus, device and function as configuration mechanism #1 wants them: bits 23:8.
#[derive(Clone, Copy)]
struct Function(u32);

impl Function {
    fn new(bus: u32, device: u32, function: u32) -> Self {
        Function(bus << 16 | device << 11 | function << 8)
    }

    /// BUS:DEV.FN, hexadecimal as lspci prints it.
    fn parse(word: &str) -> Option<Self> {
        let (bus, rest) = word.split_once(':')?;
        let (device, function) = rest.split_once('.')?;
        let field = |text, limit| u32::from_str_radix(text, 16).ok().filter(|&n| n < limit);
        Some(Function::new(field(bus, 256)?, field(device, 32)?, field(function, 8)?))
    }

    fn select(self, offset: u16) -> u16 {
        outl(ADDRESS, 1 << 31 | self.0 | u32::from(offset & 0xfc));
        DATA + (offset & 3)
    }

    fn read(self, offset: u16) -> u32 {
        inl(self.select(offset))
    }
}

fn place(words: &mut Words) -> Result<(Function, u16, u64), Refusal> {
    let function = words.word().and_then(Function::parse).ok_or("needs BUS:DEV.FN in hex")?;
    let offset = words.small(8)? as u16;
    let size = words.number()?;
    if !matches!(size, 1 | 2 | 4) || u64::from(offset) % size != 0 {
        return Err("size 1, 2 or 4, aligned");
    }
    Ok((function, offset, size))
}

pub(super) fn read(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (function, offset, size) = place(words)?;
    words.end()?;
    let port = function.select(offset);
    let value = match size {
        1 => u32::from(inb(port)),
        2 => u32::from(inw(port)),
        _ => inl(port),
    };
    put!(answer, "value={value:#x}");
    Ok(())
}

pub(super) fn write(words: &mut Words, _: &mut Answer) -> Outcome {
    let (function, offset, size) = place(words)?;
    let value = words.small(size as u32 * 8)?;
    words.end()?;
    let port = function.select(offset);
    match size {
        1 => outb(port, value as u8),
        2 => outw(port, value as u16),
        _ => outl(port, value as u32),
    }
    Ok(())
}

/// `pci list [BUS]`: vendor:device/class of every function behind one bus, by default the first.
pub(super) fn list(words: &mut Words, answer: &mut Answer) -> Outcome {
    if words.word() != Some("list") {
        return Err("list [BUS]");
    }
    let bus =
        words.word().map_or(Some(0), parse).filter(|&bus| bus < 256).ok_or("bus 0..255")? as u32;
    words.end()?;
    for device in 0..32 {
        let first = Function::new(bus, device, 0);
        if first.read(0) == u32::MAX {
            continue;
        }
        let functions = if first.read(12) >> 16 & 0x80 != 0 { 8 } else { 1 };
        for number in 0..functions {
            let function = Function::new(bus, device, number);
            let identity = function.read(0);
            if identity != u32::MAX {
                let class = function.read(8) >> 16;
                put!(
                    answer,
                    "{bus:02x}:{device:02x}.{number}={:04x}:{:04x}/{class:04x}",
                    identity & 0xffff,
                    identity >> 16
                );
            }
        }
    }
    Ok(())
}
