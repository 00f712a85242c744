//! The one ordered way up to the `qmp` thread: replies, events and requests about monitors.

use crate::events::Event;
use crate::server::Monitor;
use crate::service::SessionId;
use qapi::{Dict, Error, Value};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// One thing for the `qmp` thread to do.
#[derive(Debug)]
pub(crate) enum Up {
    /// The answer to a command.
    Reply(Answer),
    /// The answer to a line of the human monitor.
    Text(SessionId, String),
    Event(Event),
    Add(Monitor),
    /// Removes the monitors of that name.
    Remove(String),
    /// Flushes what is queued, at the latest until then, and ends.
    Shutdown(Instant),
}

/// The answer to a command of a session that may have ended meanwhile.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) session: SessionId,
    /// The command ran out of band.
    pub(crate) oob: bool,
    pub(crate) id: Option<Value>,
    pub(crate) result: Result<Value, Error>,
}

#[derive(Debug, Default)]
struct Queue {
    items: Vec<Up>,
    closed: bool,
}

/// The channel. Taken in batches; a descriptor wakes the taker when the first item of a batch comes from elsewhere.
#[derive(Debug)]
pub(crate) struct Channel {
    queue: Mutex<Queue>,
    wake: EventFd,
    /// The thread that takes. It looks again before it sleeps, so its own items wake nobody.
    home: OnceLock<ThreadId>,
}

impl Channel {
    pub(crate) fn new() -> io::Result<Channel> {
        Ok(Channel {
            queue: Mutex::default(),
            wake: EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK)?,
            home: OnceLock::new(),
        })
    }

    /// Puts an item at the end; dropped if the server has ended.
    pub(crate) fn push(&self, item: Up) {
        let mut queue = self.lock();
        if queue.closed {
            drop(queue);
            // Not under the lock: a transport's drop may come back here.
            drop(item);
            return;
        }
        let first = queue.items.is_empty();
        queue.items.push(item);
        drop(queue);
        if first && self.home.get() != Some(&thread::current().id()) {
            // A full counter is as good as a write: the taker is awake.
            let _ = self.wake.write(1);
        }
    }

    /// Swaps everything queued into the empty `batch`.
    pub(crate) fn take(&self, batch: &mut Vec<Up>) {
        std::mem::swap(&mut self.lock().items, batch);
    }

    /// The calling thread is the one that takes.
    pub(crate) fn settle_here(&self) {
        let _ = self.home.set(thread::current().id());
    }

    /// Drops what is queued and everything pushed from now on.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        let dropped = std::mem::take(&mut queue.items);
        drop(queue);
        drop(dropped);
    }

    /// To be polled edge triggered: its counter is never read.
    pub(crate) fn wake_fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Pushing and swapping leave the queue whole even if they panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where events are sent from any thread; clones share the server.
#[derive(Clone, Debug)]
pub struct EventSink(Arc<Channel>);

impl EventSink {
    pub(crate) fn new(channel: Arc<Channel>) -> EventSink {
        EventSink(channel)
    }

    /// Sends an event with the present time to every negotiated client, after all replies and events given before by
    /// this thread. Events of some names are rate limited: the last one is delayed, never lost.
    pub fn emit(&self, name: &str, data: Option<Dict>) {
        self.0.push(Up::Event(Event::now(name, data)));
    }
}
