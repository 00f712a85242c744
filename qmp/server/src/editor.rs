//! Line editing as QEMU's human monitor does it on every kind of channel, with the escape sequences of ECMA-48: each
//! change moves to the line's start, prints the line and erases to the right.
//!
//! Keys: arrows, Home, End, Delete, Backspace, ^A, ^E, ^W (word), ^L (clear the screen), ^U and ^C (drop the line); up and
//! down walk through the last lines. Tab and unknown keys do nothing.

use std::collections::VecDeque;

/// The longest line, in bytes; what is typed beyond is ignored.
const LINE: usize = 4095;
/// How many lines the history keeps.
const HISTORY: usize = 64;
const PROMPT: &[u8] = b"(qemu) ";

/// Where in an escape sequence the last key left us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    /// After ESC.
    Start,
    /// After ESC `[`, with the number so far.
    Sequence(u32),
    /// After ESC `O`: one key follows, ignored.
    Function,
}

/// The line being typed and the lines before it.
#[derive(Debug)]
pub(crate) struct Editor {
    line: Vec<u8>,
    /// In bytes; always at the start of a character once a character is complete.
    cursor: usize,
    /// The column in which the terminal's cursor is, counted from the prompt's end.
    column: usize,
    /// The terminal shows something else than `line`.
    changed: bool,
    escape: Escape,
    history: VecDeque<Vec<u8>>,
    /// Which line of the history is being looked at.
    recalled: Option<usize>,
}

impl Editor {
    pub(crate) fn new() -> Editor {
        Editor {
            line: Vec::new(),
            cursor: 0,
            column: 0,
            changed: false,
            escape: Escape::None,
            history: VecDeque::new(),
            recalled: None,
        }
    }

    /// Prints the prompt and starts a line.
    pub(crate) fn prompt(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(PROMPT);
        self.column = 0;
        self.changed = !self.line.is_empty();
    }

    /// Takes one byte; returns the line that it completes. What changes on the screen is shown by
    /// [`Editor::refresh`], so that pasted text is drawn once.
    pub(crate) fn key(&mut self, key: u8, out: &mut Vec<u8>) -> Option<String> {
        match (self.escape, key) {
            (Escape::None, b'\r' | b'\n') => return Some(self.enter(out)),
            (Escape::None, _) => self.plain(key, out),
            (Escape::Start, b'[') => self.escape = Escape::Sequence(0),
            (Escape::Start, b'O') => self.escape = Escape::Function,
            (Escape::Sequence(number), b'0'..=b'9') => {
                let number = number.saturating_mul(10).saturating_add(u32::from(key - b'0'));
                self.escape = Escape::Sequence(number);
            }
            (Escape::Sequence(number), _) => {
                self.escape = Escape::None;
                self.sequence(number, key);
            }
            (Escape::Start | Escape::Function, _) => self.escape = Escape::None,
        }
        None
    }

    /// Brings the terminal up to date.
    pub(crate) fn refresh(&mut self, out: &mut Vec<u8>) {
        let column = columns(&self.line[..self.cursor]);
        if self.changed {
            left(out, self.column);
            out.extend_from_slice(&self.line);
            out.extend_from_slice(b"\x1b[K");
            left(out, columns(&self.line) - column);
        } else if column < self.column {
            left(out, self.column - column);
        } else {
            out.extend(b"\x1b[C".repeat(column - self.column));
        }
        self.changed = false;
        self.column = column;
    }

    fn enter(&mut self, out: &mut Vec<u8>) -> String {
        self.refresh(out);
        out.extend_from_slice(b"\r\n");
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line).into_owned();
        (self.cursor, self.column, self.recalled) = (0, 0, None);
        if !line.is_empty() {
            self.history.retain(|earlier| *earlier != line);
            self.history.push_back(line);
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
        }
        text
    }

    fn plain(&mut self, key: u8, out: &mut Vec<u8>) {
        match key {
            0x01 => self.cursor = 0,
            0x05 => self.cursor = self.line.len(),
            0x03 | 0x15 => self.replace(Vec::new()),
            0x17 => self.erase_word(),
            0x08 | 0x7F => self.erase(self.before()),
            0x0C => {
                out.extend_from_slice(b"\x1b[2J\x1b[1;1H");
                self.prompt(out);
            }
            0x1B => self.escape = Escape::Start,
            0x00..0x20 => {}
            _ if self.line.len() < LINE => {
                self.line.insert(self.cursor, key);
                self.cursor += 1;
                self.changed = true;
            }
            _ => {}
        }
    }

    fn sequence(&mut self, number: u32, key: u8) {
        match (key, number) {
            (b'A', _) => self.recall(true),
            (b'B', _) => self.recall(false),
            (b'C', _) => self.cursor = self.after(),
            (b'D', _) => self.cursor = self.before(),
            (b'H', _) | (b'~', 1 | 7) => self.cursor = 0,
            (b'F', _) | (b'~', 4 | 8) => self.cursor = self.line.len(),
            (b'~', 3) => {
                let start = self.cursor;
                self.cursor = self.after();
                self.erase(start);
            }
            _ => {}
        }
    }

    /// The place one character to the left.
    fn before(&self) -> usize {
        let start = |&at: &usize| !is_continuation(self.line[at]);
        (0..self.cursor).rev().find(start).unwrap_or(0)
    }

    /// The place one character to the right.
    fn after(&self) -> usize {
        let start = |&at: &usize| !is_continuation(self.line[at]);
        let first = self.line.len().min(self.cursor + 1);
        (first..self.line.len()).find(start).unwrap_or(self.line.len())
    }

    /// Erases from `start` to the cursor.
    fn erase(&mut self, start: usize) {
        if start < self.cursor {
            self.line.drain(start..self.cursor);
            self.cursor = start;
            self.changed = true;
        }
    }

    fn erase_word(&mut self) {
        let typed = &self.line[..self.cursor];
        let blank = |byte: &u8| *byte == b' ';
        let word = typed.iter().rposition(|byte| !blank(byte)).map_or(0, |end| end + 1);
        let start = typed[..word].iter().rposition(blank).map_or(0, |at| at + 1);
        self.erase(start);
    }

    fn recall(&mut self, earlier: bool) {
        let newest = self.history.len();
        let at = self.recalled.unwrap_or(newest);
        let wanted = if earlier { at.checked_sub(1) } else { Some(at + 1) };
        let Some(wanted) = wanted.filter(|_| earlier || at < newest) else {
            return;
        };
        self.recalled = Some(wanted).filter(|&wanted| wanted < newest);
        let line = self.history.get(wanted).cloned().unwrap_or_default();
        self.replace(line);
    }

    fn replace(&mut self, line: Vec<u8>) {
        self.cursor = line.len();
        self.line = line;
        self.changed = true;
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// How many columns a line takes, a character each.
fn columns(line: &[u8]) -> usize {
    line.iter().filter(|&&byte| !is_continuation(byte)).count()
}

fn left(out: &mut Vec<u8>, columns: usize) {
    out.extend(b"\x1b[D".repeat(columns));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types keys one by one, each drawn at once, and returns the screen's bytes and the lines.
    fn slowly(editor: &mut Editor, keys: &[u8]) -> (String, Vec<String>) {
        let mut out = Vec::new();
        let mut lines = Vec::new();
        for &key in keys {
            lines.extend(editor.key(key, &mut out));
            editor.refresh(&mut out);
        }
        (String::from_utf8_lossy(&out).into_owned(), lines)
    }

    fn line(keys: &[u8]) -> String {
        let (_, mut lines) = slowly(&mut Editor::new(), &[keys, b"\r"].concat());
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    }

    #[test]
    fn the_screen_follows_as_recorded() {
        let (screen, lines) = slowly(&mut Editor::new(), b"abc\x1b[D\x1b[DX\n");
        let recorded = "a\x1b[K\x1b[Dab\x1b[K\x1b[D\x1b[Dabc\x1b[K\x1b[D\x1b[D\x1b[DaXbc\x1b[K\x1b[D\x1b[D\r\n";
        assert_eq!(screen, recorded);
        assert_eq!(lines, ["aXbc"]);
        let (screen, _) = slowly(&mut Editor::new(), b"ab\x0c\n");
        let recorded = "a\x1b[K\x1b[Dab\x1b[K\x1b[2J\x1b[1;1H(qemu) ab\x1b[K\r\n";
        assert_eq!(screen, recorded);
    }

    #[test]
    fn keys_edit_the_line() {
        for (keys, text) in [
            (&b"nameX\x7f"[..], "name"),
            (b"a\x08\x08b", "b"),
            (b"x\x01y\x05z", "yxz"),
            (b"a b c\x17d", "a b d"),
            (b"a b  \x17d", "a d"),
            (b"abc\x1b[D\x1b[3~", "ab"),
            (b"abc\x1b[H1\x1b[F2", "1abc2"),
            (b"abc\x1b[1~X\x1b[4~Y", "XabcY"),
            (b"ab\x1bOAcd\x00\x02\t", "abcd"),
            (b"junk\x15new", "new"),
            (b"junk\x03new", "new"),
            (b"\xC3\xA9\xC3\xA8\x1b[D\x7f", "\u{E8}"),
            (b"\xC3\xA9\x1b[D\x1b[3~x", "x"),
            (b"\x1b[99999999999999999999~\x1b[Dq", "q"),
        ] {
            assert_eq!(line(keys), text, "{keys:?}");
        }
    }

    #[test]
    fn history_is_walked_without_doubles() {
        let mut editor = Editor::new();
        slowly(&mut editor, b"one\rtwo\rone\r\r");
        let mut after = |keys: &[u8]| slowly(&mut editor, keys).1;
        assert_eq!(after(b"\x1b[A\r"), ["one"]);
        assert_eq!(after(b"\x1b[A\x1b[A\x1b[A\r"), ["two"]);
        assert_eq!(after(b"\x1b[A\x1b[A\x1b[B\r"), ["two"]);
        assert_eq!(after(b"\x1b[A\x1b[B\x1b[B\r"), [""]);
        for number in 0..2 * HISTORY {
            slowly(&mut editor, format!("{number}\r").as_bytes());
        }
        assert_eq!(editor.history.len(), HISTORY);
    }

    #[test]
    fn a_line_has_a_greatest_length_and_pasting_is_drawn_once() {
        let mut editor = Editor::new();
        let mut out = Vec::new();
        for _ in 0..2 * LINE {
            assert_eq!(editor.key(b'y', &mut out), None);
        }
        let line = editor.key(b'\n', &mut out).unwrap();
        assert_eq!(line.len(), LINE);
        assert_eq!(out.len(), LINE + "\x1b[K\r\n".len());
    }
}
