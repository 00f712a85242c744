//! `-readconfig`: options from a file.
//!
//! QEMU's format: `[GROUP]` or `[GROUP "ID"]` headers, `KEY = "VALUE"` lines, and comments after `#`.

use super::error::{Error, Location};
use super::groups::GROUPS;
use super::keyval::{Pair, Pairs};
use super::parser::{Argument, Parser};
use crate::logging::reason;

/// The sections of a file, with the line each ends on.
struct Section<'a> {
    group: &'a str,
    pairs: Vec<Pair>,
    line: usize,
}

pub(super) fn apply(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    let path = argument.text;
    let text = (parser.sources.read)(path).map_err(|error| {
        argument.location.error(format!("Could not open '{path}': {}", reason(&error)))
    })?;
    for section in sections(&text, path)? {
        let location = Location::File { path: path.to_owned(), line: section.line };
        let Some(group) = GROUPS.iter().find(|group| group.name == section.group) else {
            return Err(location.error(format!("There is no option group '{}'", section.group)));
        };
        let pairs = Pairs { pairs: section.pairs, help: false };
        (group.apply)(parser, pairs, &location)?;
        if parser.options.help.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

fn sections<'a>(text: &'a str, path: &str) -> Result<Vec<Section<'a>>, Error> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let fail = |message: &str| {
            let path = path.to_owned();
            Err(Location::File { path, line: number }.error(message))
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            let Some((group, id)) = header(line) else {
                return fail("parse error");
            };
            sections.push(Section {
                group,
                pairs: id.map(|id| Pair::new("id", id)).into_iter().collect(),
                line: number,
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return fail("no group defined");
        };
        let Some((key, value)) = setting(line) else {
            return fail("parse error");
        };
        section.pairs.push(Pair::new(key, value));
        section.line = number;
    }
    Ok(sections)
}

/// `[GROUP]` or `[GROUP "ID"]`.
fn header(line: &str) -> Option<(&str, Option<&str>)> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?.trim();
    let (group, id) = match inner.split_once('"') {
        Some((group, id)) => (group.trim_end(), Some(id.strip_suffix('"')?)),
        None => (inner, None),
    };
    (!group.is_empty() && !group.contains(char::is_whitespace)).then_some((group, id))
}

/// `KEY = "VALUE"`.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!key.is_empty() && !key.contains(char::is_whitespace)).then_some((key, value))
}
