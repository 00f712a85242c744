//! From a description to a character device.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::backend::Backend;
use super::config::{Config, Kind};
use super::device::{Body, Chardev};
use super::error::Error;
use super::inherited::inherited_socket;
use super::line::Line;
use super::log_file::Log;
use super::mux::{Mux, MuxRequest};
use super::null::Null;
use super::pty::Pty;
use super::ring::Ring;
use super::socket::SocketBackend;
use super::{files, stdio};
use crate::event_loop::LoopHandle;

/// Resolves `/dev/fdset/N`: number of the set and how the file is to be opened.
pub type FdSetResolver = dyn Fn(u64, OFlags) -> io::Result<OwnedFd> + Send + Sync;
/// Resolves the name of a descriptor in a socket's address.
pub type NamedFdResolver = dyn Fn(&str) -> Result<OwnedFd, Error> + Send + Sync;

/// What a character device needs from the program around it.
#[derive(Clone)]
pub struct Context {
    /// Drives character devices without a user, and multiplexers.
    pub event_loop: LoopHandle,
    /// Finds descriptors for paths `/dev/fdset/N`. By default there are no sets.
    pub fd_set: Arc<FdSetResolver>,
    /// Finds descriptors for `fd=NAME`. By default names are numbers of inherited descriptors.
    pub named_fd: Arc<NamedFdResolver>,
    /// The character device that [`Kind::Mux`] names, already looked up.
    pub base: Option<Arc<Chardev>>,
    /// What the user of a multiplexer's menu asks for.
    pub on_mux: Arc<dyn Fn(MuxRequest) + Send + Sync>,
    /// Servers with `wait=on` wait for their first client: true while the program starts.
    pub wait: bool,
}

impl Context {
    /// A context with the defaults of each field, that ignores requests of a multiplexer's menu.
    pub fn new(event_loop: LoopHandle) -> Context {
        Context {
            event_loop,
            fd_set: Arc::new(|_, _| Err(rustix::io::Errno::NOENT.into())),
            named_fd: Arc::new(inherited_socket),
            base: None,
            on_mux: Arc::new(|_| {}),
            wait: false,
        }
    }
}

/// Makes a character device. May block where the user named a path or a host (a FIFO, a slow
/// network), and with [`Context::wait`].
///
/// # Errors
/// When the host refuses something, in QEMU's words.
pub fn open(label: &str, config: &Config, context: &Context) -> Result<Arc<Chardev>, Error> {
    if let Kind::Mux { base } = &config.kind {
        let Some(base_device) = &context.base else {
            return Err(Error::option(format!("mux: base chardev {base} not found")));
        };
        let log = open_log(config, context)?;
        let mux = Mux::new(label, base_device, log, context)?;
        return Ok(Chardev::new(label, Body::Mux(mux)));
    }
    let (backend, log) = backend(label, config, context)?;
    let line = Line::new(label, backend, log, &context.event_loop, false);
    line.start();
    Ok(Chardev::new(label, Body::Line(line)))
}

/// Opens the back end and the log file of anything but a multiplexer.
pub(super) fn backend(
    label: &str,
    config: &Config,
    context: &Context,
) -> Result<(Box<dyn Backend>, Option<Log>), Error> {
    let log = open_log(config, context)?;
    let backend: Box<dyn Backend> = match &config.kind {
        Kind::Null => Box::new(Null),
        Kind::Stdio { signal, input } => Box::new(stdio::open(*signal, *input)?),
        Kind::Pty => Box::new(Pty::open()?),
        Kind::File { out, input, append } => {
            Box::new(files::file(out, input.as_deref(), *append, context)?)
        }
        Kind::Pipe { path } => Box::new(files::pipe(path, context)?),
        Kind::Socket(socket) => Box::new(SocketBackend::open(label, socket, context)?),
        Kind::Ringbuf { size, memory } => Box::new(Ring::new(*size, *memory)),
        Kind::Mux { .. } => return Err(Error::MuxChange),
    };
    Ok((backend, log))
}

fn open_log(config: &Config, context: &Context) -> Result<Option<Log>, Error> {
    match &config.log {
        None => Ok(None),
        Some(log) => files::log(log, context).map(Some),
    }
}
