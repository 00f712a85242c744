//! An event loop: readiness of many descriptors, dispatched on one thread.
//!
//! Built on `event-manager` (epoll) with a single subscriber that maps descriptors to sources.
//! Watching is level triggered. Requests to watch, to stop watching and to run a closure may come
//! from any thread, the loop's own included; they are queued under one short lock and applied after
//! the events of the current round are dispatched, so a source never sees the loop change under it.
//!
//! Epoll forgets a descriptor when it is closed, and `event-manager` does not notice. Whenever the
//! kernel's answer disagrees with what we think is registered, the epoll instance is built anew from
//! the wanted state. That also covers a descriptor number that was closed and opened again, and a
//! closed one whose file lives on in another process.

use crate::lock::{Mutex, Rank};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use event_manager::{
    EventManager, EventOps, Events, MutEventSubscriber, SubscriberId, SubscriberOps,
};
pub use vmm_sys_util::epoll::EventSet;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// Token of the loop's own wake-up descriptor; watches count from 1.
const WAKE: u32 = 0;

/// Something that owns descriptors and wants to hear about them.
pub trait Source: Send + Sync {
    /// `events` happened on `fd`. Called on the loop's thread. It may be spurious (the descriptor was
    /// drained, or its number used again, since the kernel reported it), so descriptors should be
    /// non-blocking.
    fn ready(&self, fd: RawFd, events: EventSet);
}

type Job = Box<dyn FnOnce() + Send>;

/// What one [`Watch`] wants, shared with the loop.
struct Slot {
    token: u32,
    source: Arc<dyn Source>,
    alive: AtomicBool,
    wanted: Mutex<Wanted>,
}

#[derive(Default)]
struct Wanted {
    interest: Vec<(RawFd, EventSet)>,
    /// The slot is in the queue already.
    queued: bool,
    /// Descriptors may have been closed and reopened under the same numbers: register again.
    renew: bool,
}

/// Requests on their way to the loop.
struct Queue {
    slots: Vec<Arc<Slot>>,
    jobs: Vec<Job>,
    stop: bool,
    /// The loop will look at the queue before it sleeps, so it need not be woken.
    awake: bool,
    /// The loop is gone; nothing more is taken.
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: EventFd,
    next_token: AtomicU32,
}

impl Shared {
    /// Runs `change` on the queue and wakes the loop when it sleeps.
    fn request(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = self.queue.lock();
        if queue.closed {
            return;
        }
        change(&mut queue);
        if !std::mem::replace(&mut queue.awake, true) {
            // The counter cannot overflow: it is written once per sleep.
            let _ = self.wake.write(1);
        }
    }
}

/// The way other threads, and the sources themselves, speak to a loop. Cheap to clone.
#[derive(Clone)]
pub struct LoopHandle {
    shared: Arc<Shared>,
}

impl LoopHandle {
    /// Registers `source`, with nothing watched yet.
    pub fn watch(&self, source: Arc<dyn Source>) -> Watch {
        let mut token = self.shared.next_token.fetch_add(1, Ordering::Relaxed);
        while token == WAKE {
            token = self.shared.next_token.fetch_add(1, Ordering::Relaxed);
        }
        Watch {
            slot: Arc::new(Slot {
                token,
                source,
                alive: AtomicBool::new(true),
                wanted: Mutex::new(Rank::Watch, Default::default()),
            }),
            handle: self.clone(),
        }
    }

    /// Runs `job` on the loop's thread, soon and in order. It is dropped unrun when the loop is gone.
    pub fn post(&self, job: impl FnOnce() + Send + 'static) {
        self.shared.request(|queue| queue.jobs.push(Box::new(job)));
    }

    /// Makes [`EventLoop::run`] return after the current round.
    pub fn stop(&self) {
        self.shared.request(|queue| queue.stop = true);
    }
}

/// A registered source. Dropping it ends the watch: [`Source::ready`] is not called afterwards,
/// unless it is running at that moment on the loop's thread.
pub struct Watch {
    slot: Arc<Slot>,
    handle: LoopHandle,
}

impl Watch {
    /// Replaces what is watched. An empty event set still reports errors and hang-ups, a descriptor
    /// left out reports nothing. Does nothing when `interest` equals what was asked for before: after
    /// closing a descriptor whose number may be in use again, call [`Watch::renew`] instead.
    pub fn set(&self, interest: &[(RawFd, EventSet)]) {
        self.ask(interest, false);
    }

    /// As [`Watch::set`], and registers every descriptor again even where number and events are
    /// unchanged.
    pub fn renew(&self, interest: &[(RawFd, EventSet)]) {
        self.ask(interest, true);
    }

    fn ask(&self, interest: &[(RawFd, EventSet)], renew: bool) {
        let mut wanted = self.slot.wanted.lock();
        if wanted.interest == interest && !renew {
            return;
        }
        wanted.interest.clear();
        wanted.interest.extend_from_slice(interest);
        wanted.renew |= renew;
        let queued = std::mem::replace(&mut wanted.queued, true);
        drop(wanted);
        if !queued {
            let slot = self.slot.clone();
            self.handle.shared.request(|queue| queue.slots.push(slot));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.slot.alive.store(false, Ordering::Release);
        self.ask(&[], false);
    }
}

/// Who gets the events of which descriptor. Only the loop's thread touches it; the lock is what lets
/// the loop and its subscriber share it.
type Table = Arc<Mutex<HashMap<RawFd, Registered>>>;

struct Registered {
    slot: Arc<Slot>,
    events: EventSet,
}

/// The one subscriber.
struct Dispatcher {
    shared: Arc<Shared>,
    table: Table,
}

impl MutEventSubscriber for Dispatcher {
    fn process(&mut self, events: Events, _ops: &mut EventOps) {
        // From here the queue is looked at again before the loop sleeps.
        self.shared.queue.lock().awake = true;
        if events.data() == WAKE {
            // The descriptor is non-blocking; an empty counter only means a spurious wake-up.
            let _ = self.shared.wake.read();
            return;
        }
        let slot = match self.table.lock().get(&events.fd()) {
            Some(entry) if entry.slot.token == events.data() => entry.slot.clone(),
            _ => return,
        };
        if slot.alive.load(Ordering::Acquire) {
            slot.source.ready(events.fd(), events.event_set());
        }
    }

    fn init(&mut self, ops: &mut EventOps) {
        let wake = self.shared.wake.as_raw_fd();
        if let Err(e) = ops.add(Events::with_data_raw(wake, WAKE, EventSet::IN)) {
            log::error!("event loop: cannot watch the wake-up descriptor: {e}");
        }
        // Only a rebuild finds entries here. Descriptors closed meanwhile are forgotten.
        self.table.lock().retain(|&fd, entry| {
            ops.add(Events::with_data_raw(fd, entry.slot.token, entry.events)).is_ok()
        });
    }
}

/// One event loop; see the module's documentation.
pub struct EventLoop {
    manager: EventManager<Dispatcher>,
    subscriber: SubscriberId,
    shared: Arc<Shared>,
    table: Table,
    stopped: bool,
}

impl EventLoop {
    /// A loop that watches nothing.
    ///
    /// # Errors
    /// When the host refuses an epoll or eventfd descriptor.
    pub fn new() -> io::Result<EventLoop> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(
                Rank::Loop,
                Queue {
                    slots: Vec::new(),
                    jobs: Vec::new(),
                    stop: false,
                    awake: true,
                    closed: false,
                },
            ),
            wake: EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?,
            next_token: AtomicU32::new(WAKE + 1),
        });
        let table = Table::new(Mutex::new(Rank::Loop, HashMap::new()));
        let (manager, subscriber) = build(&shared, &table)?;
        Ok(EventLoop { manager, subscriber, shared, table, stopped: false })
    }

    /// A handle for other threads and for sources.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle { shared: self.shared.clone() }
    }

    /// Dispatches until [`LoopHandle::stop`].
    ///
    /// # Errors
    /// When epoll itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        while !std::mem::take(&mut self.stopped) {
            self.run_once(-1)?;
        }
        Ok(())
    }

    /// Applies pending requests, waits at most `timeout_ms` milliseconds (-1: for ever) for events,
    /// dispatches them, and applies the requests they made. Returns false once
    /// [`LoopHandle::stop`] was called.
    ///
    /// # Errors
    /// When epoll itself fails.
    pub fn run_once(&mut self, timeout_ms: i32) -> io::Result<bool> {
        self.apply()?;
        let sleep = {
            let mut queue = self.shared.queue.lock();
            queue.awake =
                !queue.slots.is_empty() || !queue.jobs.is_empty() || queue.stop || self.stopped;
            !queue.awake
        };
        self.manager.run_with_timeout(if sleep { timeout_ms } else { 0 }).map_err(epoll_error)?;
        self.shared.queue.lock().awake = true;
        self.apply()?;
        Ok(!self.stopped)
    }

    /// Starts a loop on a thread of its own called `name`.
    ///
    /// # Errors
    /// When the host refuses descriptors or the thread.
    pub fn spawn(name: &str) -> io::Result<LoopThread> {
        let mut event_loop = EventLoop::new()?;
        let handle = event_loop.handle();
        let thread = std::thread::Builder::new().name(name.to_string()).spawn(move || {
            if let Err(e) = event_loop.run() {
                log::error!("event loop failed: {e}");
            }
        })?;
        Ok(LoopThread { handle, thread: Some(thread) })
    }

    /// Carries out what was queued: first the watches, then the closures.
    fn apply(&mut self) -> io::Result<()> {
        let (slots, jobs) = {
            let mut queue = self.shared.queue.lock();
            self.stopped |= std::mem::take(&mut queue.stop);
            (std::mem::take(&mut queue.slots), std::mem::take(&mut queue.jobs))
        };
        if !slots.is_empty() {
            self.apply_watches(&slots)?;
        }
        // A source may be dropped here, and with it another watch: that is queued like any other.
        drop(slots);
        for job in jobs {
            job();
        }
        Ok(())
    }

    fn apply_watches(&mut self, slots: &[Arc<Slot>]) -> io::Result<()> {
        let mut wanted = Vec::with_capacity(slots.len());
        for slot in slots {
            let mut state = slot.wanted.lock();
            state.queued = false;
            let renew = std::mem::take(&mut state.renew);
            wanted.push((slot.clone(), state.interest.clone(), renew));
        }
        let mut table = self.table.lock();
        let mut ops = self.manager.event_ops(self.subscriber).map_err(epoll_error)?;
        let mut agreed = true;
        // All removals come first: a number that one source gave up may be another's now.
        for (slot, interest, renew) in &wanted {
            let token = slot.token;
            table.retain(|fd, entry| {
                let keep = entry.slot.token != token
                    || (!renew && interest.iter().any(|(wanted, _)| wanted == fd));
                if !keep {
                    agreed &= ops.remove(Events::empty_raw(*fd)).is_ok();
                }
                keep
            });
        }
        for (slot, interest, _) in &wanted {
            for &(fd, events) in interest {
                let request = Events::with_data_raw(fd, slot.token, events);
                let slot = slot.clone();
                let placed = match table.insert(fd, Registered { slot, events }) {
                    Some(_) => ops.modify(request),
                    None => ops.add(request),
                };
                agreed &= placed.is_ok();
            }
        }
        drop(table);
        if !agreed {
            // See the module's documentation. Rare: a descriptor was closed while being watched.
            (self.manager, self.subscriber) = build(&self.shared, &self.table)?;
        }
        Ok(())
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.closed = true;
        let (slots, jobs) = (std::mem::take(&mut queue.slots), std::mem::take(&mut queue.jobs));
        drop(queue);
        // Outside the lock: what they own may speak to this loop.
        drop((slots, jobs));
        let table = std::mem::take(&mut *self.table.lock());
        drop(table);
    }
}

/// A fresh epoll instance with everything in `table` registered.
fn build(
    shared: &Arc<Shared>,
    table: &Table,
) -> io::Result<(EventManager<Dispatcher>, SubscriberId)> {
    let mut manager = EventManager::new().map_err(epoll_error)?;
    let subscriber =
        manager.add_subscriber(Dispatcher { shared: shared.clone(), table: table.clone() });
    Ok((manager, subscriber))
}

/// A loop running on a thread of its own; dropping it stops the loop and waits for the thread.
pub struct LoopThread {
    handle: LoopHandle,
    thread: Option<JoinHandle<()>>,
}

impl LoopThread {
    /// The way to speak to the loop.
    pub fn handle(&self) -> LoopHandle {
        self.handle.clone()
    }
}

impl Drop for LoopThread {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic on the loop has been reported by its thread already.
            let _ = thread.join();
        }
    }
}

fn epoll_error(e: event_manager::Error) -> io::Error {
    match e {
        event_manager::Error::Epoll(errno) => io::Error::from(errno),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
