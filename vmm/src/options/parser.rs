//! From arguments to [`Options`]: option by option, then what only the whole line can tell.

use super::error::{Error, Location};
use super::group::Group;
use super::help::HelpRequest;
use super::machine::MachineType;
use super::table::{self, CommandLine};
use super::types::{Item, Options};
use super::value::IDENTIFIER_HINT;
use super::{accel, boot, chardev, machine, memory, monitor, smp, value};
use qapi::{Dict, Value};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};

/// What parsing takes from outside. With sources that read nothing, parsing has no effect on anything.
pub struct Sources<'a> {
    /// Reads a JSON text: exactly one value. An error is the text of the message.
    pub json: &'a dyn Fn(&str) -> Result<Value, String>,
    /// Reads a whole configuration file.
    pub read: &'a dyn Fn(&str) -> io::Result<String>,
}

/// The largest configuration file, in bytes.
const MAX_FILE: u64 = 1 << 20;

impl Sources<'static> {
    /// The sources of the program: the monitor's JSON reader, and the files of the host up to 1 MiB.
    pub fn host() -> Sources<'static> {
        Sources {
            json: &|text| qmp::json::parse(text).map_err(|error| error.to_string()),
            read: &|path| {
                let mut text = String::new();
                let file = File::open(path)?;
                let size = file.take(MAX_FILE + 1).read_to_string(&mut text)?;
                if size as u64 > MAX_FILE {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                Ok(text)
            },
        }
    }
}

/// One option of the line with its argument.
pub(super) struct Argument<'a> {
    /// The argument; empty for an option without one.
    pub(super) text: &'a str,
    /// The option as it was typed, for messages.
    pub(super) location: Location,
}

/// Parameters that add up over several uses of an option.
#[derive(Default)]
pub(super) struct Accumulated {
    /// The typed parameters; the last value holds.
    pub(super) dict: Dict,
    /// The last use.
    pub(super) location: Location,
}

/// The state between the first option and the last.
pub(super) struct Parser<'a> {
    pub(super) sources: &'a Sources<'a>,
    pub(super) options: Options,
    /// `-machine`'s properties, whose meaning depends on the type.
    pub(super) machine: Vec<machine::Setting>,
    pub(super) accel: accel::Choice,
    pub(super) memory: Accumulated,
    pub(super) smp: Accumulated,
    pub(super) boot: Accumulated,
    /// How many monitors `-monitor`, `-qmp` and `-qmp-pretty` made.
    pub(super) compat_monitors: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(sources: &'a Sources<'a>) -> Parser<'a> {
        Parser {
            sources,
            options: Options::default(),
            machine: Vec::new(),
            accel: accel::Choice::default(),
            memory: Accumulated::default(),
            smp: Accumulated::default(),
            boot: Accumulated::default(),
            compat_monitors: 0,
        }
    }

    /// Reads all arguments. As in QEMU, an unknown option anywhere is an error before anything else is.
    pub(super) fn run(
        mut self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Options, Error> {
        let mut words = Vec::new();
        for (index, word) in arguments.into_iter().enumerate() {
            let word = word
                .into_string()
                .map_err(|_| Error::new(format!("argument {} is not valid UTF-8", index + 1)))?;
            words.push(word);
        }
        for word in table::split(&words)? {
            match word {
                CommandLine::Positional(word) => {
                    let location = Location::Option { name: word.to_owned(), argument: None };
                    return Err(location.error("disk images are not supported"));
                }
                CommandLine::Option(option, argument) => (option.apply)(&mut self, &argument)?,
            }
            if self.options.help.is_some() {
                return Ok(self.options);
            }
        }
        self.finish()?;
        Ok(self.options)
    }

    /// Applies the argument of an option that belongs to a group.
    pub(super) fn group(&mut self, group: &Group, argument: &Argument<'_>) -> Result<(), Error> {
        let pairs = group.split(argument.text, &argument.location)?;
        if pairs.help && group.parameters.is_some() && group.name != "machine" {
            self.options.help = Some(HelpRequest::Text(group.help()));
            return Ok(());
        }
        (group.apply)(self, pairs, &argument.location)
    }

    /// What depends on several options.
    fn finish(&mut self) -> Result<(), Error> {
        machine::finish(self)?;
        accel::finish(self)?;
        memory::finish(self)?;
        smp::finish(self)?;
        boot::finish(self)?;
        let options = &self.options;
        if options.kernel.is_none() {
            for (given, name) in [(&options.append, "-append"), (&options.initrd, "-initrd")] {
                if given.is_some() {
                    return Err(Error::new(format!("{name} only allowed with -kernel option")));
                }
            }
        }
        if options.machine.kind == MachineType::None {
            if options.kernel.is_some() {
                return Err(Error::new(
                    "The -kernel parameter is not supported (use the generic 'loader' device instead).",
                ));
            }
            if options.bios.is_some() {
                return Err(Error::new(
                    "machine 'none' has no firmware, so -bios is not supported",
                ));
            }
        }
        chardev::finish(options)?;
        monitor::finish(options)
    }

    /// Checks that a new thing's id is well formed and not taken by one of its kind.
    pub(super) fn check_id(
        kind: &str,
        id: &str,
        others: &[Item],
        location: &Location,
    ) -> Result<(), Error> {
        if !value::is_identifier(id) {
            let error = location.error("Parameter 'id' expects an identifier");
            return Err(error.with_hint(IDENTIFIER_HINT));
        }
        if others.iter().any(|other| other.text("id") == Some(id)) {
            return Err(location.error(format!("Duplicate ID '{id}' for {kind}")));
        }
        Ok(())
    }
}

impl Accumulated {
    /// Adds the parameters of one more use.
    pub(super) fn add(&mut self, dict: Dict, location: &Location) {
        for (key, value) in dict {
            self.dict.insert(key, value);
        }
        self.location = location.clone();
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.dict.get(key)?.as_str()
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        self.dict.get(key)?.as_bool()
    }

    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.dict.get(key)?.as_i64()
    }

    pub(super) fn unsigned(&self, key: &str) -> Option<u64> {
        self.dict.get(key)?.as_u64()
    }
}

/// The error for a value of a set of words that is none of them.
pub(super) fn not_accepted(location: &Location, name: &str, value: &str) -> Error {
    location.error(format!("Parameter '{name}' does not accept value '{value}'"))
}

/// The error for a value that QEMU knows and this program cannot honour.
pub(super) fn refused(location: &Location, name: &str, value: &str, only: &str) -> Error {
    location.error(format!("'{name}={value}' is not supported, only '{only}' is"))
}
