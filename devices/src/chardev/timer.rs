//! A timer that is a descriptor: for what a back end has to do again later.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

pub(super) struct Timer(OwnedFd);

impl Timer {
    /// A timer that is not running.
    pub(super) fn new() -> io::Result<Timer> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Timer(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Expires after `delay`, and then after every further `delay`, until [`Timer::stop`].
    pub(super) fn every(&self, delay: Duration) {
        let delay = Timespec {
            tv_sec: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: delay.subsec_nanos().into(),
        };
        self.set(delay);
    }

    /// Does not expire any more.
    pub(super) fn stop(&self) {
        self.set(Timespec { tv_sec: 0, tv_nsec: 0 });
    }

    /// Forgets that it expired.
    pub(super) fn acknowledge(&self) {
        // Nothing to read means a spurious event.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }

    fn set(&self, delay: Timespec) {
        let value = Itimerspec { it_interval: delay, it_value: delay };
        if let Err(e) = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &value) {
            log::error!("cannot set a timer: {e}");
        }
    }
}
