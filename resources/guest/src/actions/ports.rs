//! Port access.

use super::Outcome;
use crate::prompt::Answer;
use crate::text::Words;
use crate::{hardware, put};

const DEBUG_CONSOLE: u16 = 0xe9;

macro_rules! accesses {
    ($($read:ident $write:ident $type:ty;)*) => {
        $(
            pub(super) fn $read(words: &mut Words, answer: &mut Answer) -> Outcome {
                let port = words.port()?;
                words.end()?;
                put!(answer, "value={:#x}", hardware::$read(port));
                Ok(())
            }

            pub(super) fn $write(words: &mut Words, _: &mut Answer) -> Outcome {
                let port = words.port()?;
                let value = <$type>::try_from(words.number()?).map_err(|_| "number too large")?;
                words.end()?;
                hardware::$write(port, value);
                Ok(())
            }
        )*
    };
}

accesses! {
    inb outb u8;
    inw outw u16;
    inl outl u32;
}

/// Writes the text and a line feed to the debug console, which answers reads with its own port number.
pub(super) fn debugcon(words: &mut Words, answer: &mut Answer) -> Outcome {
    if hardware::inb(DEBUG_CONSOLE) != DEBUG_CONSOLE as u8 {
        return Err("no debug console");
    }
    let text = words.rest();
    text.bytes().chain([b'\n']).for_each(|byte| hardware::outb(DEBUG_CONSOLE, byte));
    put!(answer, "bytes={}", text.len() + 1);
    Ok(())
}
