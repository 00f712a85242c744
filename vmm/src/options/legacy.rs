//! The short names of character devices in `-serial`, `-monitor`, `-qmp` and `-debugcon`, such as `stdio` or
//! `unix:/tmp/s,server=on`: each stands for a `-chardev` with an id that the option chooses.

use super::chardev;
use super::error::{Error, Location};
use super::groups::CHARDEV;
use super::keyval::{Pair, Pairs, parse_opts};
use super::parser::Parser;
use qapi::Dict;

/// The character device that a short name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lowered {
    /// Its id.
    pub(super) chardev: String,
    /// Whether the name started with `mon:`.
    pub(super) mon: bool,
    /// Whether it is a unix socket without a word on who connects to whom.
    pub(super) auto: bool,
}

/// Makes the character device that `text` names, unless it names one that exists (`chardev:ID`). `mon:…`, which shares it
/// with a monitor for people, is understood if `mon` says so.
pub(super) fn lower(
    parser: &mut Parser<'_>,
    text: &str,
    id: &str,
    mon: bool,
    location: &Location,
) -> Result<Lowered, Error> {
    if let Some(existing) = text.strip_prefix("chardev:") {
        return Ok(Lowered { chardev: existing.to_owned(), mon: false, auto: false });
    }
    let (name, mon) = match text.strip_prefix("mon:") {
        Some(rest) if mon => (rest, true),
        _ => (text, false),
    };
    let mut pairs = pairs(name).map_err(|text| location.error(text))?;
    if pairs.iter().any(|pair| pair.key == "id" || pair.key == "backend") {
        return Err(location.error("Invalid parameter 'id'"));
    }
    let backend = backend(name);
    pairs.insert(0, Pair::new("backend", backend));
    pairs.insert(1, Pair::new("id", id));
    if mon {
        pairs.push(Pair::new("mux", "on"));
        if backend == "stdio" {
            // Ctrl-C is the guest's.
            pairs.push(Pair::new("signal", "off"));
        }
    }
    let pairs = Pairs { pairs, help: false };
    let dict = CHARDEV.read(&pairs, location, &mut parser.options.warnings)?;
    let open = !["server", "wait", "reconnect"].into_iter().any(|key| dict.contains_key(key));
    chardev::add(parser, dict, location)?;
    Ok(Lowered { chardev: id.to_owned(), mon, auto: open && name.starts_with("unix:") })
}

/// The kind of character device a name stands for, if [`pairs`] accepts the name.
fn backend(name: &str) -> &str {
    match name.split_once(':') {
        Some(("tcp" | "unix", _)) => "socket",
        Some((prefix, _)) => prefix,
        None => name,
    }
}

/// The parameters in a name, without `backend` and `id`.
fn pairs(name: &str) -> Result<Vec<Pair>, String> {
    if name.starts_with("/dev/") {
        return Err(unsupported("serial"));
    }
    match name.split_once(':') {
        None if matches!(name, "null" | "stdio" | "pty") => Ok(Vec::new()),
        None if matches!(name, "vc" | "msmouse" | "wctablet" | "braille" | "testdev") => {
            Err(unsupported(name))
        }
        // To its end, commas and all.
        Some(("file" | "pipe", path)) => Ok(vec![Pair::new("path", path)]),
        Some(("unix", rest)) => {
            let pairs = parse_opts(rest, Some("path")).pairs;
            if pairs.is_empty() {
                return Err("chardev: socket: no path given".to_owned());
            }
            Ok(pairs)
        }
        Some(("tcp", rest)) => tcp(rest),
        Some((prefix @ ("vc" | "udp" | "telnet" | "tn3270" | "websocket"), _)) => {
            Err(unsupported(prefix))
        }
        _ => Err(format!("'{name}' is not a valid char driver")),
    }
}

fn unsupported(backend: &str) -> String {
    format!("character devices of type '{backend}' are not supported")
}

/// `[HOST]:PORT[,…]`, where an IPv6 address may stand in brackets.
fn tcp(text: &str) -> Result<Vec<Pair>, String> {
    let (address, rest) = text.split_once(',').unwrap_or((text, ""));
    let (host, port) = match address.strip_prefix('[') {
        Some(inner) => inner.split_once("]:"),
        None => address.split_once(':'),
    }
    .filter(|(_, port)| !port.is_empty())
    .ok_or("chardev: socket: no port given")?;
    let mut pairs = vec![Pair::new("host", host), Pair::new("port", port)];
    pairs.extend(parse_opts(rest, None).pairs);
    Ok(pairs)
}

/// The parameters of standard input and output as the first serial port, shared with a monitor if `mon`.
pub(super) fn stdio(id: &str, mon: bool) -> Dict {
    let mut dict = Dict::from_iter([("backend", "stdio"), ("id", id)]);
    if mon {
        dict.insert("mux", true);
        dict.insert("signal", false);
    }
    dict
}
