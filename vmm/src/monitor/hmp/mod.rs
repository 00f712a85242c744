//! The human monitor: lines of text for people, on `-monitor` and in `human-monitor-command`.
//!
//! A table says what there is ([`table`]). Where QMP has the same command the line becomes it, and
//! its error is printed; the rest looks at the machine and changes nothing but what it says. Lines
//! end in LF here; [`to_wire`] makes them what clients of `human-monitor-command` get.
//!
//! Everything runs on the control thread, but what reads guest memory in bulk is a worker's.

mod arguments;
mod commands;
mod dump;
mod expression;
mod format;
mod help;
mod info;
mod mtree;
mod pci;
mod qtree;
mod registers;
mod table;

use qapi::{Command, RawReply};

use super::Monitor;
use crate::control::Control;
use crate::run_state::RunState;
use arguments::Arguments;
use table::Entry;

pub(crate) use registers::log_cpu;
pub(super) use registers::registers_of;

/// What a line leads to.
enum Answer {
    /// This text, now.
    Text(String),
    /// A QMP command, whose error is printed and whose value is nothing.
    Command(Box<Command>),
    /// Text that a worker makes.
    Work(Box<dyn FnOnce() -> String + Send>),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Command> for Answer {
    fn from(command: Command) -> Self {
        Self::Command(Box::new(command))
    }
}

/// What runs an entry of the table: reads the arguments to their end, then acts. A mistake in the
/// arguments is one line, without its end.
type Run = fn(&mut Monitor<'_>, &mut Arguments<'_>) -> Result<Answer, String>;

/// Runs one line for the session of `monitor`. The reply travels with whatever the line starts.
pub(crate) fn execute(
    monitor: &mut Monitor<'_>,
    line: &str,
    reply: Box<dyn FnOnce(String) + Send>,
) {
    match answer(monitor, line) {
        Answer::Text(text) => reply(text),
        Answer::Command(command) => {
            let print = move |result: Result<_, qapi::Error>| {
                reply(result.err().map(|error| format!("Error: {error}\n")).unwrap_or_default());
            };
            monitor.execute(*command, RawReply::new(print));
        }
        Answer::Work(work) => monitor.control.worker(reply, move |reply| {
            reply(work());
            |_: &mut Control| {}
        }),
    }
}

/// Text with its line ends as `human-monitor-command` returns them.
pub(crate) fn to_wire(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn answer(monitor: &mut Monitor<'_>, line: &str) -> Answer {
    let (name, rest) = first_word(line);
    if name.is_empty() {
        return Answer::Text(String::new());
    }
    let Some(entry) = table::find(table::COMMANDS, name) else {
        return unknown(name);
    };
    if entry.name() == "info" && !rest.trim().is_empty() {
        let (item, rest) = first_word(rest);
        let full = format!("info {item}");
        return match table::find(table::INFO, item) {
            // The item is told with everything that sticks to it, as it was written.
            None => unknown(&full),
            Some(entry) => run(monitor, entry, &full, rest),
        };
    }
    run(monitor, entry, name, rest)
}

fn run(monitor: &mut Monitor<'_>, entry: &Entry, typed: &str, rest: &str) -> Answer {
    if monitor.control.machine.run_state == RunState::Preconfig && !entry.early {
        return Answer::Text(format!(
            "Command '{}' not available with -preconfig until machine initialization has \
             completed.\n",
            entry.name()
        ));
    }
    let mut arguments = Arguments::new(entry.names, rest);
    match (entry.run)(monitor, &mut arguments) {
        Ok(answer) => answer,
        Err(mistake) => {
            Answer::Text(format!("{mistake}\nTry \"help {typed}\" for more information\n"))
        }
    }
}

fn unknown(name: &str) -> Answer {
    Answer::Text(format!("unknown command: '{name}'\n"))
}

/// A command's name ends at white space or at the slash of a format.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_white_space_or_a_format() {
        assert_eq!(first_word("  x/4xb 0"), ("x", "/4xb 0"));
        assert_eq!(first_word("info\tversion"), ("info", "\tversion"));
        assert_eq!(first_word("stop"), ("stop", ""));
        assert_eq!(first_word("   "), ("", ""));
    }

    #[test]
    fn lines_end_as_the_wire_wants_them() {
        assert_eq!(to_wire("a\nb\n"), "a\r\nb\r\n");
        assert_eq!(to_wire(""), "");
    }
}
