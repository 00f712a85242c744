//! `memory-backend-ram`: memory for a machine's RAM.
//!
//! Control makes and changes it; the memory itself is touched by whoever it is mapped for.

use qapi::Value;

use super::advice::{RamPolicy, populate, set_dump, set_merge};
use crate::error::{Error, Result};
use crate::memory::RamBlock;
use crate::object::{Class, Object, PlugContext, Property, PropertyValue, downcast, downcast_mut};

pub(super) static MEMORY_BACKEND: Class = Class {
    properties: &[
        flag("dump", "Set to 'off' to exclude from core dump"),
        flag("merge", "Mark memory as mergeable"),
        flag("prealloc", "Preallocate memory"),
        flag("reserve", "Reserve swap space (or huge pages) if applicable"),
        flag("share", "Whether other processes can map the memory"),
        Property {
            name: "size",
            kind: "int",
            description: "Size of the memory region (ex: 500M)",
            default: |_| None,
            get: Some(|object, _| Ok(downcast::<MemoryBackend>(object).size.to_value())),
            set: Some(|object, name, value| {
                downcast_mut::<MemoryBackend>(object).set_size(name, value)
            }),
            live: true,
        },
    ],
    ..Class::base("memory-backend", "object")
};

pub(super) static MEMORY_BACKEND_RAM: Class = Class {
    description: "memory of this process",
    make: Some(|class| Box::new(MemoryBackend::new(class))),
    user_creatable: true,
    ..Class::base("memory-backend-ram", "memory-backend")
};

/// A property that is one of the policy's switches, found by its name.
const fn flag(name: &'static str, description: &'static str) -> Property {
    Property {
        name,
        kind: bool::KIND,
        description,
        default: |_| None,
        get: Some(|object, name| {
            let mut policy = downcast::<MemoryBackend>(object).policy;
            Ok(switch(&mut policy, name).to_value())
        }),
        set: Some(|object, name, value| {
            downcast_mut::<MemoryBackend>(object).set_flag(name, value)
        }),
        live: true,
    }
}

fn switch<'a>(policy: &'a mut RamPolicy, name: &str) -> &'a mut bool {
    match name {
        "dump" => &mut policy.dump,
        "merge" => &mut policy.merge,
        "prealloc" => &mut policy.prealloc,
        "reserve" => &mut policy.reserve,
        _ => &mut policy.share,
    }
}

/// Memory with its properties.
pub struct MemoryBackend {
    class: &'static Class,
    size: u64,
    policy: RamPolicy,
    block: Option<RamBlock>,
}

impl MemoryBackend {
    fn new(class: &'static Class) -> Self {
        Self { class, size: 0, policy: RamPolicy::default(), block: None }
    }

    /// Its size in bytes, as the user gave it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How the memory was taken, and what the host was told about it since.
    pub fn policy(&self) -> RamPolicy {
        self.policy
    }

    /// The memory, filled up to whole pages; it has the object's id as its name.
    pub fn block(&self) -> &RamBlock {
        self.block.as_ref().expect("objects in the tree are realized")
    }

    fn set_size(&mut self, name: &str, value: Value) -> Result<()> {
        let class = self.class.name;
        if self.block.is_some() {
            return Err(Error::message(format!("cannot change property {name} of {class} ")));
        }
        let size = match value {
            Value::String(text) => qapi::source::parse_size(&text)
                .ok_or_else(|| qapi::Error::expects(name, "a size value"))?,
            number => u64::from_value(name, number)?,
        };
        if size == 0 {
            return Err(Error::message(format!(
                "property '{name}' of {class} doesn't take value '0'"
            )));
        }
        self.size = size;
        Ok(())
    }

    fn set_flag(&mut self, name: &str, value: Value) -> Result<()> {
        let on = bool::from_value(name, value)?;
        let mut policy = self.policy;
        *switch(&mut policy, name) = on;
        if policy.prealloc && !policy.reserve {
            return Err(Error::message("'prealloc=on' and 'reserve=off' are incompatible"));
        }
        if let Some(block) = &self.block {
            match name {
                "dump" => set_dump(block, on),
                "merge" => set_merge(block, on),
                // What has been taken is not given back.
                "prealloc" if !on => return Ok(()),
                "prealloc" => populate(block)?,
                _ => return Err(Error::message("cannot change property value")),
            }
        }
        self.policy = policy;
        Ok(())
    }
}

impl Object for MemoryBackend {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        if self.size == 0 {
            return Err(Error::message("Parameter 'size' is missing"));
        }
        let id = context.path.rsplit('/').next().unwrap_or_default();
        self.block = self.policy.allocate(&[(id, self.size)])?.pop();
        Ok(())
    }
}
