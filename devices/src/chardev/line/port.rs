//! The operations of a port, whose owner drives the back end itself.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::{Line, User};
use crate::chardev::backend::{CharEvent, Notice};
use crate::event_loop::EventSet;

impl Line {
    /// As `Backend::interest`, for the port.
    pub(in crate::chardev) fn port_interest(
        &self,
        input: bool,
        output: bool,
    ) -> Vec<(RawFd, EventSet)> {
        let state = self.lock();
        let mut interest = state.backend.interest(input, output);
        if let User::Port(changed) = &state.user {
            interest.push((changed.as_raw_fd(), EventSet::IN));
        }
        interest
    }

    /// As `Backend::ready`, for the port.
    pub(in crate::chardev) fn port_ready(&self, fd: RawFd, events: EventSet) -> Vec<CharEvent> {
        let mut state = self.lock();
        let mut notices = Vec::new();
        match &state.user {
            User::Port(changed) if changed.as_raw_fd() == fd => {
                // Empty when the event is spurious.
                let _ = changed.read();
                notices.push(Notice::Event(if state.backend.is_open() {
                    CharEvent::Opened
                } else {
                    CharEvent::Closed
                }));
            }
            _ => state.backend.ready(fd, events, &mut notices),
        }
        let mut told = Vec::new();
        for notice in notices {
            if state.is_news(notice)
                && let Notice::Event(event) = notice
            {
                told.push(event);
            }
        }
        told
    }

    pub(in crate::chardev) fn port_read(
        &self,
        buf: &mut [u8],
        fds: &mut Vec<OwnedFd>,
    ) -> io::Result<usize> {
        self.lock().backend.read(buf, fds)
    }

    pub(in crate::chardev) fn port_write(&self, data: &[u8]) -> io::Result<usize> {
        self.lock().write(data)
    }

    pub(in crate::chardev) fn is_open(&self) -> bool {
        self.lock().backend.is_open()
    }

    /// The port ends the connection; it is not told about that.
    pub(in crate::chardev) fn port_disconnect(&self) {
        let mut state = self.lock();
        state.backend.disconnect();
        state.announced = state.backend.is_open();
    }
}
