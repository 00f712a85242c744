//! The qmp thread's view of the program: commands are decoded there and queued for control.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use devices::trace;
use qapi::{Command, Dict, Error, RawReply, Value};
use qmp::{CommandKind, HumanReply, Service, SessionId};

use super::{ControlInbox, Work};
use crate::logging::points::{HANDLE_QMP_COMMAND, MONITOR_QMP_RESPOND};

/// Writes the command at its trace point, and later its reply at that one's.
fn traced(session: SessionId, name: &str, arguments: &Dict, reply: RawReply) -> RawReply {
    let request = || {
        Value::Dict(Dict::from_iter([
            ("execute".to_owned(), Value::from(name)),
            ("arguments".to_owned(), Value::Dict(arguments.clone())),
        ]))
    };
    trace!(HANDLE_QMP_COMMAND, "mon {session} req: {}", Json(&request()));
    if !MONITOR_QMP_RESPOND.enabled() {
        return reply;
    }
    RawReply::new(move |result| {
        match &result {
            Ok(value) => trace!(MONITOR_QMP_RESPOND, "mon {session} return: {}", Json(value)),
            Err(error) => trace!(MONITOR_QMP_RESPOND, "mon {session} error: {error}"),
        }
        reply.send(result);
    })
}

/// Shows a value as the monitor writes it.
struct Json<'a>(&'a Value);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        qmp::json::write_compact(&mut text, self.0);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Passes commands to the control thread.
pub(crate) struct Frontend(pub(crate) Arc<ControlInbox>);

impl Service for Frontend {
    fn greeting(&self) -> Value {
        crate::monitor::version()
    }

    fn command(&self, name: &str) -> Option<CommandKind> {
        qapi::command_info(name).map(|info| CommandKind { oob: info.allow_oob })
    }

    fn execute(
        &self,
        session: SessionId,
        name: &str,
        arguments: Dict,
        fds: Vec<OwnedFd>,
        reply: RawReply,
    ) {
        let reply = traced(session, name, &arguments, reply);
        match Command::decode(name, arguments) {
            Ok(command) => self.0.work(Work::Command { session, command, fds, reply }),
            Err(error) => reply.send(Err(error)),
        }
    }

    fn execute_oob(&self, _session: SessionId, name: &str, _arguments: Dict, reply: RawReply) {
        // The server asks `command` first, and no command of ours may be called out of band yet.
        let text = format!("The command {name} does not support OOB");
        reply.send(Err(Error::generic(text)));
    }

    fn human(&self, session: SessionId, line: &str, reply: HumanReply) {
        self.0.work(Work::Human { session, line: line.to_owned(), reply });
    }

    fn opened(&self, session: SessionId) {
        self.0.work(Work::Opened(session));
    }

    fn closed(&self, session: SessionId) {
        self.0.work(Work::Closed(session));
    }
}
