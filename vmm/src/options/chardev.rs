//! `-chardev`: character devices.
//!
//! The result is a dictionary of typed members under their names on the command line, checked by the reader that makes the
//! character device of it later.

use super::error::{Error, Location};
use super::groups::CHARDEV;
use super::help::{self, HelpRequest};
use super::keyval::{Pairs, is_help};
use super::parser::Parser;
use super::types::{Form, Item, Options, Serial};
use devices::chardev::{Config, Kind};
use qapi::Dict;

/// The kinds of character devices and what they are.
pub(super) static BACKENDS: &[(&str, &str)] = &[
    ("null", "swallows output and never has input"),
    ("stdio", "standard input and output"),
    ("pty", "a new pseudo terminal"),
    ("file", "output to a file"),
    ("pipe", "a FIFO, or two of them named PATH.in and PATH.out"),
    ("socket", "a unix or TCP socket, or an inherited one"),
    ("ringbuf", "the latest output, read with ringbuf-read"),
    ("mux", "shares another character device"),
];

pub(super) fn apply(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if pairs.last("backend").is_some_and(is_help) {
        parser.options.help = Some(HelpRequest::Text(help::backends()));
        return Ok(());
    }
    let dict = CHARDEV.read(&pairs, location, &mut parser.options.warnings)?;
    add(parser, dict, location)
}

/// Adds a character device after checking it.
pub(super) fn add(parser: &mut Parser<'_>, dict: Dict, location: &Location) -> Result<(), Error> {
    let Some(id) = dict.get("id").and_then(|id| id.as_str()) else {
        return Err(location.error("chardev: no id specified"));
    };
    Parser::check_id("chardev", id, &parser.options.chardevs, location)?;
    let config =
        Config::from_options(&dict).map_err(|error| location.error(error.to_string()))?.config;
    if let Kind::Mux { base } = config.kind
        && !has(&parser.options, &base)
    {
        return Err(location.error(format!("mux: base chardev {base} not found")));
    }
    parser.options.chardevs.push(Item { dict, form: Form::Typed, location: location.clone() });
    Ok(())
}

fn has(options: &Options, id: &str) -> bool {
    options.chardevs.iter().any(|item| item.text("id") == Some(id))
}

/// What depends on all character devices and their users.
pub(super) fn finish(options: &Options) -> Result<(), Error> {
    let mut stdio = options.chardevs.iter().filter(|item| item.text("backend") == Some("stdio"));
    if let Some(first) = stdio.next() {
        if options.daemonize {
            return Err(first.location.error("cannot use stdio with -daemonize"));
        }
        if let Some(second) = stdio.next() {
            let text = "cannot use stdio by multiple character devices";
            return Err(second.location.error(text));
        }
    }
    let mut users = Vec::new();
    for serial in &options.serials {
        let Serial::Chardev(port) = serial else {
            continue;
        };
        if !has(options, &port.value) {
            return Err(port.location.error(format!(
                "could not connect serial device to character backend 'chardev:{}'",
                port.value
            )));
        }
        users.push((&port.value, &port.location));
    }
    for monitor in &options.monitors {
        if !has(options, &monitor.chardev) {
            let text = format!("chardev \"{}\" not found", monitor.chardev);
            return Err(monitor.location.error(text));
        }
        users.push((&monitor.chardev, &monitor.location));
    }
    for (index, (id, location)) in users.iter().enumerate() {
        let shared = options.chardevs.iter().any(|item| {
            let mux = item.dict.get("mux").and_then(|mux| mux.as_bool()) == Some(true);
            item.text("id") == Some(id) && (mux || item.text("backend") == Some("mux"))
        });
        if !shared && users[..index].iter().any(|(other, _)| other == id) {
            return Err(location.error(format!("Device '{id}' is in use")));
        }
    }
    Ok(())
}
