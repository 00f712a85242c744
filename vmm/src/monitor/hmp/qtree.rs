//! `info qtree` and `info qom-tree`: devices by their buses, objects by their place.

use std::fmt::Write;

use devices::object::{Node, Tree};
use devices::pci::{FunctionInfo, bus_info};
use qapi::Value;

/// What every device has; not shown for each.
const COMMON: [&str; 5] = ["type", "parent_bus", "hotplugged", "hotpluggable", "realized"];

/// The object at `path` and all below it, children by name.
pub(super) fn objects(tree: &Tree, path: &str) -> String {
    let Ok((path, node)) = tree.find(path) else {
        return format!("Path '{path}' could not be resolved.\n");
    };
    let mut text = String::new();
    let name = path.rsplit('/').next().unwrap_or_default();
    object(&mut text, name, node, 0);
    text
}

fn object(out: &mut String, name: &str, node: &Node, depth: usize) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{:1$}/{name} ({2})", "", depth * 2, node.class().name);
    let mut children: Vec<_> = node.children().collect();
    children.sort_by_key(|(name, _)| *name);
    for (name, child) in children {
        object(out, name, child, depth + 1);
    }
}

/// The devices, each below the bus it is plugged into, the newest first.
pub(super) fn devices(tree: &Tree) -> String {
    let mut view = View { tree, devices: Vec::new(), text: String::new() };
    tree.walk(&mut |path, node| {
        // A device knows its bus. CPUs are in no socket that this shows.
        if !tree.registry().is_a(node.class(), "cpu")
            && let Ok(Value::String(bus)) = tree.get(path, "parent_bus")
        {
            view.devices.push((path.to_owned(), bus, node));
        }
    });
    view.bus("main-system-bus", "System", "", None, 0);
    view.text
}

struct View<'a> {
    tree: &'a Tree,
    /// Path of the device, path of its bus, the device.
    devices: Vec<(String, String, &'a Node)>,
    text: String,
}

impl View<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{:1$}{text}", "", depth * 2);
    }

    /// A bus at `path`, with its registers if it is a PCI bus.
    fn bus(
        &mut self,
        name: &str,
        kind: &str,
        path: &str,
        pci: Option<&[FunctionInfo]>,
        depth: usize,
    ) {
        self.line(depth, &format!("bus: {name}"));
        self.line(depth + 1, &format!("type {kind}"));
        let on_it: Vec<_> =
            self.devices.iter().rev().filter(|(_, bus, _)| bus == path).cloned().collect();
        for (path, _, node) in on_it {
            self.device(&path, node, pci, depth + 1);
        }
    }

    fn device(&mut self, path: &str, node: &Node, pci: Option<&[FunctionInfo]>, depth: usize) {
        let (class, id) = (node.class(), node.id().unwrap_or_default());
        self.line(depth, &format!("dev: {}, id \"{id}\"", class.name));
        for info in self.tree.properties(node) {
            let shown = !COMMON.contains(&info.name.as_str()) && !info.kind.starts_with("child<");
            if let (true, Ok(value)) = (shown, self.tree.get(path, &info.name)) {
                self.line(depth + 1, &format!("{} = {}", info.name, value_text(&value)));
            }
        }
        let address = self.tree.get(path, "addr").ok();
        let function = pci.and_then(|all| all.iter().find(|f| at(f, address.as_ref())));
        if let Some(function) = function {
            self.function(function, depth + 1);
        }
        for (name, child) in node.children() {
            let Some(bus) = child.as_bus() else { continue };
            let path = format!("{path}/{name}");
            let functions = match bus {
                devices::object::Bus::Pci(bus) => Some(bus_info(bus, 0).functions),
                devices::object::Bus::Isa => None,
            };
            self.bus(name, bus.kind().class(), &path, functions.as_deref(), depth + 1);
        }
    }

    fn function(&mut self, f: &FunctionInfo, depth: usize) {
        let class = match f.description {
            Some(words) => words.to_owned(),
            None => format!("Class {:04x}", f.class),
        };
        let sub = match f.subsystem {
            Some((vendor, device)) => format!(" (sub {vendor:04x}:{device:04x})"),
            None => String::new(),
        };
        let (bus, slot, function) = (f.bus, f.slot, f.function);
        let id = format!("pci id {:04x}:{:04x}{sub}", f.vendor, f.device);
        self.line(depth, &format!("class {class}, addr {bus:02x}:{slot:02x}.{function:x}, {id}"));
        for bar in &f.bars {
            let kind = if bar.kind == devices::pci::BarKind::Io { "i/o" } else { "mem" };
            let address = bar.address.unwrap_or(u64::MAX);
            let last = address.wrapping_add(bar.size - 1);
            self.line(depth, &format!("bar {}: {kind} at 0x{address:x} [0x{last:x}]", bar.bar));
        }
    }
}

/// Whether a function is at the place that an `addr` property names.
fn at(function: &FunctionInfo, address: Option<&Value>) -> bool {
    let devfn = u64::from(function.slot) << 3 | u64::from(function.function);
    match address {
        Some(Value::String(text)) => {
            *text == format!("{:02x}.{:x}", function.slot, function.function)
        }
        Some(value) => value.as_u64() == Some(devfn),
        None => false,
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "<null>".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => format!("{number} (0x{number:x})"),
        Value::Uint(number) => format!("{number} (0x{number:x})"),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::List(list) => {
            format!("[{}]", list.iter().map(value_text).collect::<Vec<_>>().join(", "))
        }
        Value::Dict(dict) => {
            let member = |(name, value)| format!("{name}={}", value_text(value));
            format!("{{{}}}", dict.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}
