//! A character device as the rest of the program holds it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::backend::Frontend;
use super::config::{Config, Kind};
use super::error::Error;
use super::line::Line;
use super::mux::Mux;
use super::open::{self, Context};
use super::port::Port;
use crate::event_loop::LoopHandle;

/// A character device. Created by [`super::open()`]; everything is closed when the last reference
/// and the last user are gone, or by [`Chardev::remove`].
pub struct Chardev {
    label: String,
    body: Body,
}

pub(super) enum Body {
    /// One back end, one user.
    Line(Arc<Line>),
    /// Several users of another character device.
    Mux(Arc<Mux>),
}

impl Chardev {
    pub(super) fn new(label: &str, body: Body) -> Arc<Chardev> {
        Arc::new(Chardev { label: label.to_string(), body })
    }

    /// The name that the user gave.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What `query-chardev` shows as `filename`.
    pub fn filename(&self) -> String {
        match &self.body {
            Body::Line(line) => line.filename(),
            Body::Mux(_) => "mux".to_string(),
        }
    }

    /// The path of a pseudo-terminal, for users to open; `None` for other back ends.
    pub fn pty_path(&self) -> Option<String> {
        self.filename().strip_prefix("pty:").map(str::to_string)
    }

    /// Whether a user is there and ready to talk.
    pub fn frontend_open(&self) -> bool {
        match &self.body {
            Body::Line(line) => line.frontend_open(),
            Body::Mux(mux) => mux.frontend_open(),
        }
    }

    /// Whether somebody is at the other end.
    pub fn is_open(&self) -> bool {
        match &self.body {
            Body::Line(line) => line.is_open(),
            Body::Mux(mux) => mux.is_open(),
        }
    }

    /// Whether it has a user, so that it cannot be removed.
    pub fn is_busy(&self) -> bool {
        match &self.body {
            Body::Line(line) => line.is_busy(),
            Body::Mux(mux) => mux.is_busy(),
        }
    }

    /// Connects a device to it. `frontend` is called on the loop `on`, first (if the other end is
    /// there already) with [`super::CharEvent::Opened`].
    ///
    /// # Errors
    /// [`Error::InUse`] when it has a user (a multiplexer: four of them).
    pub fn attach(
        self: &Arc<Self>,
        frontend: Arc<dyn Frontend>,
        on: &LoopHandle,
    ) -> Result<Attachment, Error> {
        let line = self.free_line()?;
        line.attach(frontend, on)?;
        Ok(Attachment { line, chardev: self.clone() })
    }

    /// Takes it for a user with a loop of its own: see [`Port`].
    ///
    /// # Errors
    /// [`Error::InUse`] when it has a user, and when the host refuses a descriptor.
    pub fn claim(self: &Arc<Self>) -> Result<Port, Error> {
        let line = self.free_line()?;
        line.claim()?;
        Ok(Port::new(line, self.clone()))
    }

    fn free_line(&self) -> Result<Arc<Line>, Error> {
        match &self.body {
            Body::Line(line) => Ok(line.clone()),
            Body::Mux(mux) => mux.new_port(),
        }
    }

    /// `chardev-send-break`: the user sees a break condition.
    pub fn send_break(&self) {
        match &self.body {
            Body::Line(line) => line.send_break(),
            Body::Mux(mux) => mux.send_break(),
        }
    }

    /// `chardev-change`: puts another back end under the same user, who sees the connection close
    /// and open. When the new one cannot be opened, the old one stays. May block as [`super::open()`]
    /// does.
    ///
    /// # Errors
    /// [`Error::MuxChange`], [`Error::NoChange`] (the user is a [`Port`]), and those of
    /// [`super::open()`].
    pub fn replace(&self, config: &Config, context: &Context) -> Result<(), Error> {
        let Body::Line(line) = &self.body else {
            return Err(Error::MuxChange);
        };
        if matches!(config.kind, Kind::Mux { .. }) {
            return Err(Error::MuxChange);
        }
        line.may_replace()?;
        let (backend, log) = open::backend(&self.label, config, context)?;
        line.replace(backend, log)
    }

    /// `chardev-remove`: closes everything, and refuses users from then on.
    ///
    /// # Errors
    /// [`Error::Busy`] while it has a user.
    pub fn remove(&self) -> Result<(), Error> {
        match &self.body {
            Body::Line(line) => line.remove(),
            Body::Mux(mux) => mux.remove(),
        }
    }

    /// `add_client`: takes over a connected socket as if a client had connected.
    ///
    /// # Errors
    /// [`Error::AddClient`] when this is no socket, or it is connected.
    pub fn add_client(&self, client: OwnedFd) -> Result<(), Error> {
        match &self.body {
            Body::Line(line) => line.with_backend(|backend| backend.add_client(client)),
            Body::Mux(_) => Err(Error::AddClient),
        }
    }

    /// `ringbuf-read`: takes out up to `count` of the oldest bytes.
    ///
    /// # Errors
    /// [`Error::NotRingbuf`].
    pub fn ringbuf_read(&self, count: usize) -> Result<Vec<u8>, Error> {
        self.with_ring(|ring| ring.take(count))
    }

    /// `ringbuf-write`: adds bytes as if the user had written them.
    ///
    /// # Errors
    /// [`Error::NotRingbuf`].
    pub fn ringbuf_write(&self, data: &[u8]) -> Result<(), Error> {
        self.with_ring(|ring| ring.put(data))
    }

    fn with_ring<R>(&self, action: impl FnOnce(&mut super::ring::Ring) -> R) -> Result<R, Error> {
        let done = match &self.body {
            Body::Line(line) => line.with_backend(|backend| backend.ring().map(action)),
            Body::Mux(_) => None,
        };
        done.ok_or_else(|| Error::NotRingbuf(self.label.clone()))
    }
}

/// A frontend's hold on a character device; dropping it detaches.
pub struct Attachment {
    line: Arc<Line>,
    chardev: Arc<Chardev>,
}

impl Attachment {
    /// The character device.
    pub fn chardev(&self) -> &Arc<Chardev> {
        &self.chardev
    }

    /// Sends bytes without ever blocking; may be called by any thread, with the frontend's own lock
    /// held. Returns how many were taken. When that is less than all, [`Frontend::writable`] follows
    /// once there is room. With nobody at the other end, everything is taken and lost.
    pub fn write(&self, data: &[u8]) -> usize {
        self.line.write(data)
    }

    /// The frontend has room again after [`Frontend::can_receive`] was 0. Cheap when nothing changes.
    pub fn accept_input(&self) {
        self.line.accept_input();
    }

    /// Whether somebody is at the other end.
    pub fn is_open(&self) -> bool {
        self.line.is_open()
    }

    /// Ends the current connection where there is such a thing; [`super::CharEvent::Closed`] follows.
    pub(super) fn disconnect(&self) {
        self.line.with_backend(|backend| backend.disconnect());
    }

    /// Whether the guest's side is ready to talk (it is, from the start): what
    /// [`Chardev::frontend_open`] tells.
    pub fn set_open(&self, open: bool) {
        self.line.set_frontend_open(open);
    }

    /// Directs the input of a multiplexer here. The user that was attached last has it at first.
    pub fn take_focus(&self) {
        self.line.with_backend(|backend| backend.take_focus());
    }

    /// Lets a terminal on standard input echo and edit lines (`true`), or pass on every key.
    pub fn set_echo(&self, echo: bool) {
        self.line.with_backend(|backend| backend.set_echo(echo));
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.line.release();
    }
}
