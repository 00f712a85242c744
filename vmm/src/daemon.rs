//! Processes and inherited descriptors: going to the background, and taking over what a parent
//! opened.
#![allow(unsafe_code)] // fork(2), and descriptors that come as numbers.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd};

/// The background process's side of `-daemonize`. The parent leaves, with the child's success, only
/// when told that sockets listen and files are complete.
pub(crate) struct Daemon(io::PipeWriter);

impl Daemon {
    /// Forks; returns in the child only. The parent waits for [`Daemon::ready`] or the child's end.
    ///
    /// # Errors
    /// The system has no process or descriptors left.
    pub(crate) fn fork() -> io::Result<Self> {
        let (mut from_child, to_parent) = io::pipe()?;
        // SAFETY: called before any thread exists, so the child has all that the parent had.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(from_child);
                rustix::process::setsid()?;
                Ok(Self(to_parent))
            }
            _ => {
                drop(to_parent);
                let mut word = [0];
                let ready = from_child.read_exact(&mut word).is_ok();
                std::process::exit(i32::from(!ready));
            }
        }
    }

    /// Lets the parent leave, and lets go of its terminal.
    ///
    /// # Errors
    /// `/dev/null` is not there.
    pub(crate) fn ready(mut self) -> io::Result<()> {
        std::env::set_current_dir("/")?;
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        self.0.write_all(&[1])
    }
}

/// Duplicates the inherited descriptor `number` (above 2).
///
/// # Errors
/// It is not open, or it is one of our own.
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    let not_ours = io::Error::new(io::ErrorKind::InvalidInput, "fd is not valid or already in use");
    if number < 3 {
        return Err(not_ours);
    }
    // SAFETY: only looked at, and duplicated if it is open.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    // All descriptors of our own are close-on-exec; an inherited one cannot have been.
    match fcntl_getfd(descriptor) {
        Ok(flags) if !flags.contains(FdFlags::CLOEXEC) => {}
        _ => return Err(not_ours),
    }
    let duplicate = rustix::io::fcntl_dupfd_cloexec(descriptor, 3)?;
    // SAFETY: it came from the parent process and nobody here owns it: this closes the original.
    drop(unsafe { OwnedFd::from_raw_fd(number) });
    Ok(duplicate)
}
