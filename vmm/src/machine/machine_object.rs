//! `/machine`: the type of machine as an object, with what the command line said of it.

use devices::error::Result;
use devices::object::{Class, Node, Object, PlugContext};
use devices::property;

use crate::options::{MachineType, Options};

static MACHINE: Class = Class {
    properties: &[
        property!(read MachineObject, "kernel", kernel: String, "kernel image file"),
        property!(read MachineObject, "initrd", initrd: String, "initial RAM disk file"),
        property!(read MachineObject, "append", append: String, "kernel command line"),
        property!(read MachineObject, "firmware", firmware: String, "firmware image file"),
        property!(read MachineObject, "graphics", graphics: bool, "whether firmware may use a display"),
        property!(read MachineObject, "dump-guest-core", dump: bool, "whether a core dump contains guest RAM"),
        property!(read MachineObject, "mem-merge", merge: bool, "whether equal pages may be merged"),
        property!(read MachineObject, "memory-backend", backend: String, "the object that provides RAM"),
    ],
    ..Class::base("machine", "object")
};
static X86: Class = Class::base("x86-machine", "machine");
static GENERIC_PC: Class = Class::base("generic-pc-machine", "x86-machine");
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
struct MachineObject {
    kernel: String,
    initrd: String,
    append: String,
    firmware: String,
    backend: String,
    graphics: bool,
    dump: bool,
    merge: bool,
}

impl Object for MachineObject {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        Ok(())
    }
}

/// The node of the machine that `options` describe.
pub(super) fn node(options: &Options) -> Node {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let machine = &options.machine;
    let backend = machine.memory_backend.as_ref().map_or("pc.ram", |named| &named.value);
    let object = MachineObject {
        kernel: text(&options.kernel),
        initrd: text(&options.initrd),
        append: text(&options.append),
        firmware: text(&options.bios),
        backend: format!("/objects/{backend}"),
        graphics: machine.graphics,
        dump: machine.dump_guest_core,
        merge: machine.mem_merge,
    };
    let class = match machine.kind {
        MachineType::Pc => &PC,
        MachineType::None => &NONE,
    };
    Node::with(class, Box::new(object))
}
