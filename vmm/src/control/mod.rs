//! The control thread: it owns the machine by value and does one thing at a time, by priority.
//!
//! Everything reaches it through its [`Inbox`]: run-state requests of vCPUs, devices and signals
//! first, then commands and the ends of work that others did for it. It never blocks on anything a
//! user or guest can delay: such work goes to a worker ([`Control::worker`]) that holds the reply.

mod service;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use devices::limited;
use devices::request::Request;
use devices::trace::GUEST_ERRORS;
use qapi::{Encode, RawReply, Reply, ShutdownCause};
use qmp::{HumanReply, ServerHandle, SessionId};

use crate::chardevs::Opener;
use crate::fd_sets::FdSets;
use crate::inbox::{Inbox, Message};
use crate::machine::{Environment, Machine, Outcome};
use crate::monitor::{self, Monitor, Session};
use crate::options::Options;
use crate::signals;
use crate::vcpu::{Event, Report};

pub(crate) use service::Frontend;

/// How long the last bytes may take to reach slow clients when the program ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// How many threads may be at work for commands.
const MAX_WORKERS: usize = 64;

/// A change of the run state that somebody asks for.
pub(crate) enum Urgent {
    /// A vCPU, which waits for it to be handled.
    Vcpu(Report),
    /// A device's timer or back end.
    Device(Request),
    /// A signal that ends the program: its number and sender.
    Signal { number: u32, sender: u32 },
    /// The user of a terminal's multiplexer asks for the end.
    Quit,
}

/// Anything else.
pub(crate) enum Work {
    /// A command of a monitor's client.
    Command { session: SessionId, command: qapi::Command, fds: Vec<OwnedFd>, reply: RawReply },
    /// A line of the human monitor.
    Human { session: SessionId, line: String, reply: HumanReply },
    /// A client came.
    Opened(SessionId),
    /// A client went.
    Closed(SessionId),
    /// What is left to do when a worker is done.
    Done(Box<dyn FnOnce(&mut Control) + Send>),
}

/// A reply that can say that the command will not be done.
pub(crate) trait Refuse: Send + 'static {
    /// Answers with an error.
    fn refuse(self, error: qapi::Error);
}

impl<T: Encode + 'static> Refuse for Reply<T> {
    fn refuse(self, error: qapi::Error) {
        self.send(Err(error));
    }
}

/// The human monitor's.
impl Refuse for Box<dyn FnOnce(String) + Send> {
    fn refuse(self, error: qapi::Error) {
        self(format!("Error: {error}\n"));
    }
}

/// The inbox of the control thread.
pub(crate) type ControlInbox = Inbox<Urgent, Work>;

/// The control thread's own.
pub(crate) struct Control {
    pub(crate) machine: Machine,
    pub(crate) options: Options,
    pub(crate) environment: Environment,
    pub(crate) server: ServerHandle,
    pub(crate) opener: Opener,
    pub(crate) fd_sets: Arc<FdSets>,
    pub(crate) sessions: HashMap<SessionId, Session>,
    inbox: Arc<ControlInbox>,
    /// Each worker holds a clone.
    workers: Arc<()>,
    outcome: Outcome,
}

impl Control {
    /// Control over a machine that may not be made yet (`-preconfig`).
    pub(crate) fn new(
        machine: Machine,
        options: Options,
        environment: Environment,
        server: ServerHandle,
        opener: Opener,
        fd_sets: Arc<FdSets>,
        inbox: Arc<ControlInbox>,
    ) -> Self {
        let sessions = HashMap::new();
        let outcome = Outcome::GoOn;
        let workers = Arc::new(());
        Self {
            machine,
            options,
            environment,
            server,
            opener,
            fd_sets,
            sessions,
            inbox,
            workers,
            outcome,
        }
    }

    /// Works until the machine ends; returns the process's exit status.
    pub(crate) fn run(mut self) -> i32 {
        loop {
            match self.inbox.next() {
                Message::Request(urgent) => self.urgent(urgent),
                Message::Work(work) => self.work(work),
            }
            if let Outcome::Exit(status) = self.outcome {
                return self.end(status);
            }
        }
    }

    /// The program ends with this outcome after the current message.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if outcome != Outcome::GoOn {
            self.outcome = outcome;
        }
    }

    fn urgent(&mut self, urgent: Urgent) {
        let outcome = match urgent {
            Urgent::Vcpu(Report { cpu, what, detention }) => {
                let outcome = match what {
                    Event::Request(request) => self.machine.handle(request),
                    Event::TripleFault => {
                        limited!(GUEST_ERRORS, "CPU {cpu}: triple fault");
                        self.machine.reset(ShutdownCause::GuestReset)
                    }
                    Event::InternalError(text) => {
                        monitor::log_cpu(&self.machine, cpu, &text);
                        self.machine.internal_error();
                        Outcome::GoOn
                    }
                };
                drop(detention);
                outcome
            }
            Urgent::Device(request) => self.machine.handle(request),
            Urgent::Signal { number, sender } => {
                log::error!("terminating on signal {number}{}", signals::origin(sender));
                self.machine.shutdown(ShutdownCause::HostSignal)
            }
            Urgent::Quit => self.machine.shutdown(ShutdownCause::HostQmpQuit),
        };
        self.finish(outcome);
    }

    fn work(&mut self, work: Work) {
        match work {
            Work::Command { session, command, fds, reply } => {
                Monitor::new(self, session, fds).execute(command, reply);
            }
            Work::Human { session, line, reply } => {
                Monitor::new(self, session, Vec::new()).human(&line, reply);
            }
            Work::Opened(session) => {
                self.sessions.insert(session, Session::default());
            }
            Work::Closed(session) => {
                self.sessions.remove(&session);
            }
            Work::Done(rest) => rest(self),
        }
    }

    /// Runs `work` on a thread of its own, and what it returns on this one when it is done. With as
    /// many at work as there may be, or if the system has no thread left, the reply is an error.
    pub(crate) fn worker<R, F>(&self, reply: R, work: impl FnOnce(R) -> F + Send + 'static)
    where
        R: Refuse,
        F: FnOnce(&mut Control) + Send + 'static,
    {
        // One that waits for a file or a peer may do so for ever, and cannot be called back.
        if Arc::strong_count(&self.workers) > MAX_WORKERS {
            let text = format!("{MAX_WORKERS} commands are waiting for files or connections");
            return reply.refuse(qapi::Error::generic(text));
        }
        let (inbox, at_work) = (self.inbox.clone(), self.workers.clone());
        let run = move || {
            let rest = work(reply);
            drop(at_work);
            inbox.work(Work::Done(Box::new(rest)));
        };
        if let Err(error) = thread::Builder::new().name("worker".into()).spawn(run) {
            log::error!("no thread for a command: {error}");
        }
    }

    fn end(mut self, status: i32) -> i32 {
        if let Some(cpus) = &mut self.machine.cpus {
            cpus.stop();
        }
        self.server.shutdown(FAREWELL);
        status
    }
}
