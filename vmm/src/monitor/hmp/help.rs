//! `help` and `info` without an item.

use std::fmt::Write;

use super::arguments::Arguments;
use super::table::{COMMANDS, Entry, INFO, find};
use super::{Answer, Monitor};

pub(super) fn help(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result<Answer, String> {
    let Some(name) = arguments.optional_string()? else {
        return Ok(all(COMMANDS, "").into());
    };
    let item = arguments.optional_string()?;
    arguments.end()?;
    let known = match (name.as_str(), item) {
        ("info", None) => return Ok(all(INFO, "info ").into()),
        ("info", Some(item)) => (find(INFO, &item), "info ", format!("info {item}")),
        _ => (find(COMMANDS, &name), "", name),
    };
    Ok(match known {
        (Some(entry), prefix, _) => line(entry, prefix),
        (None, _, name) => format!("unknown command: '{name}'\n"),
    }
    .into())
}

/// `info` alone; with an item it is that item's.
pub(super) fn info(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result<Answer, String> {
    arguments.end()?;
    Ok(all(INFO, "info ").into())
}

fn all(table: &[Entry], prefix: &str) -> String {
    table.iter().map(|entry| line(entry, prefix)).collect()
}

fn line(entry: &Entry, prefix: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{prefix}{} {} -- {}", entry.names, entry.parameters, entry.help);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_all_and_each() {
        let list = all(COMMANDS, "");
        assert!(list.contains("stop|s  -- stop emulation\n"));
        assert_eq!(list.lines().count(), COMMANDS.len());
        let entry = find(INFO, "version").unwrap();
        assert_eq!(line(entry, "info "), "info version  -- show the version of QEMU\n");
    }
}
