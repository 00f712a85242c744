//! Opening named files and pipes.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};

use super::config::LogFile;
use super::duplex::Duplex;
use super::error::Error;
use super::log_file::Log;
use super::open::Context;

/// The `file` back end. May block (a FIFO without a reader).
pub(super) fn file(
    out: &str,
    input: Option<&str>,
    append: bool,
    context: &Context,
) -> Result<Duplex, Error> {
    let how = if append { OFlags::APPEND } else { OFlags::TRUNC };
    let output = open(out, OFlags::WRONLY | OFlags::CREATE | how, context)
        .map_err(|e| could_not_open(out, e))?;
    let input = match input {
        None => None,
        Some(path) => {
            Some(open(path, OFlags::RDONLY, context).map_err(|e| could_not_open(path, e))?)
        }
    };
    for fd in input.iter().chain([&output]) {
        unblock(fd).map_err(|e| could_not_open(out, e))?;
    }
    Duplex::new("file", input, output).map_err(|e| could_not_open(out, e))
}

/// The `pipe` back end. Opening for both directions never waits for the other side.
pub(super) fn pipe(path: &str, context: &Context) -> Result<Duplex, Error> {
    let both = OFlags::RDWR | OFlags::NONBLOCK;
    let pair = open(&format!("{path}.in"), both, context)
        .and_then(|input| Ok((input, open(&format!("{path}.out"), both, context)?)));
    let (input, output) = match pair {
        Ok(pair) => pair,
        Err(_) => {
            let fd = open(path, both, context).map_err(|e| could_not_open(path, e))?;
            let twin = fd.try_clone().map_err(|e| could_not_open(path, e))?;
            (fd, twin)
        }
    };
    Duplex::new("pipe", Some(input), output).map_err(|e| could_not_open(path, e))
}

/// The log file of any back end.
pub(super) fn log(config: &LogFile, context: &Context) -> Result<Log, Error> {
    let how = if config.append { OFlags::APPEND } else { OFlags::TRUNC };
    let fd = open(&config.path, OFlags::WRONLY | OFlags::CREATE | how, context)
        .and_then(|fd| unblock(&fd).map(|()| fd))
        .map_err(|e| Error::io(format!("Could not create '{}'", config.path), e))?;
    Ok(Log::new(File::from(fd), config.path.clone()))
}

fn could_not_open(path: &str, e: impl Into<std::io::Error>) -> Error {
    Error::io(format!("Could not open '{path}'"), e)
}

/// Opens `path`, or asks for a descriptor of the set that it names.
fn open(path: &str, flags: OFlags, context: &Context) -> std::io::Result<OwnedFd> {
    if let Some(set) = path.strip_prefix("/dev/fdset/") {
        let set = set.parse().map_err(|_| std::io::Error::from(rustix::io::Errno::INVAL))?;
        return (context.fd_set)(set, flags);
    }
    let mode = Mode::from_raw_mode(0o666);
    Ok(rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOCTTY, mode)?)
}

fn unblock(fd: &OwnedFd) -> std::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}
