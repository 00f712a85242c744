//! ACPI fixed hardware: PM1, GPE0, the SCI, sleep states; resets.

use super::Outcome;
use crate::hardware::{inb, inl, inw, outb, outw};
use crate::prompt::Answer;
use crate::text::{Refusal, Words, parse};
use crate::{acpi, events, power as machine, put};

fn mask(words: &mut Words) -> Result<u64, Refusal> {
    let word = words.word().ok_or("needs a bit name or a mask")?;
    match word {
        "timer" => Ok(0x1),
        "pwrbtn" => Ok(0x100),
        "slpbtn" => Ok(0x200),
        "rtc" => Ok(0x400),
        _ => parse(word).ok_or("needs a bit name or a mask"),
    }
}

pub(super) fn pm1(words: &mut Words, answer: &mut Answer) -> Outcome {
    let fixed = &acpi::get().fixed;
    if fixed.pm1_event == 0 {
        return Err("no PM1 block");
    }
    let enable = fixed.pm1_event + u16::from(fixed.pm1_event_length) / 2;
    match words.word() {
        None => {}
        Some("enable") => outw(enable, inw(enable) | mask(words)? as u16),
        Some("disable") => outw(enable, inw(enable) & !mask(words)? as u16),
        Some("clear") => outw(fixed.pm1_event, mask(words)? as u16),
        _ => return Err("enable, disable or clear"),
    }
    words.end()?;
    put!(
        answer,
        "status={:#x} enable={:#x} control={:#x}",
        inw(fixed.pm1_event),
        inw(enable),
        inw(fixed.pm1_control)
    );
    if fixed.pm_timer != 0 {
        put!(answer, "timer={:#x}", inl(fixed.pm_timer));
    }
    Ok(())
}

/// GPE0's status and enable halves, byte by byte, as one number each (at most 8 bytes).
pub(super) fn gpe(words: &mut Words, answer: &mut Answer) -> Outcome {
    let fixed = &acpi::get().fixed;
    let half = (u16::from(fixed.gpe0_length) / 2).min(8);
    if fixed.gpe0 == 0 || half == 0 {
        return Err("no GPE0 block");
    }
    let (status, enable) = (fixed.gpe0, fixed.gpe0 + half);
    let read = |port| (0..half).fold(0u64, |value, i| value | u64::from(inb(port + i)) << (8 * i));
    let write = |port, value: u64| (0..half).for_each(|i| outb(port + i, (value >> (8 * i)) as u8));
    match words.word() {
        None => {}
        Some("enable") => write(enable, read(enable) | words.number()?),
        Some("disable") => write(enable, read(enable) & !words.number()?),
        Some("clear") => write(status, words.number()?),
        _ => return Err("enable, disable or clear"),
    }
    words.end()?;
    put!(answer, "status={:#x} enable={:#x}", read(status), read(enable));
    Ok(())
}

fn switch(words: &mut Words) -> Result<bool, Refusal> {
    let on = match words.word() {
        Some("on") => true,
        Some("off") => false,
        _ => return Err("on or off"),
    };
    words.end().map(|()| on)
}

pub(super) fn sci(words: &mut Words, answer: &mut Answer) -> Outcome {
    let on = switch(words)?;
    if acpi::get().fixed.pm1_event == 0 {
        return Err("no PM1 block");
    }
    if on {
        machine::enable_acpi();
        let vector = events::enable_sci();
        put!(answer, "vector={vector:#x}");
    } else {
        events::disable_sci();
    }
    Ok(())
}

pub(super) fn obey(words: &mut Words, _: &mut Answer) -> Outcome {
    events::set_obey(switch(words)?);
    Ok(())
}

pub(super) fn s3(words: &mut Words, _: &mut Answer) -> Outcome {
    words.end()?;
    Err(machine::enter_s3())
}

pub(super) fn s5(words: &mut Words, _: &mut Answer) -> Outcome {
    words.end()?;
    Err(machine::enter_s5())
}

pub(super) fn reset(words: &mut Words, _: &mut Answer) -> Outcome {
    let way = words.word().unwrap_or("");
    words.end()?;
    Err(machine::reset(way))
}
