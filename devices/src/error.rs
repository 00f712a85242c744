//! What can go wrong when the machine's parts are made, changed or connected.

use thiserror::Error;

/// An error of this room. Each message says its own level only, in the words that QEMU's users
/// know where there is such a situation there.
#[derive(Debug, Error)]
pub enum Error {
    /// A condition that a user caused and that the text explains completely.
    #[error("{0}")]
    Message(String),
    /// No object, device or bus of that name.
    #[error("Device '{0}' not found")]
    DeviceNotFound(String),
    /// Several objects have a path that ends so.
    #[error("Path '{0}' is ambiguous")]
    Ambiguous(String),
    /// Two mappings, names or addresses collide.
    #[error("{what} '{name}' is already in use")]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Its name or address.
        name: String,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted, naming the thing.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A character device's own error.
    #[error(transparent)]
    Chardev(#[from] crate::chardev::Error),
    /// An error with a QMP class of its own.
    #[error("{0}")]
    Qapi(#[from] qapi::Error),
}

impl Error {
    /// An error that is completely described by `text`.
    pub fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// A failed system call; `what` names the attempt and the thing.
    pub fn io(what: impl Into<String>, source: impl Into<std::io::Error>) -> Self {
        Self::Io { what: what.into(), source: source.into() }
    }
}

impl From<Error> for qapi::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Qapi(inner) => inner,
            Error::DeviceNotFound(name) => qapi::Error::device_not_found(&name),
            other => qapi::Error::generic(other.to_string()),
        }
    }
}

/// The result of this room's functions.
pub type Result<T> = std::result::Result<T, Error>;
