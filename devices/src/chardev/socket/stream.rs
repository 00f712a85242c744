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
    /// Reading found the end of the stream, or an error; nothing more is to be read.
    ended: bool,
    /// Both directions are closed; what was received before may still be read.
    hung_up: bool,
    /// The other side sends no more; what was received before may still be read.
    half_closed: bool,
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
        let input = input && !self.ended;
        // A hang-up cannot be masked. Once it is known, and while there is nothing to read or no
        // room for it, there is nothing more to learn.
        if self.hung_up && !input {
            return None;
        }
        let mut events = EventSet::empty();
        events.set(EventSet::IN, input);
        events.set(EventSet::OUT, output && !self.hung_up);
        events.set(EventSet::READ_HANG_UP, !input && !self.half_closed && !self.ended);
        Some((self.fd(), events))
    }

    /// Returns whether output can be tried again.
    pub(super) fn ready(&mut self, events: EventSet) -> bool {
        if events.intersects(EventSet::HANG_UP | EventSet::ERROR) {
            self.hung_up = true;
        }
        if events.contains(EventSet::READ_HANG_UP) {
            self.half_closed = true;
        }
        self.hung_up || events.contains(EventSet::OUT)
    }

    /// Whether both directions are closed.
    pub(super) fn has_hung_up(&self) -> bool {
        self.hung_up
    }

    /// As [`super::super::Backend::read`].
    pub(super) fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let got = if self.unix {
            self.receive_message(buf, fds)
        } else {
            recv(&self.fd, &mut *buf, RecvFlags::DONTWAIT).map(|(_, count)| count)
        };
        match got {
            Ok(count) if count > 0 || buf.is_empty() => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
            // A connection that was reset has ended, too.
            Ok(_) | Err(_) => {
                self.ended = true;
                Ok(0)
            }
        }
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
