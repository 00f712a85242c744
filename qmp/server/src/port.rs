//! One monitor: its transport, the client it serves, and what is polled for it.

use crate::connection::{Connection, Context};
use crate::server::{Mode, Monitor};
use crate::service::SessionId;
use crate::transport::{Signal, Transport};
use std::io;
use std::os::fd::RawFd;
use std::time::Instant;
use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};

/// A monitor in the server.
pub(crate) struct Port {
    pub(crate) name: String,
    /// Marks its descriptors in the poll set.
    pub(crate) token: u32,
    mode: Mode,
    transport: Box<dyn Transport>,
    pub(crate) connection: Option<Connection>,
    polled: Vec<(RawFd, EventSet)>,
    /// Those of them that epoll refuses because they never block.
    pub(crate) always: Vec<(RawFd, EventSet)>,
    /// The connection changed, so the polled numbers may name other files now.
    replaced: bool,
    /// Nothing is written for now: others are shown on the transport.
    hidden: bool,
    /// Something happened since the last [`Port::settle`].
    pub(crate) touched: bool,
}

impl Port {
    pub(crate) fn new(token: u32, monitor: Monitor) -> Port {
        Port {
            name: monitor.name,
            token,
            mode: monitor.mode,
            transport: monitor.transport,
            connection: None,
            polled: Vec::new(),
            always: Vec::new(),
            replaced: true,
            hidden: monitor.hidden,
            touched: true,
        }
    }

    /// The transport shows this monitor: its prompt follows, or all that had to wait.
    pub(crate) fn show(&mut self) {
        self.hidden = false;
        self.touched = true;
        if let Some(connection) = &mut self.connection {
            connection.shown();
        }
    }

    /// The transport shows somebody else, whose output must not be mixed with ours: what there is to
    /// say waits.
    pub(crate) fn hide(&mut self) {
        self.hidden = self.mode == Mode::Human;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.transport.is_open()
    }

    pub(crate) fn open(&mut self, id: SessionId, ctx: &Context) {
        self.close(ctx);
        ctx.service.opened(id);
        self.connection = Some(Connection::new(id, self.mode, ctx));
        self.replaced = true;
        self.touched = true;
    }

    /// The client is gone.
    pub(crate) fn close(&mut self, ctx: &Context) {
        if let Some(connection) = self.connection.take() {
            ctx.service.closed(connection.id);
        }
        self.replaced = true;
        self.touched = true;
    }

    /// Sends the client away.
    fn hang_up(&mut self, ctx: &Context) {
        self.transport.disconnect();
        self.close(ctx);
    }

    /// A descriptor is ready: reads, then lets the transport look. Returns its signals.
    pub(crate) fn ready(
        &mut self,
        fd: RawFd,
        events: EventSet,
        buf: &mut [u8],
        ctx: &Context,
    ) -> Vec<Signal> {
        self.touched = true;
        if events.contains(EventSet::IN) {
            // What a client sent before it hung up still counts.
            let hung_up = events.intersects(EventSet::HANG_UP | EventSet::ERROR);
            while self.receive(buf, ctx) && hung_up {}
            if self.replaced {
                return Vec::new();
            }
        }
        self.transport.ready(fd, events)
    }

    /// Reads once, if that is wanted; `false` if there was nothing to read.
    fn receive(&mut self, buf: &mut [u8], ctx: &Context) -> bool {
        let Some(connection) = self.connection.as_mut() else {
            return false;
        };
        if !connection.wants_input(ctx) {
            return false;
        }
        let mut fds = Vec::new();
        match self.transport.read(buf, &mut fds) {
            Ok(0) => {
                connection.ends = Some(Instant::now() + ctx.limits.linger);
                false
            }
            Ok(len) => {
                connection.receive(&buf[..len.min(buf.len())], fds, ctx);
                true
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => false,
                _ => {
                    log::debug!("monitor {}: {error}", self.name);
                    self.hang_up(ctx);
                    false
                }
            },
        }
    }

    /// Writes what fits, and sends away who is done, broken or too slow.
    pub(crate) fn settle(&mut self, now: Instant, ctx: &Context) {
        let Some(connection) = self.connection.as_mut() else {
            return;
        };
        let hidden = self.hidden;
        let flushed =
            if hidden { Ok(()) } else { connection.output.flush(self.transport.as_mut()) };
        if let Err(error) = flushed {
            log::debug!("monitor {}: {error}", self.name);
            self.hang_up(ctx);
        } else if connection.output.backlog() > ctx.limits.close {
            let backlog = connection.output.backlog();
            log::warn!("monitor {}: closed: its client left {backlog} bytes unread", self.name);
            self.hang_up(ctx);
        } else if connection.ends.is_some_and(|ends| now >= ends || connection.is_done()) {
            self.hang_up(ctx);
        }
    }

    /// Polls what the transport wants polled now; `closing`: nothing more is read.
    ///
    /// # Errors
    /// If a descriptor that the transport names cannot be polled.
    pub(crate) fn poll(&mut self, epoll: &Epoll, closing: bool, ctx: &Context) -> io::Result<()> {
        let connection = self.connection.as_ref();
        let input = !closing && connection.is_some_and(|connection| connection.wants_input(ctx));
        let output =
            !self.hidden && connection.is_some_and(|connection| !connection.output.is_empty());
        let wanted = self.transport.interest(input, output);
        if wanted == self.polled && !self.replaced {
            return Ok(());
        }
        for &(fd, _) in &self.polled {
            if self.replaced || wanted.iter().all(|&(other, _)| other != fd) {
                // Closed descriptors have left the set by themselves.
                let _ = epoll.ctl(ControlOperation::Delete, fd, EpollEvent::default());
            }
        }
        let refused = std::mem::take(&mut self.always);
        let mut outcome = Ok(());
        for &(fd, events) in &wanted {
            let in_set = |&&(other, _): &&(RawFd, EventSet)| {
                other == fd && !self.replaced && refused.iter().all(|&(other, _)| other != fd)
            };
            let operation = match self.polled.iter().find(in_set) {
                Some(&(_, polled)) if polled == events => continue,
                Some(_) => ControlOperation::Modify,
                None => ControlOperation::Add,
            };
            let data = u64::from(self.token) << 32 | u64::from(fd as u32);
            match epoll.ctl(operation, fd, EpollEvent::new(events, data)) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    if events.intersects(EventSet::IN | EventSet::OUT) {
                        self.always.push((fd, events));
                    }
                }
                done => outcome = outcome.and(done),
            }
        }
        self.polled = wanted;
        self.replaced = false;
        outcome
    }

    /// Takes its descriptors out of the poll set, before it goes.
    pub(crate) fn leave(&mut self, epoll: &Epoll, ctx: &Context) {
        for (fd, _) in self.polled.drain(..) {
            let _ = epoll.ctl(ControlOperation::Delete, fd, EpollEvent::default());
        }
        self.hang_up(ctx);
    }
}
