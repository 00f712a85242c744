//! One established connection.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrAny,
    SocketAddrUnix, getpeername, getsockname, recv, recvmsg, send, sockopt,
};

use crate::event_loop::EventSet;

/// The kernel hands over at most that many descriptors with one message.
const MAX_FDS: usize = 253;

pub(super) struct Stream {
    fd: OwnedFd,
    unix: bool,
    /// The text of `query-chardev` while connected.
    pub(super) filename: String,
    /// Reading found the end of the stream, or an error.
    ended: bool,
    /// Both directions are closed; what was received before may still be read.
    hung_up: bool,
    /// The other side sends no more; what was received before may still be read.
    half_closed: bool,
}

/// What an event means for the connection.
pub(super) enum Verdict {
    /// Nothing special.
    Fine,
    /// Output can be tried again.
    Writable,
    /// It is over.
    Gone,
}

impl Stream {
    /// Takes over a connected socket. `server` is how the connection came about, for the text.
    pub(super) fn new(
        fd: OwnedFd,
        server: bool,
        nodelay: bool,
        keep_alive: bool,
    ) -> io::Result<Stream> {
        let local = getsockname(&fd)?;
        let unix = local.address_family() == AddressFamily::UNIX;
        rustix::io::ioctl_fionbio(&fd, true)?;
        let tcp = matches!(local.address_family(), AddressFamily::INET | AddressFamily::INET6);
        if tcp && nodelay {
            sockopt::set_tcp_nodelay(&fd, true)?;
        }
        if tcp && keep_alive {
            sockopt::set_socket_keepalive(&fd, true)?;
        }
        let filename = filename(&fd, local, server);
        Ok(Stream { fd, unix, filename, ended: false, hung_up: false, half_closed: false })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(super) fn interest(&self, input: bool, output: bool) -> Option<(RawFd, EventSet)> {
        // A hang-up cannot be masked. Once it is known, and while the user has no room for what is
        // left to read, there is nothing more to learn.
        if self.hung_up && !input && !self.ended {
            return None;
        }
        let mut events = EventSet::empty();
        // The end of the stream is reported whether or not there is room.
        events.set(EventSet::IN, input || self.ended);
        events.set(EventSet::OUT, output && !self.hung_up);
        events.set(EventSet::READ_HANG_UP, !input && !self.half_closed);
        Some((self.fd(), events))
    }

    pub(super) fn ready(&mut self, events: EventSet) -> Verdict {
        if events.intersects(EventSet::HANG_UP | EventSet::ERROR) {
            self.hung_up = true;
        }
        if events.contains(EventSet::READ_HANG_UP) {
            self.half_closed = true;
        }
        if self.ended {
            Verdict::Gone
        } else if events.intersects(EventSet::OUT | EventSet::HANG_UP | EventSet::ERROR) {
            Verdict::Writable
        } else {
            Verdict::Fine
        }
    }

    /// As [`super::super::Backend::read`].
    pub(super) fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        if self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let got = if self.unix {
            self.receive_message(buf, fds)
        } else {
            recv(&self.fd, &mut *buf, RecvFlags::DONTWAIT).map(|(_, count)| count)
        };
        match got {
            Ok(count) if count > 0 || buf.is_empty() => return Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(_) | Err(_) => self.ended = true,
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn receive_message(&self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> rustix::io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let message = recvmsg(&self.fd, &mut [io::IoSliceMut::new(buf)], &mut control, flags)?;
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = part {
                fds.extend(received);
            }
        }
        Ok(message.bytes)
    }

    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.hung_up {
            return Ok(data.len());
        }
        Ok(send(&self.fd, data, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }
}

/// `unix:PATH,server=on` or `tcp:HERE,server=on <-> THERE`.
fn filename(fd: &OwnedFd, local: SocketAddrAny, server: bool) -> String {
    let server = if server { ",server=on" } else { "" };
    if local.address_family() == AddressFamily::UNIX {
        return format!("unix:{}{server}", unix_path(&local).unwrap_or_default());
    }
    match (tcp_address(&local), getpeername(fd).ok().flatten()) {
        (Some(here), Some(peer)) => match tcp_address(&peer) {
            Some(there) => format!("tcp:{here}{server} <-> {there}"),
            None => "unknown".to_string(),
        },
        _ => "unknown".to_string(),
    }
}

/// The path of a UNIX socket; `None` for other families, unnamed and abstract sockets.
pub(super) fn unix_path(address: &SocketAddrAny) -> Option<String> {
    let address = SocketAddrUnix::try_from(address.clone()).ok()?;
    Some(address.path()?.to_string_lossy().into_owned())
}

/// `HOST:PORT` or `[HOST]:PORT` of a TCP address.
pub(super) fn tcp_address(address: &SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(address.clone()).ok()
}
