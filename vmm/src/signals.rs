//! Signals of the host that end the machine: SIGINT, SIGHUP, SIGTERM.
#![allow(unsafe_code)] // signalfd(2) has no safe wrapper here.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex};

use devices::event_loop::{EventSet, LoopHandle, Source, Watch};
use vmm_sys_util::signal::{block_signal, create_sigset, unblock_signal};

const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGHUP, libc::SIGTERM];

/// The ending signals as a descriptor. Made before any other thread, since each inherits the mask.
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Blocks the ending signals from now on and collects them.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn collect() -> io::Result<Self> {
        let set = create_sigset(&ENDING).map_err(|e| io::Error::from_raw_os_error(e.errno()))?;
        for signal in ENDING {
            // Already blocked by the parent is as good.
            let _ = block_signal(signal);
        }
        // SAFETY: `set` is a valid signal set.
        let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Calls `ended` with the signal's number and sender whenever one comes, on the loop's thread.
    pub(crate) fn watch(
        self,
        on: &LoopHandle,
        ended: impl Fn(u32, u32) + Send + Sync + 'static,
    ) -> Watch {
        let fd = self.0.as_raw_fd();
        let watch = on.watch(Arc::new(Ending { fd: self.0, ended: Box::new(ended) }));
        watch.set(&[(fd, EventSet::IN)]);
        watch
    }
}

struct Ending {
    fd: OwnedFd,
    ended: Box<dyn Fn(u32, u32) + Send + Sync>,
}

impl Source for Ending {
    fn ready(&self, _fd: RawFd, _events: EventSet) {
        // struct signalfd_siginfo: ssi_signo at 0, ssi_pid at 12, 128 bytes in all.
        let mut info = [0u8; 128];
        if let Ok(128) = rustix::io::read(&self.fd, &mut info) {
            let word = |at| u32::from_ne_bytes(info[at..at + 4].try_into().expect("four bytes"));
            (self.ended)(word(0), word(12));
        }
    }
}

/// Whether control is there to handle signals. Before, the program may be waiting for a client, a
/// network or a file, and a signal ends it on the spot.
#[derive(Default)]
pub(crate) struct Phase(Mutex<bool>);

impl Phase {
    /// From now on the program's end is control's matter.
    pub(crate) fn serve(&self) {
        // Taken by a thread that ends the process, the lock never comes: that is as well.
        *self.0.lock().expect("phase lock") = true;
    }

    /// Ends the program by signal `number`, as if it had no handler, unless control is there.
    pub(crate) fn end_unless_serving(&self, number: u32) {
        let serving = self.0.lock().expect("phase lock");
        if *serving {
            return;
        }
        devices::chardev::restore_terminal();
        devices::chardev::remove_socket_files();
        crate::logging::flush();
        if let Ok(number) = i32::try_from(number)
            && unblock_signal(number).is_ok()
        {
            // SAFETY: no memory is involved; the signals of this module have no handlers.
            unsafe { libc::raise(number) };
        }
        // The parent had the signal ignored.
        std::process::exit(1);
    }
}

/// Who sent a signal, for messages: nothing for a key such as ^C, else the number of the process and how it was called.
pub(crate) fn origin(sender: u32) -> String {
    if sender == 0 {
        return String::new();
    }
    let mut line = Vec::new();
    let read = File::open(format!("/proc/{sender}/cmdline"))
        .and_then(|file| file.take(4096).read_to_end(&mut line));
    let name = line.split(|&byte| byte == 0).next().unwrap_or_default();
    match read {
        Ok(_) if !name.is_empty() => format!(" from pid {sender} ({})", name.escape_ascii()),
        _ => format!(" from pid {sender} (<unknown process>)"),
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_origin_of_a_signal() {
        assert_eq!(origin(0), "");
        let ours = origin(std::process::id());
        assert!(ours.starts_with(&format!(" from pid {} (", std::process::id())), "{ours}");
        assert!(!ours.contains("unknown"), "{ours}");
        assert_eq!(origin(u32::MAX), " from pid 4294967295 (<unknown process>)");
    }
}
