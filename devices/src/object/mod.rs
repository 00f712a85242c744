//! The object tree: the only list of things a machine is made of.
//!
//! - [`Class`]: a static table entry — name, parent, properties — from which `qom-list-types`,
//!   `device-list-properties` and `-device X,help` are answered.
//! - [`Property`]: one named, typed value of an object, with its accessors.
//! - [`Tree`]: the instances, by path: `/machine/{peripheral,peripheral-anon,unattached}`,
//!   `/objects`, `/chardevs`. Reset order and every `query-*` walk it.
//! - [`PlugContext`]: what an object connects itself to when it is realized; dropping it takes
//!   everything back.
//!
//! The tree is owned by the control thread. What a vCPU touches is a device's registers, which are
//! behind an `Arc` of their own; the object in the tree holds another reference to them.

mod bases;
mod class;
mod create;
mod listing;
mod plug;
mod property;
#[cfg(test)]
mod tests;
mod tree;

pub use bases::CLASSES as BASES;
pub use class::{BusKind, Class, Registry};
pub use create::Plan;
pub use plug::{Bus, Guard, Platform, PlugContext};
pub use property::{
    Getter, OnOffAuto, Property, PropertyValue, Setter, Unset, downcast, downcast_mut,
};
pub use tree::{Node, PropertyInfo, Tree};

use std::any::Any;

use crate::error::Result;

/// What an instance of a class can do. All calls come from the control thread.
pub trait Object: Any + Send {
    /// Connects the object, whose properties are set, to the machine. On an error the object is
    /// dropped, and with `context` all that was connected.
    ///
    /// # Errors
    /// A property has a value that does not work here, or what it names is missing or taken.
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()>;

    /// Returns to the state right after [`Object::realize`]; attachments to the host stay. An
    /// object without registers has nothing to do.
    fn reset(&mut self) {}
}
