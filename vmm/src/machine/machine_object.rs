//! `/machine`: the type of machine as an object, with what the command line said of it.

use std::any::Any;
use std::collections::HashMap;

use devices::error::{Error, Result};
use devices::object::{Class, Node, Object, PlugContext, Property, downcast};
use devices::rtc::RtcTime;
use qapi::{Dict, Value};

use crate::options::{BootOptions, MachineType, Options, Smp};

static MACHINE: Class = Class {
    properties: &[
        told("kernel", "string", "kernel image file"),
        told("initrd", "string", "initial RAM disk file"),
        told("append", "string", "kernel command line"),
        told("firmware", "string", "firmware image file"),
        told("boot", "BootConfiguration", "what firmware boots from"),
        told("smp", "SMPConfiguration", "number and arrangement of the CPUs"),
        told("memory", "MemorySizeConfiguration", "size of RAM"),
        told("memory-backend", "link<memory-backend>", "the object that provides RAM"),
        told("graphics", "bool", "whether firmware may use a display"),
        told("usb", "bool", "whether there is a USB controller"),
        told("dump-guest-core", "bool", "whether a core dump contains guest RAM"),
        told("mem-merge", "bool", "whether equal pages may be merged"),
    ],
    ..Class::base("machine", "object")
};
static X86: Class = Class {
    properties: &[told("smm", "OnOffAuto", "whether there is a system management mode")],
    ..Class::base("x86-machine", "machine")
};
static GENERIC_PC: Class = Class {
    properties: &[
        told("hpet", "bool", "whether there is a high precision event timer"),
        told("vmport", "OnOffAuto", "whether there is VMware's port"),
        told("i8042", "bool", "whether there is a keyboard controller"),
        Property { get: Some(time), ..told("rtc-time", "struct tm", "what the clock chip shows") },
    ],
    ..Class::base("generic-pc-machine", "x86-machine")
};
static PC: Class = Class {
    make: Some(|_| Box::<MachineObject>::default()),
    ..Class::base("pc-i440fx-7.2-machine", "generic-pc-machine")
};
static NONE: Class = Class {
    make: Some(|_| Box::<MachineObject>::default()),
    ..Class::base("none-machine", "machine")
};
static ACCEL: Class = Class::base("accel", "object");
static KVM_ACCEL: Class = Class::owned("kvm-accel", "accel");

/// The classes of this file.
pub(crate) static CLASSES: &[&Class] =
    &[&MACHINE, &X86, &GENERIC_PC, &PC, &NONE, &ACCEL, &KVM_ACCEL];

/// The machine's own properties.
#[derive(Default)]
pub(super) struct MachineObject {
    told: HashMap<&'static str, Value>,
    /// The clock chip's, once there is one.
    pub(super) time: Option<RtcTime>,
}

impl Object for MachineObject {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        Ok(())
    }
}

/// A property that tells what was decided before the machine was made.
const fn told(name: &'static str, kind: &'static str, description: &'static str) -> Property {
    Property { name, kind, description, default: |_| None, get: Some(get), set: None, live: false }
}

fn get(object: &dyn Any, name: &'static str) -> Result<Value> {
    Ok(downcast::<MachineObject>(object).told.get(name).cloned().unwrap_or_default())
}

fn time(object: &dyn Any, _name: &'static str) -> Result<Value> {
    let time = downcast::<MachineObject>(object).time.as_ref();
    Ok(time.ok_or_else(|| Error::message("there is no clock chip"))?.value())
}

/// The node of the machine that `options` describe.
pub(super) fn node(options: &Options) -> Node {
    let text = |value: &Option<String>| Value::from(value.clone().unwrap_or_default());
    let machine = &options.machine;
    let none = machine.kind == MachineType::None;
    let backend = match &machine.memory_backend {
        Some(named) => format!("/objects/{}", named.value),
        None if none => String::new(),
        None => "/objects/pc.ram".into(),
    };
    // A machine without RAM has none unless it was asked for.
    let size = if none && !options.memory.size_given { 0 } else { options.memory.size };
    let told = [
        ("kernel", text(&options.kernel)),
        ("initrd", text(&options.initrd)),
        ("append", text(&options.append)),
        ("firmware", text(&options.bios)),
        ("boot", boot(&options.boot, none)),
        ("smp", smp(&options.smp)),
        ("memory", Value::Dict([("size", Value::from(size))].into_iter().collect())),
        ("memory-backend", backend.into()),
        ("graphics", machine.graphics.into()),
        ("usb", false.into()),
        ("dump-guest-core", machine.dump_guest_core.into()),
        ("mem-merge", machine.mem_merge.into()),
        ("smm", "off".into()),
        ("hpet", false.into()),
        ("vmport", "off".into()),
        ("i8042", true.into()),
    ];
    let object = MachineObject { told: told.into(), time: None };
    Node::with(if none { &NONE } else { &PC }, Box::new(object))
}

/// As `BootConfiguration`: what was given, and the order in any case where it has an effect.
fn boot(boot: &BootOptions, none: bool) -> Value {
    let mut shown = Dict::new();
    let order = boot.order.clone().or_else(|| (!none).then(|| "cad".into()));
    let mut show = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name, value);
        }
    };
    show("order", order.map(Value::from));
    show("once", boot.once.clone().map(Value::from));
    show("menu", boot.menu.map(Value::from));
    show("splash-time", boot.splash_time.map(|time| i64::from(time).into()));
    show("reboot-timeout", boot.reboot_timeout.map(|time| i64::from(time).into()));
    show("strict", boot.strict.then(|| true.into()));
    Value::Dict(shown)
}

/// As `SMPConfiguration`.
fn smp(smp: &Smp) -> Value {
    let numbers = [
        ("cpus", smp.cpus),
        ("maxcpus", smp.maxcpus),
        ("threads", smp.threads),
        ("cores", smp.cores),
        ("dies", smp.dies),
        ("sockets", smp.sockets),
    ];
    let numbers = numbers.into_iter().map(|(name, number)| (name, Value::Int(number.into())));
    Value::Dict(numbers.collect())
}
