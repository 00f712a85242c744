//! The qmp thread's view of the program: commands are decoded there and queued for control.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use qapi::{Command, Dict, Error, RawReply, Value};
use qmp::{CommandKind, HumanReply, Service, SessionId};

use super::{ControlInbox, Work};

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
