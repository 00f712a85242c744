//! Starting and speaking to the server thread.

use crate::channel::{Channel, EventSink, Up};
use crate::connection::Context;
use crate::event_loop::EventLoop;
use crate::service::Service;
use crate::transport::Transport;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a monitor's clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// QMP.
    Control {
        /// Indented over several lines.
        pretty: bool,
    },
    /// Lines for people.
    Human,
}

/// A monitor to be served.
pub struct Monitor {
    /// What it speaks.
    pub mode: Mode,
    /// Its byte channel.
    pub transport: Box<dyn Transport>,
    /// By which it is removed, and named in the log.
    pub name: String,
    /// It begins [hidden](crate::Signal::Hidden); only monitors for people can be.
    pub hidden: bool,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Monitor { mode, name, .. } = self;
        f.debug_struct("Monitor").field("mode", mode).field("name", name).finish_non_exhaustive()
    }
}

/// How much a client may leave unread, and how long things may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From this backlog on a client's commands are no longer read, in bytes.
    pub pause: usize,
    /// Above this backlog a client is sent away, in bytes. It counts what is left after writing what fits.
    pub close: usize,
    /// The least time between two rate-limited events of one kind.
    pub event_interval: Duration,
    /// How long a client that shut down its sending side may wait for the answers to what it sent.
    pub linger: Duration,
}

impl Default for Limits {
    /// 1 MiB, 64 MiB, one second, one second.
    fn default() -> Limits {
        Limits {
            pause: 1 << 20,
            close: 64 << 20,
            event_interval: Duration::from_secs(1),
            linger: Duration::from_secs(1),
        }
    }
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Starts the thread `qmp`, without any monitor.
    ///
    /// # Errors
    /// If the system has no thread or descriptors left.
    pub fn spawn(service: Arc<dyn Service>) -> io::Result<ServerHandle> {
        Server::spawn_with(service, Limits::default())
    }

    /// As [`Server::spawn`], with other limits.
    ///
    /// # Errors
    /// If the system has no thread or descriptors left.
    pub fn spawn_with(service: Arc<dyn Service>, limits: Limits) -> io::Result<ServerHandle> {
        let channel = Arc::new(Channel::new()?);
        let ctx = Context { service, channel: Arc::clone(&channel), limits };
        let event_loop = EventLoop::new(ctx)?;
        let thread = thread::Builder::new().name("qmp".into()).spawn(|| event_loop.run())?;
        Ok(ServerHandle { channel, thread: Arc::new(Mutex::new(Some(thread))) })
    }
}

/// The way to a running server; clones share it. None of its methods waits, except [`ServerHandle::shutdown`].
#[derive(Clone, Debug)]
pub struct ServerHandle {
    channel: Arc<Channel>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl ServerHandle {
    /// Serves a monitor from now on; a connection that its transport already has is greeted.
    pub fn add_monitor(&self, monitor: Monitor) {
        self.channel.push(Up::Add(monitor));
    }

    /// Ends the service of the monitors of that name, and drops their transports. Nothing happens if there is none.
    pub fn remove_monitor(&self, name: &str) {
        self.channel.push(Up::Remove(name.to_owned()));
    }

    /// Where events are sent.
    pub fn events(&self) -> EventSink {
        EventSink::new(Arc::clone(&self.channel))
    }

    /// Writes what is queued (all replies and events given before, rate-limited ones included), waiting for slow
    /// clients no longer than `deadline`, closes every connection and waits for the thread to end. Later calls, and
    /// everything sent later, do nothing.
    ///
    /// Never to be called on the `qmp` thread.
    pub fn shutdown(&self, deadline: Duration) {
        self.channel.push(Up::Shutdown(Instant::now() + deadline));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the qmp thread panicked");
        }
    }
}
