//! One client's connection: its session, what it has still to be told, and what it sent that has to wait.

use crate::channel::Channel;
use crate::control::Control;
use crate::human::Human;
use crate::json::Layout;
use crate::output::Output;
use crate::server::{Limits, Mode};
use crate::service::{Service, SessionId};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

/// What every session needs.
pub(crate) struct Context {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) channel: Arc<Channel>,
    pub(crate) limits: Limits,
}

/// Whom the client talks to.
#[derive(Debug)]
pub(crate) enum Session {
    Control(Control),
    Human(Human),
}

/// A connected client.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: SessionId,
    pub(crate) session: Session,
    pub(crate) output: Output,
    /// Read from the client but not yet by the session; less than one read's worth.
    rest: Vec<u8>,
    /// The client sends nothing more. It gets the answers to what it sent, unless they take longer than this.
    pub(crate) ends: Option<Instant>,
}

impl Connection {
    /// Greets the client.
    pub(crate) fn new(id: SessionId, mode: Mode, ctx: &Context) -> Connection {
        let mut output = Output::default();
        let session = match mode {
            Mode::Control { pretty } => {
                let layout = if pretty { Layout::Pretty } else { Layout::Compact };
                Session::Control(Control::new(id, layout, ctx, &mut output))
            }
            Mode::Human => Session::Human(Human::new(id, ctx, &mut output)),
        };
        Connection { id, session, output, rest: Vec::new(), ends: None }
    }

    /// Whether more input may be read from the client.
    pub(crate) fn wants_input(&self, ctx: &Context) -> bool {
        self.has_room(ctx) && self.rest.is_empty() && self.ends.is_none()
    }

    /// Whether [`Connection::pump`] would read more of what is at hand.
    pub(crate) fn can_go_on(&self, ctx: &Context) -> bool {
        self.has_room(ctx) && !self.rest.is_empty()
    }

    fn has_room(&self, ctx: &Context) -> bool {
        let has_room = match &self.session {
            Session::Control(control) => control.has_room(),
            Session::Human(human) => human.is_idle(),
        };
        has_room && self.output.backlog() < ctx.limits.pause
    }

    /// Whether everything the client sent was answered and told.
    pub(crate) fn is_done(&self) -> bool {
        let idle = match &self.session {
            Session::Control(control) => control.is_idle(),
            Session::Human(human) => human.is_idle(),
        };
        idle && self.rest.is_empty() && self.output.is_empty()
    }

    /// Input arrived.
    pub(crate) fn receive(&mut self, mut input: &[u8], fds: Vec<OwnedFd>, ctx: &Context) {
        if let Session::Control(control) = &mut self.session {
            control.received(fds);
        }
        self.read(&mut input, ctx);
        self.rest.extend_from_slice(input);
    }

    /// The client sees this monitor again, after another user of the same channel.
    pub(crate) fn shown(&mut self) {
        if let Session::Human(human) = &mut self.session {
            human.shown(&mut self.output);
        }
    }

    /// Goes on with what had to wait.
    pub(crate) fn pump(&mut self, ctx: &Context) {
        let rest = std::mem::take(&mut self.rest);
        let mut input = rest.as_slice();
        self.read(&mut input, ctx);
        let read = rest.len() - input.len();
        self.rest = rest;
        self.rest.drain(..read);
    }

    fn read(&mut self, input: &mut &[u8], ctx: &Context) {
        match &mut self.session {
            Session::Control(control) => control.pump(input, ctx, &mut self.output),
            Session::Human(human) => human.pump(input, ctx, &mut self.output),
        }
    }
}
