//! The tree of instances.

use std::any::Any;
use std::sync::Arc;

use qapi::Value;

use super::create::Global;
use super::property::check_json_kind;
use super::{Bus, Class, Guard, Object, Property, Registry};
use crate::chardev::Chardev;
use crate::error::{Error, Result};

/// A node without an object: a place that holds others.
static CONTAINER: Class = Class::owned("container", "object");
static ISA_BUS: Class = Class::owned("ISA", "bus");
static PCI_BUS: Class = Class::owned("PCI", "bus");

/// One place in the tree.
pub struct Node {
    // Dropped first: nothing may reach the object through a mapping any more.
    pub(super) guards: Vec<Guard>,
    pub(super) children: Vec<(String, Node)>,
    class: &'static Class,
    object: Option<Box<dyn Object>>,
    bus: Option<Bus>,
    pub(super) device: Option<DeviceState>,
}

/// What a node knows of a device beyond its object.
#[derive(Debug, Clone, Default)]
pub(super) struct DeviceState {
    pub(super) id: Option<String>,
    pub(super) hotplugged: bool,
    /// The path of the bus it is plugged into; empty for the machine itself.
    pub(super) parent_bus: String,
}

impl Node {
    /// An empty container.
    pub fn container() -> Self {
        Self::of(&CONTAINER, None)
    }

    /// A place for an object that needs no connections.
    pub fn with(class: &'static Class, object: Box<dyn Object>) -> Self {
        Self::of(class, Some(object))
    }

    /// A bus.
    pub(super) fn bus(bus: Bus) -> Self {
        let class = match bus {
            Bus::Isa => &ISA_BUS,
            Bus::Pci(_) => &PCI_BUS,
        };
        Self { bus: Some(bus), ..Self::of(class, None) }
    }

    fn of(class: &'static Class, object: Option<Box<dyn Object>>) -> Self {
        let (guards, children) = Default::default();
        Self { guards, children, class, object, bus: None, device: None }
    }

    /// Its class.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// The device id that the user gave, if any.
    pub fn id(&self) -> Option<&str> {
        self.device.as_ref()?.id.as_deref()
    }

    /// The bus that this node is.
    pub fn as_bus(&self) -> Option<&Bus> {
        self.bus.as_ref()
    }

    /// Its children by name, in the order of their creation.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.children.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// The object as its own type.
    pub fn object_as<T: Object>(&self) -> Option<&T> {
        (self.object.as_deref()? as &dyn Any).downcast_ref()
    }

    /// As [`Self::object_as`], to change it.
    pub fn object_as_mut<T: Object>(&mut self) -> Option<&mut T> {
        (self.object.as_deref_mut()? as &mut dyn Any).downcast_mut()
    }

    fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|(own, _)| own == name).map(|(_, node)| node)
    }

    fn child_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.children.iter_mut().find(|(own, _)| own == name).map(|(_, node)| node)
    }
}

/// A property as `qom-list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyInfo {
    /// Its name.
    pub name: String,
    /// Its type's name, e.g. `uint32`, `child<isa-serial>`, `link<bus>`.
    pub kind: String,
}

/// All objects of the machine.
pub struct Tree {
    root: Node,
    registry: Arc<Registry>,
    /// Values from `-global`, in order.
    pub(super) globals: Vec<Global>,
}

impl Tree {
    /// `/objects`, `/chardevs` and an empty `/machine`.
    pub fn new(registry: Arc<Registry>) -> Self {
        let mut root = Node::container();
        for name in ["machine", "objects", "chardevs"] {
            root.children.push((name.into(), Node::container()));
        }
        Self { root, registry, globals: Vec::new() }
    }

    /// The classes its objects are of.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Finds a node by absolute path, or by the end of one if only one node matches. Returns its
    /// absolute path too.
    ///
    /// # Errors
    /// `DeviceNotFound`, or the partial path is ambiguous.
    pub fn find(&self, path: &str) -> Result<(String, &Node)> {
        if path.starts_with('/') {
            let mut node = &self.root;
            let mut canonical = String::new();
            for name in path.split('/').filter(|name| !name.is_empty()) {
                node = node.child(name).ok_or_else(|| Error::DeviceNotFound(path.into()))?;
                canonical = format!("{canonical}/{name}");
            }
            let canonical = if canonical.is_empty() { "/".into() } else { canonical };
            return Ok((canonical, node));
        }
        let suffix = format!("/{path}");
        let mut matches = Vec::new();
        self.walk(&mut |path, node| {
            if path.ends_with(&suffix) {
                matches.push((path.to_owned(), node));
            }
        });
        match matches.len() {
            // Every path ends with nothing.
            _ if path.is_empty() => Err(Error::Ambiguous(path.into())),
            0 => Err(Error::DeviceNotFound(path.into())),
            1 => Ok(matches.remove(0)),
            _ => Err(Error::Ambiguous(path.into())),
        }
    }

    /// As [`Self::find`], for those to whom an ambiguous path is none.
    fn find_one(&self, path: &str) -> Result<(String, &Node)> {
        self.find(path).map_err(|error| match error {
            Error::Ambiguous(path) => Error::DeviceNotFound(path),
            other => other,
        })
    }

    /// Finds a node by absolute path, to change it.
    pub fn find_mut(&mut self, path: &str) -> Option<&mut Node> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(&mut self.root, |node, name| node.child_mut(name))
    }

    /// Visits every node with its absolute path, parents first, in the order of creation.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&str, &'a Node)) {
        fn below<'a>(path: &str, node: &'a Node, visit: &mut dyn FnMut(&str, &'a Node)) {
            for (name, child) in &node.children {
                let path = format!("{path}/{name}");
                visit(&path, child);
                below(&path, child, visit);
            }
        }
        visit("/", &self.root);
        below("", &self.root, visit);
    }

    /// Every object of the Rust type `T`, with its path.
    pub fn objects<T: Object>(&self) -> Vec<(String, &T)> {
        let mut found = Vec::new();
        self.walk(&mut |path, node| found.extend(node.object_as::<T>().map(|o| (path.into(), o))));
        found
    }

    /// Resets every object, in the order of creation.
    pub fn reset(&mut self) {
        fn below(node: &mut Node) {
            if let Some(object) = &mut node.object {
                object.reset();
            }
            node.children.iter_mut().for_each(|(_, child)| below(child));
        }
        below(&mut self.root);
    }

    /// Puts `node` into the container at `parent` as `name`.
    ///
    /// # Errors
    /// There is no such parent, or it has a child of that name.
    pub fn insert(&mut self, parent: &str, name: &str, node: Node) -> Result<()> {
        let place =
            self.find_mut(parent).ok_or_else(|| Error::DeviceNotFound(parent.to_owned()))?;
        if place.child(name).is_some() {
            return Err(Error::message(format!(
                "attempt to add duplicate property '{name}' to object (type '{}')",
                place.class.name
            )));
        }
        place.children.push((name.into(), node));
        Ok(())
    }

    /// Takes the node at `path` out of the tree; its connections last until it is dropped.
    pub fn remove(&mut self, path: &str) -> Option<Node> {
        let (parent, name) = path.rsplit_once('/')?;
        let children = &mut self.find_mut(parent)?.children;
        let index = children.iter().position(|(own, _)| own == name)?;
        Some(children.remove(index).1)
    }

    /// The character device `label`.
    ///
    /// # Errors
    /// There is none.
    pub fn chardev(&self, label: &str) -> Result<&Arc<Chardev>> {
        self.root
            .child("chardevs")
            .and_then(|chardevs| chardevs.child(label))
            .and_then(|node| node.object_as::<ChardevObject>())
            .map(|object| &object.0)
            .ok_or_else(|| Error::message(format!("Chardev '{label}' not found")))
    }

    /// The character devices, in the order of their creation.
    pub fn chardevs(&self) -> impl Iterator<Item = &Arc<Chardev>> {
        let nodes = self.root.child("chardevs").into_iter().flat_map(Node::children);
        nodes.filter_map(|(_, node)| Some(&node.object_as::<ChardevObject>()?.0))
    }

    /// Adds a character device under its label.
    ///
    /// # Errors
    /// The label is taken.
    pub fn add_chardev(&mut self, class: &'static Class, chardev: Arc<Chardev>) -> Result<()> {
        let label = chardev.label().to_owned();
        if self.chardev(&label).is_ok() {
            return Err(Error::message(format!("Chardev with id '{label}' already exists")));
        }
        self.insert("/chardevs", &label, Node::with(class, Box::new(ChardevObject(chardev))))
    }

    /// The properties of a node: those of its class, its children, and what every object has.
    pub fn properties(&self, node: &Node) -> Vec<PropertyInfo> {
        let mut list = common(node.device.is_some());
        for class in self.registry.lineage(node.class) {
            list.extend(class.properties.iter().map(|p| info(p.name, p.kind.into())));
        }
        for (name, child) in &node.children {
            list.push(info(name, format!("child<{}>", child.class.name)));
        }
        list
    }

    /// Reads a property of the node at `path`.
    ///
    /// # Errors
    /// No such node or property, or it cannot be read.
    pub fn get(&self, path: &str, name: &str) -> Result<Value> {
        let (path, node) = self.find_one(path)?;
        if name == "type" {
            return Ok(node.class.name.into());
        }
        if let Some(value) = node.device.as_ref().and_then(|state| state.get(name)) {
            return Ok(value);
        }
        if node.child(name).is_some() {
            return Ok(format!("{}/{name}", path.trim_end_matches('/')).into());
        }
        let property = self.property(node.class, name)?;
        match (property.get, &node.object) {
            (Some(get), Some(object)) => get(object.as_ref() as &dyn Any, property.name),
            _ => Err(Error::message(format!(
                "Property '{}.{name}' is not readable",
                node.class.name
            ))),
        }
    }

    /// Sets a property of the node at `path` from the monitor.
    ///
    /// # Errors
    /// No such node or property, it cannot be written (any more), or the value does not fit.
    pub fn set(&mut self, path: &str, name: &str, value: Value) -> Result<()> {
        let (path, node) = self.find_one(path)?;
        let class = node.class;
        let read_only = Error::message(format!("Property '{}.{name}' is not writable", class.name));
        let state = node.device.as_ref();
        if name == "type"
            || node.child(name).is_some()
            || state.is_some_and(|state| state.get(name).is_some())
        {
            return Err(read_only);
        }
        let property = self.property(class, name)?;
        if state.is_some() && property.set.is_some() && !property.live {
            let device = match node.id() {
                Some(id) => format!("device '{id}'"),
                None => "anonymous device".into(),
            };
            return Err(Error::message(format!(
                "Attempt to set property '{name}' on {device} (type '{}') after it was realized",
                class.name
            )));
        }
        check_json_kind(property, &value)?;
        let Some(set) = property.set else {
            return Err(read_only);
        };
        let node = self.find_mut(&path).expect("just found");
        let Some(object) = &mut node.object else {
            return Err(read_only);
        };
        set(object.as_mut() as &mut dyn Any, property.name, value)
    }

    /// The property `name` of `class`.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn property(&self, class: &'static Class, name: &str) -> Result<&'static Property> {
        self.registry
            .property(class, name)
            .ok_or_else(|| Error::message(format!("Property '{}.{name}' not found", class.name)))
    }
}

impl DeviceState {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "hotplugged" => Some(self.hotplugged.into()),
            "hotpluggable" => Some(false.into()),
            "realized" => Some(true.into()),
            "parent_bus" => Some(self.parent_bus.as_str().into()),
            _ => None,
        }
    }
}

fn info(name: &str, kind: String) -> PropertyInfo {
    PropertyInfo { name: name.into(), kind }
}

/// The properties that every object has, and those of every device.
pub(super) fn common(device: bool) -> Vec<PropertyInfo> {
    let mut list = vec![info("type", "string".into())];
    if device {
        list.push(info("parent_bus", "link<bus>".into()));
        list.extend(["hotplugged", "hotpluggable", "realized"].map(|n| info(n, "bool".into())));
    }
    list
}

/// A character device in the tree.
struct ChardevObject(Arc<Chardev>);

impl Object for ChardevObject {
    fn realize(&mut self, _context: &mut super::PlugContext<'_>) -> Result<()> {
        Ok(())
    }
}
