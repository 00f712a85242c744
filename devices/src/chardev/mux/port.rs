//! A multiplexer's port: the back end of one of its users.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use vmm_sys_util::eventfd::EventFd;

use super::Mux;
use crate::chardev::backend::{Backend, Notice};
use crate::event_loop::EventSet;

pub(super) struct MuxPort {
    mux: Arc<Mux>,
    index: usize,
    data: Arc<EventFd>,
    news: Arc<EventFd>,
}

impl MuxPort {
    pub(super) fn new(
        mux: Arc<Mux>,
        index: usize,
        data: Arc<EventFd>,
        news: Arc<EventFd>,
    ) -> MuxPort {
        MuxPort { mux, index, data, news }
    }
}

impl Backend for MuxPort {
    fn interest(&self, input: bool, _output: bool) -> Vec<(RawFd, EventSet)> {
        let mut interest = vec![(self.news.as_raw_fd(), EventSet::IN)];
        if input {
            interest.push((self.data.as_raw_fd(), EventSet::IN));
        }
        interest
    }

    fn ready(&mut self, fd: RawFd, _events: EventSet, notices: &mut Vec<Notice>) {
        if fd != self.news.as_raw_fd() {
            return;
        }
        let mut state = self.mux.lock();
        if let Some(user) = &mut state.users[self.index] {
            // Empty when the event is spurious.
            let _ = self.news.read();
            notices.append(&mut user.notices);
        }
    }

    fn read(&mut self, buf: &mut [u8], _fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let mut state = self.mux.lock();
        let Some(user) = &mut state.users[self.index] else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let count = buf.len().min(user.queue.len());
        for (to, from) in buf.iter_mut().zip(user.queue.drain(..count)) {
            *to = from;
        }
        if user.queue.is_empty() {
            // Empty already when nothing came since the last look.
            let _ = self.data.read();
        }
        drop(state);
        if count == 0 && !buf.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.mux.resume_below();
        Ok(count)
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.mux.write(self.index, data) {
            0 if !data.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }

    fn is_open(&self) -> bool {
        self.mux.is_open()
    }

    fn filename(&self) -> String {
        "mux".to_string()
    }

    fn disconnect(&mut self) {
        // There is one connection for all users.
        self.mux.disconnect_below();
    }

    fn take_focus(&mut self) {
        self.mux.lock().set_focus(Some(self.index));
    }

    fn set_frontend_open(&mut self, open: bool) {
        if let Some(user) = &mut self.mux.lock().users[self.index] {
            user.frontend_open = open;
        }
        self.mux.update_open();
    }
}

impl Drop for MuxPort {
    fn drop(&mut self) {
        self.mux.release(self.index);
    }
}
