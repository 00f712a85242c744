//! One back end and whoever uses it.
//!
//! The line drives its back end on an event loop: on the user's, or on its home loop while there is
//! no user, so that clients can connect and reconnect. A [`super::Port`] drives it itself.

mod drive;
mod port;

use crate::lock::{Mutex, MutexGuard, Rank};
use std::io;
use std::sync::{Arc, Weak};

use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use self::drive::LineSource;
use super::backend::{Backend, CharEvent, Frontend, Notice};
use super::error::Error;
use super::log_file::Log;
use super::null::Null;
use crate::event_loop::{LoopHandle, Watch};

pub(super) struct Line {
    label: String,
    home: LoopHandle,
    me: Weak<Line>,
    /// Made for one user: a multiplexer's port.
    single_use: bool,
    state: Mutex<State>,
}

struct State {
    backend: Box<dyn Backend>,
    log: Option<Log>,
    user: User,
    /// Counts changes of user and back end. Events and closures of an earlier one are void.
    epoch: u64,
    watch: Option<Watch>,
    /// The user takes input.
    input: bool,
    /// The user waits to write.
    output: bool,
    /// Counts [`Line::accept_input`]: one that comes while the user is asked must not be lost.
    accepted: u64,
    /// The user knows that the connection is open.
    announced: bool,
    /// The user is to be told whether the connection is open, before anything else.
    announce: Option<Announce>,
    frontend_open: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Announce {
    /// If it does not know yet.
    Current,
    /// It is another connection than the one it may know.
    Afresh,
}

enum User {
    Nobody,
    Frontend(Arc<dyn Frontend>, LoopHandle),
    /// The descriptor tells the port's owner that the connection changed from outside.
    Port(EventFd),
    /// Nobody, for ever.
    Removed,
}

impl State {
    /// Watches what the back end wants now. `renew`: descriptors may have been replaced by others
    /// of the same numbers.
    fn refresh(&self, renew: bool) {
        if let Some(watch) = &self.watch {
            let interest = self.backend.interest(self.input, self.output);
            if renew {
                watch.renew(&interest);
            } else {
                watch.set(&interest);
            }
        }
    }

    /// Whether the user does not know yet. From now on it does.
    fn is_news(&mut self, notice: Notice) -> bool {
        match notice {
            Notice::Event(CharEvent::Opened) => !std::mem::replace(&mut self.announced, true),
            Notice::Event(CharEvent::Closed) => std::mem::replace(&mut self.announced, false),
            Notice::Event(_) => true,
            Notice::Writable => std::mem::replace(&mut self.output, false),
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = match self.backend.write(data) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            other => other,
        }?;
        if let Some(log) = &mut self.log {
            log.write(&data[..taken]);
        }
        Ok(taken)
    }
}

impl Line {
    /// A line that nobody drives yet. `single_use`: it ends with its first user.
    pub(super) fn new(
        label: &str,
        backend: Box<dyn Backend>,
        log: Option<Log>,
        home: &LoopHandle,
        single_use: bool,
    ) -> Arc<Line> {
        Arc::new_cyclic(|me| Line {
            label: label.to_string(),
            home: home.clone(),
            me: me.clone(),
            single_use,
            state: Mutex::new(
                Rank::Character,
                State {
                    backend,
                    log,
                    user: User::Nobody,
                    epoch: 0,
                    watch: None,
                    input: false,
                    output: false,
                    accepted: 0,
                    announced: false,
                    announce: None,
                    frontend_open: false,
                },
            ),
        })
    }

    /// Drives the back end on the home loop from now on, while there is no user.
    pub(super) fn start(&self) {
        self.change_user(&mut self.lock(), User::Nobody);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The state, if `epoch` is still the current one.
    fn lock_if(&self, epoch: u64) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        (state.epoch == epoch).then_some(state)
    }

    /// Starts a new epoch with `user`, and drives the back end where that user wants it.
    fn change_user(&self, state: &mut State, user: User) {
        state.input = matches!(user, User::Frontend(..));
        state.output = false;
        state.announced = false;
        state.announce = None;
        state.user = user;
        self.start_epoch(state);
    }

    fn start_epoch(&self, state: &mut State) {
        state.epoch += 1;
        let on = match &state.user {
            User::Nobody => Some(&self.home),
            User::Frontend(_, on) => Some(on),
            User::Port(_) | User::Removed => None,
        };
        // The old watch goes first: two loops never drive the same back end.
        state.watch = None;
        state.watch = on.map(|on| {
            let line = self.me.clone();
            let epoch = state.epoch;
            on.watch(Arc::new(LineSource { line, epoch }))
        });
        state.refresh(true);
    }

    /// Has the user told, on its loop, whether the connection is open.
    fn announce(&self, state: &mut State, what: Announce) {
        if let User::Frontend(_, on) = &state.user {
            if state.announce != Some(Announce::Afresh) {
                state.announce = Some(what);
            }
            let (line, epoch) = (self.me.clone(), state.epoch);
            on.post(move || {
                if let Some(line) = line.upgrade() {
                    line.settle(epoch);
                }
            });
        }
    }

    /// Makes `frontend` the user, driven on the loop `on`.
    pub(super) fn attach(&self, frontend: Arc<dyn Frontend>, on: &LoopHandle) -> Result<(), Error> {
        let mut state = self.lock();
        if !matches!(state.user, User::Nobody) {
            return Err(Error::InUse(self.label.clone()));
        }
        self.change_user(&mut state, User::Frontend(frontend, on.clone()));
        state.frontend_open = true;
        state.backend.set_frontend_open(true);
        self.announce(&mut state, Announce::Current);
        Ok(())
    }

    /// Makes a port the user.
    pub(super) fn claim(&self) -> Result<(), Error> {
        let changed = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)
            .map_err(|e| Error::io(format!("Cannot use chardev '{}'", self.label), e))?;
        let mut state = self.lock();
        if !matches!(state.user, User::Nobody) {
            return Err(Error::InUse(self.label.clone()));
        }
        self.change_user(&mut state, User::Port(changed));
        state.announced = state.backend.is_open();
        state.frontend_open = true;
        state.backend.set_frontend_open(true);
        Ok(())
    }

    /// Ends the use by a frontend or a port. A line for one user ends with it, at once: other
    /// threads may still hold references for a moment.
    pub(super) fn release(&self) {
        let mut state = self.lock();
        if matches!(state.user, User::Removed) {
            return;
        }
        let user = std::mem::replace(&mut state.user, User::Nobody);
        state.frontend_open = false;
        state.backend.set_frontend_open(false);
        let old = if self.single_use {
            self.change_user(&mut state, User::Removed);
            Some(std::mem::replace(&mut state.backend, Box::new(Null)))
        } else {
            self.change_user(&mut state, User::Nobody);
            None
        };
        drop(state);
        // Outside the lock: the frontend may own anything, the back end is part of a multiplexer.
        drop((user, old));
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.lock().user, User::Frontend(..) | User::Port(_))
    }

    /// Closes everything, for good.
    pub(super) fn remove(&self) -> Result<(), Error> {
        let mut state = self.lock();
        if matches!(state.user, User::Frontend(..) | User::Port(_)) {
            return Err(Error::Busy(self.label.clone()));
        }
        self.change_user(&mut state, User::Removed);
        let old = std::mem::replace(&mut state.backend, Box::new(Null));
        let log = state.log.take();
        drop(state);
        drop((old, log));
        Ok(())
    }

    /// Puts another back end under the same user.
    pub(super) fn replace(&self, backend: Box<dyn Backend>, log: Option<Log>) -> Result<(), Error> {
        let mut state = self.lock();
        match state.user {
            User::Port(_) => return Err(Error::NoChange),
            User::Removed => return Err(Error::InUse(self.label.clone())),
            User::Nobody | User::Frontend(..) => {}
        }
        let old = std::mem::replace(&mut state.backend, backend);
        let log = std::mem::replace(&mut state.log, log);
        let open = state.frontend_open;
        state.backend.set_frontend_open(open);
        state.input = matches!(state.user, User::Frontend(..));
        self.start_epoch(&mut state);
        self.announce(&mut state, Announce::Afresh);
        drop(state);
        drop((old, log));
        Ok(())
    }

    /// Checks what [`Line::replace`] will check, before anything is opened.
    pub(super) fn may_replace(&self) -> Result<(), Error> {
        match self.lock().user {
            User::Port(_) => Err(Error::NoChange),
            _ => Ok(()),
        }
    }

    /// Runs `change` on the back end, which may open or close the connection.
    pub(super) fn with_backend<R>(&self, change: impl FnOnce(&mut dyn Backend) -> R) -> R {
        let mut state = self.lock();
        let before = state.backend.is_open();
        let result = change(&mut *state.backend);
        if state.backend.is_open() != before {
            state.refresh(true);
            self.announce(&mut state, Announce::Current);
            if let User::Port(changed) = &state.user {
                // The counter cannot overflow: the owner resets it.
                let _ = changed.write(1);
            }
        }
        result
    }

    pub(super) fn filename(&self) -> String {
        self.lock().backend.filename()
    }

    pub(super) fn frontend_open(&self) -> bool {
        self.lock().frontend_open
    }

    pub(super) fn set_frontend_open(&self, open: bool) {
        let mut state = self.lock();
        state.frontend_open = open;
        state.backend.set_frontend_open(open);
    }

    /// Tells the user of a break.
    pub(super) fn send_break(&self) {
        let state = self.lock();
        if let User::Frontend(_, on) = &state.user {
            let (line, epoch) = (self.me.clone(), state.epoch);
            on.post(move || {
                if let Some(line) = line.upgrade() {
                    line.tell(epoch, Notice::Event(CharEvent::Break));
                }
            });
        }
    }

    /// Output of a frontend; returns how much was taken.
    pub(super) fn write(&self, data: &[u8]) -> usize {
        let mut state = self.lock();
        let taken = match state.write(data) {
            Ok(taken) => taken,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
            Err(e) => {
                log::debug!("{}: output lost: {e}", self.label);
                data.len()
            }
        };
        if taken < data.len() && !state.output {
            state.output = true;
            state.refresh(false);
        }
        taken
    }

    pub(super) fn accept_input(&self) {
        let mut state = self.lock();
        state.accepted += 1;
        if !state.input {
            state.input = true;
            state.refresh(false);
        }
    }
}
