//! `-boot`: what the firmware boots from.

use super::error::{Error, Location};
use super::groups::BOOT;
use super::keyval::Pairs;
use super::parser::Parser;
use super::types::BootOptions;

pub(super) fn apply(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if pairs.last("splash").is_some() {
        return Err(location.error("'splash' is not supported: there is no display"));
    }
    let dict = BOOT.read(&pairs, location, &mut parser.options.warnings)?;
    parser.boot.add(dict, location);
    parser.options.boot.given = true;
    Ok(())
}

pub(super) fn finish(parser: &mut Parser<'_>) -> Result<(), Error> {
    let given = &parser.boot;
    let location = &given.location;
    for key in ["order", "once"] {
        check_devices(given.text(key).unwrap_or_default()).map_err(|text| location.error(text))?;
    }
    let splash_time = given.number("splash-time").map(u16::try_from).transpose();
    let reboot_timeout = given.number("reboot-timeout");
    if reboot_timeout.is_some_and(|time| !(-1..=65535).contains(&time)) {
        return Err(
            location.error("reboot timeout is invalid,it should be a value between -1 and 65535")
        );
    }
    parser.options.boot = BootOptions {
        given: parser.options.boot.given,
        order: given.text("order").map(str::to_owned),
        once: given.text("once").map(str::to_owned),
        menu: given.boolean("menu"),
        splash_time: splash_time.map_err(|_| {
            location.error("splash-time is invalid,it should be a value between 0 and 65535")
        })?,
        reboot_timeout: reboot_timeout.map(|time| time as i32),
        strict: given.boolean("strict").unwrap_or(false),
    };
    Ok(())
}

/// Boot devices are letters from `a` to `p`, none of them twice.
fn check_devices(devices: &str) -> Result<(), String> {
    let mut seen = 0u16;
    for device in devices.chars() {
        if !('a'..='p').contains(&device) {
            return Err(format!("Invalid boot device '{device}'"));
        }
        let bit = 1 << (device as u32 - 'a' as u32);
        if seen & bit != 0 {
            return Err(format!("Boot device '{device}' was given twice"));
        }
        seen |= bit;
    }
    Ok(())
}
