//! A pair of descriptors, one read and one written: the `file`, `pipe` and `stdio` back ends.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::epoll;
use rustix::io::Errno;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use super::backend::{Backend, Notice};
use super::stdio::Claim;
use super::terminal::Terminal;
use crate::event_loop::EventSet;

/// Both descriptors must be non-blocking, unless epoll cannot watch them (regular files).
pub(super) struct Duplex {
    name: &'static str,
    input: Option<Input>,
    output: OwnedFd,
    /// The input is over for good.
    closed: bool,
    /// Of `stdio`: the terminal is restored before another device may claim it.
    terminal: Option<(Terminal, Claim)>,
}

struct Input {
    fd: OwnedFd,
    /// Always readable; watched in place of a descriptor that epoll does not take.
    stand_in: Option<EventFd>,
    /// The stream has ended; nothing more is to be watched.
    ended: bool,
}

impl Duplex {
    /// `name` is what queries show.
    ///
    /// # Errors
    /// When the host refuses a descriptor.
    pub(super) fn new(
        name: &'static str,
        input: Option<OwnedFd>,
        output: OwnedFd,
    ) -> io::Result<Duplex> {
        let input = match input {
            None => None,
            Some(fd) => {
                let stand_in = if can_poll(fd.as_fd())? {
                    None
                } else {
                    let always = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?;
                    always.write(1)?;
                    Some(always)
                };
                Some(Input { fd, stand_in, ended: false })
            }
        };
        Ok(Duplex { name, input, output, closed: false, terminal: None })
    }

    /// Ties a terminal's settings to this back end: they are restored with its end.
    pub(super) fn with_terminal(mut self, terminal: Terminal, claim: Claim) -> Duplex {
        self.terminal = Some((terminal, claim));
        self
    }
}

impl Backend for Duplex {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        let mut interest: Vec<(RawFd, EventSet)> = Vec::with_capacity(2);
        if let Some(source) = &self.input
            && input
            && !source.ended
        {
            let fd = match &source.stand_in {
                Some(always) => always.as_raw_fd(),
                None => source.fd.as_raw_fd(),
            };
            interest.push((fd, EventSet::IN));
        }
        if output {
            interest.push((self.output.as_raw_fd(), EventSet::OUT));
        }
        interest
    }

    fn ready(&mut self, fd: RawFd, events: EventSet, notices: &mut Vec<Notice>) {
        if fd == self.output.as_raw_fd() && !(events - EventSet::IN).is_empty() {
            notices.push(Notice::Writable);
        }
    }

    fn read(&mut self, buf: &mut [u8], _fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let Some(input) = &mut self.input else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        match rustix::io::read(&input.fd, &mut *buf) {
            Ok(count) => {
                input.ended = count == 0 && !buf.is_empty();
                Ok(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
            Err(e) => {
                log::warn!("{}: cannot read: {e}", self.name);
                input.ended = true;
                Ok(0)
            }
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.output, data)?)
    }

    fn is_open(&self) -> bool {
        // A back end without input stays open: output alone is a connection.
        !self.closed
    }

    fn filename(&self) -> String {
        self.name.to_string()
    }

    fn disconnect(&mut self) {
        self.input = None;
        self.closed = true;
    }

    fn set_echo(&mut self, echo: bool) {
        if let Some((terminal, _)) = &self.terminal {
            terminal.set_echo(echo);
        }
    }
}

/// Whether epoll takes the descriptor: pipes, terminals and sockets yes, regular files no.
fn can_poll(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let probe = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    match epoll::add(&probe, fd, epoll::EventData::new_u64(0), epoll::EventFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::PERM) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
