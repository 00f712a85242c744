//! Printing: members in the wire's order, everything outside printable ASCII escaped.

use super::{number, text};
use qapi::{Dict, Value};
use std::io::Write;

/// How messages are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One line, `", "` and `": "` between things.
    Compact,
    /// One thing a line, indented by 4, each line ended by CR LF; an empty object takes two lines.
    Pretty,
}

/// Appends `value` on one line.
pub fn write_compact(out: &mut Vec<u8>, value: &Value) {
    Printer::new(out, Layout::Compact).value(value);
}

/// Appends `value` over several lines ended by CR LF (the last one is left open), as a pretty monitor shows it.
pub fn write_pretty(out: &mut Vec<u8>, value: &Value) {
    Printer::new(out, Layout::Pretty).value(value);
}

/// Prints one value, also one that exists only in parts.
pub(crate) struct Printer<'a> {
    out: &'a mut Vec<u8>,
    layout: Layout,
    depth: usize,
    /// Nothing was printed since the innermost bracket opened.
    first: bool,
}

impl Printer<'_> {
    pub(crate) fn new(out: &mut Vec<u8>, layout: Layout) -> Printer<'_> {
        Printer { out, layout, depth: 0, first: true }
    }

    pub(crate) fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth += 1;
        self.first = true;
    }

    pub(crate) fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        self.new_line();
        self.out.push(bracket);
        self.first = false;
    }

    /// What stands before an element of an array.
    fn element(&mut self) {
        if !self.first {
            let separator: &[u8] = match self.layout {
                Layout::Compact => b", ",
                Layout::Pretty => b",",
            };
            self.out.extend_from_slice(separator);
        }
        self.first = false;
        self.new_line();
    }

    /// What stands before a member's value.
    pub(crate) fn key(&mut self, key: &str) {
        self.element();
        self.string(key);
        self.out.extend_from_slice(b": ");
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Int(number) => self.integer(number),
            Value::Uint(number) => self.integer(number),
            Value::Number(number) => number::write_double(self.out, *number),
            Value::String(text) => self.string(text),
            Value::List(elements) => {
                self.open(b'[');
                for element in elements {
                    self.element();
                    self.value(element);
                }
                self.close(b']');
            }
            Value::Dict(members) => self.dict(members),
        }
    }

    pub(crate) fn dict(&mut self, members: &Dict) {
        self.open(b'{');
        if members.len() == 1 {
            // The order of one needs no sorting.
            for (key, value) in members.iter() {
                self.key(key);
                self.value(value);
            }
        } else if !members.is_empty() {
            for (key, value) in members.iter_wire() {
                self.key(key);
                self.value(value);
            }
        }
        self.close(b'}');
    }

    pub(crate) fn integer(&mut self, number: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "{number}");
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.out.push(b'"');
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest
                .bytes()
                .position(|byte| !matches!(byte, 0x20..=0x7E) || matches!(byte, b'"' | b'\\'))
                .unwrap_or(rest.len());
            self.out.extend_from_slice(&rest.as_bytes()[..plain]);
            // The byte at `plain` is ASCII or leads a character, so this is a boundary.
            let mut chars = rest[plain..].chars();
            if let Some(c) = chars.next() {
                self.escaped(c);
            }
            rest = chars.as_str();
        }
        self.out.push(b'"');
    }

    fn escaped(&mut self, c: char) {
        let short: &[u8] = match c {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\u{8}' => b"\\b",
            '\u{c}' => b"\\f",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            _ => {
                let c = if text::is_noncharacter(c) { char::REPLACEMENT_CHARACTER } else { c };
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(self.out, "\\u{unit:04X}");
                }
                return;
            }
        };
        self.out.extend_from_slice(short);
    }

    fn new_line(&mut self) {
        if self.layout == Layout::Pretty {
            self.out.extend_from_slice(b"\r\n");
            self.out.extend(std::iter::repeat_n(b' ', 4 * self.depth));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn compact(value: &Value) -> String {
        let mut out = Vec::new();
        write_compact(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_ascii() {
        let text = "a\"\\\u{8}\u{c}\n\r\t\u{1}\u{7f}\u{e9}\u{20ac}\u{1f600}\u{ffff}/'";
        let shown = r#""a\"\\\b\f\n\r\t\u0001\u007F\u00E9\u20AC\uD83D\uDE00\uFFFD/'""#;
        assert_eq!(compact(&Value::from(text)), shown);
    }

    #[test]
    fn members_come_in_wire_order() {
        let value = parse(r#"{"id": 1, "return": [true, null, "a", -1, 1.5]}"#).unwrap();
        assert_eq!(compact(&value), r#"{"return": [true, null, "a", -1, 1.5], "id": 1}"#);
        let version = parse(r#"{"major": 7, "minor": 2, "micro": 0}"#).unwrap();
        assert_eq!(compact(&version), r#"{"micro": 0, "minor": 2, "major": 7}"#);
    }

    #[test]
    fn pretty_takes_a_line_for_each_thing() {
        let value = parse(r#"{"a": [{}, [], {"b": [1, 2]}]}"#).unwrap();
        let mut out = Vec::new();
        write_pretty(&mut out, &value);
        let lines = [
            "{",
            "    \"a\": [",
            "        {",
            "        },",
            "        [",
            "        ],",
            "        {",
            "            \"b\": [",
            "                1,",
            "                2",
            "            ]",
            "        }",
            "    ]",
            "}",
        ];
        assert_eq!(String::from_utf8(out).unwrap(), lines.join("\r\n"));
    }
}
