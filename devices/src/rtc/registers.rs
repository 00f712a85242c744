//! The registers as a function of time. Nothing here knows clocks, timers or lines.

use super::alarm::{Alarm, Match};
use super::date::{self, DAY, DateTime};
use crate::clock::SECOND;
use crate::trace;
use crate::trace::points::{RTC_READ, RTC_WRITE};

const SECONDS: u8 = 0x00;
const SECONDS_ALARM: u8 = 0x01;
const MINUTES: u8 = 0x02;
const MINUTES_ALARM: u8 = 0x03;
const HOURS: u8 = 0x04;
const HOURS_ALARM: u8 = 0x05;
const WEEKDAY: u8 = 0x06;
const DAY_OF_MONTH: u8 = 0x07;
const MONTH: u8 = 0x08;
const YEAR: u8 = 0x09;
pub(super) const A: u8 = 0x0a;
pub(super) const B: u8 = 0x0b;
pub(super) const C: u8 = 0x0c;
pub(super) const D: u8 = 0x0d;
const CENTURY: u8 = 0x32;
/// Where firmware of the IBM PS/2 has the century.
const CENTURY_PS2: u8 = 0x37;

/// The bytes that hold the time.
const TIME: [u8; 8] = [SECONDS, MINUTES, HOURS, WEEKDAY, DAY_OF_MONTH, MONTH, YEAR, CENTURY];

/// An update is in progress: the time changes in less than 244 µs.
const UIP: u8 = 0x80;
/// Divider bits; both set stops the clock.
const DIVIDER_RESET: u8 = 0x60;
const RATE: u8 = 0x0f;

pub(super) const SET: u8 = 0x80;
pub(super) const PERIODIC: u8 = 0x40;
pub(super) const ALARM: u8 = 0x20;
pub(super) const UPDATE: u8 = 0x10;
/// The interrupts' bits, the same in B (enable) and C (flag).
const INTERRUPTS: u8 = PERIODIC | ALARM | UPDATE;
const BINARY: u8 = 0x04;
const HOURS_24: u8 = 0x02;
/// Some enabled interrupt is pending (register C).
const IRQF: u8 = 0x80;
/// The battery is good (register D).
const VALID: u8 = 0x80;

/// What firmware leaves in A and B: a 32 768 Hz crystal, 1024 Hz periodic rate; BCD and 24 hours.
const FRESH_A: u8 = 0x26;
const FRESH_B: u8 = HOURS_24;

/// The crystal's frequency.
const CRYSTAL: u128 = 32_768;
/// How long before the update its flag is up, in nanoseconds: 8 periods of the crystal.
const BEFORE_UPDATE: i128 = 8 * SECOND as i128 / CRYSTAL as i128;

/// A moment on the clocks that the device follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// The clock behind the time of day, in nanoseconds.
    pub(super) clock: u64,
    /// The machine's own time, behind the periodic interrupt, in nanoseconds.
    pub(super) machine: u64,
}

/// When interrupts that are enabled and not pending come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Deadlines {
    /// Update or alarm, by the clock behind the time of day.
    pub(super) clock: Option<u64>,
    /// Periodic, by the machine's own time.
    pub(super) machine: Option<u64>,
}

pub(super) struct Registers {
    cmos: [u8; 128],
    pub(super) index: u8,
    /// Register C, without its highest bit.
    flags: u8,
    /// Nanoseconds from the clock to the time of day. While the time is held only its fraction of
    /// a second counts.
    offset: i128,
    /// The time stands in `cmos`, because of SET or of the divider.
    held: bool,
    /// The second up to which updates and alarms are accounted for.
    seen_second: i64,
    /// The tick up to which periodic interrupts are accounted for.
    seen_tick: u64,
    /// Periodic ticks that the guest has missed and will get.
    missed: u64,
    keeps_missed: bool,
    base_year: i32,
}

impl Registers {
    /// A clock that is `offset` nanoseconds ahead of the one behind it. `keeps_missed`: periodic
    /// ticks that the guest was too late for are delivered afterwards.
    pub(super) fn new(now: Now, offset: i128, keeps_missed: bool, base_year: i32) -> Self {
        let mut cmos = [0; 128];
        (cmos[usize::from(A)], cmos[usize::from(B)]) = (FRESH_A, FRESH_B);
        let mut registers = Self {
            cmos,
            index: 0,
            flags: 0,
            offset,
            held: false,
            seen_second: 0,
            seen_tick: 0,
            missed: 0,
            keeps_missed,
            base_year,
        };
        registers.forget_passed(now);
        registers
    }

    /// The RESET pin, and A and B as firmware sets them up. Time and memory have a battery.
    /// Tells whether the time was set: it had been stopped and goes on.
    pub(super) fn reset(&mut self, now: Now) -> bool {
        let set = self.held;
        if set {
            self.release(now);
        }
        self.put(A, FRESH_A);
        self.put(B, FRESH_B);
        self.index = 0;
        self.flags = 0;
        self.missed = 0;
        self.forget_passed(now);
        set
    }

    fn get(&self, index: u8) -> u8 {
        self.cmos[usize::from(index & 0x7f)]
    }

    fn put(&mut self, index: u8, value: u8) {
        self.cmos[usize::from(index & 0x7f)] = value;
    }

    /// Sets a byte of the memory. Time, alarm and control registers stay as they are.
    pub(super) fn set_memory(&mut self, index: u8, value: u8) {
        if index > D && index < 0x80 && canonical(index) != CENTURY {
            self.put(index, value);
        }
    }

    fn set_in(&self, register: u8, bits: u8) -> bool {
        self.get(register) & bits == bits
    }

    // -- Time of day

    fn nanoseconds(&self, now: Now) -> i128 {
        i128::from(now.clock) + self.offset
    }

    fn fraction(&self, now: Now) -> i128 {
        self.nanoseconds(now).rem_euclid(SECOND.into())
    }

    /// Seconds since 1970.
    pub(super) fn seconds(&self, now: Now) -> i64 {
        if self.held {
            return self.decode();
        }
        self.nanoseconds(now).div_euclid(SECOND.into()) as i64
    }

    /// Lets the time go on from `seconds` and the fraction of a second that runs now.
    fn set_seconds(&mut self, now: Now, seconds: i64) {
        let target = i128::from(seconds) * i128::from(SECOND) + self.fraction(now);
        self.offset = target - i128::from(now.clock);
        self.forget_passed(now);
    }

    /// Stops the time: its bytes keep what they show.
    fn hold(&mut self, now: Now) {
        let seconds = self.seconds(now);
        for index in TIME {
            self.put(index, self.encode(index, seconds));
        }
        self.held = true;
    }

    /// Lets the time go on from what its bytes say.
    fn release(&mut self, now: Now) {
        let seconds = self.decode();
        self.held = false;
        self.set_seconds(now, seconds);
    }

    /// The value of a time byte at `seconds`.
    fn encode(&self, index: u8, seconds: i64) -> u8 {
        let date = DateTime::from_seconds(seconds);
        let year = date.year - i64::from(self.base_year);
        let value = match index {
            SECONDS => date.second,
            MINUTES => date.minute,
            HOURS if self.set_in(B, HOURS_24) => date.hour,
            HOURS => {
                let afternoon = if date.hour >= 12 { 0x80 } else { 0 };
                return self.number((date.hour + 11) % 12 + 1) | afternoon;
            }
            WEEKDAY => date.weekday + 1,
            DAY_OF_MONTH => date.day,
            MONTH => date.month,
            YEAR => year.rem_euclid(100) as u8,
            _ => year.div_euclid(100).rem_euclid(100) as u8,
        };
        self.number(value)
    }

    /// A number up to 99 as the registers show it.
    fn number(&self, value: u8) -> u8 {
        if self.set_in(B, BINARY) { value } else { (value / 10) << 4 | (value % 10) }
    }

    /// The number in a register; BCD digits above 9 count on.
    fn value(&self, byte: u8) -> u8 {
        if self.set_in(B, BINARY) { byte } else { (byte >> 4) * 10 + (byte & 0xf) }
    }

    fn hour(&self, byte: u8) -> u8 {
        if self.set_in(B, HOURS_24) {
            return self.value(byte);
        }
        self.value(byte & 0x7f) % 12 + if byte & 0x80 != 0 { 12 } else { 0 }
    }

    /// The time that the bytes hold; whatever is beyond its range carries over.
    fn decode(&self) -> i64 {
        let value = |index| i64::from(self.value(self.get(index)));
        let year = i64::from(self.base_year) + value(YEAR) + 100 * value(CENTURY);
        let days = date::days(year, value(MONTH), value(DAY_OF_MONTH));
        let hour = i64::from(self.hour(self.get(HOURS)));
        days * DAY + hour * 3600 + value(MINUTES) * 60 + value(SECONDS)
    }

    // -- Flags

    /// Nothing that came before now will be flagged.
    fn forget_passed(&mut self, now: Now) {
        if !self.held {
            self.seen_second = self.seconds(now);
        }
        self.seen_tick = self.tick(now);
    }

    /// The period of the periodic interrupt in periods of the crystal.
    fn period(&self) -> Option<u128> {
        if self.set_in(A, DIVIDER_RESET) {
            return None;
        }
        match self.get(A) & RATE {
            0 => None,
            // With this crystal the two fastest rates are those of 8 and 9.
            rate @ 1..=2 => Some(1 << (rate + 6)),
            rate => Some(1 << (rate - 1)),
        }
    }

    /// Periodic ticks since the machine started.
    fn tick(&self, now: Now) -> u64 {
        self.period().map_or(0, |period| {
            (u128::from(now.machine) * CRYSTAL / (period * u128::from(SECOND))) as u64
        })
    }

    /// Brings the flags up to date. Tells whether the alarm went off.
    pub(super) fn catch_up(&mut self, now: Now) -> bool {
        let ticks = self.tick(now).saturating_sub(self.seen_tick);
        if ticks > 0 {
            if self.keeps_missed && self.set_in(B, PERIODIC) {
                let first = u64::from(self.flags & PERIODIC == 0);
                self.missed = self.missed.saturating_add(ticks - first);
            }
            self.flags |= PERIODIC;
            self.seen_tick += ticks;
        }
        let second = self.seconds(now);
        if self.held || second == self.seen_second {
            return false;
        }
        self.flags |= UPDATE;
        let rings = self.alarm().next(self.seen_second).is_some_and(|time| time <= second);
        if rings {
            self.flags |= ALARM;
        }
        self.seen_second = second;
        rings
    }

    fn alarm(&self) -> Alarm {
        let byte = |index, value: &dyn Fn(u8) -> u8| match self.get(index) {
            0xc0.. => Match::Any,
            byte => Match::Only(value(byte)),
        };
        Alarm {
            hour: byte(HOURS_ALARM, &|byte| self.hour(byte)),
            minute: byte(MINUTES_ALARM, &|byte| self.value(byte)),
            second: byte(SECONDS_ALARM, &|byte| self.value(byte)),
        }
    }

    /// Whether the interrupt line is asserted.
    pub(super) fn interrupts(&self) -> bool {
        self.flags & self.get(B) & INTERRUPTS != 0
    }

    /// Whether the alarm may interrupt.
    pub(super) fn alarm_enabled(&self) -> bool {
        self.set_in(B, ALARM)
    }

    /// When to look again.
    pub(super) fn deadlines(&self) -> Deadlines {
        let waits = |interrupt| self.set_in(B, interrupt) && self.flags & interrupt == 0;
        let second = |second: i64| {
            let time = i128::from(second) * i128::from(SECOND) - self.offset;
            u64::try_from(time.max(0)).unwrap_or(u64::MAX)
        };
        let update = waits(UPDATE).then(|| self.seen_second + 1);
        let alarm = if waits(ALARM) { self.alarm().next(self.seen_second) } else { None };
        let first = update.into_iter().chain(alarm).min();
        let tick = |period: u128| {
            let cycles = (u128::from(self.seen_tick) + 1) * period;
            u64::try_from((cycles * u128::from(SECOND)).div_ceil(CRYSTAL)).unwrap_or(u64::MAX)
        };
        Deadlines {
            clock: first.filter(|_| !self.held).map(second),
            machine: if waits(PERIODIC) { self.period().map(tick) } else { None },
        }
    }

    /// Forgets the periodic ticks that the guest has missed.
    pub(super) fn forget_missed(&mut self) {
        self.missed = 0;
    }

    // -- Access

    /// Reads the selected register; the flags must be up to date.
    pub(super) fn read(&mut self, now: Now) -> u8 {
        let index = canonical(self.index);
        let value = match index {
            A => self.get(A) | if self.updates_soon(now) { UIP } else { 0 },
            C => self.take_flags(),
            D => VALID,
            _ if TIME.contains(&index) && !self.held => self.encode(index, self.seconds(now)),
            _ => self.get(index),
        };
        trace!(RTC_READ, "register {index:#04x} -> {value:#04x}");
        value
    }

    fn updates_soon(&self, now: Now) -> bool {
        !self.held && self.fraction(now) >= i128::from(SECOND) - BEFORE_UPDATE
    }

    fn take_flags(&mut self) -> u8 {
        let pending = if self.interrupts() { IRQF } else { 0 };
        let flags = std::mem::take(&mut self.flags) | pending;
        if self.missed > 0 {
            self.missed -= 1;
            self.flags = PERIODIC;
        }
        flags
    }

    /// Writes the selected register; the flags must be up to date. Tells whether the time was set.
    pub(super) fn write(&mut self, now: Now, value: u8) -> bool {
        let index = canonical(self.index);
        trace!(RTC_WRITE, "register {index:#04x} <- {value:#04x}");
        match index {
            A => self.write_a(now, value),
            B => self.write_b(now, value),
            C | D => false,
            _ if TIME.contains(&index) && !self.held => {
                self.hold(now);
                self.put(index, value);
                self.release(now);
                true
            }
            _ => {
                self.put(index, value);
                false
            }
        }
    }

    fn write_a(&mut self, now: Now, value: u8) -> bool {
        let stopped = self.set_in(A, DIVIDER_RESET);
        self.put(A, value & !UIP);
        self.seen_tick = self.tick(now);
        let stops = self.set_in(A, DIVIDER_RESET);
        if stopped && !stops {
            // The first update comes half a second after the divider starts.
            self.offset = i128::from(SECOND / 2) - i128::from(now.clock);
        }
        self.follow_hold(now)
    }

    fn write_b(&mut self, now: Now, value: u8) -> bool {
        if value & SET != 0 && !self.held {
            self.hold(now); // As the bytes are by the mode so far.
        }
        // SET takes the update interrupt away.
        self.put(B, if value & SET != 0 { value & !UPDATE } else { value });
        if value & PERIODIC == 0 {
            self.missed = 0;
        }
        self.follow_hold(now)
    }

    /// Stops the time or lets it go on, as SET and the divider say. Tells whether it was set.
    fn follow_hold(&mut self, now: Now) -> bool {
        let hold = self.set_in(B, SET) || self.set_in(A, DIVIDER_RESET);
        let releases = self.held && !hold;
        if hold && !self.held {
            self.hold(now);
        } else if releases {
            self.release(now);
        }
        releases
    }
}

/// The same register under its first number.
fn canonical(index: u8) -> u8 {
    if index == CENTURY_PS2 { CENTURY } else { index }
}
