//! Containers, buses, and the abstract classes that the classes of every folder descend from, by their names in QOM.

use super::Class;

static OBJECT: Class = Class::base("object", "");
static CONTAINER: Class = Class::owned("container", "object");
static DEVICE: Class = Class::base("device", "object");
static BUS: Class = Class::base("bus", "object");
static SYSTEM_BUS: Class = Class::owned("System", "bus");
static ISA_BUS: Class = Class::owned("ISA", "bus");
static SYS_BUS_DEVICE: Class = Class::base("sys-bus-device", "device");
static ISA_DEVICE: Class = Class::base("isa-device", "device");

/// All of them; the first table of a registry.
pub static CLASSES: &[&Class] =
    &[&OBJECT, &CONTAINER, &DEVICE, &BUS, &SYSTEM_BUS, &ISA_BUS, &SYS_BUS_DEVICE, &ISA_DEVICE];
