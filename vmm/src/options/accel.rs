//! `-accel` and `-machine accel=`: which accelerators to try.
//!
//! KVM is the only one. The others that QEMU has are accepted as fall-backs beside it, since they are never reached, or named
//! when they are left alone.

use super::error::{Error, Location};
use super::help::{self, HelpRequest};
use super::keyval::{Pairs, is_help};
use super::parser::{Parser, not_accepted, refused};
use super::types::{Accel, Located};

/// What the options say so far.
#[derive(Default)]
pub(super) struct Choice {
    /// The names given with `-accel`, in order.
    pub(super) listed: Vec<Located<String>>,
    /// The last list given with `-machine accel=` or `-enable-kvm`.
    pub(super) machine: Option<Located<String>>,
}

pub(super) fn accel(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = super::groups::ACCEL.read(&pairs, location, &mut parser.options.warnings)?;
    let name = dict.get("accel").and_then(|name| name.as_str()).unwrap_or("");
    // Without a name QEMU lists them too.
    if name.is_empty() || is_help(name) || pairs.help {
        parser.options.help = Some(HelpRequest::Text(help::ACCELERATORS.to_owned()));
        return Ok(());
    }
    for (key, value) in dict.iter().filter(|(key, _)| *key != "accel") {
        let value = value.as_str().unwrap_or_default();
        match (name, key) {
            ("kvm", "kernel-irqchip") => kernel_irqchip(value, location)?,
            // Never used, so that their values do not matter.
            ("tcg", "thread" | "tb-size" | "split-wx") => {}
            _ => {
                return Err(location.error(format!("Property '{name}-accel.{key}' not found")));
            }
        }
    }
    parser.accel.listed.push(Located { value: name.to_owned(), location: location.clone() });
    Ok(())
}

/// Checks where the interrupt controllers are to be.
pub(super) fn kernel_irqchip(value: &str, location: &Location) -> Result<(), Error> {
    match value {
        "on" => Ok(()),
        "off" | "split" => Err(refused(location, "kernel-irqchip", value, "on")),
        _ => Err(not_accepted(location, "kernel-irqchip", value)),
    }
}

pub(super) fn finish(parser: &mut Parser<'_>) -> Result<(), Error> {
    let Choice { listed, machine } = std::mem::take(&mut parser.accel);
    let names: Vec<Located<String>> = match machine {
        None if listed.is_empty() => return Ok(()),
        None => listed,
        Some(_) if !listed.is_empty() => {
            return Err(Error::new("The -accel and \"-machine accel=\" options are incompatible"));
        }
        Some(list) if list.value.is_empty() => {
            return Err(list.location.error("no accelerator found"));
        }
        Some(list) => list
            .value
            .split(':')
            .map(|name| Located { value: name.to_owned(), location: list.location.clone() })
            .collect(),
    };
    let available = names.iter().any(|name| name.value == "kvm");
    let mut accels = Vec::new();
    for Located { value, location } in &names {
        let refusal = match value.as_str() {
            "kvm" => {
                accels.push(Accel::Kvm);
                continue;
            }
            "tcg" if available => {
                accels.push(Accel::Tcg);
                continue;
            }
            "tcg" | "qtest" => format!("accelerator {value} is not available, only kvm is"),
            _ => format!("invalid accelerator {value}"),
        };
        if !available {
            return Err(location.error(refusal));
        }
        parser.options.warnings.push(location.warning(refusal));
    }
    parser.options.machine.accels = accels;
    Ok(())
}
