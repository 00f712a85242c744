//! The thread `qmp`: one epoll set over all transports, and one batch of work after each wake-up.
//!
//! A wake-up reads at most once from each ready client, runs what may run, takes what came up the channel until nothing
//! more comes, and only then writes, once for each client.

use crate::channel::Up;
use crate::connection::{Context, Session};
use crate::events::{Event, Limiter};
use crate::port::Port;
use crate::server::Monitor;
use crate::service::SessionId;
use crate::transport::Signal;
use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};
use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};

/// Marks the channel's descriptor in the poll set; ports never get so far.
const WAKE: u64 = u64::MAX;
/// How much is read from a client at once, in bytes.
const READ: usize = 64 << 10;
/// How many descriptors a wake-up handles.
const READY: usize = 64;
/// How many batches are taken before clients are written to.
const ROUNDS: usize = 64;

/// Everything the thread owns.
pub(crate) struct EventLoop {
    ctx: Context,
    epoll: Epoll,
    ports: Vec<Port>,
    limiter: Limiter,
    buf: Vec<u8>,
    next_token: u32,
    next_session: u64,
    /// Shutting down, at the latest until then.
    closing: Option<Instant>,
}

impl EventLoop {
    pub(crate) fn new(ctx: Context) -> io::Result<EventLoop> {
        let epoll = Epoll::new()?;
        let wake = EpollEvent::new(EventSet::IN | EventSet::EDGE_TRIGGERED, WAKE);
        epoll.ctl(ControlOperation::Add, ctx.channel.wake_fd(), wake)?;
        Ok(EventLoop {
            limiter: Limiter::new(ctx.limits.event_interval),
            ctx,
            epoll,
            ports: Vec::new(),
            buf: vec![0; READ],
            next_token: 0,
            next_session: 1,
            closing: None,
        })
    }

    /// Serves until it is shut down.
    pub(crate) fn run(mut self) {
        self.ctx.channel.settle_here();
        let mut ready = [EpollEvent::default(); READY];
        let mut batch = Vec::new();
        let mut busy = false;
        while !self.is_over() {
            let always = self.always_ready();
            let timeout = if busy || !always.is_empty() { 0 } else { self.timeout() };
            let count = match self.epoll.wait(timeout, &mut ready) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                // Only a wrong descriptor or pointer: nothing can be served any more.
                Err(error) => panic!("polling monitors: {error}"),
            };
            for event in &ready[..count] {
                if event.data() != WAKE {
                    self.ready((event.data() >> 32) as u32, event.fd(), event.event_set());
                }
            }
            for (token, fd, events) in always {
                self.ready(token, fd, events);
            }
            let unfinished = self.work(&mut batch);
            busy = self.settle(unfinished);
        }
        for port in &mut self.ports {
            port.leave(&self.epoll, &self.ctx);
        }
        self.ctx.channel.close();
    }

    fn is_over(&self) -> bool {
        let told = |port: &Port| {
            port.connection.as_ref().is_none_or(|connection| connection.output.is_empty())
        };
        self.closing.is_some_and(|until| Instant::now() >= until || self.ports.iter().all(told))
    }

    /// Until the next deadline, in milliseconds rounded up; -1 without one.
    fn timeout(&self) -> i32 {
        let ends = self.ports.iter().filter_map(|port| port.connection.as_ref()?.ends);
        let next = ends.chain(self.limiter.next()).chain(self.closing).min();
        let Some(next) = next else {
            return -1;
        };
        let left = next.saturating_duration_since(Instant::now());
        let left = left + Duration::from_micros(999);
        i32::try_from(left.as_millis()).unwrap_or(i32::MAX)
    }

    /// The descriptors that cannot be polled because they never block, such as those of files.
    fn always_ready(&self) -> Vec<(u32, RawFd, EventSet)> {
        let always = |port: &Port| {
            port.always.iter().map(|&(fd, events)| (port.token, fd, events)).collect::<Vec<_>>()
        };
        self.ports.iter().flat_map(always).collect()
    }

    fn ready(&mut self, token: u32, fd: RawFd, events: EventSet) {
        let Some(port) = self.ports.iter_mut().find(|port| port.token == token) else {
            return;
        };
        for signal in port.ready(fd, events, &mut self.buf, &self.ctx) {
            match signal {
                Signal::Opened => {
                    port.open(SessionId::new(self.next_session), &self.ctx);
                    self.next_session += 1;
                }
                Signal::Closed => port.close(&self.ctx),
                Signal::Shown => port.show(),
                Signal::Hidden => port.hide(),
            }
        }
    }

    /// Does everything that came up the channel, and what that lets sessions do. Returns whether it stopped before
    /// nothing more came, so that clients see something of an endless stream.
    fn work(&mut self, batch: &mut Vec<Up>) -> bool {
        for event in self.limiter.due(Instant::now()) {
            self.broadcast(&event);
        }
        for _ in 0..ROUNDS {
            if self.closing.is_none() {
                self.pump();
            }
            self.ctx.channel.take(batch);
            if batch.is_empty() {
                return false;
            }
            for item in batch.drain(..) {
                self.take(item);
            }
        }
        true
    }

    fn pump(&mut self) {
        for port in self.ports.iter_mut().filter(|port| port.touched) {
            if let Some(connection) = &mut port.connection {
                connection.pump(&self.ctx);
            }
        }
    }

    fn take(&mut self, item: Up) {
        match item {
            Up::Reply(answer) => {
                if let Some(port) = self.port_of(answer.session)
                    && let Some(connection) = &mut port.connection
                    && let Session::Control(control) = &mut connection.session
                {
                    control.answer(answer, &mut connection.output);
                }
            }
            Up::Text(session, text) => {
                if let Some(port) = self.port_of(session)
                    && let Some(connection) = &mut port.connection
                    && let Session::Human(human) = &mut connection.session
                {
                    human.answer(&text, &mut connection.output);
                }
            }
            Up::Event(event) => {
                if let Some(event) = self.limiter.offer(event, Instant::now()) {
                    self.broadcast(&event);
                }
            }
            Up::Add(monitor) => self.add(monitor),
            Up::Remove(name) => {
                for mut port in self.ports.extract_if(.., |port| port.name == name) {
                    port.leave(&self.epoll, &self.ctx);
                }
            }
            Up::Shutdown(deadline) => {
                for event in self.limiter.flush() {
                    self.broadcast(&event);
                }
                self.closing = Some(deadline);
                self.ports.iter_mut().for_each(|port| port.touched = true);
            }
        }
    }

    fn port_of(&mut self, session: SessionId) -> Option<&mut Port> {
        let serves = |port: &&mut Port| {
            port.connection.as_ref().is_some_and(|connection| connection.id == session)
        };
        let port = self.ports.iter_mut().find(serves)?;
        port.touched = true;
        Some(port)
    }

    fn broadcast(&mut self, event: &Event) {
        let mut printed = [Vec::new(), Vec::new()];
        for port in &mut self.ports {
            if let Some(connection) = &mut port.connection
                && let Session::Control(control) = &connection.session
            {
                control.event(event, &mut printed, &mut connection.output);
                port.touched = true;
            }
        }
    }

    fn add(&mut self, monitor: Monitor) {
        let mut port = Port::new(self.next_token, monitor);
        self.next_token = self.next_token.wrapping_add(1);
        if port.is_open() {
            port.open(SessionId::new(self.next_session), &self.ctx);
            self.next_session += 1;
        }
        self.ports.push(port);
    }

    /// Writes, and polls what is wanted now. Returns whether a session can go on with input that it already has; each
    /// one is looked at again if the work is `unfinished`.
    fn settle(&mut self, unfinished: bool) -> bool {
        let now = Instant::now();
        let mut busy = unfinished;
        for port in &mut self.ports {
            let ends = port.connection.as_ref().and_then(|connection| connection.ends);
            if !port.touched && ends.is_none_or(|ends| now < ends) {
                continue;
            }
            port.settle(now, &self.ctx);
            if let Err(error) = port.poll(&self.epoll, self.closing.is_some(), &self.ctx) {
                log::error!("monitor {}: cannot be polled: {error}", port.name);
            }
            let connection = port.connection.as_ref();
            port.touched =
                unfinished || connection.is_some_and(|connection| connection.can_go_on(&self.ctx));
            // Nothing more is read while closing.
            busy |= port.touched && self.closing.is_none();
        }
        busy
    }
}
