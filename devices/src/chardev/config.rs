//! What a character device is made from.

use std::time::Duration;

use super::Error;

/// A complete description of a character device, independent of how the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The back end.
    pub kind: Kind,
    /// A file that gets a copy of all output.
    pub log: Option<LogFile>,
}

impl Config {
    /// A back end without a log file.
    pub fn new(kind: Kind) -> Config {
        Config { kind, log: None }
    }
}

/// A copy of all output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Path, or `/dev/fdset/N`.
    pub path: String,
    /// Add to the file instead of emptying it first.
    pub append: bool,
}

/// The back ends with their parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Output vanishes, input never comes.
    Null,
    /// Standard input and output of the process.
    Stdio {
        /// Whether control characters (Ctrl-C) act on the process instead of being input.
        signal: bool,
        /// Whether standard input is read; otherwise it is left to others.
        input: bool,
    },
    /// A new pseudo-terminal.
    Pty,
    /// Output to a file, and input from another one.
    File {
        /// Path of the output, created if missing, or `/dev/fdset/N`.
        out: String,
        /// Path of the input.
        input: Option<String>,
        /// Add to the output instead of emptying it first.
        append: bool,
    },
    /// Named pipes `PATH.in` (read) and `PATH.out` (written), or `PATH` for both.
    Pipe {
        /// The path without suffix.
        path: String,
    },
    /// A stream socket.
    Socket(Socket),
    /// The last bytes of the output, in memory.
    Ringbuf {
        /// Bytes kept: a power of two, at most [`Kind::MAX_RINGBUF`].
        size: usize,
        /// Created under the old name `memory`, which queries then show.
        memory: bool,
    },
    /// Shares another character device between up to four users.
    Mux {
        /// The label of the other one.
        base: String,
    },
}

impl Kind {
    /// Bytes of a ring buffer when the user names no size.
    pub const DEFAULT_RINGBUF: u64 = 65536;
    /// The largest ring buffer, in bytes.
    pub const MAX_RINGBUF: u64 = 1 << 30;

    /// A ring buffer of `size` bytes (`None` or 0: the default).
    ///
    /// # Errors
    /// When the size is no power of two, or above [`Kind::MAX_RINGBUF`].
    pub fn ringbuf(size: Option<u64>, memory: bool) -> Result<Kind, Error> {
        let size = match size {
            None | Some(0) => Self::DEFAULT_RINGBUF,
            Some(size) => size,
        };
        if !size.is_power_of_two() {
            return Err(Error::option("size of ringbuf chardev must be power of two"));
        }
        if size > Self::MAX_RINGBUF {
            return Err(Error::option("size of ringbuf chardev must not exceed 1 GiB"));
        }
        Ok(Kind::Ringbuf { size: size as usize, memory })
    }
}

/// A stream socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Where.
    pub address: Address,
    /// Who calls whom.
    pub role: Role,
    /// Send small packets at once (TCP only).
    pub nodelay: bool,
}

/// Who establishes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We listen; one client at a time is served, the next one waits.
    Server {
        /// Opening waits for the first client (at start-up only).
        wait: bool,
    },
    /// We connect.
    Client {
        /// Try again that long after a failure or a loss; `None`: connect once, and fail if that
        /// fails.
        reconnect: Option<Duration>,
    },
}

impl Socket {
    /// Combines the parameters as users give them. `server` defaults to `default_server`; `wait` and
    /// `reconnect` (seconds; 0: never) must fit the role.
    ///
    /// # Errors
    /// When they do not.
    pub fn role(
        server: bool,
        wait: Option<bool>,
        default_wait: bool,
        reconnect: Option<i64>,
    ) -> Result<Role, Error> {
        let again = match reconnect.unwrap_or(0) {
            0 => None,
            seconds => Some(Duration::from_secs(u64::try_from(seconds).map_err(|_| {
                Error::option("Parameter 'reconnect' expects a non-negative number of seconds")
            })?)),
        };
        match (server, again, wait) {
            (true, Some(_), _) => Err(Error::option(
                "'reconnect' option is incompatible with socket in server listen mode",
            )),
            (true, None, _) => Ok(Role::Server { wait: wait.unwrap_or(default_wait) }),
            (false, _, Some(_)) => Err(Error::option(
                "'wait' option is incompatible with socket in client connect mode",
            )),
            (false, reconnect, None) => Ok(Role::Client { reconnect }),
        }
    }
}

/// Where a socket is, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket of the file system, or of the abstract name space.
    Unix {
        /// Path or name.
        path: String,
        /// The name is abstract: it exists without a file.
        is_abstract: bool,
        /// An abstract name is exactly that long, not filled up with zero bytes.
        tight: bool,
    },
    /// TCP.
    Inet(Inet),
    /// A descriptor: the name given to `getfd`, or a number that the process inherited.
    Fd(String),
}

/// A TCP address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inet {
    /// Name or number; empty for a server on all addresses.
    pub host: String,
    /// Decimal, 0 to 65535; 0 lets the host choose.
    pub port: String,
    /// A server tries the ports from `port` to this one.
    pub to: Option<u16>,
    /// Whether to use IPv4 addresses; unset: if there are.
    pub ipv4: Option<bool>,
    /// Whether to use IPv6 addresses; unset: if there are.
    pub ipv6: Option<bool>,
    /// Probe an idle connection.
    pub keep_alive: bool,
}
