//! The text of `-cpu help`.

use std::fmt::Write;

use super::features::words;
use super::model::{alias_of, definition, model_names};

/// Width the list of flags is broken at.
const WIDTH: usize = 75;

/// The models with a description each, then every CPUID flag; ends with an empty line.
pub fn help_text() -> String {
    let mut text = String::from("Available CPUs:\n");
    for name in model_names() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "x86 {name:<20}  {}", description(name));
    }
    text.push_str("\nRecognized CPUID flags:\n");
    let mut flags: Vec<_> =
        words().iter().flat_map(|(_, bits)| bits.iter().map(|(_, name)| *name)).collect();
    flags.sort_unstable();
    let mut line = String::new();
    for flag in flags {
        if line.len() + flag.len() + 1 >= WIDTH {
            let _ = writeln!(text, " {line}");
            line.clear();
        }
        let _ = write!(line, " {flag}");
    }
    let _ = writeln!(text, " {line}\n");
    text
}

fn description(name: &str) -> String {
    match name {
        "base" => return "base CPU model type with no features enabled".to_owned(),
        "host" => return "processor with all supported host features ".to_owned(),
        "max" => {
            return "Enables all features supported by the accelerator in the current host"
                .to_owned();
        }
        _ => {}
    }
    match alias_of(name) {
        Some(to) if to.rsplit_once("-v").is_some_and(|(base, _)| base == name) => {
            "(alias configured by machine type)".to_owned()
        }
        Some(to) => format!("(alias of {to})"),
        None => match definition(name) {
            Some(d) if !d.note.is_empty() => format!("{} {}", d.model_id, d.note),
            Some(d) => d.model_id.to_owned(),
            None => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_text_is_the_recorded_one() {
        let recorded = include_str!("../../../resources/cpu-models/help.txt");
        for (ours, theirs) in super::help_text().lines().zip(recorded.lines()) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(super::help_text(), recorded);
    }
}
