//! `-mon`, `-qmp`, `-monitor`, and the ports that share their character devices with a monitor: `-serial`, `-debugcon`.

use super::error::{Error, Location};
use super::groups::MON;
use super::keyval::Pairs;
use super::legacy;
use super::machine::MachineType;
use super::parser::{Argument, Parser, not_accepted};
use super::types::{Form, Item, Located, MonitorMode, MonitorOptions, Options, Serial};
use qapi::Dict;

/// The serial ports a PC has.
const SERIAL_PORTS: usize = 4;

pub(super) fn mon(parser: &mut Parser<'_>, pairs: Pairs, location: &Location) -> Result<(), Error> {
    let dict = MON.read(&pairs, location, &mut parser.options.warnings)?;
    let text = |key| dict.get(key).and_then(|value| value.as_str());
    let Some(chardev) = text("chardev") else {
        return Err(location.error("Parameter 'chardev' is missing"));
    };
    let id = text("id");
    if id.is_some() && parser.options.monitors.iter().any(|other| other.id.as_deref() == id) {
        let id = id.unwrap_or_default();
        return Err(location.error(format!("Duplicate ID '{id}' for mon")));
    }
    let mode = match text("mode") {
        None | Some("readline") => MonitorMode::Readline,
        Some("control") => MonitorMode::Control,
        Some(other) => return Err(not_accepted(location, "mode", other)),
    };
    let pretty = dict.get("pretty").and_then(|pretty| pretty.as_bool()) == Some(true);
    if pretty && mode == MonitorMode::Readline {
        return Err(location.error("'pretty' is not compatible with HMP monitors"));
    }
    parser.options.monitors.push(MonitorOptions {
        chardev: chardev.to_owned(),
        id: id.map(str::to_owned),
        mode,
        pretty,
        auto: false,
        location: location.clone(),
    });
    Ok(())
}

/// `-qmp` and `-qmp-pretty`.
pub(super) fn qmp(
    parser: &mut Parser<'_>,
    argument: &Argument<'_>,
    pretty: bool,
) -> Result<(), Error> {
    compat(parser, argument, MonitorMode::Control, pretty)
}

/// `-monitor`.
pub(super) fn monitor(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    parser.options.no_default_monitor = true;
    if argument.text == "none" {
        return Ok(());
    }
    compat(parser, argument, MonitorMode::Readline, false)
}

fn compat(
    parser: &mut Parser<'_>,
    argument: &Argument<'_>,
    mode: MonitorMode,
    pretty: bool,
) -> Result<(), Error> {
    let mon = mode == MonitorMode::Readline;
    let id = format!("compat_monitor{}", parser.compat_monitors);
    parser.compat_monitors += 1;
    let lowered = legacy::lower(parser, argument.text, &id, mon, &argument.location)?;
    parser.options.monitors.push(MonitorOptions {
        id: Some(lowered.chardev.clone()),
        chardev: lowered.chardev,
        mode,
        pretty,
        auto: lowered.auto,
        location: argument.location.clone(),
    });
    Ok(())
}

/// A human monitor on a port's character device.
fn shared(chardev: &str, location: &Location) -> MonitorOptions {
    MonitorOptions {
        chardev: chardev.to_owned(),
        id: None,
        mode: MonitorMode::Readline,
        pretty: false,
        auto: false,
        location: location.clone(),
    }
}

/// `-serial`.
pub(super) fn serial(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    let location = &argument.location;
    if parser.options.serials.len() == SERIAL_PORTS {
        return Err(location.error(format!("there are only {SERIAL_PORTS} serial ports")));
    }
    if argument.text == "none" {
        parser.options.serials.push(Serial::None);
        return Ok(());
    }
    let id = format!("serial{}", parser.options.serials.len());
    let lowered = legacy::lower(parser, argument.text, &id, true, location)?;
    if lowered.mon {
        parser.options.monitors.push(shared(&lowered.chardev, location));
    }
    parser
        .options
        .serials
        .push(Serial::Chardev(Located { value: lowered.chardev, location: location.clone() }));
    Ok(())
}

/// `-debugcon`: a debug console at port 0xe9.
pub(super) fn debugcon(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    let location = &argument.location;
    let lowered = legacy::lower(parser, argument.text, "debugcon", true, location)?;
    if lowered.mon {
        parser.options.monitors.push(shared(&lowered.chardev, location));
    }
    let dict = Dict::from_iter([
        ("driver", "isa-debugcon"),
        ("iobase", "0xe9"),
        ("chardev", lowered.chardev.as_str()),
    ]);
    parser.options.devices.push(Item { dict, form: Form::KeyValue, location: location.clone() });
    Ok(())
}

/// A port of the first serial line, where no option says what it is connected to.
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultSerial {
    /// The character device `serial0` to make, as in [`Options::chardevs`].
    pub chardev: Dict,
    /// Whether standard input is read too, rather than left alone.
    pub input: bool,
    /// The human monitor that shares the character device.
    pub monitor: Option<MonitorOptions>,
}

impl Options {
    /// Whether there is a first serial port that no option speaks of.
    fn has_default_serial(&self) -> bool {
        let isa_serial = |item: &Item| item.text("driver") == Some("isa-serial");
        self.serials.is_empty()
            && !self.nodefaults
            && self.machine.kind != MachineType::None
            && !self.devices.iter().any(isa_serial)
    }

    /// What the first serial port is connected to when no `-serial` says so; `None` if there is no such port.
    ///
    /// With `-nographic` it is standard input and output, shared with a human monitor unless there is one. Else output goes to
    /// standard output, and input comes from standard input if that is a terminal; but not with `-display none`,
    /// `-daemonize`, or when something else uses standard output. `-nodefaults` and machine `none` have no such port.
    pub fn default_serial(&self, stdin_is_terminal: bool) -> Option<DefaultSerial> {
        if !self.has_default_serial() {
            return None;
        }
        let stdio = |item: &Item| item.text("backend") == Some("stdio");
        if self.daemonize || self.chardevs.iter().any(stdio) {
            return None;
        }
        if self.nographic {
            let monitor = !self.no_default_monitor && self.monitors.is_empty();
            return Some(DefaultSerial {
                chardev: legacy::stdio("serial0", monitor),
                input: true,
                monitor: monitor.then(|| shared("serial0", &Location::Nowhere)),
            });
        }
        (!self.display_none).then(|| DefaultSerial {
            chardev: legacy::stdio("serial0", false),
            input: stdin_is_terminal,
            monitor: None,
        })
    }
}

/// What depends on several options.
pub(super) fn finish(options: &Options) -> Result<(), Error> {
    if options.nographic && options.daemonize && options.has_default_serial() {
        return Err(Error::new("-nographic cannot be used with -daemonize"));
    }
    if options.machine.kind == MachineType::None
        && let Some(Serial::Chardev(port)) =
            options.serials.iter().find(|serial| matches!(serial, Serial::Chardev(_)))
    {
        return Err(port.location.error("machine 'none' has no serial ports"));
    }
    Ok(())
}
