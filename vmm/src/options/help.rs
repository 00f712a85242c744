//! What the program says about itself.

use super::chardev::BACKENDS;
use super::host::LOG_ITEMS;
use super::machine::MACHINES;
use super::table::OPTIONS;
use std::fmt::Write;

/// Something to print instead of running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpRequest {
    /// This text, which ends with a line feed.
    Text(String),
    /// The CPU models (`-cpu help`).
    Cpu,
    /// The device classes, or one class's properties (`-device help`, `-device X,help`).
    Device(Option<String>),
    /// The object classes, or one class's properties (`-object help`, `-object X,help`).
    Object(Option<String>),
    /// The trace points (`-trace help`).
    Trace,
}

/// The first line is what tools look for.
pub(super) const VERSION: &str = concat!(
    "QEMU emulator version 7.2.0 (vmm ",
    env!("CARGO_PKG_VERSION"),
    ")\n",
    "vmm is free software under the Apache License 2.0 or the MIT license, at your option.\n",
);

pub(super) const ACCELERATORS: &str = "Accelerators supported:\nkvm\n";

/// The column at which explanations start, and where their lines end.
const INDENT: usize = 16;
const WIDTH: usize = 79;

/// The answer to `-help`.
pub(super) fn usage() -> String {
    let mut text = String::from(VERSION);
    text.push_str("usage: vmm [options]\n");
    text.push_str(
        "\nAn option has one dash or two. Within an argument, two commas stand for one.\n",
    );
    let mut section = None;
    for option in OPTIONS {
        if section != Some(option.section) {
            section = Some(option.section);
            let _ = write!(text, "\n{}:\n", option.section.title());
        }
        let names: Vec<String> = option.names.iter().map(|name| format!("-{name}")).collect();
        let mut form = names.join(" or ");
        if let Some(argument) = option.argument {
            form = format!("{form} {argument}");
        }
        if form.len() < INDENT {
            let _ = write!(text, "{form:<INDENT$}");
            wrap(&mut text, option.help);
        } else {
            let _ = write!(text, "{form}\n{:INDENT$}", "");
            wrap(&mut text, option.help);
        }
    }
    text
}

/// Adds words from the column [`INDENT`] on.
fn wrap(text: &mut String, words: &str) {
    let mut column = INDENT;
    for (index, word) in words.split(' ').enumerate() {
        if index > 0 && column + 1 + word.len() > WIDTH {
            let _ = write!(text, "\n{:INDENT$}", "");
            column = INDENT;
        } else if index > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

/// The answer to `-machine help`.
pub(super) fn machines() -> String {
    let mut text = String::from("Supported machines are:\n");
    for (index, info) in MACHINES.iter().enumerate() {
        if let Some(alias) = info.alias {
            let description = info.description;
            let _ = writeln!(text, "{alias:<20} {description} (alias of {})", info.name);
        }
        let default = if index == 0 { " (default)" } else { "" };
        let _ = writeln!(text, "{:<20} {}{default}", info.name, info.description);
    }
    text
}

/// The answer to `-chardev help`.
pub(super) fn backends() -> String {
    let mut text = String::from("Available chardev backend types:\n");
    for (name, help) in BACKENDS {
        let _ = writeln!(text, "  {name:<14} {help}");
    }
    text
}

/// The answer to `-d help`.
pub(super) fn log_items() -> String {
    let mut text = String::from("Log items (comma separated):\n");
    for (name, _, help) in LOG_ITEMS {
        let _ = writeln!(text, "{name:<15} {help}");
    }
    text.push_str("trace:PATTERN   enable trace events\n");
    text.push_str("\nUse \"-d trace:help\" to get a list of trace events.\n");
    text
}
