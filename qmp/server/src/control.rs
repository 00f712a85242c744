//! The session of a control monitor: negotiation, the queue of commands, their replies.
//!
//! In-band commands run one after the other and answer in order. With out-of-band execution negotiated up to 8 wait
//! and an out-of-band one overtakes them; without, one is read ahead. What does not fit stays unread.

use crate::channel::{Answer, Up};
use crate::connection::Context;
use crate::events::Event;
use crate::json::{Layout, Printer, Reader};
use crate::output::Output;
use crate::request::{self, Call, Request};
use crate::service::SessionId;
use qapi::{Error, ErrorClass, QMPCapability, RawReply, Value};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// In-band commands that may wait with out-of-band execution enabled, and out-of-band ones that may be unanswered.
const QUEUE: usize = 8;
/// In-band commands that may wait without.
const READ_AHEAD: usize = 1;

/// A request in its turn, with the descriptors that came for it.
type Item = (Request, Vec<OwnedFd>);

/// One client of a control monitor.
#[derive(Debug)]
pub(crate) struct Control {
    session: SessionId,
    layout: Layout,
    negotiated: bool,
    oob: bool,
    reader: Reader,
    waiting: VecDeque<Item>,
    /// An in-band command is unanswered.
    running: bool,
    /// So many out-of-band commands are unanswered.
    running_oob: usize,
    /// The descriptors received last.
    fds: Vec<OwnedFd>,
}

impl Control {
    /// A session at its start; prints the greeting.
    pub(crate) fn new(
        session: SessionId,
        layout: Layout,
        ctx: &Context,
        out: &mut Output,
    ) -> Control {
        greet(out.end(), layout, &ctx.service.greeting());
        Control {
            session,
            layout,
            negotiated: false,
            oob: false,
            reader: Reader::new(),
            waiting: VecDeque::new(),
            running: false,
            running_oob: 0,
            fds: Vec::new(),
        }
    }

    /// Whether another request may be read.
    pub(crate) fn has_room(&self) -> bool {
        let queue = if self.oob { QUEUE } else { READ_AHEAD };
        self.waiting.len() < queue && self.running_oob < QUEUE
    }

    /// Whether every request read so far is answered.
    pub(crate) fn is_idle(&self) -> bool {
        !self.running && self.running_oob == 0 && self.waiting.is_empty()
    }

    /// Descriptors arrived; those that came before and were not asked for are closed.
    pub(crate) fn received(&mut self, fds: Vec<OwnedFd>) {
        if !fds.is_empty() {
            self.fds = fds;
        }
    }

    /// Runs what may run and reads requests from the front of `input` while there is room for them.
    pub(crate) fn pump(&mut self, input: &mut &[u8], ctx: &Context, out: &mut Output) {
        loop {
            while !self.running
                && let Some((request, fds)) = self.waiting.pop_front()
            {
                self.start(request, fds, ctx, out);
            }
            if !self.has_room() || out.backlog() >= ctx.limits.pause {
                return;
            }
            let Some(outcome) = self.reader.next(input) else {
                return;
            };
            let request = match outcome {
                Ok(message) => Request::new(message, self.oob),
                Err(error) => Request::refused(error),
            };
            if request.oob {
                self.start_oob(request, ctx, out);
            } else {
                let fds = self.fds_for(&request);
                self.waiting.push_back((request, fds));
            }
        }
    }

    /// A command was answered.
    pub(crate) fn answer(&mut self, answer: Answer, out: &mut Output) {
        if answer.oob {
            self.running_oob = self.running_oob.saturating_sub(1);
        } else {
            self.running = false;
        }
        self.reply(answer.id.as_ref(), &answer.result, out);
    }

    /// Shows an event, if the client negotiated; `printed` keeps its text for the next client.
    pub(crate) fn event(&self, event: &Event, printed: &mut [Vec<u8>; 2], out: &mut Output) {
        if !self.negotiated {
            return;
        }
        let text = &mut printed[usize::from(self.layout == Layout::Pretty)];
        if text.is_empty() {
            event.print(text, self.layout);
        }
        out.end().extend_from_slice(text);
    }

    /// Takes the descriptors for a command that wants one: the first; the others are closed.
    fn fds_for(&mut self, request: &Request) -> Vec<OwnedFd> {
        match &request.body {
            Ok(call) if self.negotiated && matches!(call.name.as_str(), "getfd" | "add-fd") => {
                let mut fds = std::mem::take(&mut self.fds);
                fds.truncate(1);
                fds
            }
            _ => Vec::new(),
        }
    }

    /// The in-band request whose turn it is.
    fn start(&mut self, request: Request, fds: Vec<OwnedFd>, ctx: &Context, out: &mut Output) {
        let Request { id, body, .. } = request;
        let result = match body {
            Ok(call) if call.name == "qmp_capabilities" => self.negotiate(call),
            Ok(_) if !self.negotiated => Err(Error::new(
                ErrorClass::CommandNotFound,
                "Expecting capabilities negotiation with 'qmp_capabilities'",
            )),
            Ok(call) if ctx.service.command(&call.name).is_none() => {
                Err(Error::command_not_found(&call.name))
            }
            Ok(call) => {
                self.running = true;
                let reply = self.raw_reply(id, false, ctx);
                ctx.service.execute(self.session, &call.name, call.arguments, fds, reply);
                return;
            }
            Err(error) => Err(error),
        };
        self.reply(id.as_ref(), &result, out);
    }

    fn start_oob(&mut self, request: Request, ctx: &Context, out: &mut Output) {
        let Request { id, body, .. } = request;
        let refused = body.and_then(|call| {
            let kind = ctx.service.command(&call.name);
            if call.name == "qmp_capabilities" || kind.is_some_and(|kind| !kind.oob) {
                let name = call.name;
                Err(Error::generic(format!("The command {name} does not support OOB")))
            } else if kind.is_none() {
                Err(Error::command_not_found(&call.name))
            } else {
                Ok(call)
            }
        });
        match refused {
            Ok(call) => {
                self.running_oob += 1;
                let reply = self.raw_reply(id, true, ctx);
                ctx.service.execute_oob(self.session, &call.name, call.arguments, reply);
            }
            Err(error) => self.reply(id.as_ref(), &Err(error), out),
        }
    }

    fn negotiate(&mut self, call: Call) -> Result<Value, Error> {
        let oob = request::capabilities(call.arguments)?;
        if self.negotiated {
            return Err(Error::new(
                ErrorClass::CommandNotFound,
                "Capabilities negotiation is already complete, command ignored",
            ));
        }
        self.negotiated = true;
        self.oob = oob;
        Ok(Value::Dict(Default::default()))
    }

    fn raw_reply(&self, id: Option<Value>, oob: bool, ctx: &Context) -> RawReply {
        let channel = Arc::clone(&ctx.channel);
        let session = self.session;
        RawReply::new(move |result| {
            channel.push(Up::Reply(Answer { session, oob, id, result }));
        })
    }

    fn reply(&self, id: Option<&Value>, result: &Result<Value, Error>, out: &mut Output) {
        let mut printer = Printer::new(out.end(), self.layout);
        printer.open(b'{');
        // The order in which the wire's hash puts these three keys.
        if let Ok(value) = result {
            printer.key("return");
            printer.value(value);
        }
        if let Some(id) = id {
            printer.key("id");
            printer.value(id);
        }
        if let Err(error) = result {
            printer.key("error");
            printer.open(b'{');
            printer.key("class");
            printer.string(error.class.as_str());
            printer.key("desc");
            printer.string(&error.desc);
            printer.close(b'}');
        }
        printer.close(b'}');
        out.end().extend_from_slice(b"\r\n");
    }
}

fn greet(out: &mut Vec<u8>, layout: Layout, version: &Value) {
    let mut printer = Printer::new(out, layout);
    printer.open(b'{');
    printer.key("QMP");
    printer.open(b'{');
    printer.key("version");
    printer.value(version);
    printer.key("capabilities");
    let offered = QMPCapability::ALL.iter().map(|capability| capability.as_str().into());
    printer.value(&Value::List(offered.collect()));
    printer.close(b'}');
    printer.close(b'}');
    out.extend_from_slice(b"\r\n");
}
