//! A character device in the hands of a loop that is not ours.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

use super::backend::CharEvent;
use super::device::Chardev;
use super::line::Line;
use crate::event_loop::EventSet;

/// The use of a character device by an owner that watches the descriptors itself, such as a
/// monitor's thread. Dropping it gives the character device back.
///
/// Watch what [`Port::interest`] names (level triggered) and call [`Port::ready`]; ask again after
/// any other call. A descriptor may have been closed and its number used again when
/// [`Port::ready`] reported something, or after [`Port::disconnect`]: register it again then.
pub struct Port {
    line: Arc<Line>,
    chardev: Arc<Chardev>,
}

impl Port {
    pub(super) fn new(line: Arc<Line>, chardev: Arc<Chardev>) -> Port {
        Port { line, chardev }
    }

    /// The character device.
    pub fn chardev(&self) -> &Arc<Chardev> {
        &self.chardev
    }

    /// What to watch. `input`: the owner wants to read; `output`: it has bytes that did not fit.
    pub fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        self.line.port_interest(input, output)
    }

    /// `events` happened on `fd`; returns what that means for the connection. Input
    /// that is there may be read before or after this call.
    pub fn ready(&mut self, fd: RawFd, events: EventSet) -> Vec<CharEvent> {
        self.line.port_ready(fd, events)
    }

    /// Takes received bytes, and descriptors that came with them. 0 for a non-empty `buf` is the end
    /// of the stream: what was asked can still be answered, then the owner calls
    /// [`Port::disconnect`].
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing is there.
    pub fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        self.line.port_read(buf, fds)
    }

    /// Sends bytes; returns how many were taken.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is no room, others when the other end is gone.
    pub fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.line.port_write(data)
    }

    /// Whether somebody is at the other end.
    pub fn is_open(&self) -> bool {
        self.line.is_open()
    }

    /// Ends the connection; a server then serves the next client, a client may reconnect. The owner
    /// gets no [`CharEvent::Closed`] for it.
    pub fn disconnect(&mut self) {
        self.line.port_disconnect();
    }

    /// As [`super::Attachment::set_echo`].
    pub fn set_echo(&self, echo: bool) {
        self.line.with_backend(|backend| backend.set_echo(echo));
    }

    /// As [`super::Attachment::take_focus`].
    pub fn take_focus(&self) {
        self.line.with_backend(|backend| backend.take_focus());
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.line.release();
    }
}
