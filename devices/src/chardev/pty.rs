//! The `pty` back end: a pseudo-terminal whose other side users open by name.
//!
//! Linux tells the master that the last user has gone (a hang-up), but not that one has come. As in
//! QEMU the master is looked at once a second while nobody is there, and when there is output.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::backend::{Backend, CharEvent, Notice};
use super::error::Error;
use super::timer::Timer;
use crate::event_loop::EventSet;

const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Pty {
    master: OwnedFd,
    path: String,
    timer: Timer,
    connected: bool,
}

impl Pty {
    pub(super) fn open() -> Result<Pty, Error> {
        Self::create().map_err(|e| Error::io("Failed to create PTY", e))
    }

    fn create() -> io::Result<Pty> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        // Opened and closed once: from then on the master shows a hang-up while nobody is there.
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        drop(slave);
        rustix::io::ioctl_fionbio(&master, true)?;
        let path = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
        let timer = Timer::new()?;
        timer.every(LOOK_AGAIN);
        Ok(Pty { master, path, timer, connected: false })
    }

    /// Whether somebody has the other side open.
    fn peer_present(&self) -> bool {
        let mut fds = [PollFd::new(&self.master, PollFlags::OUT)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, Some(&now)) {
            Ok(_) => !fds[0].revents().contains(PollFlags::HUP),
            Err(_) => self.connected,
        }
    }

    fn set_connected(&mut self, connected: bool, notices: &mut Vec<Notice>) {
        if connected == self.connected {
            return;
        }
        self.connected = connected;
        if connected {
            self.timer.stop();
            notices.push(Notice::Event(CharEvent::Opened));
        } else {
            self.timer.every(LOOK_AGAIN);
            notices.push(Notice::Event(CharEvent::Closed));
        }
        // Either way output is taken now.
        notices.push(Notice::Writable);
    }
}

impl Backend for Pty {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        if !self.connected {
            return vec![(self.timer.fd(), EventSet::IN)];
        }
        let mut events = EventSet::empty();
        events.set(EventSet::IN, input);
        events.set(EventSet::OUT, output);
        vec![(self.master.as_raw_fd(), events)]
    }

    fn ready(&mut self, fd: RawFd, events: EventSet, notices: &mut Vec<Notice>) {
        if fd == self.timer.fd() {
            self.timer.acknowledge();
            let present = self.peer_present();
            self.set_connected(present, notices);
        } else if fd == self.master.as_raw_fd() {
            if events.contains(EventSet::OUT) {
                notices.push(Notice::Writable);
            }
            // Input that is still there is read first, if the user takes it; what is left waits in
            // the terminal for the next one.
            if events.contains(EventSet::HANG_UP) && !events.contains(EventSet::IN) {
                let present = self.peer_present();
                self.set_connected(present, notices);
            }
        }
    }

    fn read(&mut self, buf: &mut [u8], _fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        if !self.connected {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match rustix::io::read(&self.master, &mut *buf) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
            // EIO is how a master reads after the last user has gone.
            Err(_) => Ok(0),
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if !self.connected && !self.peer_present() {
            return Ok(data.len());
        }
        Ok(rustix::io::write(&self.master, data)?)
    }

    fn is_open(&self) -> bool {
        self.connected
    }

    fn disconnect(&mut self) {
        // Whoever is still there is found again at the next look.
        self.set_connected(false, &mut Vec::new());
    }

    fn filename(&self) -> String {
        format!("pty:{}", self.path)
    }
}
