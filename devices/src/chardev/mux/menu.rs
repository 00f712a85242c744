//! What is typed after Ctrl-A, and the time stamps that it switches.

use std::time::Instant;

/// Ctrl-A.
const ESCAPE: u8 = 1;

pub(super) const HELP: &str = "\n\r\
    C-a h    print this help\n\r\
    C-a x    exit emulator\n\r\
    C-a s    save disk data back to file (if -snapshot)\n\r\
    C-a t    toggle console timestamps\n\r\
    C-a b    send break (magic sysrq)\n\r\
    C-a c    switch between console and monitor\n\r\
    C-a C-a  sends C-a\n\r";

/// Scripts wait for exactly this text, whatever the program is called.
pub(super) const GOODBYE: &str = "QEMU: Terminated\n\r";

/// What a byte from the terminal means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Part of an escape sequence, or an unknown one.
    Nothing,
    /// Input for the user with the focus.
    Input(u8),
    Help,
    Quit,
    Commit,
    Break,
    NextUser,
    Stamps,
}

/// Recognizes escape sequences.
#[derive(Default)]
pub(super) struct Menu {
    escaped: bool,
}

impl Menu {
    pub(super) fn typed(&mut self, byte: u8) -> Typed {
        if !std::mem::take(&mut self.escaped) {
            if byte == ESCAPE {
                self.escaped = true;
                return Typed::Nothing;
            }
            return Typed::Input(byte);
        }
        match byte {
            b'h' | b'?' => Typed::Help,
            b'x' => Typed::Quit,
            b's' => Typed::Commit,
            b'b' => Typed::Break,
            b'c' => Typed::NextUser,
            b't' => Typed::Stamps,
            ESCAPE => Typed::Input(ESCAPE),
            _ => Typed::Nothing,
        }
    }
}

/// Time stamps at the beginning of each line of output, counted from when they were switched on.
#[derive(Default)]
pub(super) struct Stamps {
    enabled: bool,
    since: Option<Instant>,
    line_start: bool,
}

impl Stamps {
    pub(super) fn toggle(&mut self) {
        *self = Stamps { enabled: !self.enabled, since: None, line_start: false };
    }

    /// A stamp belongs in front of the next byte.
    pub(super) fn due(&self) -> bool {
        self.enabled && self.line_start
    }

    /// The text of a stamp now.
    pub(super) fn stamp(&mut self) -> String {
        let elapsed = self.since.get_or_insert_with(Instant::now).elapsed();
        let seconds = elapsed.as_secs();
        format!(
            "[{:02}:{:02}:{:02}.{:03}] ",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            elapsed.subsec_millis()
        )
    }

    /// As much of `data` as can be written before a stamp is due.
    pub(super) fn until_due<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        match data.iter().position(|&byte| byte == b'\n') {
            Some(end) if self.enabled => &data[..=end],
            _ => data,
        }
    }

    /// `data` went out.
    pub(super) fn wrote(&mut self, data: &[u8]) {
        if let Some(&last) = data.last() {
            self.line_start = last == b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences() {
        let mut menu = Menu::default();
        let typed: Vec<Typed> = b"a\x01\x01b\x01c\x01zc".iter().map(|&b| menu.typed(b)).collect();
        assert_eq!(
            typed,
            [
                Typed::Input(b'a'),
                Typed::Nothing,
                Typed::Input(1),
                Typed::Input(b'b'),
                Typed::Nothing,
                Typed::NextUser,
                Typed::Nothing,
                Typed::Nothing,
                Typed::Input(b'c'),
            ]
        );
    }
}
