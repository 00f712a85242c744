//! The two sides of a character device, as traits.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use super::Error;
use super::ring::Ring;
use crate::event_loop::EventSet;

/// What happens to the connection behind a character device, as its user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharEvent {
    /// Somebody is at the other end now.
    Opened,
    /// Nobody is there any more.
    Closed,
    /// A break condition was received.
    Break,
    /// The multiplexer's input goes to this user now.
    MuxIn,
    /// The multiplexer's input goes elsewhere now.
    MuxOut,
}

/// What a back end has to tell after it looked at its descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// For the user.
    Event(CharEvent),
    /// Output that was refused can be tried again.
    Writable,
}

/// A host resource that bytes go to and come from: a state machine that never blocks and never waits.
/// Whoever drives it watches what [`Backend::interest`] names and calls [`Backend::ready`].
pub trait Backend: Send {
    /// What to watch now. `input`: the user has room; `output`: the user has bytes that did not fit.
    /// Level triggered. May change after any other method; a descriptor can have been closed and its
    /// number used again only if a call reported [`CharEvent::Opened`] or [`CharEvent::Closed`].
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)>;

    /// `events` happened on `fd`; unknown descriptors and spurious events are ignored.
    fn ready(&mut self, fd: RawFd, events: EventSet, notices: &mut Vec<Notice>);

    /// Takes received bytes, and descriptors that came with them. 0 for a non-empty `buf` means that
    /// the stream has ended; the driver calls [`Backend::disconnect`] when it has finished with the
    /// connection, and until then may still write. [`io::ErrorKind::WouldBlock`] when nothing is there.
    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize>;

    /// Sends bytes; returns how many were taken, or [`io::ErrorKind::WouldBlock`]. With nobody at the
    /// other end everything is taken and forgotten.
    fn write(&mut self, data: &[u8]) -> io::Result<usize>;

    /// Whether somebody is at the other end.
    fn is_open(&self) -> bool;

    /// What `query-chardev` shows.
    fn filename(&self) -> String;

    /// Ends the current connection where there is such a thing. A following [`Backend::ready`] does
    /// not report it.
    fn disconnect(&mut self) {}

    /// Takes over a connected socket as if a client had connected.
    ///
    /// # Errors
    /// When this is no socket, or it is connected.
    fn add_client(&mut self, client: OwnedFd) -> Result<(), Error> {
        drop(client);
        Err(Error::AddClient)
    }

    /// The memory of a ring buffer.
    fn ring(&mut self) -> Option<&mut Ring> {
        None
    }

    /// Whether a terminal shows what is typed, line by line.
    fn set_echo(&mut self, _echo: bool) {}

    /// Makes this user of a multiplexer the one who gets the input.
    fn take_focus(&mut self) {}

    /// Whether the user is ready to talk; a multiplexer passes it on.
    fn set_frontend_open(&mut self, _open: bool) {}
}

/// The guest's side: a serial port, a console. Called on the loop given to
/// [`super::Chardev::attach`], never with a lock of the character device held; calls may be spurious.
pub trait Frontend: Send + Sync {
    /// How many bytes [`Frontend::receive`] can take now. After 0 nothing is received until
    /// [`super::Attachment::accept_input`].
    fn can_receive(&self) -> usize;

    /// Takes received bytes, at most as many as [`Frontend::can_receive`] said.
    fn receive(&self, data: &[u8]);

    /// The connection changed.
    fn event(&self, event: CharEvent);

    /// There is room after [`super::Attachment::write`] took less than it was given.
    fn writable(&self) {}
}
