//! Errors of the command line and the places they come from.
//!
//! A message has QEMU's shape: `vmm: -option argument: text`, `vmm:FILE:LINE: text` for a configuration file, or `vmm: text`
//! where no single option is at fault. Hints follow on lines of their own.

use std::fmt;

/// The name that starts every message.
const PROGRAM: &str = "vmm";

/// Where a setting was made: it starts the message of an error about that setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Location {
    /// No single place, as for a conflict between two options.
    #[default]
    Nowhere,
    /// An option of the command line, as it was typed.
    Option {
        /// The option with its one or two dashes.
        name: String,
        /// Its argument, if it takes one.
        argument: Option<String>,
    },
    /// A line of a file given with `-readconfig`.
    File {
        /// The file's path.
        path: String,
        /// The line, from 1 up: the last one of the group the setting is in.
        line: usize,
    },
}

impl Location {
    /// An error about the setting made here.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { location: self.clone(), message: message.into(), hint: None }
    }

    /// A warning about the setting made here: one or more whole lines for standard error.
    pub fn warning(&self, message: impl fmt::Display) -> String {
        format!("{PROGRAM}{self}warning: {message}")
    }
}

/// Shows what stands between the program's name and the message.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Nowhere => f.write_str(": "),
            Location::Option { name, argument: Some(argument) } => {
                write!(f, ": {name} {argument}: ")
            }
            Location::Option { name, argument: None } => write!(f, ": {name}: "),
            Location::File { path, line } => write!(f, ":{path}:{line}: "),
        }
    }
}

/// A command line that cannot be honoured. It displays as the whole message for standard error; the exit status is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    location: Location,
    message: String,
    hint: Option<&'static str>,
}

impl Error {
    /// An error that no single option causes.
    pub fn new(message: impl Into<String>) -> Error {
        Location::Nowhere.error(message)
    }

    /// The same error with advice on the lines after it.
    pub(super) fn with_hint(mut self, hint: &'static str) -> Error {
        self.hint = Some(hint);
        self
    }

    /// The text alone, without the place and the hint.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PROGRAM}{}{}", self.location, self.message)?;
        match self.hint {
            Some(hint) => write!(f, "\n{hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
