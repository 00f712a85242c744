//! The shapes of the lists.

use devices::error::Result;
use devices::object::{BusKind, Object, PlugContext};
use devices::property;

use super::*;

struct Lamp {
    watts: u32,
    colour: Option<String>,
    lit: bool,
    socket_of_the_lamp: u8,
}

impl Default for Lamp {
    fn default() -> Self {
        Self { watts: 60, colour: None, lit: false, socket_of_the_lamp: 3 }
    }
}

impl Object for Lamp {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        Ok(())
    }
}

static OBJECT: Class = Class::base("object", "");
static DEVICE: Class = Class {
    properties: &[property!(Lamp, "watts", watts: u32, "hidden by its heir")],
    ..Class::base("device", "object")
};
static LAMP: Class = Class {
    description: "gives light",
    make: Some(|_| Box::<Lamp>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(Lamp, "watts", watts: u32, "electric power"),
        property!(Lamp, "colour", colour: Option<String>, ""),
        property!(Lamp, "colour-name", colour: Option<String>, "as people say it"),
        property!(read Lamp, "lit", lit: bool, "whether it is on"),
        property!(Lamp, "socket_of_the_lamp", socket_of_the_lamp: u8, ""),
    ],
    ..Class::base("lamp", "device")
};
static BULB: Class =
    Class { make: LAMP.make, user_creatable: true, ..Class::base("Bulb", "device") };
static BUILT_IN: Class = Class { make: LAMP.make, ..Class::base("built-in", "device") };
static SECRET: Class =
    Class { make: LAMP.make, user_creatable: true, ..Class::base("secret", "object") };

static CLASSES: &[&Class] = &[&OBJECT, &DEVICE, &LAMP, &BULB, &BUILT_IN, &SECRET];

fn show(request: HelpRequest) -> String {
    text(&request, &Registry::new(vec![CLASSES], Vec::new))
}

#[test]
fn lists_of_classes() {
    assert_eq!(
        show(HelpRequest::Device(None)),
        "name \"Bulb\"\nname \"lamp\", bus ISA, desc \"gives light\"\n"
    );
    assert_eq!(show(HelpRequest::Object(None)), "List of user creatable objects:\n  secret\n");
}

#[test]
fn properties_of_a_class() {
    assert_eq!(
        show(HelpRequest::Device(Some("lamp".into()))),
        "lamp options:\n\
        \x20 colour-name=<str>      - as people say it\n\
        \x20 colour=<str>\n\
        \x20 socket_of_the_lamp=<uint8> -  (default: 3)\n\
        \x20 watts=<uint32>         - electric power (default: 60)\n"
    );
    assert_eq!(
        show(HelpRequest::Object(Some("secret".into()))),
        "There are no options for secret.\n"
    );
}

#[test]
fn classes_that_are_not_there_are_named() {
    let device = |name: &str| show(HelpRequest::Device(Some(name.into())));
    assert_eq!(device("x"), "vmm: -device x,help: Device 'x' not found\n");
    assert_eq!(device("secret"), "vmm: -device secret,help: Device 'secret' not found\n");
    assert_eq!(
        device("device"),
        "vmm: -device device,help: Parameter 'typename' expects a non-abstract device type\n"
    );
    assert_eq!(
        show(HelpRequest::Object(Some("lamp".into()))),
        "vmm: -object lamp,help: Parameter 'qom-type' does not accept value 'lamp'\n"
    );
}

#[test]
fn other_requests() {
    assert_eq!(show(HelpRequest::Text("as it is\n".into())), "as it is\n");
    assert!(show(HelpRequest::Cpu).starts_with("Available CPUs:\n"));
    let points = show(HelpRequest::Trace);
    for point in ["pci_cfg_read", "runstate_set"] {
        assert!(points.lines().any(|line| line == point), "{point}");
    }
}

#[test]
fn the_command_line_reads_json_and_files() {
    let sources = sources();
    assert_eq!((sources.json)("[1]").unwrap(), qapi::Value::List(vec![1i64.into()]));
    assert!((sources.json)("[1").is_err());
    assert!((sources.read)("/nonexistent").is_err());
}
