//! Timers and clocks: LAPIC timer, PIT, CMOS clock, and plain waiting.

use core::sync::atomic::Ordering::Relaxed;

use super::Outcome;
use crate::hardware::{self, inb, outb};
use crate::prompt::Answer;
use crate::text::{Refusal, Words};
use crate::{apic, interrupts, put, ring0, time};

/// How long an action waits for interrupts beyond the time they should take.
const GRACE_MS: u64 = 5000;
const RTC_IRQ: u32 = 8;

pub(super) fn idle(words: &mut Words, answer: &mut Answer) -> Outcome {
    let ms = words.number_or(0)?;
    words.end()?;
    if ms != 0 {
        time::sleep_until(ms, || false);
    }
    put!(answer, "ms={ms}");
    Ok(())
}

pub(super) fn halt(words: &mut Words, _: &mut Answer) -> Outcome {
    words.end()?;
    crate::say!("ok halt");
    ring0::halt();
    Err("came back")
}

/// Sleeps until `vector` was counted `count` times more; adds what was counted.
fn count_interrupts(
    answer: &mut Answer,
    vector: usize,
    count: u64,
    expected_ms: u64,
    mut each: impl FnMut(),
) -> Outcome {
    let start = interrupts::count(vector);
    let begin = hardware::tsc();
    let arrived = time::sleep_until(expected_ms.saturating_add(GRACE_MS), || {
        each();
        interrupts::count(vector) - start >= count
    });
    let ms = time::ms(hardware::tsc() - begin);
    put!(answer, "vector={vector:#x} count={} ms={ms}", interrupts::count(vector) - start);
    if arrived { Ok(()) } else { Err("interrupts missing") }
}

pub(super) fn tick(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (hz, count) = (words.number_or(100)?, words.number_or(0)?);
    words.end()?;
    if !(1..=100_000).contains(&hz) {
        return Err("rate 1..100000 Hz");
    }
    time::start_tick(hz);
    put!(answer, "hz={hz}");
    if count == 0 {
        return Ok(());
    }
    let outcome =
        count_interrupts(answer, interrupts::TIMER, count, count.saturating_mul(1000) / hz, || {});
    time::stop_tick();
    outcome
}

pub(super) fn ticks(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    put!(answer, "count={} vector={:#x}", interrupts::count(interrupts::TIMER), interrupts::TIMER);
    Ok(())
}

pub(super) fn pit(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (hz, count) = (words.number()?, words.number()?);
    words.end()?;
    if !(19..=100_000).contains(&hz) {
        return Err("rate 19..100000 Hz");
    }
    let divisor = 1_193_182 / hz;
    let vector = apic::unmask_legacy(0, false);
    outb(0x43, 0x34);
    outb(0x40, divisor as u8);
    outb(0x40, (divisor >> 8) as u8);
    let outcome = count_interrupts(answer, vector, count, count.saturating_mul(1000) / hz, || {});
    apic::mask_legacy(0);
    // Mode 0 without a count: silent.
    outb(0x43, 0x30);
    outcome
}

fn cmos(register: u8) -> u8 {
    outb(0x70, register);
    inb(0x71)
}

fn set_cmos(register: u8, value: u8) {
    outb(0x70, register);
    outb(0x71, value);
}

/// Seconds, minutes, hours, day, month, year, century as read twice alike, in binary.
fn rtc_now() -> Result<[u8; 7], Refusal> {
    const REGISTERS: [u8; 7] = [0, 2, 4, 7, 8, 9, 0x32];
    let binary = cmos(0x0b) & 4 != 0;
    let read = || {
        // An update takes 2 ms; where there is no clock the bit reads as set for ever.
        let deadline = hardware::tsc() + time::cycles(100);
        while cmos(0x0a) & 0x80 != 0 {
            if hardware::tsc() >= deadline {
                return Err("no clock");
            }
        }
        Ok(REGISTERS.map(cmos))
    };
    let mut now = read()?;
    loop {
        let again = read()?;
        if again == now {
            break;
        }
        now = again;
    }
    Ok(now.map(|v| if binary { v } else { (v >> 4) * 10 + (v & 15) }))
}

/// Sets the alarm `seconds` ahead (below a day) and enables its interrupt.
fn arm(seconds: u64) -> Result<(), Refusal> {
    if !(1..86_400).contains(&seconds) {
        return Err("1..86399 seconds");
    }
    let [s, m, h, ..] = rtc_now()?.map(u64::from);
    let at = (h * 3600 + m * 60 + s + seconds) % 86_400;
    let status = cmos(0x0b);
    for (register, value) in [(1, at % 60), (3, at / 60 % 60), (5, at / 3600)] {
        let bcd = ((value / 10) << 4) | (value % 10);
        set_cmos(register, if status & 4 != 0 { value as u8 } else { bcd as u8 });
    }
    cmos(0x0c);
    set_cmos(0x0b, status & !0x50 | 0x20);
    Ok(())
}

fn periodic(rate: u64, count: u64, answer: &mut Answer) -> Outcome {
    if !(3..=15).contains(&rate) {
        return Err("rate select 3..15 (32768 >> (rate - 1) Hz)");
    }
    let hz = 32_768u64 >> (rate - 1);
    put!(answer, "hz={hz}");
    let vector = apic::unmask_legacy(RTC_IRQ, false);
    set_cmos(0x0a, 0x20 | rate as u8);
    set_cmos(0x0b, cmos(0x0b) & !0x70 | 0x40);
    cmos(0x0c);
    // Reading register C lowers the line, so that the next interrupt is an edge.
    let outcome = count_interrupts(answer, vector, count, count.saturating_mul(1000) / hz, || {
        cmos(0x0c);
    });
    set_cmos(0x0b, cmos(0x0b) & !0x70);
    set_cmos(0x0a, 0x26);
    cmos(0x0c);
    apic::mask_legacy(RTC_IRQ);
    outcome
}

fn alarm(seconds: u64, answer: &mut Answer) -> Outcome {
    let vector = apic::unmask_legacy(RTC_IRQ, false);
    let outcome =
        arm(seconds).and_then(|()| count_interrupts(answer, vector, 1, seconds * 1000, || {}));
    put!(answer, "flags={:#x}", cmos(0x0c));
    set_cmos(0x0b, cmos(0x0b) & !0x70);
    apic::mask_legacy(RTC_IRQ);
    outcome
}

pub(super) fn rtc(words: &mut Words, answer: &mut Answer) -> Outcome {
    match words.word() {
        Some("time") => {
            let [s, m, h, day, month, year, century] = rtc_now()?;
            put!(answer, "{century:02}{year:02}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}");
            Ok(())
        }
        Some("periodic") => periodic(words.number()?, words.number()?, answer),
        Some("alarm") => alarm(words.number()?, answer),
        Some("arm") => arm(words.number()?),
        Some("read") => {
            let register = words.small(7)? as u8;
            put!(answer, "value={:#x}", cmos(register));
            Ok(())
        }
        Some("write") => {
            set_cmos(words.small(7)? as u8, words.small(8)? as u8);
            Ok(())
        }
        _ => Err("time, periodic, alarm, arm, read or write"),
    }
}

pub(super) fn tsc(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    put!(answer, "hz={} lapic_hz={} now={}", time::tsc_hz(), time::lapic_hz(), hardware::tsc());
    put!(answer, "events={}", interrupts::event_word().load(Relaxed));
    Ok(())
}
