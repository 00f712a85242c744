//! Words and numbers of a command line.

/// The rest of a command, word by word.
pub struct Words<'a>(&'a str);

/// Why an action was refused; printed after its name.
pub type Refusal = &'static str;

impl<'a> Words<'a> {
    /// The words of `line`.
    pub fn new(line: &'a str) -> Self {
        Words(line.trim())
    }

    /// Everything not yet taken.
    pub fn rest(&mut self) -> &'a str {
        core::mem::take(&mut self.0)
    }

    /// The next word without taking it.
    pub fn peek(&self) -> &'a str {
        self.0.split_ascii_whitespace().next().unwrap_or("")
    }

    /// Takes the next word.
    pub fn word(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.0 = self.0[word.len()..].trim_start();
        (!word.is_empty()).then_some(word)
    }

    /// A number that must be there.
    pub fn number(&mut self) -> Result<u64, Refusal> {
        self.word().and_then(parse).ok_or("needs a number")
    }

    /// A number, or `default` at the end of the line.
    pub fn number_or(&mut self, default: u64) -> Result<u64, Refusal> {
        match self.word() {
            None => Ok(default),
            Some(word) => parse(word).ok_or("needs a number"),
        }
    }

    /// A number below 2^bits.
    pub fn small(&mut self, bits: u32) -> Result<u64, Refusal> {
        self.number().and_then(|n| if n >> bits == 0 { Ok(n) } else { Err("number too large") })
    }

    /// A port number.
    pub fn port(&mut self) -> Result<u16, Refusal> {
        self.small(16).map(|n| n as u16)
    }

    /// Refuses words that nobody has taken.
    pub fn end(&self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err("too many words") }
    }
}

/// A decimal or 0x hexadecimal number.
pub fn parse(word: &str) -> Option<u64> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}
