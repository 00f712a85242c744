//! The monitor's wire: JSON, sessions, the server thread and the fan-out of events.
//!
//! A program implements [`Service`] (what the commands are and who runs them) and [`Transport`] (a monitor's byte
//! channel), starts a [`Server`] and hands it [`Monitor`]s. Everything else happens on one thread named `qmp`, which
//! owns the transports and sessions. Replies and events reach it through one ordered channel, so they leave in the
//! order in which they were given; the channel's lock is held only to push or to take what is queued, and nothing else
//! is locked meanwhile.
//!
//! The protocol is QMP as QEMU 7.2 speaks it: docs/interop/qmp-spec of QEMU, and its behaviour on the wire.

mod channel;
mod connection;
mod control;
mod editor;
mod event_loop;
mod events;
mod human;
pub mod json;
mod output;
mod port;
mod request;
mod server;
mod service;
mod transport;

pub use channel::EventSink;
pub use server::{Limits, Mode, Monitor, Server, ServerHandle};
pub use service::{CommandKind, HumanReply, Service, SessionId};
pub use transport::{Signal, Transport};
pub use vmm_sys_util::epoll::EventSet;
