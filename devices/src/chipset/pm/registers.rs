//! The registers: fixed events, general-purpose events, sleep control.
//!
//! One lock around all of them. The interrupt line is driven and the timer is set with it held; the
//! timer's own function takes it like any access.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::{Arc, OnceLock, Weak};

use super::timer;
use crate::clock::{Clock, Timer};
use crate::interrupt::IrqLine;
use crate::object::Platform;
use crate::request::{Request, RequestSink, WakeupReason};
use crate::trace;
use crate::trace::points::{ACPI_PM_READ, ACPI_PM_WRITE};

/// The timer's bit 23 has changed.
const TIMER: u16 = 1 << 0;
/// Firmware has released the global lock.
const GLOBAL: u16 = 1 << 5;
const POWER_BUTTON: u16 = 1 << 8;
const RTC: u16 = 1 << 10;
/// The machine woke up.
const WAKE: u16 = 1 << 15;
/// The events that can raise the interrupt.
const EVENTS: u16 = TIMER | GLOBAL | POWER_BUTTON | RTC;

/// Control: events raise the system control interrupt. Stored; as on QEMU's `pc` they do without it
/// too, since there is no system management interrupt to raise instead.
const SCI_ENABLE: u16 = 1 << 0;
const BUS_MASTER_RELOAD: u16 = 1 << 1;
const SLEEP_TYPE: u16 = 7 << 10;
/// Control: go to sleep. Reads as 0.
const SLEEP: u16 = 1 << 13;

const ACPI_ENABLE: u8 = 0xf1;
const ACPI_DISABLE: u8 = 0xf0;

/// The registers of a machine's power management.
pub struct PmRegisters {
    state: Mutex<State>,
    sci: IrqLine,
    clock: Clock,
    alarm: OnceLock<Timer>,
    requests: RequestSink,
    /// The sleep type that means S4.
    s4: u8,
}

#[derive(Default)]
struct State {
    status: u16,
    enable: u16,
    control: u16,
    gpe_status: u16,
    gpe_enable: u16,
    apm: [u8; 2],
    /// The count at which the timer event is next.
    change: u64,
}

/// The 16-bit registers, as the ports name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Register {
    Status,
    Enable,
    Control,
    GpeStatus,
    GpeEnable,
}

impl PmRegisters {
    /// Registers as after power-on, whose timer runs with the virtual clock.
    pub(super) fn new(platform: &Platform, sci: IrqLine, s4: u8) -> Arc<Self> {
        let clock = platform.virtual_clock.clone();
        let change = timer::next_change(timer::ticks(clock.now()));
        let state = Mutex::new(Rank::Chip, State { change, ..State::default() });
        let (alarm, requests) = (OnceLock::new(), platform.requests.clone());
        let registers = Arc::new(Self { state, sci, clock, alarm, requests, s4 });
        let weak: Weak<Self> = Arc::downgrade(&registers);
        let timer = registers.clock.timer(move || {
            if let Some(registers) = weak.upgrade() {
                registers.timer_expired();
            }
        });
        let _ = registers.alarm.set(timer);
        registers
    }

    /// The power button is pressed: an event, which interrupts if the guest enabled it.
    pub fn power_button(&self) {
        self.raise(POWER_BUTTON);
    }

    /// The real-time clock's alarm expired: an event if the guest enabled it here.
    pub fn rtc_alarm(&self) {
        let mut state = self.lock();
        if state.enable & RTC != 0 {
            state.status |= RTC;
            self.settle(&mut state);
        }
    }

    /// General-purpose event `bit` (0 to 15) occurs.
    pub fn gpe_raise(&self, bit: u8) {
        let mut state = self.lock();
        state.gpe_status |= 1u16.checked_shl(bit.into()).unwrap_or(0);
        self.settle(&mut state);
    }

    /// Whether `reason` may wake the machine from S3: timer and clock only if enabled here.
    pub fn wakes_on(&self, reason: WakeupReason) -> bool {
        let enable = self.lock().enable;
        match reason {
            WakeupReason::Rtc => enable & RTC != 0,
            WakeupReason::PmTimer => enable & TIMER != 0,
            WakeupReason::Other => true,
        }
    }

    /// The machine woke up from S3 (and was reset on the way): the guest finds that and why.
    pub fn wake(&self, reason: WakeupReason) {
        self.raise(match reason {
            WakeupReason::Rtc => WAKE | RTC,
            WakeupReason::PmTimer => WAKE | TIMER,
            WakeupReason::Other => WAKE | POWER_BUTTON,
        });
    }

    /// Returns to the registers after power-on; the timer counts on.
    pub(super) fn reset(&self) {
        let mut state = self.lock();
        let change = timer::next_change(self.ticks());
        *state = State { change, ..State::default() };
        self.settle(&mut state);
    }

    pub(super) fn read(&self, register: Register) -> u16 {
        let mut state = self.lock();
        self.latch(&mut state);
        let value = *state.register(register);
        trace!(ACPI_PM_READ, "{register:?} -> {value:#x}");
        value
    }

    /// Writes the bits of `mask` to a register. Returns what a sleep type asks for.
    pub(super) fn write(&self, register: Register, mask: u16, value: u16) -> Option<Request> {
        trace!(ACPI_PM_WRITE, "{register:?} <- {value:#x} mask {mask:#x}");
        let mut state = self.lock();
        self.latch(&mut state);
        let old = *state.register(register);
        let merged = old & !mask | value & mask;
        *state.register(register) = match register {
            Register::Status | Register::GpeStatus => old & !(value & mask),
            Register::Enable => merged & EVENTS,
            Register::Control => merged & (SCI_ENABLE | BUS_MASTER_RELOAD | SLEEP_TYPE),
            Register::GpeEnable => merged,
        };
        self.settle(&mut state);
        let sleep = register == Register::Control && value & mask & SLEEP != 0;
        sleep.then(|| self.sleep((merged & SLEEP_TYPE) >> 10)).flatten()
    }

    fn sleep(&self, sleep_type: u16) -> Option<Request> {
        match sleep_type {
            0 => Some(Request::Shutdown),
            1 => Some(Request::Suspend),
            other if other == u16::from(self.s4) => Some(Request::SuspendDisk),
            _ => None,
        }
    }

    /// The counter as it is shown.
    pub(super) fn timer(&self) -> u32 {
        timer::shown(self.ticks())
    }

    /// The APM control (0) and status (1) bytes.
    pub(super) fn apm(&self, index: usize) -> u8 {
        self.lock().apm[index & 1]
    }

    pub(super) fn set_apm(&self, index: usize, value: u8) {
        let mut state = self.lock();
        state.apm[index & 1] = value;
        match (index & 1, value) {
            (0, ACPI_ENABLE) => state.control |= SCI_ENABLE,
            (0, ACPI_DISABLE) => state.control &= !SCI_ENABLE,
            _ => {}
        }
    }

    fn raise(&self, events: u16) {
        let mut state = self.lock();
        state.status |= events;
        self.settle(&mut state);
    }

    fn timer_expired(&self) {
        let mut state = self.lock();
        self.settle(&mut state);
        let wanted = state.enable & state.status & TIMER != 0;
        drop(state);
        if wanted {
            self.requests.post(Request::Wakeup(WakeupReason::PmTimer));
        }
    }

    fn ticks(&self) -> u64 {
        timer::ticks(self.clock.now())
    }

    /// Notes that bit 23 of the counter has changed.
    fn latch(&self, state: &mut State) {
        let now = self.ticks();
        if now >= state.change {
            state.status |= TIMER;
            state.change = timer::next_change(now);
        }
    }

    /// Makes the interrupt line and the timer follow the registers.
    fn settle(&self, state: &mut State) {
        self.latch(state);
        let fixed = state.status & state.enable & EVENTS;
        self.sci.set(fixed != 0 || state.gpe_status & state.gpe_enable != 0);
        let Some(alarm) = self.alarm.get() else {
            return;
        };
        if state.enable & !state.status & TIMER != 0 {
            alarm.set(timer::nanoseconds(state.change));
        } else {
            alarm.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn register(&mut self, register: Register) -> &mut u16 {
        match register {
            Register::Status => &mut self.status,
            Register::Enable => &mut self.enable,
            Register::Control => &mut self.control,
            Register::GpeStatus => &mut self.gpe_status,
            Register::GpeEnable => &mut self.gpe_enable,
        }
    }
}
