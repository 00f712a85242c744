//! Ways to go wrong on purpose.

use super::Outcome;
use crate::hardware::{inb, outb};
use crate::prompt::Answer;
use crate::text::{Words, parse};
use crate::{put, ring0};

const PVPANIC: u64 = 0x505;
const DEBUG_EXIT: u64 = 0x501;

/// Writes to the pvpanic port if its capability byte says that it is there.
pub(super) fn panic(words: &mut Words, answer: &mut Answer) -> Outcome {
    let event = match words.word().unwrap_or("panicked") {
        "panicked" => 1,
        "crashloaded" => 2,
        word => parse(word).filter(|&n| n < 256).ok_or("panicked, crashloaded or a byte")? as u8,
    };
    let port = words.number_or(PVPANIC)? as u16;
    words.end()?;
    let capabilities = inb(port);
    if capabilities == 0xff {
        return Err("no pvpanic device");
    }
    outb(port, event);
    put!(answer, "capabilities={capabilities:#x} event={event:#x}");
    Ok(())
}

/// Writes to isa-debug-exit: the monitor ends with status CODE * 2 + 1.
pub(super) fn exit(words: &mut Words, _: &mut Answer) -> Outcome {
    let code = words.small(8)? as u8;
    let port = words.number_or(DEBUG_EXIT)? as u16;
    words.end()?;
    outb(port, code);
    Err("still running")
}

/// POPCNT in ring 0: fine on hardware; a KVM that interprets ring 0 gives up on it.
pub(super) fn bad_instruction(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    match ring0::popcnt(0xff) {
        Ok(bits) => {
            put!(answer, "popcnt={bits}");
            Ok(())
        }
        Err(fault) => {
            put!(answer, "vector={}", fault.0);
            Err("fault")
        }
    }
}

/// Jumps in ring 3.
pub(super) fn jump(words: &mut Words, _: &mut Answer) -> Outcome {
    let address = words.number()?;
    words.end()?;
    // SAFETY: none; wherever this leads, a fault is reported and the prompt goes on.
    unsafe { core::arch::asm!("jmp {}", in(reg) address, options(noreturn)) }
}

/// Jumps in ring 0.
pub(super) fn jump0(words: &mut Words, answer: &mut Answer) -> Outcome {
    let address = words.number()?;
    words.end()?;
    ring0::jump(address).map_err(|fault| {
        put!(answer, "vector={}", fault.0);
        "fault"
    })
}
