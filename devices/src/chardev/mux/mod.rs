//! The multiplexer: up to four users share one character device.
//!
//! Input goes to the user that has the focus; output of all users is merged. Ctrl-A starts a menu
//! (`C-a h` shows it). A multiplexer is the frontend of the character device below it, and each of
//! its users has a [`MuxPort`] as back end: input passes through a queue and an eventfd, so users may
//! be driven by any loop.
//!
//! Locks: a port's line, then the multiplexer, then the line below. The lower line calls the
//! multiplexer without holding its own lock.

mod menu;
mod port;

use crate::lock::{Mutex, MutexGuard, Rank};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use self::menu::{Menu, Stamps, Typed};
use self::port::MuxPort;
use super::backend::{CharEvent, Frontend, Notice};
use super::device::{Attachment, Chardev};
use super::error::Error;
use super::line::Line;
use super::log_file::Log;
use super::open::Context;
use crate::event_loop::LoopHandle;

/// Users of one multiplexer.
const PORTS: usize = 4;
/// Input bytes that wait for a user who has no room. While they are that many, nothing more is read,
/// not even Ctrl-A.
const QUEUE: usize = 4096;
/// Bytes of our own (menu texts, time stamps) that wait for room below; more are dropped.
const PENDING: usize = 4096;

/// What the menu of a multiplexer asks the program for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuxRequest {
    /// `C-a x`: end the program.
    Quit,
    /// `C-a s`: write temporary snapshots back to their disk images.
    Commit,
}

pub(super) struct Mux {
    label: String,
    home: LoopHandle,
    me: Weak<Mux>,
    on_request: Arc<dyn Fn(MuxRequest) + Send + Sync>,
    /// The hold on the character device below; `None` only before it exists and after removal. Taken
    /// after `state`.
    base: Mutex<Option<Attachment>>,
    state: Mutex<State>,
}

struct State {
    users: [Option<User>; PORTS],
    focus: Option<usize>,
    menu: Menu,
    stamps: Stamps,
    /// Our own bytes that go out before anything else.
    pending: Vec<u8>,
    log: Option<Log>,
    removed: bool,
}

/// One user's side of its port.
struct User {
    queue: VecDeque<u8>,
    /// Readable while the queue holds bytes.
    data: Arc<EventFd>,
    notices: Vec<Notice>,
    /// Readable while there are notices.
    news: Arc<EventFd>,
    /// It has output that did not fit.
    waiting: bool,
    frontend_open: bool,
}

impl User {
    fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
        // The counter cannot overflow: it is reset with every look.
        let _ = self.news.write(1);
    }
}

impl Mux {
    pub(super) fn new(
        label: &str,
        base: &Arc<Chardev>,
        log: Option<Log>,
        context: &Context,
    ) -> Result<Arc<Mux>, Error> {
        let mux = Arc::new_cyclic(|me| Mux {
            label: label.to_string(),
            home: context.event_loop.clone(),
            me: me.clone(),
            on_request: context.on_mux.clone(),
            base: Mutex::new(Rank::Character, None),
            state: Mutex::new(
                Rank::Character,
                State {
                    users: Default::default(),
                    focus: None,
                    menu: Menu::default(),
                    stamps: Stamps::default(),
                    pending: Vec::new(),
                    log,
                    removed: false,
                },
            ),
        });
        let below = base.attach(Arc::new(Above(mux.me.clone())), &context.event_loop)?;
        below.set_open(false);
        *mux.base() = Some(below);
        Ok(mux)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn base(&self) -> MutexGuard<'_, Option<Attachment>> {
        self.base.lock()
    }

    /// Bytes for the character device below; returns how many it took.
    fn write_below(&self, data: &[u8]) -> usize {
        match &*self.base() {
            Some(base) => base.write(data),
            None => 0,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.base().as_ref().is_some_and(Attachment::is_open)
    }

    pub(super) fn frontend_open(&self) -> bool {
        self.lock().frontend_open()
    }

    pub(super) fn is_busy(&self) -> bool {
        self.lock().users.iter().any(Option::is_some)
    }

    pub(super) fn remove(&self) -> Result<(), Error> {
        let mut state = self.lock();
        if state.users.iter().any(Option::is_some) {
            return Err(Error::Busy(self.label.clone()));
        }
        state.removed = true;
        drop(state);
        let below = self.base().take();
        drop(below);
        Ok(())
    }

    /// A line for one more user, who gets the focus.
    pub(super) fn new_port(&self) -> Result<Arc<Line>, Error> {
        let in_use = || Error::InUse(self.label.clone());
        let me = self.me.upgrade().ok_or_else(in_use)?;
        let mut state = self.lock();
        let free = state.users.iter().position(Option::is_none);
        let index = match free {
            Some(index) if !state.removed => index,
            _ => return Err(in_use()),
        };
        let flags = EFD_NONBLOCK | EFD_CLOEXEC;
        let failed = |e| Error::io(format!("Cannot use chardev '{}'", self.label), e);
        let data = Arc::new(EventFd::new(flags).map_err(failed)?);
        let news = Arc::new(EventFd::new(flags).map_err(failed)?);
        state.users[index] = Some(User {
            queue: VecDeque::new(),
            data: data.clone(),
            notices: Vec::new(),
            news: news.clone(),
            waiting: false,
            frontend_open: false,
        });
        state.set_focus(Some(index));
        drop(state);
        let port = MuxPort::new(me, index, data, news);
        self.resume_below();
        Ok(Line::new(&self.label, Box::new(port), None, &self.home, true))
    }

    /// A user has gone.
    fn release(&self, index: usize) {
        let mut state = self.lock();
        state.users[index] = None;
        if state.focus == Some(index) {
            state.focus = None;
            let next = state.next_user(index);
            state.set_focus(next);
        }
        drop(state);
        self.update_open();
        self.resume_below();
    }

    /// Ends the connection of the character device below.
    fn disconnect_below(&self) {
        if let Some(base) = &*self.base() {
            base.disconnect();
        }
    }

    /// There may be room for input again.
    fn resume_below(&self) {
        if let Some(base) = &*self.base() {
            base.accept_input();
        }
    }

    /// The character device below counts as used when any user is ready to talk.
    fn update_open(&self) {
        let open = self.lock().frontend_open();
        if let Some(base) = &*self.base() {
            base.set_open(open);
        }
    }

    pub(super) fn send_break(&self) {
        self.lock().tell_focus(Notice::Event(CharEvent::Break));
    }

    /// Input from below.
    fn receive(&self, data: &[u8]) {
        let mut requests = Vec::new();
        let mut state = self.lock();
        for &byte in data {
            match state.menu.typed(byte) {
                Typed::Nothing => {}
                Typed::Input(byte) => state.queue_input(byte),
                Typed::Help => self.say(&mut state, menu::HELP),
                Typed::Break => state.tell_focus(Notice::Event(CharEvent::Break)),
                Typed::NextUser => {
                    let next = state.focus.and_then(|focus| state.next_user(focus));
                    state.set_focus(next);
                }
                Typed::Stamps => state.stamps.toggle(),
                Typed::Quit => {
                    self.say(&mut state, menu::GOODBYE);
                    requests.push(MuxRequest::Quit);
                }
                Typed::Commit => requests.push(MuxRequest::Commit),
            }
        }
        state.signal_input();
        drop(state);
        for request in requests {
            (self.on_request)(request);
        }
    }

    /// Output of our own.
    fn say(&self, state: &mut State, text: &str) {
        for line in text.split_inclusive('\n') {
            if state.stamps.due() {
                let stamp = state.stamps.stamp();
                state.add_pending(stamp.as_bytes());
            }
            state.add_pending(line.as_bytes());
            state.stamps.wrote(line.as_bytes());
        }
        self.flush(state);
    }

    /// Sends what is pending; false when some of it remains.
    fn flush(&self, state: &mut State) -> bool {
        if !state.pending.is_empty() {
            let taken = self.write_below(&state.pending);
            state.pending.drain(..taken);
        }
        state.pending.is_empty()
    }

    /// Output of the user `index`; returns how much was taken.
    fn write(&self, index: usize, data: &[u8]) -> usize {
        let mut state = self.lock();
        let mut taken = 0;
        while taken < data.len() {
            if !self.flush(&mut state) {
                break;
            }
            if state.stamps.due() {
                let stamp = state.stamps.stamp();
                state.add_pending(stamp.as_bytes());
                state.stamps.wrote(stamp.as_bytes());
                continue;
            }
            let rest = &data[taken..];
            let chunk = state.stamps.until_due(rest);
            let count = self.write_below(chunk);
            state.stamps.wrote(&chunk[..count]);
            taken += count;
            if count < chunk.len() {
                break;
            }
        }
        if let Some(log) = &mut state.log {
            log.write(&data[..taken]);
        }
        if taken < data.len()
            && let Some(user) = &mut state.users[index]
        {
            user.waiting = true;
        }
        taken
    }

    /// There is room below.
    fn writable(&self) {
        let mut state = self.lock();
        if self.flush(&mut state) {
            for user in state.users.iter_mut().flatten() {
                if std::mem::take(&mut user.waiting) {
                    user.tell(Notice::Writable);
                }
            }
        }
    }
}

impl State {
    fn frontend_open(&self) -> bool {
        self.users.iter().flatten().any(|user| user.frontend_open)
    }

    /// The first user after `index`, around the end; possibly `index` itself.
    fn next_user(&self, index: usize) -> Option<usize> {
        (1..=PORTS)
            .map(|step| (index + step) % PORTS)
            .find(|&candidate| self.users[candidate].is_some())
    }

    fn set_focus(&mut self, focus: Option<usize>) {
        if self.focus == focus {
            return;
        }
        self.tell_focus(Notice::Event(CharEvent::MuxOut));
        self.focus = focus;
        self.tell_focus(Notice::Event(CharEvent::MuxIn));
    }

    fn focused(&mut self) -> Option<&mut User> {
        self.users[self.focus?].as_mut()
    }

    fn tell_focus(&mut self, notice: Notice) {
        if let Some(user) = self.focused() {
            user.tell(notice);
        }
    }

    /// Room for input. While the focus can move within one batch, a full queue of any user counts.
    fn room(&self) -> usize {
        match self.users.iter().flatten().map(|user| user.queue.len()).max() {
            None => 0,
            Some(used) => QUEUE.saturating_sub(used),
        }
    }

    fn queue_input(&mut self, byte: u8) {
        if let Some(user) = self.focused() {
            user.queue.push_back(byte);
        }
    }

    /// Wakes the users that have input.
    fn signal_input(&self) {
        for user in self.users.iter().flatten() {
            if !user.queue.is_empty() {
                // The counter cannot overflow: it is reset when the queue is empty.
                let _ = user.data.write(1);
            }
        }
    }

    fn add_pending(&mut self, text: &[u8]) {
        if self.pending.len() + text.len() <= PENDING {
            self.pending.extend_from_slice(text);
        }
    }
}

/// The multiplexer as frontend of the character device below, without owning it.
struct Above(Weak<Mux>);

impl Frontend for Above {
    fn can_receive(&self) -> usize {
        self.0.upgrade().map_or(0, |mux| mux.lock().room())
    }

    fn receive(&self, data: &[u8]) {
        if let Some(mux) = self.0.upgrade() {
            mux.receive(data);
        }
    }

    fn event(&self, event: CharEvent) {
        let Some(mux) = self.0.upgrade() else { return };
        let mut state = mux.lock();
        match event {
            CharEvent::Opened | CharEvent::Closed => {
                for user in state.users.iter_mut().flatten() {
                    user.tell(Notice::Event(event));
                }
            }
            CharEvent::Break => state.tell_focus(Notice::Event(event)),
            // Where this multiplexer is itself the user of one, its own focus does not change.
            CharEvent::MuxIn | CharEvent::MuxOut => {}
        }
    }

    fn writable(&self) {
        if let Some(mux) = self.0.upgrade() {
            mux.writable();
        }
    }
}
