//! The `socket` back end: a server that serves one client at a time, or a client that may reconnect.
//!
//! Connecting can take long (name servers, an unanswered call), so a reconnecting client does it on a
//! thread that lives as long as the attempt and hands the socket over through an eventfd.

mod address;
mod stream;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

pub use self::address::remove_socket_files;
use self::address::{Listeners, connect_to, describe, listen_on, not_a_socket};
use self::stream::Stream;
use super::backend::{Backend, CharEvent, Notice};
use super::config::{Address, Role, Socket};
use super::error::Error;
use super::open::Context;
use super::timer::Timer;
use crate::event_loop::EventSet;

pub(super) struct SocketBackend {
    config: Socket,
    source: Source,
    stream: Option<Stream>,
    /// Who the character device is, for the log.
    label: String,
}

/// Where connections come from.
enum Source {
    Listening(Server),
    Reconnecting(Box<Reconnect>),
    /// From the user at most: connected once.
    Nowhere,
}

/// Where clients come to.
struct Server {
    listeners: Listeners,
    /// When to listen again after the host had no descriptor for a client. A client that cannot be
    /// taken keeps the listener ready, and would keep the loop busy.
    timer: Timer,
    resting: bool,
}

/// How long a server rests before it tries again to take a client.
const REST: Duration = Duration::from_millis(100);

/// The attempts of a client.
struct Reconnect {
    delay: Duration,
    timer: Timer,
    attempt: Option<Attempt>,
    /// The failure was logged; the following ones are the same.
    complained: bool,
}

/// One attempt, running on its thread.
struct Attempt {
    done: Arc<EventFd>,
    result: Arc<Mutex<Option<Result<OwnedFd, Error>>>>,
}

impl SocketBackend {
    /// Listens or connects as `config` says. Blocks while it connects, and, where `context` allows
    /// it, while a server waits for its first client.
    pub(super) fn open(
        label: &str,
        config: &Socket,
        context: &Context,
    ) -> Result<SocketBackend, Error> {
        let mut given = match &config.address {
            Address::Fd(name) => Some(take_socket(name, context)?),
            _ => None,
        };
        let mut backend = SocketBackend {
            config: config.clone(),
            source: Source::Nowhere,
            stream: None,
            label: label.to_string(),
        };
        match config.role {
            Role::Server { wait } => {
                let listeners = listen_on(&config.address, given.take())?;
                let timer = Timer::new().map_err(|e| Error::io("Failed to create timer", e))?;
                backend.source = Source::Listening(Server { listeners, timer, resting: false });
                if wait && context.wait {
                    backend.wait_for_client()?;
                }
            }
            Role::Client { reconnect: None } => {
                let fd = match given.take() {
                    Some(fd) => fd,
                    None => connect_to(&config.address)?,
                };
                backend.adopt(fd)?;
            }
            Role::Client { reconnect: Some(_) } if given.is_some() => {
                return Err(Error::option("'reconnect' option is incompatible with 'fd'"));
            }
            Role::Client { reconnect: Some(delay) } => {
                let failed = |e: io::Error| Error::io("Failed to create timer", e);
                backend.source = Source::Reconnecting(Box::new(Reconnect {
                    delay,
                    timer: Timer::new().map_err(failed)?,
                    attempt: None,
                    complained: false,
                }));
                backend.call();
            }
        }
        Ok(backend)
    }

    /// Makes `fd` the connection.
    fn adopt(&mut self, fd: OwnedFd) -> Result<(), Error> {
        let server = matches!(self.source, Source::Listening(_));
        let keep_alive = matches!(&self.config.address, Address::Inet(inet) if inet.keep_alive);
        let stream = Stream::new(fd, server, self.config.nodelay, keep_alive)
            .map_err(|e| Error::io("Failed to set up the connection", e))?;
        self.stream = Some(stream);
        if let Source::Reconnecting(reconnect) = &mut self.source {
            reconnect.attempt = None;
            reconnect.complained = false;
            reconnect.timer.stop();
        }
        Ok(())
    }

    fn wait_for_client(&mut self) -> Result<(), Error> {
        log::info!("waiting for connection on: {}", self.filename());
        let failed = |e: Errno| Error::io("Failed to accept a connection", e);
        while self.stream.is_none() {
            let Source::Listening(Server { listeners, resting, .. }) = &self.source else {
                return Ok(());
            };
            if *resting {
                std::thread::sleep(REST);
            }
            let mut fds: Vec<PollFd<'_>> =
                listeners.fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(failed(e)),
            }
            drop(fds);
            self.accept();
        }
        Ok(())
    }

    /// Takes the next client that waits; whether there was one.
    fn accept(&mut self) -> bool {
        let Source::Listening(server) = &mut self.source else {
            return false;
        };
        server.rest(false);
        let mut client = None;
        for fd in &server.listeners.fds {
            match accept_with(fd, SocketFlags::CLOEXEC) {
                Ok(fd) => {
                    client = Some(fd);
                    break;
                }
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    server.resting = true;
                }
                Err(_) => {}
            }
        }
        server.rest(server.resting && client.is_none());
        let Some(fd) = client else {
            return false;
        };
        let adopted = self.adopt(fd);
        if let Err(e) = &adopted {
            log::warn!("{}: {e}", self.label);
        }
        adopted.is_ok()
    }

    /// Starts an attempt to connect.
    fn call(&mut self) {
        let address = self.config.address.clone();
        let Source::Reconnecting(reconnect) = &mut self.source else {
            return;
        };
        let started = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC).and_then(|done| {
            let done = Arc::new(done);
            let result = Arc::new(Mutex::new(None));
            let (theirs, outcome) = (done.clone(), result.clone());
            std::thread::Builder::new().name("chardev connect".to_string()).spawn(move || {
                let connected = connect_to(&address);
                *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(connected);
                // One write cannot overflow the counter.
                let _ = theirs.write(1);
            })?;
            Ok(Attempt { done, result })
        });
        match started {
            Ok(attempt) => {
                reconnect.timer.stop();
                reconnect.attempt = Some(attempt);
            }
            Err(e) => {
                log::warn!("{}: cannot start to connect: {e}", self.label);
                reconnect.timer.every(reconnect.delay);
            }
        }
    }

    /// The attempt has come to an end.
    fn called(&mut self) -> bool {
        let Source::Reconnecting(reconnect) = &mut self.source else {
            return false;
        };
        let Some(attempt) = &reconnect.attempt else {
            return false;
        };
        let outcome = attempt.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failure = match outcome {
            None => return false,
            Some(Ok(fd)) => match self.adopt(fd) {
                Ok(()) => return true,
                Err(e) => e,
            },
            Some(Err(e)) => e,
        };
        self.call_later(Some(failure));
        false
    }

    fn call_later(&mut self, failure: Option<Error>) {
        let Source::Reconnecting(reconnect) = &mut self.source else {
            return;
        };
        if let Some(e) = failure
            && !std::mem::replace(&mut reconnect.complained, true)
        {
            log::warn!("Unable to connect character device {}: {e}", self.label);
        }
        reconnect.attempt = None;
        reconnect.timer.every(reconnect.delay);
    }
}

impl Server {
    fn rest(&mut self, resting: bool) {
        self.resting = resting;
        if resting {
            self.timer.every(REST);
        } else {
            self.timer.stop();
        }
    }
}

/// The descriptor called `name`, which must be a socket.
fn take_socket(name: &str, context: &Context) -> Result<OwnedFd, Error> {
    let fd = (context.named_fd)(name)?;
    match rustix::net::sockopt::socket_type(&fd) {
        Ok(_) => Ok(fd),
        Err(_) => Err(not_a_socket(name)),
    }
}

impl Backend for SocketBackend {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        if let Some(stream) = &self.stream
            && let Some(interest) = stream.interest(input, output)
        {
            return vec![interest];
        }
        match &self.source {
            Source::Listening(server) if server.resting => {
                vec![(server.timer.fd(), EventSet::IN)]
            }
            Source::Listening(Server { listeners, .. }) => {
                listeners.fds.iter().map(|fd| (fd.as_raw_fd(), EventSet::IN)).collect()
            }
            Source::Reconnecting(reconnect) => match &reconnect.attempt {
                Some(attempt) => vec![(attempt.done.as_raw_fd(), EventSet::IN)],
                None => vec![(reconnect.timer.fd(), EventSet::IN)],
            },
            Source::Nowhere => Vec::new(),
        }
    }

    fn ready(&mut self, fd: RawFd, events: EventSet, notices: &mut Vec<Notice>) {
        if let Some(stream) = &mut self.stream {
            if fd == stream.fd() {
                if stream.ready(events) {
                    notices.push(Notice::Writable);
                }
                return;
            }
            if !stream.has_hung_up() {
                return;
            }
        }
        let opened = match &self.source {
            Source::Listening(_) => {
                // A client that has left keeps its place only until the next one comes: nobody
                // knows when there will be room for what it sent.
                let left = self.stream.is_some();
                let opened = self.accept();
                if left && opened {
                    notices.extend([Notice::Event(CharEvent::Closed), Notice::Writable]);
                }
                opened
            }
            _ if self.stream.is_some() => false,
            Source::Reconnecting(reconnect) if fd == reconnect.timer.fd() => {
                reconnect.timer.acknowledge();
                self.call();
                false
            }
            Source::Reconnecting(_) => self.called(),
            Source::Nowhere => false,
        };
        if opened {
            notices.push(Notice::Event(CharEvent::Opened));
        }
    }

    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        match &mut self.stream {
            Some(stream) => stream.read(buf, fds),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Some(stream) => stream.write(data),
            None => Ok(data.len()),
        }
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    fn filename(&self) -> String {
        match (&self.stream, &self.source) {
            (Some(stream), _) => stream.filename.clone(),
            (None, Source::Listening(server)) => {
                format!("disconnected:{}", server.listeners.text)
            }
            (None, _) => format!("disconnected:{}", describe(&self.config.address)),
        }
    }

    fn disconnect(&mut self) {
        if self.stream.take().is_some() {
            self.call_later(None);
        }
    }

    fn add_client(&mut self, client: OwnedFd) -> Result<(), Error> {
        if self.stream.is_some() {
            return Err(Error::AddClient);
        }
        self.adopt(client).map_err(|_| Error::AddClient)
    }
}
