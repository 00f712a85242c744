//! `-machine`: the type and its properties.
//!
//! Uses add up, and what a property means depends on the type, which may come last: so they are looked at in the end.

use super::accel;
use super::error::{Error, Location};
use super::groups::{self, MACHINE};
use super::help::{self, HelpRequest};
use super::keyval::{Pair, Pairs};
use super::parser::{Parser, not_accepted, refused};
use super::types::Located;
use qapi::Value;

/// A machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MachineType {
    /// `pc-i440fx-7.2`: a PC with the i440FX and PIIX chips.
    #[default]
    Pc,
    /// `none`: CPUs and memory alone, for clients that only ask questions.
    None,
}

/// What there is to say about a machine.
#[derive(Clone, Copy, Debug)]
pub struct MachineInfo {
    /// The machine.
    pub kind: MachineType,
    /// Its name.
    pub name: &'static str,
    /// Its short name.
    pub alias: Option<&'static str>,
    /// A line for people.
    pub description: &'static str,
    /// The most CPUs it can have.
    pub max_cpus: u32,
    /// Whether its sockets can have several dies.
    pub dies: bool,
}

/// The machines there are; the first is the default.
pub static MACHINES: [MachineInfo; 2] = [
    MachineInfo {
        kind: MachineType::Pc,
        name: "pc-i440fx-7.2",
        alias: Some("pc"),
        description: "Standard PC (i440FX + PIIX, 1996)",
        max_cpus: 255,
        dies: true,
    },
    MachineInfo {
        kind: MachineType::None,
        name: "none",
        alias: None,
        description: "empty machine",
        max_cpus: 1,
        dies: false,
    },
];

impl MachineType {
    /// What there is to say about it.
    pub fn info(self) -> &'static MachineInfo {
        match self {
            MachineType::Pc => &MACHINES[0],
            MachineType::None => &MACHINES[1],
        }
    }

    /// The machine with that name or short name.
    pub fn from_name(name: &str) -> Option<MachineType> {
        MACHINES
            .iter()
            .find(|info| info.name == name || info.alias == Some(name))
            .map(|info| info.kind)
    }
}

/// A property of the machine as it was given.
pub(super) struct Setting {
    key: String,
    value: String,
    location: Location,
}

pub(super) fn machine(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if pairs.help {
        let typed = pairs.last("type").is_some()
            || parser.machine.iter().any(|setting| setting.key == "type");
        parser.options.help =
            Some(HelpRequest::Text(if typed { MACHINE.help() } else { help::machines() }));
        return Ok(());
    }
    for Pair { key, value } in pairs.pairs {
        let value = value.unwrap_or_else(|| "on".to_owned());
        let nested =
            |rest: &str| Pairs { pairs: vec![Pair::new(rest, value.as_str())], help: false };
        if let Some(rest) = key.strip_prefix("smp.") {
            (groups::SMP.apply)(parser, nested(rest), location)?;
        } else if let Some(rest) = key.strip_prefix("boot.") {
            (groups::BOOT.apply)(parser, nested(rest), location)?;
        } else {
            parser.machine.push(Setting {
                // Older spellings have underscores.
                key: key.replace('_', "-"),
                value,
                location: location.clone(),
            });
        }
    }
    Ok(())
}

pub(super) fn finish(parser: &mut Parser<'_>) -> Result<(), Error> {
    let settings = std::mem::take(&mut parser.machine);
    if let Some(kind) = settings.iter().rev().find(|setting| setting.key == "type") {
        parser.options.machine.kind = MachineType::from_name(&kind.value).ok_or_else(|| {
            let error = kind.location.error("unsupported machine type");
            error.with_hint("Use -machine help to list supported machines")
        })?;
    }
    settings.into_iter().try_for_each(|setting| apply(parser, setting))
}

fn apply(parser: &mut Parser<'_>, setting: Setting) -> Result<(), Error> {
    let Setting { key, value, location } = setting;
    let options = &mut parser.options;
    let kind = options.machine.kind;
    if matches!(key.as_str(), "smp" | "boot") {
        return Err(location.error(format!("Invalid parameter type for '{key}', expected: object")));
    }
    let of_pc = matches!(key.as_str(), "hpet" | "vmport" | "smm");
    let known = MACHINE.parameter(&key).filter(|_| !of_pc || kind == MachineType::Pc);
    let Some(known) = known else {
        let name = key.split('.').next().unwrap_or_default();
        return Err(
            location.error(format!("Property '{}-machine.{name}' not found", kind.info().name))
        );
    };
    let typed = MACHINE.convert(known, &value, &location)?;
    let truth = matches!(typed, Value::Bool(true));
    match known.name {
        "accel" => parser.accel.machine = Some(Located { value, location }),
        "kernel" => options.kernel = Some(value),
        "initrd" => options.initrd = Some(value),
        "append" => options.append = Some(value),
        "firmware" => options.bios = Some(value),
        "memory-backend" => options.machine.memory_backend = Some(Located { value, location }),
        "dump-guest-core" => options.machine.dump_guest_core = truth,
        "mem-merge" => options.machine.mem_merge = truth,
        "graphics" => options.machine.graphics = truth,
        "usb" | "suppress-vmdesc" | "hpet" if truth => {
            return Err(refused(&location, &key, &value, "off"));
        }
        "kernel-irqchip" => accel::kernel_irqchip(&value, &location)?,
        "vmport" | "smm" => match value.as_str() {
            "off" | "auto" => {}
            "on" => return Err(refused(&location, &key, &value, "off")),
            _ => return Err(not_accepted(&location, &key, &value)),
        },
        // The type has been looked at; the others are off, as they have to be.
        _ => {}
    }
    Ok(())
}
