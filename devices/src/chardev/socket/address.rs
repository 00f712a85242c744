//! From an address as the user wrote it to sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, connect, getsockname, listen, socket_with, sockopt};

use super::stream::{tcp_address, unix_path};
use crate::chardev::config::{Address, Inet};
use crate::chardev::error::{Error, reason};

/// Clients that may wait for their turn.
const BACKLOG: i32 = 16;
/// Bytes of a socket's path or name.
const MAX_PATH: usize = 107;

/// Sockets that listen for the same character device.
pub(super) struct Listeners {
    pub(super) fds: Vec<OwnedFd>,
    /// The text of `query-chardev` without a client, from its `unix:` or `tcp:` on.
    pub(super) text: String,
    /// The file to remove at the end.
    _file: Option<OwnedFile>,
}

/// The file of a listening socket, which is removed at its end if it is still ours.
#[derive(Clone, PartialEq, Eq)]
struct SocketFile {
    /// Absolute: a process that goes to the background changes its directory.
    path: PathBuf,
    identity: (u64, u64),
}

/// The files of all listening sockets of the process.
static FILES: Mutex<Vec<SocketFile>> = Mutex::new(Vec::new());

/// Removes the files of all listening sockets, as closing the sockets would. To be called before the
/// process ends without running destructors.
pub fn remove_socket_files() {
    let files = std::mem::take(&mut *files());
    files.iter().for_each(SocketFile::remove);
}

fn files() -> MutexGuard<'static, Vec<SocketFile>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SocketFile {
    /// The file of a socket that was just bound to `path`.
    fn of(path: &str) -> Option<OwnedFile> {
        let path = std::path::absolute(path).ok()?;
        let file = SocketFile { identity: identity(&path)?, path };
        files().push(file.clone());
        Some(OwnedFile(file))
    }

    fn remove(&self) {
        if identity(&self.path) == Some(self.identity) {
            // Somebody may have been faster: then it is gone, which is what we want.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::lstat(path).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Removes the file on drop.
struct OwnedFile(SocketFile);

impl Drop for OwnedFile {
    fn drop(&mut self) {
        let mut files = files();
        if let Some(at) = files.iter().position(|file| *file == self.0) {
            files.swap_remove(at).remove();
        }
    }
}

/// The text of `query-chardev` for a client that is not connected, from its `unix:` or `tcp:` on.
pub(super) fn describe(address: &Address) -> String {
    match address {
        Address::Unix { path, is_abstract, tight } => {
            let flags = match (is_abstract, tight) {
                (false, _) => "",
                (true, false) => ",abstract=on",
                (true, true) => ",abstract=on,tight=on",
            };
            format!("unix:{path}{flags}")
        }
        Address::Inet(inet) => format!("tcp:{}:{}", inet.host, inet.port),
        Address::Fd(name) => format!("fd:{name}"),
    }
}

/// Starts to listen. `fd` is the socket of [`Address::Fd`].
pub(super) fn listen_on(address: &Address, fd: Option<OwnedFd>) -> Result<Listeners, Error> {
    match (address, fd) {
        (_, Some(fd)) => listen_on_fd(fd),
        (Address::Inet(inet), None) => listen_on_inet(inet),
        (Address::Unix { path, is_abstract: true, tight }, None) => {
            let fd = new_socket(AddressFamily::UNIX)?;
            bind(&fd, &abstract_name(path, *tight)?)
                .map_err(|e| Error::io(format!("Failed to bind socket to {path}"), e))?;
            finish_unix(fd, describe(address), None)
        }
        (Address::Unix { path, .. }, None) => {
            let at = file_name(path)?;
            remove_stale(path)?;
            let fd = new_socket(AddressFamily::UNIX)?;
            bind(&fd, &at).map_err(|e| Error::io(format!("Failed to bind socket to {path}"), e))?;
            finish_unix(fd, describe(address), SocketFile::of(path))
        }
        (Address::Fd(name), None) => Err(not_a_socket(name)),
    }
}

fn finish_unix(fd: OwnedFd, text: String, file: Option<OwnedFile>) -> Result<Listeners, Error> {
    listen(&fd, BACKLOG).map_err(|e| Error::io("Failed to listen on socket", e))?;
    listeners(vec![fd], text, file)
}

fn listeners(fds: Vec<OwnedFd>, text: String, file: Option<OwnedFile>) -> Result<Listeners, Error> {
    for fd in &fds {
        rustix::io::ioctl_fionbio(fd, true)
            .map_err(|e| Error::io("Failed to listen on socket", e))?;
    }
    Ok(Listeners { fds, text: format!("{text},server=on"), _file: file })
}

/// Removes what a server that ended without cleaning up has left. Only a socket: anything else at
/// that path is somebody's file, and binding fails.
fn remove_stale(path: &str) -> Result<(), Error> {
    let Ok(stat) = rustix::fs::lstat(path) else {
        return Ok(());
    };
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Socket {
        rustix::fs::unlink(path)
            .map_err(|e| Error::io(format!("Failed to unlink socket {path}"), e))?;
    }
    Ok(())
}

fn listen_on_fd(fd: OwnedFd) -> Result<Listeners, Error> {
    let failed = |e: rustix::io::Errno| Error::io("Failed to listen on fd socket", e);
    listen(&fd, BACKLOG).map_err(failed)?;
    let local = getsockname(&fd).map_err(failed)?;
    let text = match (unix_path(&local), tcp_address(&local)) {
        (Some(path), _) => format!("unix:{path}"),
        (None, Some(address)) => format!("tcp:{}:{}", address.ip(), address.port()),
        (None, None) => "unix:".to_string(),
    };
    listeners(vec![fd], text, None)
}

fn listen_on_inet(inet: &Inet) -> Result<Listeners, Error> {
    let first = port_number(inet)?;
    let addresses = resolve(inet, true)?;
    let mut failure = None;
    for port in first..=inet.to.unwrap_or(first).max(first) {
        match listen_on_all(&addresses, port, inet) {
            Ok(listeners) => return Ok(listeners),
            Err(e) => failure = Some(e),
        }
    }
    Err(failure.unwrap_or_else(|| Error::option("no port to listen on")))
}

/// Listens on one port of as many of the addresses as possible, at least one.
fn listen_on_all(addresses: &[SocketAddr], port: u16, inet: &Inet) -> Result<Listeners, Error> {
    let both =
        addresses.iter().any(SocketAddr::is_ipv4) && addresses.iter().any(SocketAddr::is_ipv6);
    let only_v6 = both || inet.ipv4 == Some(false);
    let mut bound: Vec<(OwnedFd, SocketAddr)> = Vec::new();
    let mut failure = None;
    for address in addresses {
        // Where the host chooses the port, it chooses once.
        let port = bound.first().map_or(port, |(_, first)| first.port());
        match listen_on_one(SocketAddr::new(address.ip(), port), only_v6) {
            Ok(socket) => bound.push(socket),
            Err(e) => failure = Some(e),
        }
    }
    let Some((_, shown)) = bound.first() else {
        return Err(failure.unwrap_or_else(|| Error::option("no address to listen on")));
    };
    let text = format!("tcp:{}:{}", shown.ip(), shown.port());
    listeners(bound.into_iter().map(|(fd, _)| fd).collect(), text, None)
}

fn listen_on_one(address: SocketAddr, only_v6: bool) -> Result<(OwnedFd, SocketAddr), Error> {
    let family = family(&address);
    let fd = new_socket(family)?;
    let result = (|| {
        sockopt::set_socket_reuseaddr(&fd, true)?;
        if family == AddressFamily::INET6 {
            sockopt::set_ipv6_v6only(&fd, only_v6)?;
        }
        bind(&fd, &address)?;
        listen(&fd, BACKLOG)?;
        getsockname(&fd)
    })();
    match result {
        Ok(local) => {
            let local = tcp_address(&local).unwrap_or(address);
            Ok((fd, local))
        }
        Err(rustix::io::Errno::ADDRINUSE) => {
            Err(Error::io("Failed to find an available port", rustix::io::Errno::ADDRINUSE))
        }
        Err(e) => Err(Error::io("Failed to bind socket", e)),
    }
}

/// Connects, which may take as long as the network takes.
pub(super) fn connect_to(address: &Address) -> Result<OwnedFd, Error> {
    match address {
        Address::Unix { path, is_abstract, tight } => {
            let at = if *is_abstract { abstract_name(path, *tight)? } else { file_name(path)? };
            let fd = new_socket(AddressFamily::UNIX)?;
            connect(&fd, &at)
                .map_err(|e| Error::io(format!("Failed to connect to '{path}'"), e))?;
            Ok(fd)
        }
        Address::Inet(inet) => connect_to_inet(inet),
        Address::Fd(name) => Err(not_a_socket(name)),
    }
}

fn connect_to_inet(inet: &Inet) -> Result<OwnedFd, Error> {
    let port = port_number(inet)?;
    let mut failure = None;
    for address in resolve(inet, false)? {
        let address = SocketAddr::new(address.ip(), port);
        let fd = new_socket(family(&address))?;
        match connect(&fd, &address) {
            Ok(()) => return Ok(fd),
            Err(e) => {
                let what = format!("Failed to connect to '{}:{}'", inet.host, inet.port);
                failure = Some(Error::io(what, e));
            }
        }
    }
    Err(failure.unwrap_or_else(|| unresolved(inet, "No address associated with hostname")))
}

fn new_socket(family: AddressFamily) -> Result<OwnedFd, Error> {
    socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|e| Error::io("Failed to create socket", e))
}

fn family(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

fn file_name(path: &str) -> Result<SocketAddrUnix, Error> {
    if path.is_empty() {
        return Err(Error::option("UNIX socket path is empty"));
    }
    too_long(path)?;
    SocketAddrUnix::new(path).map_err(|e| Error::io(format!("UNIX socket path '{path}'"), e))
}

fn abstract_name(name: &str, tight: bool) -> Result<SocketAddrUnix, Error> {
    too_long(name)?;
    let mut bytes = name.as_bytes().to_vec();
    if !tight {
        bytes.resize(MAX_PATH, 0);
    }
    SocketAddrUnix::new_abstract_name(&bytes)
        .map_err(|e| Error::io(format!("UNIX socket path '{name}'"), e))
}

fn too_long(path: &str) -> Result<(), Error> {
    if path.len() > MAX_PATH {
        return Err(Error::option(format!("UNIX socket path '{path}' is too long")));
    }
    Ok(())
}

fn port_number(inet: &Inet) -> Result<u16, Error> {
    inet.port.parse().map_err(|_| unresolved(inet, "Servname not supported for ai_socktype"))
}

/// The addresses of `inet.host` that its family options allow. May ask name servers.
fn resolve(inet: &Inet, server: bool) -> Result<Vec<SocketAddr>, Error> {
    let (v4, v6) = match (inet.ipv4, inet.ipv6) {
        (Some(false), Some(false)) => {
            return Err(Error::option("Cannot disable IPv4 and IPv6 at same time"));
        }
        (None, Some(v6)) => (!v6, v6),
        (Some(v4), None) => (v4, !v4),
        (None, None) => (true, true),
        (Some(v4), Some(v6)) => (v4, v6),
    };
    let found: Vec<SocketAddr> = if inet.host.is_empty() && server {
        let any: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        any.map(|ip| SocketAddr::new(ip, 0)).to_vec()
    } else if inet.host.is_empty() {
        return Err(unresolved(inet, "Name or service not known"));
    } else {
        (inet.host.as_str(), 0)
            .to_socket_addrs()
            .map_err(|e| unresolved(inet, &lookup_failure(&e)))?
            .collect()
    };
    let allowed = |address: &SocketAddr| if address.is_ipv4() { v4 } else { v6 };
    let found: Vec<SocketAddr> = found.into_iter().filter(allowed).collect();
    if found.is_empty() {
        return Err(unresolved(inet, "Address family for hostname not supported"));
    }
    Ok(found)
}

fn lookup_failure(e: &io::Error) -> String {
    let text = reason(e);
    match text.strip_prefix("failed to lookup address information: ") {
        Some(cause) => cause.to_string(),
        None => text,
    }
}

fn unresolved(inet: &Inet, cause: &str) -> Error {
    Error::option(format!("address resolution failed for {}:{}: {cause}", inet.host, inet.port))
}

/// The descriptor called `name` is something else.
pub(super) fn not_a_socket(name: &str) -> Error {
    Error::option(format!("File descriptor '{name}' is not a socket"))
}
