//! Classes and the registry that finds them.

use std::sync::OnceLock;

use super::{Object, Property};

/// The kind of bus a device must be plugged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusKind {
    /// Directly on the machine.
    System,
    /// The ISA bus behind the PIIX3 function.
    Isa,
    /// A conventional PCI bus.
    Pci,
}

impl BusKind {
    /// The name of the bus class, as in error messages.
    pub fn class(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Isa => "ISA",
            Self::Pci => "PCI",
        }
    }
}

/// Makes an unrealized instance of a class.
pub(super) type Make = fn(&'static Class) -> Box<dyn Object>;

/// A class of objects. Its properties are its own and those of all its ancestors.
#[derive(Debug)]
pub struct Class {
    /// The type name, e.g. `isa-serial`.
    pub name: &'static str,
    /// The parent's type name; empty for `object`.
    pub parent: &'static str,
    /// What it is, in a few words, for `-device help`.
    pub description: &'static str,
    /// Makes an unrealized instance with every property at its default; `None` if the class is
    /// abstract, or its objects are not made by name.
    pub make: Option<Make>,
    /// Whether there can be objects although nobody makes them by name: who owns them does.
    pub owned: bool,
    /// Whether `-device` or `-object` may name it.
    pub user_creatable: bool,
    /// Where devices of this class are plugged; `None` if they are not devices.
    pub bus: Option<BusKind>,
    /// The properties it adds to those of its ancestors.
    pub properties: &'static [Property],
}

impl Class {
    /// An abstract class without properties.
    pub const fn base(name: &'static str, parent: &'static str) -> Self {
        Self {
            name,
            parent,
            description: "",
            make: None,
            owned: false,
            user_creatable: false,
            bus: None,
            properties: &[],
        }
    }

    /// A class without properties whose objects are made by who owns them, not by name.
    pub const fn owned(name: &'static str, parent: &'static str) -> Self {
        Self { owned: true, ..Self::base(name, parent) }
    }

    /// Whether no instance can be made.
    pub fn is_abstract(&self) -> bool {
        self.make.is_none() && !self.owned
    }
}

/// Classes made at run time (the CPU models), computed when they are first asked for.
type Late = fn() -> Vec<&'static Class>;

/// All classes of the program.
pub struct Registry {
    fixed: Vec<&'static [&'static Class]>,
    late: Late,
    computed: OnceLock<Vec<&'static Class>>,
}

impl Registry {
    /// A registry of static tables and of the classes that `late` computes once, when a name is
    /// looked up that no table has or when all are listed.
    pub fn new(fixed: Vec<&'static [&'static Class]>, late: Late) -> Self {
        Self { fixed, late, computed: OnceLock::new() }
    }

    /// The class called `name`.
    pub fn find(&self, name: &str) -> Option<&'static Class> {
        let named = |class: &&&'static Class| class.name == name;
        let fixed = self.fixed.iter().flat_map(|table| table.iter());
        fixed.clone().find(named).or_else(|| self.late().iter().find(named)).copied()
    }

    /// Every class, in table order.
    pub fn iter(&self) -> impl Iterator<Item = &'static Class> {
        self.fixed.iter().flat_map(|table| table.iter()).chain(self.late()).copied()
    }

    /// `class` and its ancestors, from itself up to `object`.
    pub fn lineage(&self, class: &'static Class) -> impl Iterator<Item = &'static Class> {
        std::iter::successors(Some(class), |class| self.find_parent(class))
    }

    /// Whether `class` is or descends from the class called `ancestor`.
    pub fn is_a(&self, class: &'static Class, ancestor: &str) -> bool {
        self.lineage(class).any(|class| class.name == ancestor)
    }

    /// The property `name` of `class` or an ancestor.
    pub fn property(&self, class: &'static Class, name: &str) -> Option<&'static Property> {
        self.lineage(class).find_map(|class| class.properties.iter().find(|p| p.name == name))
    }

    fn find_parent(&self, class: &Class) -> Option<&'static Class> {
        if class.parent.is_empty() { None } else { self.find(class.parent) }
    }

    fn late(&self) -> &[&'static Class] {
        self.computed.get_or_init(self.late)
    }
}
