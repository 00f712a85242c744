//! CPUs in the object tree. Their classes are made from the model table.

use std::any::Any;
use std::sync::Arc;

use arch::cpu::{self, CpuProperty, GuestCpu};
use devices::error::{Error, Result};
use devices::object::{BusKind, Class, Object, PlugContext, Property, downcast};
use qapi::Value;

/// One processor of the machine.
pub(crate) struct CpuObject {
    model: Arc<GuestCpu>,
    index: u32,
}

impl CpuObject {
    /// Processor `index` of `model`.
    pub(crate) fn new(model: Arc<GuestCpu>, index: u32) -> Self {
        Self { model, index }
    }

    /// The processor's number.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }
}

impl Object for CpuObject {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        Ok(())
    }
}

/// The bases of all CPU classes.
pub(crate) static BASES: &[&Class] = &[&CPU];

static CPU: Class = Class::base("cpu", "device");

/// The CPU classes: `x86_64-cpu` with all properties, and below it one for each model. They live
/// as long as the process, like every class.
pub(crate) fn classes() -> Vec<&'static Class> {
    let common = cpu::properties(false);
    let known = |property: &CpuProperty| common.iter().any(|other| other.name == property.name);
    let of_max: Vec<_> = cpu::properties(true).into_iter().filter(|p| !known(p)).collect();
    let base = Class { properties: leak(&common), ..Class::base("x86_64-cpu", "cpu") };
    let of_max = leak(&of_max);
    let mut classes: Vec<&'static Class> = vec![Box::leak(Box::new(base))];
    for name in cpu::type_names() {
        let follows_host = name.starts_with("max-") || name.starts_with("host-");
        classes.push(Box::leak(Box::new(Class {
            bus: Some(BusKind::System),
            properties: if follows_host { of_max } else { &[] },
            // The board makes CPUs with their vCPU.
            ..Class::owned(name.leak(), "x86_64-cpu")
        })));
    }
    classes
}

/// What every device has is shown by the tree itself.
fn leak(properties: &[CpuProperty]) -> &'static [Property] {
    let own = |p: &&CpuProperty| {
        !["type", "parent_bus", "realized", "hotplugged", "hotpluggable"].contains(&p.name)
    };
    let convert = |p: &CpuProperty| Property {
        name: p.name,
        kind: p.kind,
        description: p.description,
        default: || None,
        get: Some(get),
        set: None,
        live: false,
    };
    properties.iter().filter(own).map(convert).collect::<Vec<_>>().leak()
}

fn get(object: &dyn Any, name: &'static str) -> Result<Value> {
    let object: &CpuObject = downcast(object);
    match object.model.property(object.index, name) {
        Some(value) => Ok(to_qapi(value)),
        None => Err(Error::message(format!(
            "Property '{}.{name}' is not readable",
            object.model.model().type_name()
        ))),
    }
}

/// A CPU property's value for the monitor.
pub(crate) fn to_qapi(value: cpu::Value) -> Value {
    match value {
        cpu::Value::Bool(value) => value.into(),
        cpu::Value::Str(text) => text.into(),
        cpu::Value::Int(number) => match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Uint(u64::try_from(number).unwrap_or(u64::MAX)),
        },
    }
}
