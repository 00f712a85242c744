//! The boot processor's loop: commands from the command line, then lines from the serial port, events in between.

use core::fmt::Write;

use crate::actions;
use crate::interrupts;
use crate::single::Single;
use crate::text::Words;
use crate::{boot, events, jobs, ring0, say, serial};

const MAX_LINE: usize = 1024;
const MAX_ANSWER: usize = 6144;

/// The ` key=value …` part of an answer.
pub struct Answer {
    text: [u8; MAX_ANSWER],
    length: usize,
}

impl Write for Answer {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let part = text.as_bytes();
        let room = part.len().min(MAX_ANSWER - self.length);
        self.text[self.length..self.length + room].copy_from_slice(&part[..room]);
        self.length += room;
        Ok(())
    }
}

impl Answer {
    /// Adds `text` as it is.
    pub fn append(&mut self, text: core::fmt::Arguments) {
        let _ = self.write_fmt(text);
    }

    /// Adds ` text`.
    pub fn add(&mut self, text: core::fmt::Arguments) {
        let _ = self.write_char(' ');
        let _ = self.write_fmt(text);
    }
}

/// Adds ` key=value …` to an answer.
#[macro_export]
macro_rules! put {
    ($answer:expr, $($part:tt)*) => {
        $answer.add(format_args!($($part)*))
    };
}

struct Input {
    line: [u8; MAX_LINE],
    length: usize,
    too_long: bool,
}

static INPUT: Single<Input> =
    Single::new(Input { line: [0; MAX_LINE], length: 0, too_long: false });
static ANSWER: Single<Answer> = Single::new(Answer { text: [0; MAX_ANSWER], length: 0 });
/// Name of the action that runs, for the line that reports a fault.
static CURRENT: Single<([u8; 32], usize)> = Single::new(([0; 32], 0));

/// The running action's name, or `guest`.
pub fn current() -> &'static str {
    let (name, length) = CURRENT.get();
    if *length == 0 { "guest" } else { core::str::from_utf8(&name[..*length]).unwrap_or("guest") }
}

fn set_current(word: &str) {
    let (name, length) = CURRENT.get();
    *length = word.len().min(name.len());
    name[..*length].copy_from_slice(&word.as_bytes()[..*length]);
}

/// Runs one command and prints its line.
pub fn execute(line: &str) {
    let mut words = Words::new(line);
    let Some(name) = words.word() else {
        return;
    };
    set_current(name);
    let answer = ANSWER.get();
    answer.length = 0;
    let outcome = actions::run(name, &mut words, answer);
    let details = core::str::from_utf8(&answer.text[..answer.length]).unwrap_or("");
    match outcome {
        Ok(()) => say!("ok {name}{details}"),
        Err(reason) => say!("error {name} {reason}{details}"),
    }
    set_current("");
}

/// The commands of the kernel command line: `do="a;b c"`, and everything after a word `--`.
pub fn execute_command_line() {
    let line = boot::get().command_line();
    let (options, rest) = match line.strip_prefix("-- ") {
        Some(rest) => ("", rest),
        None => line.split_once(" -- ").unwrap_or((line, "")),
    };
    let list = options
        .split_once("do=")
        .filter(|(before, _)| before.is_empty() || before.ends_with(' '))
        .map_or("", |(_, value)| match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or(""),
            None => value.split(' ').next().unwrap_or(""),
        });
    list.split(';').chain(rest.split(';')).for_each(execute);
}

/// Serves commands and events for ever.
pub fn run() -> ! {
    ring0::sti();
    set_current("");
    loop {
        let seen = interrupts::seen();
        while let Some(byte) = serial::receive() {
            take(byte);
        }
        events::handle();
        while interrupts::seen() == seen {
            if !jobs::step(0) {
                ring0::wait(interrupts::event_word(), seen);
            }
        }
    }
}

fn take(byte: u8) {
    let input = INPUT.get();
    if byte == b'\n' || byte == b'\r' {
        let (length, too_long) = (input.length, input.too_long);
        (input.length, input.too_long) = (0, false);
        if too_long {
            say!("error line too long");
            return;
        }
        match core::str::from_utf8(&input.line[..length]) {
            Ok(line) => execute(line),
            Err(_) => say!("error line not ASCII"),
        }
    } else if input.length < MAX_LINE {
        input.line[input.length] = byte;
        input.length += 1;
    } else {
        input.too_long = true;
    }
}
