//! The one way in which objects are made: board devices, `-device`, `-object`.

use std::any::Any;
use std::cell::Cell;
use std::fmt;

use qapi::{Dict, Value};

use super::plug::take_text;
use super::tree::DeviceState;
use super::{Bus, BusKind, Class, Node, Object, Platform, PlugContext, Tree};
use crate::error::{Error, Result};

/// Where devices go that have no name.
const UNATTACHED: &str = "/machine/unattached";

/// A value from `-global`, for the property of every device of a class.
pub(super) struct Global {
    class: String,
    property: String,
    value: String,
    /// Whether a device took it.
    used: Cell<bool>,
}

impl fmt::Display for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "global {}.{}={}", self.class, self.property, self.value)
    }
}

/// What is to be made, and where it goes.
pub struct Plan {
    /// Its class; not abstract.
    pub class: &'static Class,
    /// The path of the container it goes into.
    pub parent: String,
    /// Its name there, or `device[N]` with the first free number.
    pub name: Option<String>,
    /// The id the user gave a device.
    pub id: Option<String>,
    /// Its properties; from the command line all values are text.
    pub properties: Dict,
}

impl Plan {
    /// A board device called `name` in `/machine/…`, or without a name in `/machine/unattached`.
    pub fn board(class: &'static Class, name: Option<&str>, properties: Dict) -> Self {
        let parent = if name.is_some() { "/machine" } else { UNATTACHED };
        Self { class, parent: parent.into(), name: name.map(Into::into), id: None, properties }
    }

    /// A device of the user: in `/machine/peripheral` by id, or in `/machine/peripheral-anon`.
    pub fn device(class: &'static Class, id: Option<String>, properties: Dict) -> Self {
        let parent = match id {
            Some(_) => "/machine/peripheral",
            None => "/machine/peripheral-anon",
        };
        Self { class, parent: parent.into(), name: id.clone(), id, properties }
    }

    /// An object of the user in `/objects`.
    pub fn object(class: &'static Class, id: String, properties: Dict) -> Self {
        Self { class, parent: "/objects".into(), name: Some(id), id: None, properties }
    }
}

impl Tree {
    /// Sets `property` of each device of `class` or a class below it that is made from now on.
    pub fn add_global(&mut self, class: &str, property: &str, value: &str) {
        let [class, property, value] = [class, property, value].map(str::to_owned);
        self.globals.push(Global { class, property, value, used: Cell::new(false) });
    }

    /// Makes an object: class, properties, bus, realize, insert. Returns its path. Whatever fails,
    /// nothing of it remains.
    ///
    /// # Errors
    /// An unknown property or a value that does not fit, no bus for it, a name that is taken, or
    /// what the object's own `realize` says.
    pub fn create(&mut self, plan: Plan, platform: &Platform) -> Result<String> {
        self.create_with(plan, platform, |_| {})
    }

    /// As [`Tree::create`]; `prepare` sees the context before the object does.
    ///
    /// # Errors
    /// As [`Tree::create`].
    pub fn create_with(
        &mut self,
        mut plan: Plan,
        platform: &Platform,
        prepare: impl FnOnce(&mut PlugContext<'_>),
    ) -> Result<String> {
        let class = plan.class;
        let make = class.make.ok_or_else(|| {
            Error::message("Parameter 'driver' expects a non-abstract device type")
        })?;
        let mut object = make(class);
        let bus_name = match class.bus {
            Some(_) => take_text(&mut plan.properties, "bus")?,
            None => None,
        };
        if self.registry().is_a(class, "device") {
            self.apply_globals(class, |name, value| {
                self.set_one(class, object.as_mut(), name, value.into())
            })?;
        }
        plan.properties
            .into_iter()
            .try_for_each(|(name, value)| self.set_one(class, object.as_mut(), &name, value))?;
        let bus = self.choose_bus(class, bus_name.as_deref())?;
        let name = match plan.name {
            Some(name) => name,
            None => self.free_name(&plan.parent),
        };
        let path = format!("{}/{name}", plan.parent);
        if self.find(&path).is_ok() {
            return Err(self.taken(class, &plan.parent, &name));
        }
        let (parent_bus, bus) = bus.unzip();
        let mut context = PlugContext::new(platform, self, class, path.clone(), bus);
        prepare(&mut context);
        object.realize(&mut context)?;
        let (guards, children) = context.finish();
        let mut node = Node::with(class, object);
        (node.guards, node.children) = (guards, children);
        node.device = self.registry().is_a(class, "device").then(|| DeviceState {
            id: plan.id,
            hotplugged: false,
            parent_bus: parent_bus.unwrap_or_default(),
        });
        self.insert(&plan.parent, &name, node)?;
        Ok(path)
    }

    /// Adds a board device that is made already, in `/machine/unattached`, after giving it what
    /// `-global` says for its class. Returns its path.
    ///
    /// # Errors
    /// A value from `-global` that does not fit, or what the object's own `realize` says.
    pub fn adopt(
        &mut self,
        class: &'static Class,
        mut object: Box<dyn Object>,
        platform: &Platform,
    ) -> Result<String> {
        self.apply_globals(class, |name, value| {
            self.set_one(class, object.as_mut(), name, value.into())
        })?;
        let path = format!("{UNATTACHED}/{}", self.free_name(UNATTACHED));
        let mut context = PlugContext::new(platform, self, class, path, None);
        object.realize(&mut context)?;
        let (guards, children) = context.finish();
        let mut node = Node::with(class, object);
        (node.guards, node.children) = (guards, children);
        self.place(node)
    }

    /// As [`Tree::adopt`], for an object that is complete: whoever made it asked
    /// [`Tree::apply_globals`] itself, and it connects to nothing.
    ///
    /// # Errors
    /// There is no such container yet.
    pub fn adopt_complete(
        &mut self,
        class: &'static Class,
        object: Box<dyn Object>,
    ) -> Result<String> {
        self.place(Node::with(class, object))
    }

    fn place(&mut self, mut node: Node) -> Result<String> {
        let name = self.free_name(UNATTACHED);
        node.device = Some(DeviceState::default());
        self.insert(UNATTACHED, &name, node)?;
        Ok(format!("{UNATTACHED}/{name}"))
    }

    /// Has `set` take every name and value that `-global` gives for `class`, in order.
    ///
    /// # Errors
    /// What `set` says, with the global that it was about.
    pub fn apply_globals<E: std::fmt::Display>(
        &self,
        class: &'static Class,
        mut set: impl FnMut(&str, &str) -> std::result::Result<(), E>,
    ) -> Result<()> {
        for global in &self.globals {
            if self.registry().is_a(class, &global.class) {
                global.used.set(true);
                set(&global.property, &global.value)
                    .map_err(|error| Error::message(format!("can't apply {global}: {error}")))?;
            }
        }
        Ok(())
    }

    /// What to tell the user of globals that had no effect on the devices made so far: their class
    /// is not one of devices, or nobody can make one of it later.
    pub fn global_warnings(&self) -> Vec<String> {
        let registry = self.registry();
        let later = |global: &Global| {
            registry.iter().any(|class| {
                class.user_creatable
                    && registry.is_a(class, &global.class)
                    && registry.is_a(class, "device")
            })
        };
        let of_device = |global: &Global| {
            let class = registry.find(&global.class);
            class.is_some_and(|class| registry.is_a(class, "device"))
        };
        let warning = |global: &Global| {
            if !of_device(global) {
                let Global { class, property, .. } = global;
                return Some(format!("global {class}.{property} has invalid class name"));
            }
            (!later(global)).then(|| format!("{global} not used"))
        };
        self.globals.iter().filter(|global| !global.used.get()).filter_map(warning).collect()
    }

    fn set_one(
        &self,
        class: &'static Class,
        object: &mut dyn Any,
        name: &str,
        value: Value,
    ) -> Result<()> {
        let property = self.property(class, name)?;
        let set = property.set.ok_or_else(|| {
            Error::message(format!("Property '{}.{name}' is not writable", class.name))
        })?;
        set(object, property.name, value)
    }

    /// The path and the bus that an object of `class` is plugged into.
    fn choose_bus(
        &self,
        class: &'static Class,
        wanted: Option<&str>,
    ) -> Result<Option<(String, Bus)>> {
        let Some(kind) = class.bus.filter(|kind| *kind != BusKind::System) else {
            return Ok(None);
        };
        let mut buses = Vec::new();
        self.walk(&mut |path, node| {
            if let Some(bus) = node.as_bus() {
                buses.push((path.to_owned(), bus.clone()));
            }
        });
        let Some(wanted) = wanted else {
            let first = buses.into_iter().find(|(_, bus)| bus.kind() == kind);
            return first.map(Some).ok_or_else(|| {
                let bus = kind.class();
                Error::message(format!("No '{bus}' bus found for device '{}'", class.name))
            });
        };
        let named = |path: &str| path == wanted || path.rsplit('/').next() == Some(wanted);
        let (path, bus) = buses
            .into_iter()
            .find(|(path, _)| named(path))
            .ok_or_else(|| Error::message(format!("Bus '{wanted}' not found")))?;
        if bus.kind() == kind {
            return Ok(Some((path, bus)));
        }
        Err(Error::message(format!(
            "Device '{}' can't go on {} bus",
            class.name,
            bus.kind().class()
        )))
    }

    fn free_name(&self, parent: &str) -> String {
        let taken = |name: &String| self.find(&format!("{parent}/{name}")).is_ok();
        (0..).map(|n: u32| format!("device[{n}]")).find(|name| !taken(name)).expect("endless")
    }

    fn taken(&self, class: &'static Class, parent: &str, name: &str) -> Error {
        if self.registry().is_a(class, "device") {
            return Error::message(format!("Duplicate device ID '{name}'"));
        }
        let container = self.find(parent).map_or("container", |(_, node)| node.class().name);
        Error::message(format!(
            "attempt to add duplicate property '{name}' to object (type '{container}')"
        ))
    }
}
