//! `mc146818rtc`: registers, clocks, timers and the interrupt line put together.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::{Arc, Weak};

use qapi::Value;

use super::date::DateTime;
use super::properties::{LostTickPolicy, Source};
use super::registers::{C, Deadlines, Now, Registers};
use crate::clock::{Clock, SECOND, Timer};
use crate::error::{Error, Result};
use crate::interrupt::IrqLine;
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext, Property, downcast};
use crate::property;
use crate::request::{EventSink, Request, RequestSink, WakeupReason};

/// Years that a time byte may be relative to.
const BASE_YEARS: std::ops::RangeInclusive<i32> = -9999..=9999;
/// The time of day may be that far from the host's, in seconds: some 10 000 years.
const MAX_OFFSET: i64 = 315_576_000_000;
/// The host's date and time can be set back and forth: a timer for a later moment is looked at
/// again after that many nanoseconds.
const LOOK_AGAIN: u64 = 60 * SECOND;

pub(super) static CLASS: Class = Class {
    description: "real-time clock",
    make: Some(|_| Box::<Rtc>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(Rtc, "base_year", base_year: i32, "the year that 0 stands for"),
        property!(Rtc, "iobase", iobase: u16, "first of two I/O ports"),
        property!(Rtc, "irq", irq: u8, "ISA interrupt"),
        property!(Rtc, "lost_tick_policy", policy: LostTickPolicy, "whether late ticks are made up for"),
        property!(Rtc, "x-clock", source: Source, "what the time follows: host, rt, or vm"),
        property!(Rtc, "x-offset", offset: i64, "seconds that the time is ahead of the host's UTC"),
        Property {
            name: "date",
            kind: "struct tm",
            description: "the time that the guest sees",
            default: |_| None,
            get: Some(|object, _| Ok(downcast::<Rtc>(object).time().value())),
            set: None,
            live: false,
        },
    ],
    ..Class::base("mc146818rtc", "isa-device")
};

/// The time that a clock chip shows.
pub struct RtcTime(Arc<Shared>);

impl RtcTime {
    /// The time now.
    pub fn now(&self) -> DateTime {
        let state = self.0.lock();
        DateTime::from_seconds(state.registers.seconds(self.0.now()))
    }

    /// The time now as the monitor shows it, in the members of C's `struct tm`: months from 0,
    /// years from 1900.
    pub fn value(&self) -> Value {
        let now = self.now();
        let members = [
            ("tm_year", now.year - 1900),
            ("tm_sec", now.second.into()),
            ("tm_hour", now.hour.into()),
            ("tm_min", now.minute.into()),
            ("tm_mon", i64::from(now.month) - 1),
            ("tm_mday", now.day.into()),
        ];
        let members = members.into_iter().map(|(name, number)| (name, Value::Int(number)));
        Value::Dict(members.collect())
    }
}

/// The device.
pub struct Rtc {
    base_year: i32,
    iobase: u16,
    irq: u8,
    policy: LostTickPolicy,
    source: Source,
    offset: i64,
    shared: Option<Arc<Shared>>,
}

impl Default for Rtc {
    fn default() -> Self {
        let (policy, source) = Default::default();
        Self { base_year: 1980, iobase: 0x70, irq: 8, policy, source, offset: 0, shared: None }
    }
}

impl Rtc {
    /// Sets a byte of the battery-backed memory as firmware does at power-on; a reset keeps it.
    /// Bytes of the time, the alarm and registers A to D are not the board's to set.
    pub fn set_cmos(&self, index: u8, value: u8) {
        self.shared().lock().registers.set_memory(index, value);
    }

    /// The time that the guest sees.
    pub fn current_time(&self) -> DateTime {
        self.time().now()
    }

    /// A look at the time for who outlives a borrow.
    pub fn time(&self) -> RtcTime {
        RtcTime(self.shared().clone())
    }

    /// Forgets periodic interrupts that the guest has missed and would be given later.
    pub fn reset_reinjection(&self) {
        self.shared().lock().registers.forget_missed();
    }

    fn shared(&self) -> &Arc<Shared> {
        self.shared.as_ref().expect("objects in the tree are realized")
    }
}

impl Object for Rtc {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        if !BASE_YEARS.contains(&self.base_year) {
            return Err(Error::message("Parameter 'base_year' expects a year up to 9999"));
        }
        if self.offset.unsigned_abs() > MAX_OFFSET.unsigned_abs() {
            return Err(Error::message("Parameter 'x-offset' expects seconds within 10000 years"));
        }
        let line = context.irq(self.irq.into())?;
        let shared = Shared::new(self, context, line);
        context.map_ports("rtc", self.iobase.into(), 2, shared.clone())?;
        self.shared = Some(shared);
        Ok(())
    }

    fn reset(&mut self) {
        if let Some(shared) = &self.shared {
            let mut state = shared.lock();
            let now = shared.now();
            let set = state.registers.reset(now).then(|| state.registers.seconds(now));
            shared.settle(&mut state, now);
            drop(state);
            shared.report(set);
        }
    }
}

/// What the bus, the clocks and control share.
struct Shared {
    state: Mutex<State>,
    line: IrqLine,
    /// Behind the time of day.
    clock: Clock,
    host_clock: Clock,
    /// Drives updates and alarms; on the clock itself, or on one that never jumps beside it.
    seconds: Timer,
    /// Drives the periodic interrupt, on the machine's own clock.
    periodic: Timer,
    /// Nanoseconds after which to look at the clock again in any case.
    patience: u64,
    /// Seconds that the time of day was set ahead of the host's UTC at the start.
    base: i64,
    path: String,
    events: EventSink,
    requests: RequestSink,
}

struct State {
    registers: Registers,
    /// What the timers are set to.
    armed: Deadlines,
}

impl Shared {
    fn new(device: &Rtc, context: &PlugContext<'_>, line: IrqLine) -> Arc<Self> {
        let platform = context.platform;
        let (clock, ticker, patience) = match device.source {
            Source::Host => (&platform.host_clock, &platform.real_clock, LOOK_AGAIN),
            Source::RealTime => (&platform.real_clock, &platform.real_clock, u64::MAX),
            Source::Virtual => (&platform.virtual_clock, &platform.virtual_clock, u64::MAX),
        };
        let now = Now { clock: clock.now(), machine: platform.virtual_clock.now() };
        let ahead = match device.source {
            Source::Host => 0,
            _ => i128::from(platform.host_clock.now()) - i128::from(now.clock),
        };
        let offset = ahead + i128::from(device.offset) * i128::from(SECOND);
        let slew = device.policy == LostTickPolicy::Slew;
        let registers = Registers::new(now, offset, slew, device.base_year);
        Arc::new_cyclic(|own: &Weak<Self>| {
            let timer = |clock: &Clock, which: fn(&mut Deadlines) -> &mut Option<u64>| {
                let own = own.clone();
                clock.timer(move || {
                    if let Some(shared) = own.upgrade() {
                        shared.expired(which);
                    }
                })
            };
            Self {
                state: Mutex::new(Rank::Device, State { registers, armed: Deadlines::default() }),
                line,
                clock: clock.clone(),
                host_clock: platform.host_clock.clone(),
                seconds: timer(ticker, |armed| &mut armed.clock),
                periodic: timer(&platform.virtual_clock, |armed| &mut armed.machine),
                patience,
                base: device.offset,
                path: context.path.clone(),
                events: platform.events.clone(),
                requests: platform.requests.clone(),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn now(&self) -> Now {
        Now { clock: self.clock.now(), machine: self.periodic.clock().now() }
    }

    /// A timer expired, or would have if it had not just been set anew.
    fn expired(&self, which: fn(&mut Deadlines) -> &mut Option<u64>) {
        let mut state = self.lock();
        let now = self.now();
        *which(&mut state.armed) = None;
        let wakes = self.catch_up(&mut state, now);
        self.settle(&mut state, now);
        drop(state);
        self.wake(wakes);
    }

    /// Brings the flags up to date; tells whether an alarm wants to wake the machine.
    fn catch_up(&self, state: &mut State, now: Now) -> bool {
        state.registers.catch_up(now) && state.registers.alarm_enabled()
    }

    fn wake(&self, wakes: bool) {
        if wakes {
            self.requests.post(Request::Wakeup(WakeupReason::Rtc));
        }
    }

    /// Drives the line and sets the timers by what the registers say.
    fn settle(&self, state: &mut State, now: Now) {
        self.line.set(state.registers.interrupts());
        let wanted = state.registers.deadlines();
        if wanted.clock != state.armed.clock {
            match wanted.clock {
                Some(deadline) => {
                    let delay = deadline.saturating_sub(now.clock).min(self.patience);
                    self.seconds.set(self.seconds.clock().now().saturating_add(delay));
                }
                None => self.seconds.cancel(),
            }
        }
        if wanted.machine != state.armed.machine {
            match wanted.machine {
                Some(deadline) => self.periodic.set(deadline),
                None => self.periodic.cancel(),
            }
        }
        state.armed = wanted;
    }

    /// Tells the monitor's clients, if the time of day was `set`, how far it is from where it would
    /// have been.
    fn report(&self, set: Option<i64>) {
        let Some(seconds) = set else {
            return;
        };
        let start = (self.host_clock.now() / SECOND) as i64 + self.base;
        let offset = seconds.saturating_sub(start);
        let qom_path = self.path.clone();
        self.events.emit(qapi::Event::RtcChange(qapi::RtcChangeEvent { offset, qom_path }));
    }
}

impl Region for Shared {
    fn read(&self, offset: u64, _size: usize) -> u64 {
        if offset == 0 {
            return 0xff; // The index cannot be read.
        }
        let mut state = self.lock();
        let now = self.now();
        if state.registers.index != C {
            return state.registers.read(now).into();
        }
        let wakes = self.catch_up(&mut state, now);
        let flags = state.registers.read(now);
        // The line goes low in any case: a tick that is made up for is another edge.
        self.line.set(false);
        self.settle(&mut state, now);
        drop(state);
        self.wake(wakes);
        flags.into()
    }

    fn write(&self, offset: u64, _size: usize, value: u64) -> Action {
        let mut state = self.lock();
        if offset == 0 {
            // Bit 7 masks the NMI on a PC; there is no such mask here.
            state.registers.index = value as u8 & 0x7f;
            return Action::None;
        }
        let now = self.now();
        let wakes = self.catch_up(&mut state, now);
        let set = state.registers.write(now, value as u8).then(|| state.registers.seconds(now));
        self.settle(&mut state, now);
        drop(state);
        self.wake(wakes);
        self.report(set);
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}
