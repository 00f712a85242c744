//! A monitor's byte channel, as the server sees it.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use vmm_sys_util::epoll::EventSet;

/// What happened to a transport's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A client is there; the session starts over.
    Opened,
    /// The client is gone.
    Closed,
    /// A monitor for people that shares its channel is what the channel shows from now on.
    Shown,
    /// It is no longer. What it has to say is kept until it is [shown](Signal::Shown) again.
    Hidden,
}

/// A byte channel that serves one client at a time. Accepting, connecting and reconnecting are its own business. All
/// calls come from the `qmp` thread and must not block.
pub trait Transport: Send {
    /// The descriptors to poll now, level triggered, each once. `input`: the server is ready to read (otherwise neither
    /// input nor a half-closed connection may be asked for); `output`: it has something to write. Asked after everything
    /// that may change the answer; it may always include listeners and timers. Files that never block are fine.
    ///
    /// While a connection lasts, a descriptor number must keep meaning the same open file; it may change between
    /// connections.
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)>;

    /// One of the descriptors is ready; returns what that means for the connection, in order. If there is a
    /// connection and `events` says input, the server has read before. A hang-up or error that epoll reports unasked
    /// must end in [`Signal::Closed`] or in no longer naming the descriptor.
    fn ready(&mut self, fd: RawFd, events: EventSet) -> Vec<Signal>;

    /// Reads input; descriptors that came with it are added to `fds`. `Ok(0)` is the end of the client's input: it is
    /// still answered what it asked, for a while. A transport may as well say `WouldBlock` then and report
    /// [`Signal::Closed`] from the next [`Transport::ready`]; answers not yet given are lost.
    ///
    /// # Errors
    /// `WouldBlock` if there is none now; any other error ends the connection.
    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize>;

    /// Writes as much as fits now.
    ///
    /// # Errors
    /// `WouldBlock` if nothing fits; any other error ends the connection.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize>;

    /// Whether a client is connected. Asked when the monitor is added, before any [`Signal`].
    fn is_open(&self) -> bool;

    /// Ends the connection, if there is one, without a [`Signal::Closed`]; the next client is announced by
    /// [`Transport::ready`].
    fn disconnect(&mut self);
}
