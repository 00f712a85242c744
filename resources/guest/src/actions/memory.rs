//! Physical memory: single accesses, the pattern, checksums.

use super::Outcome;
use crate::prompt::Answer;
use crate::text::{Refusal, Words};
use crate::{boot, hardware, paging, pattern as patterns, put};

fn mapped(address: u64, length: u64) -> Result<u64, Refusal> {
    if paging::ensure(address, length) { Ok(address) } else { Err("address not mappable") }
}

/// ADDR and LEN, mapped, both multiples of `unit`.
pub(super) fn range(words: &mut Words, unit: u64) -> Result<(u64, u64), Refusal> {
    let (address, length) = (words.number()?, words.number()?);
    if length == 0 || address % unit != 0 || length % unit != 0 {
        return Err("address or length not aligned");
    }
    Ok((mapped(address, length)?, length))
}

macro_rules! accesses {
    ($($read:ident $write:ident $type:ty;)*) => {
        $(
            pub(super) fn $read(words: &mut Words, answer: &mut Answer) -> Outcome {
                let address = mapped(words.number()?, size_of::<$type>() as u64)?;
                words.end()?;
                put!(answer, "value={:#x}", hardware::$read(address));
                Ok(())
            }

            pub(super) fn $write(words: &mut Words, _: &mut Answer) -> Outcome {
                let address = mapped(words.number()?, size_of::<$type>() as u64)?;
                let value = <$type>::try_from(words.number()?).map_err(|_| "number too large")?;
                words.end()?;
                hardware::$write(address, value);
                Ok(())
            }
        )*
    };
}

accesses! {
    read8 write8 u8;
    read16 write16 u16;
    read32 write32 u32;
    read64 write64 u64;
}

pub(super) fn pattern(words: &mut Words, answer: &mut Answer) -> Outcome {
    let verb = words.word();
    let (address, length) = range(words, 8)?;
    let seed = words.number()?;
    words.end()?;
    match verb {
        Some("write") if boot::touches_image(address, length) => {
            Err("range touches the guest's image")
        }
        Some("write") => {
            patterns::write(address, length, seed);
            put!(answer, "words={}", length / 8);
            Ok(())
        }
        Some("verify") => match patterns::verify(address, length, seed) {
            None => {
                put!(answer, "words={}", length / 8);
                Ok(())
            }
            Some((at, expected, found)) => {
                put!(answer, "address={at:#x} expected={expected:#x} found={found:#x}");
                Err("mismatch")
            }
        },
        _ => Err("write or verify"),
    }
}

pub(super) fn checksum(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (address, length) = range(words, 8)?;
    words.end()?;
    put!(answer, "value={:#x}", patterns::checksum(address, length));
    Ok(())
}
