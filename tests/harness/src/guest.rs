//! The other end of a serial line: the test guest (`resources/guest/README.md`).

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::LIMIT;

/// A test guest that answers one line per action.
pub struct Guest {
    reader: BufReader<UnixStream>,
}

impl Guest {
    /// Connects to the socket of a serial port.
    ///
    /// # Errors
    /// Nobody listens at `path`.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// The next line without its end.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).expect("a line from the guest");
        assert!(!line.is_empty(), "the serial line has ended");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// Whether nothing comes for as long as `time`.
    pub fn is_silent(&mut self, time: Duration) -> bool {
        self.reader.get_ref().set_read_timeout(Some(time)).expect("a limit to reading");
        let silent = match self.reader.fill_buf() {
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        self.reader.get_ref().set_read_timeout(Some(LIMIT)).expect("a limit to reading");
        silent
    }

    /// Waits for the line `ready` that ends the banner; returns the lines before it.
    pub fn ready(&mut self) -> Vec<String> {
        self.lines_until("ready")
    }

    /// The lines before the one that equals `last`, which is taken too.
    pub fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line == last {
                return lines;
            }
            lines.push(line);
        }
    }

    /// Sends a line without waiting for its answer.
    pub fn send(&mut self, action: &str) {
        let line = format!("{action}\n");
        self.reader.get_mut().write_all(line.as_bytes()).expect("write to the guest");
    }

    /// The next line that is not an unasked event.
    pub fn answer(&mut self) -> String {
        loop {
            let line = self.line();
            if !line.starts_with("event ") {
                return line;
            }
        }
    }

    /// Waits for the unasked line `event NAME…`.
    pub fn event(&mut self, name: &str) -> String {
        let wanted = format!("event {name}");
        loop {
            let line = self.line();
            if line.starts_with(&wanted) {
                return line;
            }
        }
    }

    /// Has the guest do something that must succeed; returns what follows `ok NAME`.
    pub fn ask(&mut self, action: &str) -> String {
        self.send(action);
        let name = action.split(' ').next().expect("a word");
        let answer = self.answer();
        let rest = answer.strip_prefix(&format!("ok {name}"));
        rest.unwrap_or_else(|| panic!("`{action}` answers `{answer}`")).trim().to_owned()
    }

    /// The value of `name=` in the answer to an action that must succeed.
    pub fn ask_value(&mut self, action: &str, name: &str) -> String {
        let answer = self.ask(action);
        value(&answer, name).unwrap_or_else(|| panic!("no {name} in `{answer}`")).to_owned()
    }

    /// The same as a number.
    pub fn ask_number(&mut self, action: &str, name: &str) -> u64 {
        let text = self.ask_value(action, name);
        number(&text).unwrap_or_else(|| panic!("{name}={text} is no number"))
    }

    /// Has the guest do something that must fail; returns what follows `error NAME`.
    pub fn fails(&mut self, action: &str) -> String {
        self.send(action);
        let answer = self.answer();
        let rest = answer.strip_prefix("error ");
        rest.unwrap_or_else(|| panic!("`{action}` answers `{answer}`")).to_owned()
    }
}

fn value<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The 64-bit word that `pattern write` puts at physical address `address` (a multiple of 8).
pub fn pattern_word(seed: u64, address: u64) -> u64 {
    let mut z = (seed ^ address).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_pattern_is_the_documented_one() {
        assert_eq!(super::pattern_word(7, 0x50_0000), 0xd62c_6aaf_6d57_965c);
    }
}
