//! What follows a command's name.

use super::expression;
use super::format::Format;
use super::{Monitor, registers};

/// The arguments of one line, read from left to right.
pub(super) struct Arguments<'a> {
    /// What the command is called in complaints.
    names: &'static str,
    rest: &'a str,
}

impl<'a> Arguments<'a> {
    /// The arguments `text` of the command called `names`.
    pub(super) fn new(names: &'static str, text: &'a str) -> Self {
        Self { names, rest: text.trim_start() }
    }

    /// There must be nothing more.
    pub(super) fn end(&self) -> Result<(), String> {
        if self.rest.trim_start().is_empty() {
            return Ok(());
        }
        Err(format!("{}: extraneous characters at the end of line", self.names))
    }

    /// Whether nothing more is there.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// `/fmt`, or the default.
    pub(super) fn format(&mut self) -> Result<Format, String> {
        let Some(text) = self.rest.strip_prefix('/') else { return Ok(Format::default()) };
        let (format, rest) = Format::parse(text)?;
        self.rest = rest;
        Ok(format)
    }

    /// A number of 64 bits, computed with the registers of the session's CPU.
    pub(super) fn integer(&mut self, monitor: &Monitor<'_>) -> Result<i64, String> {
        let look = |name: &str| registers::by_name(monitor, name);
        let (value, rest) = expression::evaluate(self.rest, &look)?;
        self.rest = rest;
        Ok(value)
    }

    /// The same from 0 to 2^32 - 1.
    pub(super) fn integer_32(&mut self, monitor: &Monitor<'_>) -> Result<u32, String> {
        let value = self.integer(monitor)?;
        let text = format!("'{}' has failed: integer is for 32-bit values", self.names);
        u32::try_from(value).map_err(|_| text)
    }

    /// An index after a dot.
    pub(super) fn index(&mut self, monitor: &Monitor<'_>) -> Result<Option<u32>, String> {
        let Some(rest) = self.rest.strip_prefix('.') else { return Ok(None) };
        self.rest = rest;
        self.integer_32(monitor).map(Some)
    }

    /// A word, or text in double quotes.
    pub(super) fn string(&mut self) -> Result<String, String> {
        let missing = format!("{}: string expected", self.names);
        self.optional_string()?.ok_or(missing)
    }

    /// The same, if anything more is there.
    pub(super) fn optional_string(&mut self) -> Result<Option<String>, String> {
        if self.is_empty() {
            return Ok(None);
        }
        let (text, rest) = match self.rest.strip_prefix('"') {
            Some(quoted) => {
                unquote(quoted).ok_or_else(|| format!("{}: string expected", self.names))?
            }
            None => {
                let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                (self.rest[..end].to_owned(), &self.rest[end..])
            }
        };
        self.rest = rest.trim_start();
        Ok(Some(text))
    }

    /// The letters of the options that come now (`-a`, `-fD`), all of which must be `known`.
    pub(super) fn flags(&mut self, known: &str) -> Result<String, String> {
        let mut flags = String::new();
        while let Some(text) = self.rest.strip_prefix('-') {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            if let Some(other) = text[..end].chars().find(|c| !known.contains(*c)) {
                return Err(format!("{}: unsupported option -{other}", self.names));
            }
            if end == 0 {
                break;
            }
            flags.push_str(&text[..end]);
            self.rest = text[end..].trim_start();
        }
        Ok(flags)
    }
}

/// Text up to a closing quote, with backslash escapes, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                same @ ('\\' | '\'' | '"') => same,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_words_or_quoted() {
        let mut arguments = Arguments::new("memsave", r#" one "two \"2\" \\" three"#);
        assert_eq!(arguments.string().unwrap(), "one");
        assert_eq!(arguments.string().unwrap(), r#"two "2" \"#);
        assert!(arguments.end().is_err());
        assert_eq!(arguments.optional_string().unwrap().unwrap(), "three");
        assert_eq!(arguments.optional_string().unwrap(), None);
        assert_eq!(arguments.string(), Err("memsave: string expected".into()));
        arguments.end().unwrap();
        for broken in ["\"open", "\"\\q\"", "\"\\"] {
            let mistake = Arguments::new("memsave", broken).string();
            assert_eq!(mistake, Err("memsave: string expected".into()), "{broken}");
        }
    }

    #[test]
    fn options_come_first_and_are_known() {
        let mut arguments = Arguments::new("mtree", "-f -D rest");
        assert_eq!(arguments.flags("fD").unwrap(), "fD");
        let mistake = "mtree: extraneous characters at the end of line";
        assert_eq!(arguments.end(), Err(mistake.into()));
        let mut arguments = Arguments::new("registers", "-b");
        assert_eq!(arguments.flags("a"), Err("registers: unsupported option -b".into()));
        let mut arguments = Arguments::new("registers", "-");
        assert_eq!(arguments.flags("a"), Ok(String::new()));
        assert!(arguments.end().is_err());
    }
}
