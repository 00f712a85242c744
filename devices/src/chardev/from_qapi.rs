//! Character devices as `chardev-add` and `chardev-change` describe them.

use std::net::IpAddr;

use qapi::{ChardevBackend, ChardevCommon, ChardevSocket, SocketAddressLegacy};

use super::config::{Address, Config, Inet, Kind, LogFile, Socket};
use super::error::Error;

impl TryFrom<ChardevBackend> for Config {
    type Error = Error;

    /// # Errors
    /// Combinations that make no sense, in QEMU's words.
    fn try_from(backend: ChardevBackend) -> Result<Config, Error> {
        let (kind, common) = match backend {
            ChardevBackend::Null(common) => (Kind::Null, common.data),
            ChardevBackend::Pty(common) => (Kind::Pty, common.data),
            ChardevBackend::Stdio(stdio) => {
                let signal = stdio.data.signal.unwrap_or(true);
                (Kind::Stdio { signal, input: true }, stdio.data.base)
            }
            ChardevBackend::File(file) => {
                let append = file.data.append.unwrap_or(false);
                let kind = Kind::File { out: file.data.out, input: file.data.r#in, append };
                (kind, file.data.base)
            }
            ChardevBackend::Pipe(pipe) => (Kind::Pipe { path: pipe.data.device }, pipe.data.base),
            ChardevBackend::Socket(socket) => socket_kind(socket.data)?,
            ChardevBackend::Ringbuf(ring) => (ring_kind(ring.data.size, false)?, ring.data.base),
            ChardevBackend::Memory(ring) => (ring_kind(ring.data.size, true)?, ring.data.base),
            ChardevBackend::Mux(mux) => (Kind::Mux { base: mux.data.chardev }, mux.data.base),
        };
        Ok(Config { kind, log: log(common) })
    }
}

fn log(common: ChardevCommon) -> Option<LogFile> {
    let append = common.logappend.unwrap_or(false);
    common.logfile.map(|path| LogFile { path, append })
}

fn ring_kind(size: Option<i64>, memory: bool) -> Result<Kind, Error> {
    // A negative size becomes one that is no power of two, or too large.
    Kind::ringbuf(size.map(|size| size as u64), memory)
}

fn socket_kind(socket: ChardevSocket) -> Result<(Kind, ChardevCommon), Error> {
    let server = socket.server.unwrap_or(true);
    let role = Socket::role(server, socket.wait, false, socket.reconnect)?;
    let address = match socket.addr {
        SocketAddressLegacy::Unix(unix) => Address::Unix {
            path: unix.data.path,
            is_abstract: unix.data.r#abstract.unwrap_or(false),
            tight: unix.data.tight.unwrap_or(true),
        },
        SocketAddressLegacy::Fd(fd) => Address::Fd(fd.data.str),
        SocketAddressLegacy::Inet(inet) => {
            let inet = inet.data;
            let host = &inet.base.host;
            if inet.numeric == Some(true) && host.parse::<IpAddr>().is_err() {
                return Err(Error::option(format!(
                    "address resolution failed for {host}:{}: Name or service not known",
                    inet.base.port
                )));
            }
            Address::Inet(Inet {
                host: inet.base.host,
                port: inet.base.port,
                to: inet.to,
                ipv4: inet.ipv4,
                ipv6: inet.ipv6,
                keep_alive: inet.keep_alive.unwrap_or(false),
            })
        }
    };
    let nodelay = socket.nodelay.unwrap_or(false);
    Ok((Kind::Socket(Socket { address, role, nodelay }), socket.base))
}

#[cfg(test)]
mod tests {
    use qapi::{
        ChardevFile, ChardevFileWrapper, ChardevRingbuf, ChardevRingbufWrapper,
        ChardevSocketWrapper, FdSocketAddress, FdSocketAddressWrapper,
    };

    use super::*;
    use crate::chardev::config::Role;

    fn socket(change: impl FnOnce(&mut ChardevSocket)) -> Result<Config, String> {
        let mut data = ChardevSocket {
            base: ChardevCommon { logfile: None, logappend: None },
            addr: SocketAddressLegacy::Fd(FdSocketAddressWrapper {
                data: FdSocketAddress { str: "name".to_string() },
            }),
            server: None,
            wait: None,
            nodelay: None,
            reconnect: None,
        };
        change(&mut data);
        Config::try_from(ChardevBackend::Socket(ChardevSocketWrapper { data }))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_schema() {
        let Kind::Socket(plain) = socket(|_| {}).unwrap().kind else { panic!("no socket") };
        assert_eq!(plain.role, Role::Server { wait: false });
        assert_eq!(plain.address, Address::Fd("name".to_string()));
        let base = ChardevCommon { logfile: Some("/l".to_string()), logappend: Some(true) };
        let data = ChardevFile { base, r#in: None, out: "/o".to_string(), append: None };
        let config = Config::try_from(ChardevBackend::File(ChardevFileWrapper { data })).unwrap();
        assert_eq!(config.log, Some(LogFile { path: "/l".to_string(), append: true }));
        assert_eq!(config.kind, Kind::File { out: "/o".to_string(), input: None, append: false });
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(
            socket(|s| s.reconnect = Some(1)).unwrap_err(),
            "'reconnect' option is incompatible with socket in server listen mode"
        );
        assert_eq!(
            socket(|s| (s.server, s.wait) = (Some(false), Some(true))).unwrap_err(),
            "'wait' option is incompatible with socket in client connect mode"
        );
        assert!(socket(|s| (s.server, s.reconnect) = (Some(false), Some(-1))).is_err());
        for size in [-1, 100, i64::MIN] {
            let base = ChardevCommon { logfile: None, logappend: None };
            let data = ChardevRingbuf { base, size: Some(size) };
            let backend = ChardevBackend::Ringbuf(ChardevRingbufWrapper { data });
            assert!(Config::try_from(backend).is_err(), "{size}");
        }
    }
}
