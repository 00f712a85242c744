//! Driving a back end for a frontend: what an event loop's events lead to.

use std::os::fd::RawFd;
use std::sync::Weak;

use super::{Announce, Line, User};
use crate::chardev::backend::{Backend, CharEvent, Notice};
use crate::event_loop::{EventSet, Source};

/// Bytes handed to a user at once.
const CHUNK: usize = 4096;
/// Chunks per event; then other descriptors of the loop have their turn.
const CHUNKS_PER_EVENT: usize = 16;

/// What the event loop holds: the line for one epoch.
pub(super) struct LineSource {
    pub(super) line: Weak<Line>,
    pub(super) epoch: u64,
}

impl Source for LineSource {
    fn ready(&self, fd: RawFd, events: EventSet) {
        if let Some(line) = self.line.upgrade() {
            line.dispatch(self.epoch, fd, events);
        }
    }
}

impl Line {
    /// Tells the user what [`Line::announce`] asked for, unless that is done.
    pub(super) fn settle(&self, epoch: u64) {
        let (what, open) = match self.lock_if(epoch) {
            Some(mut state) => match state.announce.take() {
                Some(what) => (what, state.backend.is_open()),
                None => return,
            },
            None => return,
        };
        if what == Announce::Afresh || !open {
            self.tell(epoch, Notice::Event(CharEvent::Closed));
        }
        if open {
            self.tell(epoch, Notice::Event(CharEvent::Opened));
        }
        // Another connection, or none, takes output where the old one was full.
        self.tell(epoch, Notice::Writable);
    }

    /// The back end's descriptor has news.
    fn dispatch(&self, epoch: u64, fd: RawFd, events: EventSet) {
        self.settle(epoch);
        let mut notices = Vec::new();
        {
            let Some(mut state) = self.lock_if(epoch) else {
                return;
            };
            state.backend.ready(fd, events, &mut notices);
            let gone = EventSet::HANG_UP | EventSet::READ_HANG_UP | EventSet::ERROR;
            if matches!(state.user, User::Nobody) && events.intersects(gone) {
                discard(&mut *state.backend);
                notices.push(Notice::Event(CharEvent::Closed));
            }
            let reopened = notices.iter().any(|n| matches!(n, Notice::Event(_)));
            state.refresh(reopened);
        }
        for notice in notices {
            self.tell(epoch, notice);
        }
        self.pump(epoch);
    }

    /// Passes one notice to the frontend, if it does not know yet.
    pub(super) fn tell(&self, epoch: u64, notice: Notice) {
        let frontend = {
            let Some(mut state) = self.lock_if(epoch) else {
                return;
            };
            if !state.is_news(notice) {
                return;
            }
            if notice == Notice::Writable {
                state.refresh(false);
            }
            match &state.user {
                User::Frontend(frontend, _) => frontend.clone(),
                _ => return,
            }
        };
        match notice {
            Notice::Event(event) => frontend.event(event),
            Notice::Writable => frontend.writable(),
        }
    }

    /// Moves input to the frontend while both sides can.
    fn pump(&self, epoch: u64) {
        let mut buf = [0; CHUNK];
        for _ in 0..CHUNKS_PER_EVENT {
            let (frontend, accepted) = match self.lock_if(epoch) {
                Some(state) if state.input => match &state.user {
                    User::Frontend(frontend, _) => (frontend.clone(), state.accepted),
                    _ => return,
                },
                _ => return,
            };
            let room = frontend.can_receive().min(CHUNK);
            let Some(mut state) = self.lock_if(epoch) else {
                return;
            };
            if room == 0 {
                if state.accepted == accepted {
                    state.input = false;
                    state.refresh(false);
                }
                return;
            }
            // Descriptors mean nothing to a frontend; they are closed here.
            let count = state.backend.read(&mut buf[..room], &mut Vec::new());
            if matches!(count, Ok(0)) {
                state.backend.disconnect();
            }
            state.refresh(matches!(count, Ok(0)));
            drop(state);
            match count {
                Ok(0) => {
                    self.tell(epoch, Notice::Event(CharEvent::Closed));
                    self.tell(epoch, Notice::Writable);
                    return;
                }
                Ok(count) => frontend.receive(&buf[..count]),
                Err(_) => return,
            }
        }
    }
}

/// Throws away what a client sent that has left before anybody was there to read it, and then the
/// connection.
fn discard(backend: &mut dyn Backend) {
    let mut buf = [0; CHUNK];
    loop {
        match backend.read(&mut buf, &mut Vec::new()) {
            Ok(0) => return backend.disconnect(),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
