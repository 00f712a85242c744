//! CPUs in the object tree. Their classes are made from the model table.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arch::cpu::{self, CpuProperty, GuestCpu, WordValue};
use devices::error::{Error, Result};
use devices::object::{BusKind, Class, Object, PlugContext, Property, downcast};
use qapi::{Dict, Value};

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
        let (parent, properties) = match &*name {
            "max-x86_64-cpu" => ("x86_64-cpu", of_max),
            "host-x86_64-cpu" => ("max-x86_64-cpu", &[][..]),
            _ => ("x86_64-cpu", &[][..]),
        };
        classes.push(Box::leak(Box::new(Class {
            bus: Some(BusKind::System),
            properties,
            // The board makes CPUs with their vCPU.
            ..Class::owned(name.leak(), parent)
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
        default: default_of,
        get: Some(get),
        set: None,
        live: false,
    };
    properties.iter().filter(own).map(convert).collect::<Vec<_>>().leak()
}

/// The value of an object that nobody changed, where the table has one.
fn default_of(name: &'static str) -> Option<Value> {
    static DEFAULTS: LazyLock<HashMap<&'static str, Value>> = LazyLock::new(|| {
        let all = cpu::properties(true).into_iter();
        all.filter_map(|property| Some((property.name, to_qapi(property.default?)))).collect()
    });
    DEFAULTS.get(name).cloned()
}

fn get(object: &dyn Any, name: &'static str) -> Result<Value> {
    let object: &CpuObject = downcast(object);
    match name {
        "unavailable-features" => {
            let missing = object.model.unavailable();
            return Ok(Value::List(missing.iter().map(|feature| feature.name.into()).collect()));
        }
        "feature-words" => return Ok(words(object.model.feature_words())),
        "filtered-features" => return Ok(words(object.model.filtered_features())),
        // What a guest says of its crash it says to `pvpanic`.
        "crash-information" => return Err(Error::message("No crash occurred")),
        _ => {}
    }
    match object.model.property(object.index, name) {
        Some(value) => Ok(to_qapi(value)),
        None => Err(Error::message(format!(
            "Property '{}.{name}' is not readable",
            object.model.model().type_name()
        ))),
    }
}

/// A list of `X86CPUFeatureWordInfo`.
fn words(list: Vec<WordValue>) -> Value {
    let word = |word: WordValue| {
        let mut info = Dict::new();
        info.insert("cpuid-register", word.register.name());
        if let Some(subleaf) = word.subleaf {
            info.insert("cpuid-input-ecx", Value::Int(subleaf.into()));
        }
        info.insert("cpuid-input-eax", Value::Int(word.leaf.into()));
        info.insert("features", Value::Int(word.features.into()));
        Value::Dict(info)
    };
    Value::List(list.into_iter().map(word).collect())
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
