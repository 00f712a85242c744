//! The `stdio` back end.
//!
//! Non-blocking mode belongs to the open file, which the shell and other programs share with us. So
//! terminals and pipes are opened anew through `/proc/self/fd`; only where that is impossible (a
//! socket, a terminal of another user) the shared one is switched, and switched back at the end.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FileType, Mode, OFlags};

use super::duplex::Duplex;
use super::error::Error;
use super::terminal::Terminal;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to use standard input and output; there is one.
pub(super) struct Claim;

impl Claim {
    fn take() -> Result<Claim, Error> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Err(Error::option("cannot use stdio by multiple character devices"));
        }
        Ok(Claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}

/// Opens standard output, and standard input if `listen`; `signal` and `listen` as in
/// [`super::Kind::Stdio`].
pub(super) fn open(signal: bool, listen: bool) -> Result<Duplex, Error> {
    let claim = Claim::take()?;
    let failed = |e: std::io::Error| Error::io("Could not open standard input and output", e);
    let (input, output) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let terminal = Terminal::acquire(listen.then_some(input), signal).map_err(failed)?;
    let input = listen.then(|| private(input, OFlags::RDONLY, &terminal)).transpose();
    let input = input.map_err(failed)?;
    let output = private(output, OFlags::WRONLY, &terminal).map_err(failed)?;
    let streams = Duplex::new("stdio", input, output).map_err(failed)?;
    Ok(streams.with_terminal(terminal, claim))
}

/// A descriptor of our own for the same file, non-blocking unless it is a regular file.
fn private(fd: BorrowedFd<'_>, access: OFlags, terminal: &Terminal) -> std::io::Result<OwnedFd> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
    if matches!(kind, FileType::Fifo | FileType::CharacterDevice) {
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        if let Ok(own) = rustix::fs::open(path, flags, Mode::empty()) {
            return Ok(own);
        }
    }
    if kind != FileType::RegularFile {
        terminal.unblock(fd)?;
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 3)?)
}
