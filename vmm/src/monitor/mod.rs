//! The commands: one file for each file of the schema, with the trait that was generated from it.
//!
//! A handler is a few lines that call the room where the matter is at home. Everything runs on the
//! control thread; what may take long takes its reply along to a worker.

mod char;
mod control;
mod hmp;
mod introspect;
mod machine;
mod machine_target;
mod misc;
mod misc_target;
mod pci;
mod qdev;
mod qom;
mod run_state;
mod stats;
mod tpm;
mod trace;

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use qapi::{Command, Error, RawReply};
use qmp::{HumanReply, SessionId};

use crate::control::Control;
use crate::run_state::RunState;

pub(crate) use control::version;
pub(crate) use hmp::log_cpu;

/// What a client has of its own until it leaves.
#[derive(Default)]
pub(crate) struct Session {
    /// Descriptors by the names that `getfd` gave.
    pub(crate) fds: HashMap<String, OwnedFd>,
    /// The CPU that `cpu` chose, for commands about one.
    pub(crate) cpu: usize,
}

/// One command or line of one client, at work.
pub(crate) struct Monitor<'a> {
    /// The program.
    pub(crate) control: &'a mut Control,
    /// Who asks.
    pub(crate) session: SessionId,
    /// The descriptors that came with the command.
    pub(crate) fds: Vec<OwnedFd>,
}

impl<'a> Monitor<'a> {
    /// A monitor for `session`.
    pub(crate) fn new(control: &'a mut Control, session: SessionId, fds: Vec<OwnedFd>) -> Self {
        Self { control, session, fds }
    }

    /// Executes a command.
    pub(crate) fn execute(&mut self, command: Command, reply: RawReply) {
        let preconfig = self.control.machine.run_state == RunState::Preconfig;
        if preconfig && !command.info().allow_preconfig {
            return reply.send(Err(Error::generic(format!(
                "The command '{}' is permitted only after machine initialization has completed",
                command.name()
            ))));
        }
        qapi::dispatch(self, command, reply);
    }

    /// Executes a line of the human monitor.
    pub(crate) fn human(&mut self, line: &str, reply: HumanReply) {
        hmp::execute(self, line, Box::new(move |text| reply.send(text)));
    }

    /// What the client has of its own. A client that left while its command waited has nothing.
    pub(crate) fn own(&mut self) -> &mut Session {
        self.control.sessions.entry(self.session).or_default()
    }
}
