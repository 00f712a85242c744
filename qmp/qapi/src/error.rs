//! Error replies: a class that clients test for and a description for people.

use std::fmt;

/// The class of an error. Clients branch on it, so it changes only where the protocol documents a class of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Everything without a class of its own.
    GenericError,
    /// The command does not exist, or not in this phase of the session.
    CommandNotFound,
    /// The thing exists, but is not in use.
    DeviceNotActive,
    /// No device, node or object of that name exists.
    DeviceNotFound,
    /// The host's KVM lacks something the command needs.
    KVMMissingCap,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [ErrorClass; 5] = [
        ErrorClass::GenericError,
        ErrorClass::CommandNotFound,
        ErrorClass::DeviceNotActive,
        ErrorClass::DeviceNotFound,
        ErrorClass::KVMMissingCap,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorClass::GenericError => "GenericError",
            ErrorClass::CommandNotFound => "CommandNotFound",
            ErrorClass::DeviceNotActive => "DeviceNotActive",
            ErrorClass::DeviceNotFound => "DeviceNotFound",
            ErrorClass::KVMMissingCap => "KVMMissingCap",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error reply. It displays as its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of error this is.
    pub class: ErrorClass,
    /// What went wrong, for people: one sentence, naming the thing.
    pub desc: String,
}

impl Error {
    /// An error of the given class.
    pub fn new(class: ErrorClass, desc: impl Into<String>) -> Error {
        Error { class, desc: desc.into() }
    }

    /// An error without a class of its own.
    pub fn generic(desc: impl Into<String>) -> Error {
        Error::new(ErrorClass::GenericError, desc)
    }

    /// `The command X has not been found`.
    pub fn command_not_found(command: &str) -> Error {
        Error::new(ErrorClass::CommandNotFound, format!("The command {command} has not been found"))
    }

    /// `Device 'X' not found`.
    pub fn device_not_found(id: &str) -> Error {
        Error::new(ErrorClass::DeviceNotFound, format!("Device '{id}' not found"))
    }

    /// An error about a thing that exists but is not in use, such as `No balloon device has been activated`.
    pub fn device_not_active(desc: impl Into<String>) -> Error {
        Error::new(ErrorClass::DeviceNotActive, desc)
    }

    /// `The feature 'X' is not enabled`: the command is known but means nothing on this machine.
    pub fn not_enabled(feature: &str) -> Error {
        Error::generic(format!("The feature '{feature}' is not enabled"))
    }

    /// `Parameter 'X' is missing`.
    pub fn missing(name: &str) -> Error {
        Error::generic(format!("Parameter '{name}' is missing"))
    }

    /// `Parameter 'X' is unexpected`.
    pub fn unexpected(name: &str) -> Error {
        Error::generic(format!("Parameter '{name}' is unexpected"))
    }

    /// `Invalid parameter type for 'X', expected: WHAT`.
    pub fn wrong_type(name: &str, expected: &str) -> Error {
        Error::generic(format!("Invalid parameter type for '{name}', expected: {expected}"))
    }

    /// `Parameter 'X' expects WHAT`.
    pub fn expects(name: &str, expected: &str) -> Error {
        Error::generic(format!("Parameter '{name}' expects {expected}"))
    }

    /// `Parameter 'X' does not accept value 'V'`.
    pub fn not_accepted(name: &str, value: &str) -> Error {
        Error::generic(format!("Parameter '{name}' does not accept value '{value}'"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.desc)
    }
}

impl std::error::Error for Error {}
