//! What can go wrong with a character device.

use std::io;

use thiserror::Error;

/// An error of a character device, in QEMU's words where QEMU has some.
#[derive(Debug, Error)]
pub enum Error {
    /// The character device of this label has a user already.
    #[error("Device '{0}' is in use")]
    InUse(String),
    /// It cannot be removed while it has a user.
    #[error("Chardev '{0}' is busy")]
    Busy(String),
    /// A ring buffer operation on something else.
    #[error("{0} is not a ringbuf device")]
    NotRingbuf(String),
    /// A multiplexer can be neither the old nor the new back end of a change.
    #[error("Mux device hotswap not supported yet")]
    MuxChange,
    /// The user cannot live with another back end.
    #[error("Chardev user does not support chardev hotswap")]
    NoChange,
    /// Not a socket, or connected already.
    #[error("failed to add client")]
    AddClient,
    /// A wrong option or combination of options; the text says it all.
    #[error("{0}")]
    Option(String),
    /// The host refused something; `what` names the attempt and the thing.
    #[error("{what}: {}", reason(source))]
    Io {
        /// What was attempted.
        what: String,
        /// The host's answer.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn option(text: impl Into<String>) -> Error {
        Error::Option(text.into())
    }

    pub(super) fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Error {
        Error::Io { what: what.into(), source: source.into() }
    }
}

impl From<Error> for qapi::Error {
    fn from(error: Error) -> qapi::Error {
        qapi::Error::generic(error.to_string())
    }
}

/// The host's message for `error`, without the number that Rust appends.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}
