//! Tokens to values, with an explicit stack: no input can exhaust the thread's own.
//!
//! A message ends where its brackets balance, or where one kind closes more often than it opened; only then is the
//! first grammar error of the message reported. A lexical error drops the message at once.

use super::lexer::{Kind, Lexer};
use super::{MAX_DEPTH, MAX_MESSAGE, MAX_TOKENS, number, text};
use qapi::{Dict, Error, Value};

/// How much of a stray token an error message shows, in bytes.
const SHOWN: usize = 64 << 10;
/// The greatest length of a grammar error's message, in bytes.
const MESSAGE: usize = 1023;

/// Reads messages from a stream of bytes that may be cut anywhere.
///
/// After an error it is ready for the next message; see the module's notes on where that begins.
#[derive(Debug)]
pub struct Reader {
    lexer: Lexer,
    message: Message,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader at the start of a stream.
    pub fn new() -> Reader {
        Reader { lexer: Lexer::new(), message: Message::default() }
    }

    /// Takes bytes from the front of `input` up to the end of the next message or error and returns it.
    /// `None`: all bytes were taken and nothing is complete.
    ///
    /// A number or keyword at top level is complete only when the byte after it arrives.
    ///
    /// # Errors
    /// The inner result is a GenericError in QEMU's words, to be answered in the message's turn.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Value, Error>> {
        loop {
            let kind = self.lexer.next(input)?;
            let outcome = self.message.take(kind, self.lexer.token());
            if outcome.is_some() {
                return outcome;
            }
        }
    }

    /// The end of the input: the last message if the end completes it, or an error if it is cut short.
    pub fn finish(&mut self) -> Option<Result<Value, Error>> {
        if let Some(kind) = self.lexer.finish() {
            let outcome = self.message.take(kind, self.lexer.token());
            if outcome.is_some() {
                return outcome;
            }
        }
        let pending = std::mem::take(&mut self.message);
        if pending.tokens == 0 {
            return None;
        }
        Some(Err(pending.error.unwrap_or_else(|| parse_error("premature EOI"))))
    }
}

/// Reads a text that holds exactly one JSON value, as command-line options do.
///
/// # Errors
/// A GenericError in QEMU's words: the first mistake in the text, or that it holds no value or more than one.
pub fn parse(text: &str) -> Result<Value, Error> {
    let mut reader = Reader::new();
    let mut input = text.as_bytes();
    let mut found = None;
    let outcomes = std::iter::from_fn(|| reader.next(&mut input).or_else(|| reader.finish()));
    for outcome in outcomes {
        if found.is_some() {
            return Err(Error::generic("Expecting at most one JSON value"));
        }
        found = Some(outcome?);
    }
    found.ok_or_else(|| Error::generic("Expecting a JSON value"))
}

fn parse_error(message: impl AsRef<str>) -> Error {
    Error::generic(format!("JSON parse error, {}", message.as_ref()))
}

/// A number token, which the lexer made of ASCII only.
fn ascii(token: &[u8]) -> &str {
    std::str::from_utf8(token).unwrap_or_default()
}

/// What a list may continue with.
#[derive(Debug)]
enum InList {
    FirstOrEnd,
    Element,
    Separator,
}

/// What an object may continue with.
#[derive(Debug)]
enum InDict {
    FirstOrEnd,
    Key,
    Colon,
    Value,
    Separator,
}

/// An array or object that is still open.
#[derive(Debug)]
enum Frame {
    List(Vec<Value>, InList),
    Dict(Dict, String, InDict),
}

/// The message that is being read.
#[derive(Debug, Default)]
struct Message {
    frames: Vec<Frame>,
    whole: Option<Value>,
    /// The first grammar error; the rest of the message is only counted.
    error: Option<Error>,
    braces: isize,
    brackets: isize,
    tokens: usize,
    bytes: usize,
}

impl Message {
    /// Takes one token; returns the message or the error that ends with it.
    fn take(&mut self, kind: Kind, token: &[u8]) -> Option<Result<Value, Error>> {
        match kind {
            Kind::Stray => {
                *self = Message::default();
                let shown = text::show(&token[..token.len().min(SHOWN)]);
                return Some(Err(parse_error(format!("stray '{shown}'"))));
            }
            Kind::OpenDict => self.braces += 1,
            Kind::CloseDict => self.braces -= 1,
            Kind::OpenList => self.brackets += 1,
            Kind::CloseList => self.brackets -= 1,
            _ => {}
        }
        self.tokens += 1;
        self.bytes += token.len();
        if let Some(limit) = self.limit(kind) {
            *self = Message::default();
            return Some(Err(Error::generic(limit)));
        }
        if self.error.is_none()
            && let Err(mut message) = self.grammar(kind, token)
        {
            message.truncate(message.floor_char_boundary(MESSAGE));
            self.error = Some(parse_error(message));
            self.frames = Vec::new();
        }
        let balanced = self.braces == 0 && self.brackets == 0;
        if !balanced && self.braces >= 0 && self.brackets >= 0 {
            return None;
        }
        let ended = self.end();
        Some(match (ended.error, ended.whole) {
            (None, Some(value)) => Ok(value),
            (error, _) => Err(error.unwrap_or_else(|| parse_error("expecting value"))),
        })
    }

    /// Hands out the message and starts the next, which reuses the stack.
    fn end(&mut self) -> Message {
        let mut ended = std::mem::take(self);
        self.frames = std::mem::take(&mut ended.frames);
        self.frames.clear();
        self.frames.shrink_to(64);
        ended
    }

    fn limit(&self, kind: Kind) -> Option<&'static str> {
        if kind == Kind::TooLong || self.bytes > MAX_MESSAGE {
            Some("JSON token size limit exceeded")
        } else if self.tokens > MAX_TOKENS {
            Some("JSON token count limit exceeded")
        } else if self.braces + self.brackets > MAX_DEPTH as isize {
            Some("JSON nesting depth limit exceeded")
        } else {
            None
        }
    }

    fn grammar(&mut self, kind: Kind, token: &[u8]) -> Result<(), String> {
        match (self.frames.last_mut(), kind) {
            (Some(Frame::List(_, InList::FirstOrEnd | InList::Separator)), Kind::CloseList)
            | (Some(Frame::Dict(_, _, InDict::FirstOrEnd | InDict::Separator)), Kind::CloseDict) => {
                self.close()
            }
            (Some(Frame::List(_, want @ InList::Separator)), Kind::Comma) => {
                *want = InList::Element;
                Ok(())
            }
            (Some(Frame::List(_, InList::Separator)), _) => {
                Err("expected separator in list".into())
            }
            (Some(Frame::Dict(_, _, want @ InDict::Separator)), Kind::Comma) => {
                *want = InDict::Key;
                Ok(())
            }
            (Some(Frame::Dict(_, _, InDict::Separator)), _) => {
                Err("expected separator in dict".into())
            }
            (Some(Frame::Dict(_, _, want @ InDict::Colon)), Kind::Colon) => {
                *want = InDict::Value;
                Ok(())
            }
            (Some(Frame::Dict(_, _, InDict::Colon)), _) => Err("missing : in object pair".into()),
            _ => self.value(kind, token),
        }
    }

    /// A token where a value (or a key, which is read like one) is due.
    fn value(&mut self, kind: Kind, token: &[u8]) -> Result<(), String> {
        let value = match kind {
            Kind::OpenList => {
                self.frames.push(Frame::List(Vec::new(), InList::FirstOrEnd));
                return Ok(());
            }
            Kind::OpenDict => {
                let frame = Frame::Dict(Dict::new(), String::new(), InDict::FirstOrEnd);
                self.frames.push(frame);
                return Ok(());
            }
            Kind::Text => Value::String(text::decode(token)?),
            Kind::Integer => number::integer(ascii(token)),
            Kind::Float => number::float(ascii(token)),
            Kind::Keyword => match token {
                b"true" => Value::Bool(true),
                b"false" => Value::Bool(false),
                b"null" => Value::Null,
                _ => {
                    let shown = text::show(&token[..token.len().min(MESSAGE)]);
                    return Err(format!("invalid keyword '{shown}'"));
                }
            },
            _ => return Err("expecting value".into()),
        };
        self.deliver(value)
    }

    /// The innermost array or object is complete.
    fn close(&mut self) -> Result<(), String> {
        match self.frames.pop() {
            Some(Frame::List(elements, _)) => self.deliver(Value::List(elements)),
            Some(Frame::Dict(members, _, _)) => self.deliver(Value::Dict(members)),
            None => Err("expecting value".into()),
        }
    }

    /// Puts a complete value where it belongs.
    fn deliver(&mut self, value: Value) -> Result<(), String> {
        match self.frames.last_mut() {
            None => self.whole = Some(value),
            Some(Frame::List(elements, want)) => {
                elements.push(value);
                *want = InList::Separator;
            }
            Some(Frame::Dict(members, key, want @ InDict::Value)) => {
                *want = InDict::Separator;
                if members.insert(std::mem::take(key), value).is_some() {
                    return Err("duplicate key".into());
                }
            }
            Some(Frame::Dict(_, key, want)) => {
                let Value::String(name) = value else {
                    return Err("key is not a string in object".into());
                };
                *key = name;
                *want = InDict::Colon;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::write_compact;
    use super::*;

    fn show(outcome: Result<Value, Error>) -> String {
        match outcome {
            Ok(value) => {
                let mut out = Vec::new();
                write_compact(&mut out, &value);
                String::from_utf8(out).unwrap()
            }
            Err(error) => error.desc.replace("JSON parse error, ", "! "),
        }
    }

    fn read(mut input: &[u8]) -> Vec<String> {
        let mut reader = Reader::new();
        std::iter::from_fn(|| reader.next(&mut input).map(show)).collect()
    }

    #[test]
    fn a_message_reports_its_first_mistake_when_it_ends() {
        for (input, outcomes) in [
            (&b"[1 2] 3 "[..], &["! expected separator in list", "3"][..]),
            (b"[{]}7 ", &["! expecting value", "7"]),
            (b"{[}]7 ", &["! expecting value", "7"]),
            (b"[}7 ", &["! expecting value", "7"]),
            (b"{\"a\":1]7 ", &["! expected separator in dict", "7"]),
            (b"{{}:1}", &["! key is not a string in object"]),
            (b"{:1}", &["! expecting value"]),
            (b"{\"a\":1:}", &["! expected separator in dict"]),
            (b"{\"a\",1}", &["! missing : in object pair"]),
            (b"{\"a\":1,\"a\":tru}", &["! invalid keyword 'tru'"]),
            (b"{\"a\":1,\"a\":2 3}", &["! duplicate key"]),
            (b"{1:2 @", &["! stray '@'"]),
            (b"truX\n", &["! invalid keyword 'tru'", "! stray 'X'"]),
            (b"[null1]", &["! expected separator in list"]),
            (b"true1\n", &["true", "1"]),
            (b"@\x01{}", &["! stray '@'", "! stray '\u{1}'", "{}"]),
            (b"\xFF\xFF\n", &["! stray '\u{FFFD}'", "! stray '\u{FFFD}'"]),
            (b"@\x7f{}", &["! stray '@'", "{}"]),
            (b"a-b", &["! invalid keyword 'a'", "! stray '-b'"]),
        ] {
            assert_eq!(read(input), outcomes, "{input:?}");
        }
    }

    #[test]
    fn nesting_ends_at_its_limit() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert_eq!(read(&nested(MAX_DEPTH)).len(), 1);
        let outcomes = read(&nested(MAX_DEPTH + 1));
        assert_eq!(outcomes[0], "JSON nesting depth limit exceeded");
        assert_eq!(outcomes.len(), 1 + MAX_DEPTH + 1);
        assert_eq!(read(&b"[".repeat(2 * MAX_DEPTH + 2)).len(), 2);
    }

    #[test]
    fn messages_end_at_their_limits() {
        let list = |pairs: usize| [&b"["[..], &b"1,".repeat(pairs), b"1]"].concat();
        let outcomes = read(&list(MAX_TOKENS / 2 - 2));
        assert_eq!(outcomes.len(), 1);
        assert!(outcomes[0].starts_with("[1, 1"));
        assert_eq!(read(&list(MAX_TOKENS / 2))[0], "JSON token count limit exceeded");

        let part = [&b"'"[..], &b"a".repeat(1 << 20), b"',"].concat();
        let large = [&b"["[..], &part.repeat(64), b"1]"].concat();
        assert_eq!(read(&large)[0], "JSON token size limit exceeded");
        let fits = [&b"["[..], &part.repeat(63), b"1]"].concat();
        assert_eq!(read(&fits).len(), 1);
    }

    #[test]
    fn long_tokens_are_shown_in_part() {
        let outcome = &read(&[&b"a".repeat(2000)[..], b"\n"].concat())[0];
        assert_eq!(outcome.len(), "! ".len() + MESSAGE);
        let outcome = &read(&[&b"'"[..], &b"a".repeat(2000), b"\x01"].concat())[0];
        assert!(outcome.ends_with("a\u{1}'"));
        assert_eq!(outcome.len(), "! stray ''".len() + 2002);
        let outcome = &read(&[&b"'"[..], &b"a".repeat(1 << 20), b"\x01"].concat())[0];
        assert!(outcome.len() < 2 * SHOWN);
    }

    #[test]
    fn a_text_holds_exactly_one_value() {
        for (text, outcome) in [
            (" {'a': 1} ", r#"{"a": 1}"#),
            ("12", "12"),
            ("", "Expecting a JSON value"),
            ("{", "! premature EOI"),
            ("{\"a\":", "! premature EOI"),
            ("{tru", "! invalid keyword 'tru'"),
            ("{\"a", "! stray '\"a'"),
            ("{\"a\":1]", "! expected separator in dict"),
            ("{} {}", "Expecting at most one JSON value"),
            ("{}}", "Expecting at most one JSON value"),
            ("{} x", "Expecting at most one JSON value"),
            ("{@", "! stray '@'"),
        ] {
            assert_eq!(show(parse(text)), outcome, "{text}");
        }
    }
}
