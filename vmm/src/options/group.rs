//! Option groups: the parameters an option's argument may have, their types and help.
//!
//! One table ([`super::groups::GROUPS`]) checks what users write, feeds `-OPTION help`, and answers
//! `query-command-line-options`.

use super::error::{Error, Location};
use super::keyval::{Pairs, parse_keyval, parse_opts};
use super::parser::Parser;
use super::value::{self, IDENTIFIER_HINT, Malformed, SIZE_HINT};
use qapi::{Dict, Value};
use std::fmt::Write;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text; a parameter with a set of words is one too.
    String,
    /// `on` or `off`.
    Boolean,
    /// An integer.
    Number,
    /// Bytes, with an optional suffix.
    Size,
}

impl ParameterKind {
    /// The name that `query-command-line-options` uses: `string`, `boolean`, `number` or `size`.
    pub fn name(self) -> &'static str {
        match self {
            ParameterKind::String => "string",
            ParameterKind::Boolean => "boolean",
            ParameterKind::Number => "number",
            ParameterKind::Size => "size",
        }
    }

    /// What stands for a value in a help text.
    fn placeholder(self) -> &'static str {
        match self {
            ParameterKind::String => "<str>",
            ParameterKind::Boolean => "<bool (on/off)>",
            ParameterKind::Number => "<num>",
            ParameterKind::Size => "<size>",
        }
    }
}

/// A parameter of an option group.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// The type of its value.
    pub kind: ParameterKind,
    /// What it does.
    pub help: Option<&'static str>,
    /// What holds if it is not given.
    pub default: Option<&'static str>,
}

/// How the text of a group's options is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// The older dialect, where a bare word means `on`.
    Opts,
    /// The newer one. Messages name a parameter with this prefix.
    KeyVal(&'static str),
}

/// What a group does with the pairs of one option, or of one section of a configuration file.
pub(super) type Apply = fn(&mut Parser<'_>, Pairs, &Location) -> Result<(), Error>;

/// A set of parameters under a name.
pub(super) struct Group {
    /// The name in `query-command-line-options` and in the section headers of configuration files.
    pub(super) name: &'static str,
    pub(super) syntax: Syntax,
    /// The key of a first value without one.
    pub(super) implied: Option<&'static str>,
    /// Whether each use makes a thing of its own, with an optional `id`; otherwise all uses add up.
    pub(super) named: bool,
    /// The parameters; `None` if classes of objects decide what there is.
    pub(super) parameters: Option<&'static [Parameter]>,
    pub(super) apply: Apply,
}

/// One group of [`command_line_options`].
#[derive(Clone, Copy, Debug)]
pub struct CommandLineOption {
    /// The group's name.
    pub option: &'static str,
    /// Its parameters; none if it takes any, as `device` does.
    pub parameters: &'static [Parameter],
}

/// The option groups with their parameters, for `query-command-line-options`.
pub fn command_line_options() -> Vec<CommandLineOption> {
    super::groups::GROUPS
        .iter()
        .map(|group| CommandLineOption {
            option: group.name,
            parameters: group.parameters.unwrap_or(&[]),
        })
        .collect()
}

impl Group {
    /// Splits an option's argument into pairs.
    pub(super) fn split(&self, text: &str, location: &Location) -> Result<Pairs, Error> {
        match self.syntax {
            Syntax::Opts => Ok(parse_opts(text, self.implied)),
            Syntax::KeyVal(_) => {
                parse_keyval(text, self.implied).map_err(|message| location.error(message))
            }
        }
    }

    /// The parameter of that name.
    pub(super) fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters?.iter().find(|known| known.name == name)
    }

    /// Checks the pairs and types their values: text, truth values, and numbers and sizes as integers. Of a key that is given
    /// several times the last value holds. Where classes decide, every value stays text.
    pub(super) fn read(
        &self,
        pairs: &Pairs,
        location: &Location,
        warnings: &mut Vec<String>,
    ) -> Result<Dict, Error> {
        let mut dict = Dict::new();
        for pair in &pairs.pairs {
            let (key, text) = match &pair.value {
                Some(value) => (pair.key.as_str(), value.as_str()),
                None => self.bare(&pair.key, location, warnings),
            };
            let value = if key == "id" && self.named {
                if !value::is_identifier(text) {
                    let error = location.error("Parameter 'id' expects an identifier");
                    return Err(error.with_hint(IDENTIFIER_HINT));
                }
                Value::from(text)
            } else if self.parameters.is_none() {
                if key.is_empty() {
                    return Err(location.error("Invalid parameter ''"));
                }
                Value::from(text)
            } else {
                let parameter = self.parameter(key).ok_or_else(|| self.unknown(key, location))?;
                self.convert(parameter, text, location)?
            };
            dict.insert(key, value);
        }
        Ok(dict)
    }

    /// What a bare word of the older dialect stands for.
    fn bare<'a>(
        &self,
        word: &'a str,
        location: &Location,
        warnings: &mut Vec<String>,
    ) -> (&'a str, &'static str) {
        let known = |name: &str| self.parameters.is_none() || self.parameter(name).is_some();
        let (key, value) = match word.strip_prefix("no") {
            Some(rest) if known(rest) && self.parameter(word).is_none() => (rest, "off"),
            _ => (word, "on"),
        };
        warnings.push(location.warning(format_args!(
            "short-form boolean option '{word}' deprecated\nPlease use {key}={value} instead"
        )));
        (key, value)
    }

    fn unknown(&self, key: &str, location: &Location) -> Error {
        location.error(match self.syntax {
            Syntax::Opts => format!("Invalid parameter '{key}'"),
            Syntax::KeyVal(prefix) => format!("Parameter '{prefix}{key}' is unexpected"),
        })
    }

    /// Types one value by its parameter.
    pub(super) fn convert(
        &self,
        parameter: &Parameter,
        text: &str,
        location: &Location,
    ) -> Result<Value, Error> {
        let (prefix, strict) = match self.syntax {
            Syntax::Opts => ("", false),
            Syntax::KeyVal(prefix) => (prefix, true),
        };
        let name = parameter.name;
        match parameter.kind {
            ParameterKind::String => Ok(Value::from(text)),
            ParameterKind::Boolean => value::boolean(text).map(Value::from).ok_or_else(|| {
                location.error(format!("Parameter '{prefix}{name}' expects 'on' or 'off'"))
            }),
            ParameterKind::Number if strict => value::signed(text)
                .map(Value::from)
                .map_err(|_| location.error(format!("Parameter '{prefix}{name}' expects integer"))),
            ParameterKind::Number => {
                match value::unsigned(text) {
                    Ok(number) => Ok(Value::from(number)),
                    Err(Malformed::Syntax) => {
                        Err(location.error(format!("Parameter '{name}' expects a number")))
                    }
                    Err(Malformed::Range) => Err(location
                        .error(format!("Value '{text}' is too large for parameter '{name}'"))),
                }
            }
            ParameterKind::Size => match value::size(text) {
                Ok(size) => Ok(Value::from(size)),
                Err(Malformed::Syntax) => Err(location
                    .error(format!("Parameter '{name}' expects a non-negative number below 2^64"))
                    .with_hint(SIZE_HINT)),
                Err(Malformed::Range) => Err(location
                    .error(format!("Value '{text}' is out of range for parameter '{name}'"))),
            },
        }
    }

    /// The answer to `-OPTION help`.
    pub(super) fn help(&self) -> String {
        let mut text = format!("{} options:\n", self.name);
        let mut parameters: Vec<&Parameter> = self.parameters.unwrap_or(&[]).iter().collect();
        parameters.sort_by_key(|parameter| parameter.name);
        for parameter in parameters {
            let form = format!("  {}={}", parameter.name, parameter.kind.placeholder());
            let default = match parameter.default {
                Some(default) => format!(" (default: {default})"),
                None => String::new(),
            };
            let _ = match parameter.help {
                Some(help) => writeln!(text, "{form:<24} - {help}{default}"),
                None => writeln!(text, "{form}{default}"),
            };
        }
        text
    }
}
