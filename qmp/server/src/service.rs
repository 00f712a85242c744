//! What the program behind the monitor provides.

use qapi::{Dict, RawReply, Value};
use std::fmt;
use std::os::fd::OwnedFd;

/// One client's connection to one monitor, from its greeting to its end. Never used twice in a server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

impl SessionId {
    pub(crate) fn new(number: u64) -> SessionId {
        SessionId(number)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a command may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandKind {
    /// Whether `exec-oob` is allowed: the command answers without waiting for anything.
    pub oob: bool,
}

/// The commands and who runs them. All methods are called on the `qmp` thread and must not block.
pub trait Service: Send + Sync + 'static {
    /// The `version` member of the greeting: an object with `qemu` (`major`, `minor`, `micro`) and `package`.
    fn greeting(&self) -> Value;

    /// Looks a command up; `None` if there is none of that name. `qmp_capabilities` is the session's own business and
    /// never looked up.
    fn command(&self, name: &str) -> Option<CommandKind>;

    /// Starts a command; the session's next one waits until `reply` is sent or dropped.
    ///
    /// `fds` is the descriptor that came with `getfd` or `add-fd`, if any, and empty for every other command.
    /// Mistakes in `arguments` are answered through `reply`.
    fn execute(
        &self,
        session: SessionId,
        name: &str,
        arguments: Dict,
        fds: Vec<OwnedFd>,
        reply: RawReply,
    );

    /// Runs a command out of band, while another of the session may be running.
    fn execute_oob(&self, session: SessionId, name: &str, arguments: Dict, reply: RawReply);

    /// Starts a line of the human monitor (never an empty one); the session waits until `reply` is sent or dropped.
    fn human(&self, session: SessionId, line: &str, reply: HumanReply);

    /// A client connected.
    fn opened(&self, session: SessionId);

    /// A client is gone; replies to it are dropped from now on.
    fn closed(&self, session: SessionId);
}

/// What a human reply does with its text.
type Deliver = Box<dyn FnOnce(String) + Send>;

/// The answer to one line of the human monitor, not yet given. One that is dropped unsent prints nothing.
pub struct HumanReply(Option<Deliver>);

impl HumanReply {
    /// A reply that hands its text to `deliver`, called exactly once.
    pub fn new(deliver: impl FnOnce(String) + Send + 'static) -> HumanReply {
        HumanReply(Some(Box::new(deliver)))
    }

    /// Prints `text`, whose lines end in LF, and the next prompt.
    pub fn send(mut self, text: impl Into<String>) {
        if let Some(deliver) = self.0.take() {
            deliver(text.into());
        }
    }
}

impl Drop for HumanReply {
    fn drop(&mut self) {
        if let Some(deliver) = self.0.take() {
            deliver(String::new());
        }
    }
}

impl fmt::Debug for HumanReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HumanReply").finish_non_exhaustive()
    }
}
