//! What concerns the process on its host: names, messages, logs, inherited descriptors.

use super::error::{Error, Location};
use super::groups::{ADD_FD, MSG, NAME, TRACE};
use super::help::{self, HelpRequest};
use super::keyval::{Pairs, is_help};
use super::parser::{Argument, Parser};
use super::types::{AddFd, Located, LogItem, TraceOptions};
use qapi::Value;

pub(super) fn name(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = NAME.read(&pairs, location, &mut parser.options.warnings)?;
    let name = &mut parser.options.name;
    for (key, value) in dict {
        match (key.as_str(), value) {
            ("guest", Value::String(guest)) => name.guest = Some(guest),
            ("process", Value::String(process)) => name.process = Some(process),
            ("debug-threads", value) => name.debug_threads = value.as_bool(),
            _ => {}
        }
    }
    Ok(())
}

/// `-uuid`: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
pub(super) fn uuid(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    parser.options.uuid = Some(
        parse_uuid(argument.text)
            .ok_or_else(|| argument.location.error("failed to parse UUID string: wrong format"))?,
    );
    Ok(())
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<&str> = text.split('-').collect();
    if !groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits: Vec<u32> =
        groups.concat().chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    bytes.try_into().ok()
}

pub(super) fn msg(parser: &mut Parser<'_>, pairs: Pairs, location: &Location) -> Result<(), Error> {
    let dict = MSG.read(&pairs, location, &mut parser.options.warnings)?;
    let truth = |key| dict.get(key).and_then(|value| value.as_bool());
    let msg = &mut parser.options.msg;
    msg.timestamp = truth("timestamp").unwrap_or(msg.timestamp);
    msg.guest_name = truth("guest-name").unwrap_or(msg.guest_name);
    Ok(())
}

pub(super) fn add_fd(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = ADD_FD.read(&pairs, location, &mut parser.options.warnings)?;
    let number = |key| dict.get(key).and_then(|value| value.as_i64()).filter(|n| *n >= 0);
    let fd = number("fd").and_then(|fd| i32::try_from(fd).ok());
    let fd = fd.ok_or_else(|| location.error("fd option is required and must be non-negative"))?;
    if fd <= 2 {
        return Err(location.error("fd cannot be a standard I/O stream"));
    }
    let set = number("set")
        .ok_or_else(|| location.error("set option is required and must be non-negative"))?;
    parser.options.fds.push(AddFd {
        fd,
        set,
        opaque: dict.get("opaque").and_then(|text| text.as_str()).map(str::to_owned),
        location: location.clone(),
    });
    Ok(())
}

/// `-D`: the log file.
pub(super) fn log_file(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    let mut marks = argument.text.split('%').skip(1);
    let template = marks.next().is_none_or(|mark| mark.starts_with('d'));
    if !template || marks.next().is_some() {
        let text = format!("Bad logfile template: {}", argument.text);
        return Err(argument.location.error(text));
    }
    parser.options.log.file =
        Some(Located { value: argument.text.to_owned(), location: argument.location.clone() });
    Ok(())
}

/// An item of `-d` and what it shows.
pub(super) static LOG_ITEMS: &[(&str, LogItem, &str)] = &[
    ("cpu_reset", LogItem::CpuReset, "show CPU state before CPU resets"),
    ("unimp", LogItem::Unimplemented, "show accesses to functions that are not modelled"),
    (
        "guest_errors",
        LogItem::GuestErrors,
        "show what the guest does wrong, such as writing to a missing register",
    ),
];

/// The items of QEMU that are about its translator or its emulation of user programs.
const TRANSLATOR_ITEMS: &[&str] = &[
    "out_asm", "in_asm", "op", "op_opt", "op_ind", "int", "exec", "cpu", "fpu", "mmu", "pcall",
    "page", "nochain", "plugin", "strace", "tid",
];

/// `-d`: what to log.
pub(super) fn log_items(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    for item in argument.text.split(',') {
        let items = &mut parser.options.log.items;
        let mut add = |item: LogItem| {
            if !items.contains(&item) {
                items.push(item);
            }
        };
        if is_help(item) {
            parser.options.help = Some(HelpRequest::Text(help::log_items()));
            return Ok(());
        } else if let Some(pattern) = item.strip_prefix("trace:") {
            if is_help(pattern) {
                parser.options.help = Some(HelpRequest::Trace);
                return Ok(());
            }
            parser.options.trace.push(TraceOptions {
                enable: Some(pattern.to_owned()),
                location: argument.location.clone(),
                ..TraceOptions::default()
            });
        } else if item == "all" {
            LOG_ITEMS.iter().for_each(|(_, item, _)| add(*item));
        } else if let Some((_, item, _)) = LOG_ITEMS.iter().find(|(name, ..)| *name == item) {
            add(*item);
        } else if TRANSLATOR_ITEMS.contains(&item) {
            let text = format!("log item '{item}' is not supported: there is no translator");
            return Err(argument.location.error(text));
        } else {
            let error = argument.location.error(format!("there is no log item '{item}'"));
            return Err(error.with_hint("Use -d help to list the items"));
        }
    }
    Ok(())
}

pub(super) fn trace(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if pairs.last("enable").is_some_and(is_help) {
        parser.options.help = Some(HelpRequest::Trace);
        return Ok(());
    }
    let dict = TRACE.read(&pairs, location, &mut parser.options.warnings)?;
    let text = |key| dict.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    parser.options.trace.push(TraceOptions {
        enable: text("enable"),
        events: text("events"),
        file: text("file"),
        location: location.clone(),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;

    #[test]
    fn uuids() {
        let uuid = parse_uuid("f6ac9558-0e5e-4ee0-9187-dc91386f25F0");
        assert_eq!(
            uuid,
            Some([
                0xf6, 0xac, 0x95, 0x58, 0x0e, 0x5e, 0x4e, 0xe0, 0x91, 0x87, 0xdc, 0x91, 0x38, 0x6f,
                0x25, 0xf0
            ])
        );
        for text in [
            "",
            "foo",
            "12345678-1234-1234-1234-12345678901",
            "12345678-1234-1234-1234-1234567890123",
            "12345678-1234-1234-1234-12345678901g",
            "12345678123412341234123456789012",
            "{12345678-1234-1234-1234-123456789012}",
            "12345678-1234-1234-1234-12345678901\u{e9}",
        ] {
            assert_eq!(parse_uuid(text), None, "{text:?}");
        }
    }
}
