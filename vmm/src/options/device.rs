//! `-device`, `-object` and `-global`: things whose parameters their classes decide.

use super::error::{Error, Location};
use super::groups::{DEVICE, GLOBAL, OBJECT};
use super::help::HelpRequest;
use super::keyval::{Pairs, is_help};
use super::parser::{Argument, Parser};
use super::types::{Form, Global, Item};
use qapi::{Dict, Value};

/// `-device`: `DRIVER,…` or a JSON object.
pub(super) fn device_option(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    match json(parser, argument)? {
        Some(dict) => add_device(parser, dict, Form::Json, &argument.location),
        None => parser.group(&DEVICE, argument),
    }
}

/// `-object`: `TYPE,id=ID,…` or a JSON object.
pub(super) fn object_option(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    match json(parser, argument)? {
        Some(dict) => add_object(parser, dict, Form::Json, &argument.location),
        None => parser.group(&OBJECT, argument),
    }
}

/// The dictionary of an argument that is JSON.
fn json(parser: &Parser<'_>, argument: &Argument<'_>) -> Result<Option<Dict>, Error> {
    if !argument.text.starts_with('{') {
        return Ok(None);
    }
    let location = &argument.location;
    let value = (parser.sources.json)(argument.text).map_err(|text| location.error(text))?;
    let dict = value.into_dict();
    dict.map(Some).map_err(|_| location.error("a JSON object is expected"))
}

pub(super) fn device(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if let Some(class) = help_request(&pairs, "driver") {
        parser.options.help = Some(HelpRequest::Device(class));
        return Ok(());
    }
    let dict = DEVICE.read(&pairs, location, &mut parser.options.warnings)?;
    add_device(parser, dict, Form::KeyValue, location)
}

pub(super) fn object(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    if let Some(class) = help_request(&pairs, "qom-type") {
        parser.options.help = Some(HelpRequest::Object(class));
        return Ok(());
    }
    let dict = OBJECT.read(&pairs, location, &mut parser.options.warnings)?;
    add_object(parser, dict, Form::KeyValue, location)
}

/// Whether help is asked for: for one class, or (`None`) for the list of classes.
fn help_request(pairs: &Pairs, key: &str) -> Option<Option<String>> {
    let class = pairs.last(key).filter(|class| !is_help(class));
    let asked = pairs.help || pairs.last(key).is_some_and(is_help);
    asked.then(|| class.map(str::to_owned))
}

fn add_device(
    parser: &mut Parser<'_>,
    dict: Dict,
    form: Form,
    location: &Location,
) -> Result<(), Error> {
    let driver = dict.get("driver").and_then(Value::as_str).unwrap_or_default();
    if driver.is_empty() {
        return Err(location.error("Parameter 'driver' is missing"));
    }
    if let Some(id) = dict.get("id") {
        let id = id.as_str().ok_or_else(|| wrong_type("id", location))?;
        Parser::check_id("device", id, &parser.options.devices, location)?;
    }
    parser.options.devices.push(Item { dict, form, location: location.clone() });
    Ok(())
}

fn add_object(
    parser: &mut Parser<'_>,
    dict: Dict,
    form: Form,
    location: &Location,
) -> Result<(), Error> {
    for key in ["qom-type", "id"] {
        match dict.get(key) {
            None => return Err(location.error(format!("Parameter '{key}' is missing"))),
            Some(Value::String(_)) => {}
            Some(_) => return Err(wrong_type(key, location)),
        }
    }
    let id = dict.get("id").and_then(Value::as_str).unwrap_or_default();
    Parser::check_id("object", id, &parser.options.objects, location)?;
    parser.options.objects.push(Item { dict, form, location: location.clone() });
    Ok(())
}

fn wrong_type(key: &str, location: &Location) -> Error {
    location.error(format!("Invalid parameter type for '{key}', expected: string"))
}

/// `-global`: `DRIVER.PROPERTY=VALUE`, where the value goes to the end of the text, or the three parameters.
pub(super) fn global_option(parser: &mut Parser<'_>, argument: &Argument<'_>) -> Result<(), Error> {
    let short = argument.text.split_once('=').and_then(|(name, value)| {
        let (driver, property) = name.split_once('.')?;
        (!driver.is_empty() && !property.is_empty()).then_some((driver, property, value))
    });
    match short {
        Some((driver, property, value)) => {
            parser.options.globals.push(Global {
                driver: driver.to_owned(),
                property: property.to_owned(),
                value: value.to_owned(),
                location: argument.location.clone(),
            });
            Ok(())
        }
        None => parser.group(&GLOBAL, argument),
    }
}

pub(super) fn global(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = GLOBAL.read(&pairs, location, &mut parser.options.warnings)?;
    let text = |key| dict.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let (Some(driver), Some(property), Some(value)) =
        (text("driver"), text("property"), text("value"))
    else {
        return Err(location.error("options 'driver', 'property', and 'value' are required"));
    };
    parser.options.globals.push(Global { driver, property, value, location: location.clone() });
    Ok(())
}
