//! Character devices: byte streams between the guest or a monitor and the host.
//!
//! A [`Chardev`] pairs a back end (a state machine over host descriptors, see [`Backend`]) with at
//! most one user: a [`Frontend`] driven on an event loop, or a [`Port`] driven by a loop of its
//! owner. A multiplexer lets up to four users share one character device. Names, parameters and the
//! text of `query-chardev` are those of QEMU 7.2.
//!
//! Threads and locks: every operation may come from any thread. A character device has one private
//! lock around its back end; no user is called while it is held. A multiplexer has its own locks,
//! taken after that of its port and before that of the character device below it. Back ends never
//! block, except while they are opened and where a log file is written.

mod backend;
mod config;
mod device;
mod duplex;
mod error;
mod files;
mod from_qapi;
mod inherited;
mod line;
mod log_file;
mod mux;
mod null;
mod open;
mod options;
mod port;
mod pty;
mod ring;
mod socket;
mod stdio;
mod terminal;
mod timer;

pub use backend::{Backend, CharEvent, Frontend, Notice};
pub use config::{Address, Config, Inet, Kind, LogFile, Role, Socket};
pub use device::{Attachment, Chardev};
pub use error::Error;
pub use inherited::inherited_socket;
pub use mux::MuxRequest;
pub use open::{Context, FdSetResolver, NamedFdResolver, open};
pub use options::FromOptions;
pub use port::Port;
pub use socket::remove_socket_files;
pub use terminal::{reapply_terminal, restore_terminal};

#[cfg(test)]
mod tests;
