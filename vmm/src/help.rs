//! The answers to `help` that need more than the command line: CPU models, classes with their
//! properties, trace points. The shapes are those of QEMU 7.2.

use std::fmt::Write as _;

use devices::object::{Class, Property, Registry};

use crate::logging;
use crate::options::{HelpRequest, Sources};

/// What parsing the program's own command line reads.
pub(crate) fn sources() -> Sources<'static> {
    Sources::host()
}

/// The text that a request asks for; it ends with a line feed.
pub(crate) fn text(request: &HelpRequest, registry: &Registry) -> String {
    match request {
        HelpRequest::Text(text) => text.clone(),
        HelpRequest::Cpu => arch::cpu::help_text(),
        HelpRequest::Device(None) => devices(registry),
        HelpRequest::Device(Some(name)) => device(registry, name),
        HelpRequest::Object(None) => objects(registry),
        HelpRequest::Object(Some(name)) => object(registry, name),
        HelpRequest::Trace => trace_points(),
    }
}

/// The user's classes that are devices, or that are not, by name.
fn creatable(registry: &Registry, devices: bool) -> Vec<&'static Class> {
    let mut classes: Vec<_> = registry
        .iter()
        .filter(|class| class.user_creatable && !class.is_abstract())
        .filter(|class| registry.is_a(class, "device") == devices)
        .collect();
    classes.sort_by_key(|class| class.name.to_ascii_lowercase());
    classes
}

fn devices(registry: &Registry) -> String {
    let mut text = String::new();
    for class in creatable(registry, true) {
        // Writing to a string cannot fail.
        let _ = write!(text, "name \"{}\"", class.name);
        if let Some(bus) = class.bus {
            let _ = write!(text, ", bus {}", bus.class());
        }
        if !class.description.is_empty() {
            let _ = write!(text, ", desc \"{}\"", class.description);
        }
        text.push('\n');
    }
    text
}

fn device(registry: &Registry, name: &str) -> String {
    match registry.find(name).filter(|class| registry.is_a(class, "device")) {
        None => format!("vmm: -device {name},help: Device '{name}' not found\n"),
        Some(class) if class.is_abstract() => format!(
            "vmm: -device {name},help: Parameter 'typename' expects a non-abstract device type\n"
        ),
        Some(class) => options(registry, class),
    }
}

fn objects(registry: &Registry) -> String {
    let mut text = String::from("List of user creatable objects:\n");
    for class in creatable(registry, false) {
        let _ = writeln!(text, "  {}", class.name);
    }
    text
}

fn object(registry: &Registry, name: &str) -> String {
    match creatable(registry, false).into_iter().find(|class| class.name == name) {
        None => format!(
            "vmm: -object {name},help: Parameter 'qom-type' does not accept value '{name}'\n"
        ),
        Some(class) => options(registry, class),
    }
}

/// The properties that can be set, in alphabetical order. What a class has in place of a property
/// of its ancestor hides that one.
fn options(registry: &Registry, class: &'static Class) -> String {
    let mut properties: Vec<&Property> = Vec::new();
    for property in registry.lineage(class).flat_map(|class| class.properties) {
        if properties.iter().all(|other| other.name != property.name) {
            properties.push(property);
        }
    }
    properties.retain(|property| property.set.is_some());
    if properties.is_empty() {
        return format!("There are no options for {}.\n", class.name);
    }
    let mut lines: Vec<_> = properties.into_iter().map(line).collect();
    lines.sort();
    format!("{} options:\n{}\n", class.name, lines.join("\n"))
}

fn line(property: &Property) -> String {
    let mut text = format!("  {}=<{}>", property.name, property.kind);
    let default = (property.default)(property.name);
    if property.description.is_empty() && default.is_none() {
        return text;
    }
    text = format!("{text:<24} - {}", property.description);
    if let Some(default) = default {
        let mut json = Vec::new();
        qmp::json::write_compact(&mut json, &default);
        let _ = write!(text, " (default: {})", String::from_utf8_lossy(&json));
    }
    text
}

fn trace_points() -> String {
    logging::register_points();
    devices::trace::all().map(|point| format!("{}\n", point.name())).collect()
}

#[cfg(test)]
mod tests;
