//! Signals of the host that end the machine: SIGINT, SIGHUP, SIGTERM.
#![allow(unsafe_code)] // signalfd(2) has no safe wrapper here.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use devices::event_loop::{EventSet, LoopHandle, Source, Watch};
use vmm_sys_util::signal::{block_signal, create_sigset};

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
