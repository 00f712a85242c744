//! Descriptors that the process inherited, named by number on the command line (`fd=N`).
#![allow(unsafe_code)] // The number of an open descriptor becomes its owner, exactly once.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Mutex;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use super::Error;

/// Takes over the inherited socket `text` (a decimal number).
///
/// Descriptors of our own are all opened close-on-exec, inherited ones cannot have been; so a number
/// without that flag is nobody's yet. It is set here, and the same number is refused the second time.
/// Numbers 0 to 2 are duplicated, since standard input and output have other users.
///
/// # Errors
/// When `text` is no number, or not that of an open, inherited descriptor.
pub fn inherited_socket(text: &str) -> Result<OwnedFd, Error> {
    static TAKING: Mutex<()> = Mutex::new(());
    let number: i32 = match text.parse() {
        Ok(number) if number >= 0 => number,
        _ => return Err(Error::option(format!("Unable to parse FD number {text}"))),
    };
    let refuse = || Error::option(format!("File descriptor '{text}' is not a socket"));
    let _one_at_a_time = TAKING.lock().unwrap_or_else(|e| e.into_inner());
    // SAFETY: the number is not -1, and the borrow ends in this function. Should the number be
    // closed, or a descriptor that another thread is about to close, the kernel answers EBADF or
    // with flags that we refuse.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = fcntl_getfd(descriptor).map_err(|_| refuse())?;
    if number <= 2 {
        return rustix::io::fcntl_dupfd_cloexec(descriptor, 3).map_err(|_| refuse());
    }
    if flags.contains(FdFlags::CLOEXEC) {
        return Err(refuse());
    }
    fcntl_setfd(descriptor, FdFlags::CLOEXEC).map_err(|_| refuse())?;
    // SAFETY: it is open, came from the parent process, and was owned by nobody: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, IntoRawFd};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn takes_an_inherited_number_once() {
        let (ours, _far) = UnixStream::pair().unwrap();
        assert!(inherited_socket(&ours.as_raw_fd().to_string()).is_err());
        fcntl_setfd(&ours, FdFlags::empty()).unwrap();
        let number = ours.into_raw_fd();
        let taken = inherited_socket(&number.to_string()).unwrap();
        assert_eq!(taken.as_raw_fd(), number);
        assert!(inherited_socket(&number.to_string()).is_err());
        for bad in ["", "x", "-1", "99999", "99999999999999"] {
            assert!(inherited_socket(bad).is_err(), "{bad}");
        }
        assert!(
            inherited_socket("zz")
                .unwrap_err()
                .to_string()
                .starts_with("Unable to parse FD number zz")
        );
    }
}
