//! Interrupt routing, model-specific and control registers, CPUID and the SSE state.

use core::arch::asm;

use super::Outcome;
use crate::prompt::Answer;
use crate::text::{Refusal, Words};
use crate::{acpi, apic, interrupts, pattern::splitmix64, put, ring0};

pub(super) fn irq(words: &mut Words, answer: &mut Answer) -> Outcome {
    let verb = words.word();
    let gsi = words.number()?;
    let first = u64::from(acpi::get().ioapic_gsi_base);
    if gsi < first || gsi >= (first + u64::from(apic::ioapic_pins())).min(64) {
        return Err("no such pin");
    }
    let (gsi, mut mode) = (gsi as u32, 0);
    while let Some(word) = words.word() {
        mode |= match word {
            "level" => apic::LEVEL,
            "low" => apic::ACTIVE_LOW,
            _ => return Err("level or low"),
        };
    }
    match verb {
        Some("on") => apic::unmask(gsi, mode),
        Some("off") => apic::mask(gsi),
        _ => return Err("on or off"),
    }
    let vector = interrupts::gsi_vector(gsi);
    put!(answer, "gsi={gsi} vector={vector:#x} count={}", interrupts::count(vector));
    Ok(())
}

pub(super) fn cpuid(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (leaf, subleaf) = (words.small(32)?, words.number_or(0)?);
    words.end()?;
    let [a, b, c, d] = ring0::cpuid(leaf as u32, subleaf as u32);
    put!(answer, "eax={a:#x} ebx={b:#x} ecx={c:#x} edx={d:#x}");
    Ok(())
}

/// The refusal for a service that faulted.
fn faulted(answer: &mut Answer, fault: ring0::Fault) -> Refusal {
    put!(answer, "vector={}", fault.0);
    "fault"
}

pub(super) fn rdmsr(words: &mut Words, answer: &mut Answer) -> Outcome {
    let index = words.small(32)?;
    words.end()?;
    let value = ring0::rdmsr(index as u32).map_err(|fault| faulted(answer, fault))?;
    put!(answer, "value={value:#x}");
    Ok(())
}

pub(super) fn wrmsr(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (index, value) = (words.small(32)?, words.number()?);
    words.end()?;
    ring0::wrmsr(index as u32, value).map_err(|fault| faulted(answer, fault))
}

pub(super) fn cr(words: &mut Words, answer: &mut Answer) -> Outcome {
    let number = words.number()?;
    words.end()?;
    put!(answer, "value={:#x}", ring0::read_cr(number).ok_or("0, 2, 3, 4 or 8")?);
    Ok(())
}

pub(super) fn set_cr4(words: &mut Words, answer: &mut Answer) -> Outcome {
    let value = words.number()?;
    words.end()?;
    ring0::write_cr4(value).map_err(|fault| faulted(answer, fault))
}

pub(super) fn invlpg(words: &mut Words, _: &mut Answer) -> Outcome {
    let address = words.number()?;
    words.end()?;
    ring0::invlpg(address);
    Ok(())
}

/// xmm0..15, low quadword first. The compiler uses no SSE (soft-float target), so they keep their values.
#[repr(C, align(16))]
struct Xmm([u64; 32]);

fn xmm_pattern(seed: u64) -> Xmm {
    Xmm(core::array::from_fn(|i| splitmix64(seed ^ i as u64)))
}

macro_rules! for_each_xmm {
    ($instruction:ident, $pointer:expr) => {
        // SAFETY: moves all sixteen registers to or from a 256-byte, aligned object; Rust code does not use them here.
        unsafe {
            for_each_xmm!(@asm $instruction, $pointer, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
        }
    };
    (@asm load, $pointer:expr, $($n:literal)*) => {
        asm!($(concat!("movaps xmm", $n, ", [{0} + 16*", $n, "]")),*, in(reg) $pointer, options(nostack))
    };
    (@asm store, $pointer:expr, $($n:literal)*) => {
        asm!($(concat!("movaps [{0} + 16*", $n, "], xmm", $n)),*, in(reg) $pointer, options(nostack))
    };
}

pub(super) fn fpu(words: &mut Words, answer: &mut Answer) -> Outcome {
    let verb = words.word();
    let wanted = xmm_pattern(words.number()?);
    words.end()?;
    match verb {
        Some("set") => {
            for_each_xmm!(load, &raw const wanted);
            Ok(())
        }
        Some("check") => {
            let mut found = Xmm([0; 32]);
            for_each_xmm!(store, &raw mut found);
            match (0..32).find(|&i| found.0[i] != wanted.0[i]) {
                None => Ok(()),
                Some(i) => {
                    put!(
                        answer,
                        "register=xmm{} expected={:#x} found={:#x}",
                        i / 2,
                        wanted.0[i],
                        found.0[i]
                    );
                    Err("mismatch")
                }
            }
        }
        _ => Err("set or check"),
    }
}
