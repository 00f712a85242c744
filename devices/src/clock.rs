//! Clocks and their timers.
//!
//! A [`Clock`] tells the time in nanoseconds and calls [`Timer`]s at their deadlines, in order.
//! The machine has a virtual clock, which stands still while the machine is stopped, and host and
//! real-time clocks, which do not. With an event loop behind it a clock drives its timers through
//! one timer descriptor on that loop's thread; a manual clock moves only when it is told to.
//!
//! The clock's lock is never held while a timer's function runs, so that functions may set timers.
//! A function may still run once after its timer was cancelled or set anew: devices look at their
//! own registers, under their own lock, before they act.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, OnceLock};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use vmm_sys_util::epoll::EventSet;

use crate::error::{Error, Result};
use crate::event_loop::{LoopHandle, Source, Watch};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// A clock; clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    reference: Reference,
    state: Mutex<State>,
    alarm: OnceLock<Alarm>,
}

/// Where the time comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// A host clock, continuous or standing still with the machine.
    Host(ClockId),
    /// Only [`Clock::advance`].
    Manual,
}

struct State {
    /// While running: clock = reference - base. While standing: the clock itself.
    running: bool,
    base: u64,
    standing: u64,
    next_id: u64,
    /// The pending timers by deadline, then by age.
    pending: BTreeMap<(u64, u64), Function>,
}

type Function = Arc<dyn Fn() + Send + Sync>;

/// The timer descriptor that wakes the loop at the earliest deadline.
struct Alarm {
    fd: OwnedFd,
    _watch: Watch,
}

impl Clock {
    /// The machine's own time from 0, standing still until [`Clock::start`]; timers run on `on`.
    ///
    /// # Errors
    /// The host has no timer descriptor left.
    pub fn virtual_time(on: &LoopHandle) -> Result<Self> {
        Self::driven(ClockId::Monotonic, TimerfdClockId::Monotonic, false, on)
    }

    /// The host's date and time since 1970-01-01 UTC; timers run on `on`.
    ///
    /// # Errors
    /// As [`Clock::virtual_time`].
    pub fn host_time(on: &LoopHandle) -> Result<Self> {
        Self::driven(ClockId::Realtime, TimerfdClockId::Realtime, true, on)
    }

    /// Time that never stops and never jumps; timers run on `on`.
    ///
    /// # Errors
    /// As [`Clock::virtual_time`].
    pub fn real_time(on: &LoopHandle) -> Result<Self> {
        Self::driven(ClockId::Monotonic, TimerfdClockId::Monotonic, true, on)
    }

    /// A clock at `now` that moves only by [`Clock::advance`], which also runs its timers.
    pub fn manual(now: u64) -> Self {
        Self::new(Reference::Manual, false, now)
    }

    fn new(reference: Reference, running: bool, standing: u64) -> Self {
        let pending = BTreeMap::new();
        let state = State { running, base: 0, standing, next_id: 0, pending };
        Self(Arc::new(Inner {
            reference,
            state: Mutex::new(Rank::Clock, state),
            alarm: OnceLock::new(),
        }))
    }

    fn driven(id: ClockId, fd: TimerfdClockId, running: bool, on: &LoopHandle) -> Result<Self> {
        let clock = Self::new(Reference::Host(id), running, 0);
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(fd, flags).map_err(|e| Error::io("timer descriptor", e))?;
        let watch = on.watch(Arc::new(Expiry(Arc::downgrade(&clock.0))));
        watch.set(&[(fd.as_raw_fd(), EventSet::IN)]);
        let _ = clock.0.alarm.set(Alarm { fd, _watch: watch });
        Ok(clock)
    }

    /// The time in nanoseconds.
    pub fn now(&self) -> u64 {
        self.0.now(&self.0.lock())
    }

    /// Lets the time go on from where it stopped.
    pub fn start(&self) {
        let mut state = self.0.lock();
        if let (false, Reference::Host(id)) = (state.running, self.0.reference) {
            state.base = reference_now(id).wrapping_sub(state.standing);
            state.running = true;
            self.0.arm(&state);
        }
    }

    /// Stops the time; no timer expires until [`Clock::start`].
    pub fn stop(&self) {
        let mut state = self.0.lock();
        if state.running {
            state.standing = self.0.now(&state);
            state.running = false;
            self.0.arm(&state);
        }
    }

    /// Moves a manual clock forward by `nanoseconds` and runs the timers on the way, in order, each
    /// at its own deadline.
    pub fn advance(&self, nanoseconds: u64) {
        let end = self.now().saturating_add(nanoseconds);
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= end) {
            let mut state = self.0.lock();
            state.standing = state.standing.max(deadline);
            drop(state);
            self.0.run_expired();
        }
        self.0.lock().standing = end;
    }

    /// The earliest deadline of all timers.
    pub fn next_deadline(&self) -> Option<u64> {
        self.0.lock().pending.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// A timer that calls `function` on the clock's thread; not set yet.
    pub fn timer(&self, function: impl Fn() + Send + Sync + 'static) -> Timer {
        Timer {
            clock: self.clone(),
            function: Arc::new(function),
            key: Mutex::new(Rank::Timer, None),
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn now(&self, state: &State) -> u64 {
        match self.reference {
            Reference::Host(id) if state.running => reference_now(id).wrapping_sub(state.base),
            _ => state.standing,
        }
    }

    /// Sets the timer descriptor to the earliest deadline, or off.
    fn arm(&self, state: &State) {
        let Some(alarm) = self.alarm.get() else {
            return;
        };
        let at = match state.pending.first_key_value() {
            Some(((deadline, _), _)) if state.running => deadline.saturating_add(state.base).max(1),
            _ => 0,
        };
        // Far beyond any host's uptime is as good as never.
        let at = at.min(i64::MAX as u64);
        let value = Timespec { tv_sec: (at / SECOND) as i64, tv_nsec: (at % SECOND) as i64 };
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = Itimerspec { it_interval: zero, it_value: value };
        if let Err(error) = timerfd_settime(alarm.fd.as_fd(), TimerfdTimerFlags::ABSTIME, &setting)
        {
            log::error!("cannot set a timer: {error}");
        }
    }

    fn run_expired(&self) {
        let mut state = self.lock();
        loop {
            let now = self.now(&state);
            let Some(entry) = state.pending.first_entry().filter(|entry| entry.key().0 <= now)
            else {
                break;
            };
            let function = entry.remove();
            drop(state);
            function();
            state = self.lock();
        }
        self.arm(&state);
    }
}

fn reference_now(id: ClockId) -> u64 {
    let now = clock_gettime(id);
    (now.tv_sec as u64).wrapping_mul(SECOND).wrapping_add(now.tv_nsec as u64)
}

/// The loop's side of a clock. It does not keep the clock alive.
struct Expiry(std::sync::Weak<Inner>);

impl Source for Expiry {
    fn ready(&self, _fd: RawFd, _events: EventSet) {
        let Some(inner) = self.0.upgrade() else {
            return;
        };
        if let Some(alarm) = inner.alarm.get() {
            let _ = rustix::io::read(&alarm.fd, &mut [0u8; 8]);
        }
        inner.run_expired();
    }
}

/// A timer of one clock. Dropping it cancels it.
pub struct Timer {
    clock: Clock,
    function: Function,
    key: Mutex<Option<(u64, u64)>>,
}

impl Timer {
    /// Expires once at `deadline` (nanoseconds of the clock), instead of at any earlier setting.
    /// A deadline in the past expires at once, on the clock's thread.
    pub fn set(&self, deadline: u64) {
        let mut key = self.key.lock();
        let mut state = self.clock.0.lock();
        if let Some(old) = key.take() {
            state.pending.remove(&old);
        }
        let new = (deadline, state.next_id);
        state.next_id += 1;
        state.pending.insert(new, self.function.clone());
        *key = Some(new);
        self.clock.0.arm(&state);
    }

    /// Does not expire until set again.
    pub fn cancel(&self) {
        if let Some(old) = self.key.lock().take() {
            let mut state = self.clock.0.lock();
            state.pending.remove(&old);
            self.clock.0.arm(&state);
        }
    }

    /// The clock it belongs to.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use std::sync::Mutex;

    use super::*;
    use crate::event_loop::EventLoop;

    #[test]
    fn a_manual_clock_runs_timers_in_order_at_their_deadlines() {
        let clock = Clock::manual(100);
        let (log, seen) = mpsc::channel();
        let timer = |name: &'static str| {
            let (clock, log) = (clock.clone(), log.clone());
            clock.clone().timer(move || log.send((name, clock.now())).unwrap())
        };
        let (a, b, c) = (timer("a"), timer("b"), timer("c"));
        a.set(300);
        b.set(200);
        c.set(250);
        c.cancel();
        a.set(280);
        clock.advance(150);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [("b", 200)]);
        clock.advance(150);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [("a", 280)]);
        assert_eq!(clock.now(), 400);
    }

    #[test]
    fn a_timer_may_set_itself_again() {
        let clock = Clock::manual(0);
        let slot: Arc<OnceLock<Timer>> = Arc::default();
        let count = Arc::new(Mutex::new(0));
        let (inner, counter) = (Arc::downgrade(&slot), count.clone());
        let timer = clock.timer(move || {
            *counter.lock().unwrap() += 1;
            let slot = inner.upgrade().unwrap();
            let timer = slot.get().unwrap();
            timer.set(timer.clock().now() + 10);
        });
        timer.set(10);
        assert!(slot.set(timer).is_ok());
        clock.advance(55);
        assert_eq!(*count.lock().unwrap(), 5);
    }

    #[test]
    fn the_virtual_clock_stands_still_while_stopped() {
        let thread = EventLoop::spawn("clock test").unwrap();
        let clock = Clock::virtual_time(&thread.handle()).unwrap();
        assert_eq!((clock.now(), clock.now()), (0, 0));
        let (send, expired) = mpsc::channel();
        let timer = clock.timer(move || send.send(()).unwrap());
        timer.set(1);
        assert!(expired.recv_timeout(Duration::from_millis(20)).is_err());
        clock.start();
        expired.recv_timeout(Duration::from_secs(10)).unwrap();
        clock.stop();
        let stopped = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(stopped > 0 && clock.now() == stopped);
    }

    #[test]
    fn a_dropped_timer_never_expires() {
        let clock = Clock::manual(0);
        let (send, expired) = mpsc::channel();
        drop({
            let timer = clock.timer(move || send.send(()).unwrap());
            timer.set(5);
            timer
        });
        clock.advance(10);
        assert!(expired.try_recv().is_err());
        assert_eq!(clock.next_deadline(), None);
    }
}
