//! The terminal on standard input: raw while it belongs to a character device, restored afterwards.
//!
//! There is one per process. What has to be restored is in a static, so that paths which run no
//! destructors (a panic, an early exit) can restore it too.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::OFlags;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios,
    tcgetattr, tcsetattr,
};

use super::error::reason;

/// What the process found, and what it set.
struct Saved {
    terminal: Option<(OwnedFd, Termios, Termios)>,
    /// Descriptors that had to be made non-blocking although others share them.
    flags: Vec<(OwnedFd, OFlags)>,
}

static SAVED: Mutex<Option<Saved>> = Mutex::new(None);

fn saved() -> MutexGuard<'static, Option<Saved>> {
    SAVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts the terminal and the descriptor flags back as they were found. Does nothing when there is
/// nothing to restore. To be called before the process ends without running destructors.
pub fn restore_terminal() {
    // `try_lock`: a panic hook may interrupt a thread that holds the lock.
    let Ok(mut guard) = SAVED.try_lock() else {
        return;
    };
    let Some(saved) = guard.take() else { return };
    if let Some((fd, found, _)) = &saved.terminal
        && let Err(e) = tcsetattr(fd, OptionalActions::Now, found)
    {
        log::warn!("cannot restore the terminal: {}", reason(&e.into()));
    }
    for (fd, flags) in &saved.flags {
        if let Err(e) = rustix::fs::fcntl_setfl(fd, *flags) {
            log::warn!("cannot restore descriptor flags: {}", reason(&e.into()));
        }
    }
}

/// Applies our settings again, after the shell continued the process in the foreground (SIGCONT).
pub fn reapply_terminal() {
    if let Some(Saved { terminal: Some((fd, _, ours)), .. }) = &*saved()
        && let Err(e) = tcsetattr(fd, OptionalActions::Now, ours)
    {
        log::warn!("cannot set the terminal: {}", reason(&e.into()));
    }
}

/// Ownership of the process's terminal; dropping it restores everything.
pub(super) struct Terminal {
    signal: bool,
}

impl Terminal {
    /// Remembers the settings of `input` if it is a terminal, and makes it raw. With `signal`,
    /// Ctrl-C and its like still act on the process. A terminal that is not read is left alone.
    pub(super) fn acquire(input: Option<impl AsFd>, signal: bool) -> std::io::Result<Terminal> {
        let found = input.and_then(|input| tcgetattr(&input).ok().map(|found| (input, found)));
        let terminal = match found {
            None => None,
            Some((input, found)) => {
                let fd = input.as_fd().try_clone_to_owned()?;
                Some((fd, found.clone(), found))
            }
        };
        *saved() = Some(Saved { terminal, flags: Vec::new() });
        let terminal = Terminal { signal };
        terminal.set_echo(false);
        Ok(terminal)
    }

    /// Makes `fd` non-blocking; its flags are restored with the terminal.
    pub(super) fn unblock(&self, fd: impl AsFd) -> std::io::Result<()> {
        let flags = rustix::fs::fcntl_getfl(&fd)?;
        let copy = fd.as_fd().try_clone_to_owned()?;
        rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
        if let Some(saved) = &mut *saved() {
            saved.flags.push((copy, flags));
        }
        Ok(())
    }

    /// With echo the terminal edits lines as it was found; without, every key is input at once.
    pub(super) fn set_echo(&self, echo: bool) {
        if let Some(Saved { terminal: Some((_, found, ours)), .. }) = &mut *saved() {
            *ours = if echo { found.clone() } else { raw(found, self.signal) };
        }
        reapply_terminal();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore_terminal();
    }
}

/// Bytes in as typed; output still turns a line feed into a new line.
fn raw(found: &Termios, signal: bool) -> Termios {
    let mut ours = found.clone();
    ours.input_modes -= InputModes::IGNBRK
        | InputModes::BRKINT
        | InputModes::PARMRK
        | InputModes::ISTRIP
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::ICRNL
        | InputModes::IXON;
    ours.output_modes |= OutputModes::OPOST;
    ours.local_modes -=
        LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN;
    if !signal {
        ours.local_modes -= LocalModes::ISIG;
    }
    ours.control_modes -= ControlModes::CSIZE | ControlModes::PARENB;
    ours.control_modes |= ControlModes::CS8;
    ours.special_codes[SpecialCodeIndex::VMIN] = 1;
    ours.special_codes[SpecialCodeIndex::VTIME] = 0;
    ours
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    #[test]
    fn raw_while_owned_and_restored_afterwards() {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let pty = openpt(flags).unwrap();
        grantpt(&pty).unwrap();
        unlockpt(&pty).unwrap();
        let tty = ioctl_tiocgptpeer(&pty, flags).unwrap();
        let local = || tcgetattr(&tty).unwrap().local_modes;
        let before = local();
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        let blocking = rustix::fs::fcntl_getfl(&tty).unwrap();

        let terminal = Terminal::acquire(Some(&tty), true).unwrap();
        terminal.unblock(&tty).unwrap();
        assert!(!local().intersects(LocalModes::ICANON | LocalModes::ECHO));
        assert!(local().contains(LocalModes::ISIG));
        terminal.set_echo(true);
        assert_eq!(local(), before);
        drop(terminal);
        assert_eq!(local(), before);
        assert_eq!(rustix::fs::fcntl_getfl(&tty).unwrap(), blocking);

        let terminal = Terminal::acquire(Some(&tty), false).unwrap();
        assert!(!local().contains(LocalModes::ISIG));
        restore_terminal();
        assert_eq!(local(), before, "restored without the destructor");
        drop(terminal);
    }
}
