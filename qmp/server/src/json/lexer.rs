//! Bytes to tokens, one byte stream per connection, resumable at any byte.
//!
//! After a byte that fits no token the lexer reports everything it held of the token, that byte included, and skips to
//! a byte at which a token can safely start again: structural characters, control bytes other than TAB, and 0xFE and
//! 0xFF, which UTF-8 never uses and clients send to force a fresh start.

use super::MAX_MESSAGE;

/// What kind of token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OpenDict,
    CloseDict,
    OpenList,
    CloseList,
    Colon,
    Comma,
    /// A string with its quotes, not yet decoded.
    Text,
    Integer,
    /// A number with a fraction or an exponent.
    Float,
    /// A run of lower-case letters.
    Keyword,
    /// Bytes that start no token, or a token cut short.
    Stray,
    /// A token longer than a message may be.
    TooLong,
}

/// Where in a token the last byte left us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens.
    Start,
    /// After an error, before a byte that ends it.
    Skip,
    Quoted(u8),
    /// In a string, after a backslash.
    Escape(u8),
    Minus,
    /// A lone leading zero: no further digit may follow.
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Letters,
}

/// What one byte does to the token that is being read.
enum Step {
    /// It belongs to the token.
    Go(State),
    /// It ends the token, as its last byte.
    Last(Kind),
    /// It belongs to what follows; the token was complete before it.
    Before(Kind),
    Stray,
}

/// The lexer: its state and the bytes of the token at hand (at most [`MAX_MESSAGE`] and one).
#[derive(Debug)]
pub(super) struct Lexer {
    state: State,
    token: Vec<u8>,
    /// The token was handed out and goes with the next call.
    spent: bool,
}

impl Lexer {
    pub(super) fn new() -> Lexer {
        Lexer { state: State::Start, token: Vec::new(), spent: false }
    }

    /// Takes bytes from `input` up to the end of the next token. `None`: all were taken and no token is complete.
    /// The token's bytes are [`Lexer::token`] until the next call.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Option<Kind> {
        self.recycle();
        while let Some(&byte) = input.first() {
            let run = self.run_length(input);
            if run > 0 {
                // Leave room to notice the one byte too many.
                let room = (MAX_MESSAGE + 1).saturating_sub(self.token.len());
                let run = run.min(room.max(1));
                self.token.extend_from_slice(&input[..run]);
                *input = &input[run..];
                if self.token.len() > MAX_MESSAGE {
                    return Some(self.give_up());
                }
                continue;
            }
            if self.between_tokens(byte) {
                *input = &input[1..];
                continue;
            }
            let step = self.step(byte);
            if !matches!(step, Step::Before(_)) {
                self.token.push(byte);
                *input = &input[1..];
            }
            let kind = match step {
                Step::Go(_) if self.token.len() > MAX_MESSAGE => return Some(self.give_up()),
                Step::Go(state) => {
                    self.state = state;
                    continue;
                }
                Step::Last(kind) | Step::Before(kind) => {
                    self.state = State::Start;
                    kind
                }
                Step::Stray => {
                    self.state = State::Skip;
                    Kind::Stray
                }
            };
            self.spent = true;
            return Some(kind);
        }
        None
    }

    /// The end of the input: the token it completes or cuts short, if any.
    pub(super) fn finish(&mut self) -> Option<Kind> {
        self.recycle();
        let kind = match self.state {
            State::Start | State::Skip => return None,
            State::Zero | State::Digits => Kind::Integer,
            State::Fraction | State::ExponentDigits => Kind::Float,
            State::Letters => Kind::Keyword,
            _ => Kind::Stray,
        };
        self.state = State::Start;
        self.spent = true;
        Some(kind)
    }

    /// The bytes of the token last returned.
    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    fn give_up(&mut self) -> Kind {
        self.state = State::Start;
        self.spent = true;
        Kind::TooLong
    }

    /// Forgets the token handed out, and the memory of an unusually large one.
    fn recycle(&mut self) {
        if self.spent {
            self.spent = false;
            self.token.clear();
            self.token.shrink_to(64 << 10);
        }
    }

    /// How many of the next bytes are plain string contents, which make up most of any input.
    fn run_length(&self, input: &[u8]) -> usize {
        let State::Quoted(quote) = self.state else {
            return 0;
        };
        input
            .iter()
            .position(|&byte| byte == quote || byte == b'\\' || !in_string(byte))
            .unwrap_or(input.len())
    }

    /// Whether the byte is passed over; ends skipping where a token may start.
    fn between_tokens(&mut self, byte: u8) -> bool {
        if self.state == State::Skip {
            if !resynchronises(byte) {
                return true;
            }
            self.state = State::Start;
        }
        self.state == State::Start && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
    }

    fn step(&self, byte: u8) -> Step {
        match self.state {
            State::Start | State::Skip => start(byte),
            State::Quoted(quote) if byte == quote => Step::Last(Kind::Text),
            State::Quoted(quote) if byte == b'\\' => Step::Go(State::Escape(quote)),
            State::Quoted(quote) | State::Escape(quote) if in_string(byte) => {
                Step::Go(State::Quoted(quote))
            }
            State::Quoted(_) | State::Escape(_) => Step::Stray,
            State::Letters if byte.is_ascii_lowercase() => Step::Go(State::Letters),
            State::Letters => Step::Before(Kind::Keyword),
            state => number(state, byte),
        }
    }
}

/// Bytes that a string may contain; 0x7F and anything that may be part of UTF-8 included.
fn in_string(byte: u8) -> bool {
    (0x20..0xFE).contains(&byte)
}

/// Bytes that end the skipping after an error.
fn resynchronises(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'{' | b'}' | b':' | b',' | 0xFE | 0xFF)
        || (byte < 0x20 && byte != b'\t')
}

fn start(byte: u8) -> Step {
    match byte {
        b'{' => Step::Last(Kind::OpenDict),
        b'}' => Step::Last(Kind::CloseDict),
        b'[' => Step::Last(Kind::OpenList),
        b']' => Step::Last(Kind::CloseList),
        b':' => Step::Last(Kind::Colon),
        b',' => Step::Last(Kind::Comma),
        b'"' | b'\'' => Step::Go(State::Quoted(byte)),
        b'-' => Step::Go(State::Minus),
        b'0' => Step::Go(State::Zero),
        b'1'..=b'9' => Step::Go(State::Digits),
        b'a'..=b'z' => Step::Go(State::Letters),
        _ => Step::Stray,
    }
}

fn number(state: State, byte: u8) -> Step {
    match (state, byte) {
        (State::Minus, b'0') => Step::Go(State::Zero),
        (State::Minus, b'1'..=b'9') => Step::Go(State::Digits),
        (State::Zero, b'0'..=b'9') => Step::Stray,
        (State::Digits, b'0'..=b'9') => Step::Go(State::Digits),
        (State::Zero | State::Digits, b'.') => Step::Go(State::Point),
        (State::Point | State::Fraction, b'0'..=b'9') => Step::Go(State::Fraction),
        (State::Zero | State::Digits | State::Fraction, b'e' | b'E') => Step::Go(State::Exponent),
        (State::Exponent, b'+' | b'-') => Step::Go(State::ExponentSign),
        (State::Exponent | State::ExponentSign | State::ExponentDigits, b'0'..=b'9') => {
            Step::Go(State::ExponentDigits)
        }
        (State::Zero | State::Digits, _) => Step::Before(Kind::Integer),
        (State::Fraction | State::ExponentDigits, _) => Step::Before(Kind::Float),
        _ => Step::Stray,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(mut input: &[u8]) -> Vec<(Kind, String)> {
        let mut lexer = Lexer::new();
        let mut found = Vec::new();
        while let Some(kind) = lexer.next(&mut input) {
            found.push((kind, String::from_utf8_lossy(lexer.token()).into_owned()));
        }
        if let Some(kind) = lexer.finish() {
            found.push((kind, String::from_utf8_lossy(lexer.token()).into_owned()));
        }
        found
    }

    #[test]
    fn tokens_end_where_the_next_begins() {
        let expected = [
            (Kind::OpenDict, "{"),
            (Kind::Text, "'a\"\\''"),
            (Kind::Colon, ":"),
            (Kind::Integer, "-10"),
            (Kind::Comma, ","),
            (Kind::Float, "0.5e+3"),
            (Kind::Keyword, "nullx"),
            (Kind::Integer, "1"),
            (Kind::CloseDict, "}"),
        ];
        let found = tokens(b"{'a\"\\'':-10,\t0.5e+3nullx1}\r\n");
        let found: Vec<_> = found.iter().map(|(k, t)| (*k, t.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stray_byte_skips_to_a_safe_start() {
        let found = tokens(b"@ abc\t\"x\"{");
        assert_eq!(found, [(Kind::Stray, "@".into()), (Kind::OpenDict, "{".into())]);
        // The offending byte is spent even where it could have started a token.
        assert_eq!(tokens(b"1e} 5\n"), [(Kind::Stray, "1e}".into())]);
        assert_eq!(tokens(b"01:"), [(Kind::Stray, "01".into()), (Kind::Colon, ":".into())]);
    }

    #[test]
    fn the_end_of_input_completes_or_cuts() {
        assert_eq!(tokens(b"12"), [(Kind::Integer, "12".into())]);
        assert_eq!(tokens(b"1."), [(Kind::Stray, "1.".into())]);
        assert_eq!(tokens(b"'ab"), [(Kind::Stray, "'ab".into())]);
    }

    #[test]
    fn a_token_has_a_greatest_length() {
        let mut lexer = Lexer::new();
        assert_eq!(lexer.next(&mut &b"'"[..]), None);
        let chunk = vec![b'a'; 1 << 20];
        for _ in 0..(MAX_MESSAGE >> 20) - 1 {
            assert_eq!(lexer.next(&mut &chunk[..]), None);
        }
        let mut rest = &chunk[..];
        assert_eq!(lexer.next(&mut rest), Some(Kind::TooLong));
        assert!(rest.is_empty());
        let mut rest = &b"}"[..];
        assert_eq!(lexer.next(&mut rest), Some(Kind::CloseDict));
        assert!(lexer.token.capacity() <= 64 << 10);
    }
}
