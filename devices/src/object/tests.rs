use std::sync::{Arc, Mutex};

use qapi::{Dict, Value};
use vm_memory::GuestMemoryAtomic;

use super::*;
use crate::clock::Clock;
use crate::error::Error;
use crate::event_loop::EventLoop;
use crate::interrupt::{InterruptSink, Interrupts, IrqLine};
use crate::memory::{Action, AddressSpace, RamView, Region};
use crate::property;
use crate::request::{EventSink, RequestSink};

/// A device with one register and an interrupt that follows it.
#[derive(Default)]
struct Lamp {
    iobase: u32,
    colour: Option<String>,
    level: u8,
    switch: Option<Arc<Switch>>,
}

struct Switch {
    on: Mutex<u8>,
    line: IrqLine,
}

impl Region for Switch {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        (*self.on.lock().unwrap()).into()
    }
    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        *self.on.lock().unwrap() = value as u8;
        self.line.set(value != 0);
        Action::None
    }
    fn max_width(&self) -> usize {
        1
    }
}

impl Object for Lamp {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let switch = Arc::new(Switch { on: Mutex::new(0), line: context.irq(5)? });
        context.map_ports("lamp", self.iobase.into(), 1, switch.clone())?;
        context.offer_bus("shade", Bus::Isa)?;
        self.switch = Some(switch);
        if self.colour.as_deref() == Some("black") {
            return Err(Error::message("no light"));
        }
        Ok(())
    }
    fn reset(&mut self) {
        if let Some(switch) = &self.switch {
            let _ = switch.write(0, 1, 0);
        }
    }
}

static OBJECT: Class = Class::base("object", "");
static DEVICE: Class = Class::base("device", "object");
static LAMP: Class = Class {
    description: "a lamp",
    make: Some(|_| Box::<Lamp>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(Lamp, "iobase", iobase: u32, "the port"),
        property!(Lamp, "colour", colour: Option<String>, "the colour"),
        property!(live Lamp, "level", level: u8, "how bright"),
    ],
    ..Class::base("lamp", "device")
};
static FIXTURE: Class = Class {
    make: Some(|_| Box::new(Fixture)),
    bus: Some(BusKind::System),
    ..Class::base("fixture", "device")
};

static CLASSES: &[&Class] = &[&OBJECT, &DEVICE, &LAMP, &FIXTURE];

struct Fixture;
impl Object for Fixture {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        context.offer_bus("isa.0", Bus::Isa)
    }
}

struct Pins(Mutex<Vec<(u32, bool)>>);
impl InterruptSink for Pins {
    fn set(&self, gsi: u32, high: bool) {
        self.0.lock().unwrap().push((gsi, high));
    }
}

struct Bench {
    tree: Tree,
    platform: Platform,
    pins: Arc<Pins>,
    _loop: EventLoop,
}

fn bench() -> Bench {
    let registry = Registry::new(vec![CLASSES], Vec::new);
    let mut tree = Tree::new(Arc::new(registry));
    for name in ["peripheral", "peripheral-anon", "unattached"] {
        tree.insert("/machine", name, Node::container()).unwrap();
    }
    let io = EventLoop::new().unwrap();
    let pins = Arc::new(Pins(Mutex::default()));
    let platform = Platform {
        memory: AddressSpace::new("memory", 0),
        ports: AddressSpace::new("I/O", u64::MAX),
        ram: GuestMemoryAtomic::new(RamView::new()),
        interrupts: Interrupts::new(24, pins.clone()),
        virtual_clock: Clock::manual(0),
        host_clock: Clock::manual(0),
        real_clock: Clock::manual(0),
        io: io.handle(),
        requests: RequestSink::new(|_| {}),
        events: EventSink::new(|_| {}),
    };
    Bench { tree, platform, pins, _loop: io }
}

impl Bench {
    fn board(&mut self) {
        let plan = Plan::board(&FIXTURE, Some("fixture"), Dict::new());
        self.tree.create(plan, &self.platform).unwrap();
    }
    fn lamp(&mut self, id: &str, properties: &[(&str, &str)]) -> Result<String> {
        let id = (!id.is_empty()).then(|| id.to_owned());
        let plan = Plan::device(&LAMP, id, properties.iter().copied().collect());
        self.tree.create(plan, &self.platform)
    }
    fn port(&self, port: u64) -> u8 {
        let mut byte = [0];
        self.platform.ports.read(port, &mut byte);
        byte[0]
    }
}

fn text<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn a_device_is_made_by_class_properties_bus_and_is_there() {
    let mut bench = bench();
    bench.board();
    let path = bench.lamp("a", &[("iobase", "0x80"), ("colour", "red")]).unwrap();
    assert_eq!(path, "/machine/peripheral/a");
    assert_eq!(
        bench.lamp("", &[("iobase", "0x81")]).unwrap(),
        "/machine/peripheral-anon/device[0]"
    );
    bench.platform.ports.write(0x80, &[7], drop);
    assert_eq!((bench.port(0x80), bench.port(0x81), bench.port(0x82)), (7, 0, 0xff));
    assert_eq!(*bench.pins.0.lock().unwrap(), [(5, true)]);
    assert_eq!(bench.tree.get("a", "iobase").unwrap(), Value::Int(0x80));
    assert_eq!(bench.tree.get("a", "type").unwrap(), "lamp".into());
    assert_eq!(bench.tree.get("a", "parent_bus").unwrap(), "/machine/fixture/isa.0".into());
    assert_eq!(bench.tree.get(&path, "shade").unwrap(), format!("{path}/shade").into());
    bench.tree.reset();
    assert_eq!(bench.port(0x80), 0);
}

#[test]
fn unplugging_frees_ports_and_lines() {
    let mut bench = bench();
    bench.board();
    let path = bench.lamp("a", &[("iobase", "0x80")]).unwrap();
    bench.platform.ports.write(0x80, &[1], drop);
    drop(bench.tree.remove(&path).unwrap());
    assert_eq!(bench.port(0x80), 0xff);
    assert_eq!(*bench.pins.0.lock().unwrap(), [(5, true), (5, false)]);
    bench.lamp("a", &[("iobase", "0x80")]).unwrap();
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = bench();
    bench.board();
    let mut made = false;
    for steps in 0..10 {
        let properties = [("iobase", "0x80")].into_iter().collect();
        let plan = Plan::device(&LAMP, Some("a".into()), properties);
        let result =
            bench.tree.create_with(plan, &bench.platform, |context| context.fail_after(steps));
        made = result.is_ok();
        if made {
            assert_eq!(steps, 3);
            break;
        }
        assert_eq!(text(result), "injected failure");
        assert_eq!(bench.port(0x80), 0xff);
        assert!(bench.tree.find("/machine/peripheral/a").is_err());
        assert!(bench.platform.ports.mappings().is_empty());
    }
    assert!(made);
}

#[test]
fn realize_that_fails_at_its_end_leaves_nothing() {
    let mut bench = bench();
    bench.board();
    assert_eq!(text(bench.lamp("a", &[("iobase", "1"), ("colour", "black")])), "no light");
    assert!(bench.platform.ports.mappings().is_empty());
}

#[test]
fn creation_errors_are_named() {
    let mut bench = bench();
    assert_eq!(text(bench.lamp("a", &[])), "No 'ISA' bus found for device 'lamp'");
    bench.board();
    assert_eq!(text(bench.lamp("a", &[("glow", "1")])), "Property 'lamp.glow' not found");
    assert_eq!(text(bench.lamp("a", &[("iobase", "x")])), "Parameter 'iobase' expects integer");
    assert_eq!(text(bench.lamp("a", &[("bus", "usb")])), "Bus 'usb' not found");
    let error = text(bench.lamp("a", &[("iobase", "65536")]));
    assert_eq!(error, "I/O ports 0x10000 of 'lamp' do not exist");
    bench.lamp("a", &[]).unwrap();
    assert_eq!(text(bench.lamp("a", &[])), "Duplicate device ID 'a'");
    let abstract_plan = Plan::device(&DEVICE, None, Dict::new());
    assert!(bench.tree.create(abstract_plan, &bench.platform).is_err());
}

#[test]
fn globals_apply_to_a_class_and_those_below_it_before_own_properties() {
    let mut bench = bench();
    bench.board();
    bench.tree.add_global("lamp", "iobase", "0x90");
    bench.tree.add_global("device", "colour", "blue");
    // `fixture` is a device too, but has no such property: making one now would be refused.
    let path = bench.lamp("a", &[]).unwrap();
    assert_eq!(bench.tree.get(&path, "iobase").unwrap(), Value::Int(0x90));
    assert_eq!(bench.tree.get(&path, "colour").unwrap(), "blue".into());
    let path = bench.lamp("b", &[("iobase", "0x91")]).unwrap();
    assert_eq!(bench.tree.get(&path, "iobase").unwrap(), Value::Int(0x91));
}

#[test]
fn a_global_reaches_a_device_that_is_made_already() {
    let mut bench = bench();
    bench.board();
    bench.tree.add_global("lamp", "colour", "green");
    let make = LAMP.make.expect("lamps can be made");
    let path = bench.tree.adopt(&LAMP, make(&LAMP), &bench.platform).unwrap();
    assert_eq!(bench.tree.get(&path, "colour").unwrap(), "green".into());
    bench.tree.add_global("lamp", "level", "x");
    let error = text(bench.tree.adopt(&LAMP, make(&LAMP), &bench.platform));
    assert_eq!(error, "can't apply global lamp.level=x: Parameter 'level' expects integer");
}

#[test]
fn globals_without_effect_are_told() {
    let mut bench = bench();
    bench.board();
    bench.tree.add_global("nope", "x", "1");
    bench.tree.add_global("object", "x", "1");
    // A fixture can not be made any more; a lamp could be plugged in later.
    bench.tree.add_global("fixture", "x", "1");
    bench.tree.add_global("lamp", "iobase", "0x90");
    let expected = [
        "global nope.x has invalid class name",
        "global object.x has invalid class name",
        "global fixture.x=1 not used",
    ];
    assert_eq!(bench.tree.global_warnings(), expected);
}

#[test]
fn after_realize_only_live_properties_change() {
    let mut bench = bench();
    bench.board();
    bench.lamp("a", &[]).unwrap();
    bench.tree.set("a", "level", Value::Int(3)).unwrap();
    assert_eq!(bench.tree.get("a", "level").unwrap(), Value::Int(3));
    let error = text(bench.tree.set("a", "level", "3".into()));
    assert_eq!(error, "Invalid parameter type for 'level', expected: integer");
    let error = text(bench.tree.set("a", "iobase", Value::Int(1)));
    assert_eq!(
        error,
        "Attempt to set property 'iobase' on device 'a' (type 'lamp') after it was realized"
    );
    assert_eq!(text(bench.tree.set("a", "glow", Value::Null)), "Property 'lamp.glow' not found");
    for name in ["type", "realized", "hotplugged", "parent_bus", "shade"] {
        assert_eq!(
            text(bench.tree.set("a", name, false.into())),
            format!("Property 'lamp.{name}' is not writable")
        );
    }
    let path = bench.lamp("", &[("iobase", "8")]).unwrap();
    assert_eq!(
        text(bench.tree.set(&path, "iobase", Value::Int(1))),
        "Attempt to set property 'iobase' on anonymous device (type 'lamp') after it was realized"
    );
}

#[test]
fn paths_are_absolute_or_an_unambiguous_end() {
    let mut bench = bench();
    bench.board();
    bench.lamp("a", &[]).unwrap();
    bench.lamp("b", &[("iobase", "1")]).unwrap();
    assert_eq!(bench.tree.find("peripheral/a").unwrap().0, "/machine/peripheral/a");
    assert_eq!(bench.tree.find("/").unwrap().0, "/");
    assert_eq!(text(bench.tree.find("shade")), "Path 'shade' is ambiguous");
    assert_eq!(text(bench.tree.find("/machine/x")), "Device '/machine/x' not found");
    assert_eq!(text(bench.tree.find("")), "Path '' is ambiguous");
    assert_eq!(text(bench.tree.get("", "type")), "Device '' not found");
    assert_eq!(text(bench.tree.get("shade", "type")), "Device 'shade' not found");
    let listed = bench.tree.properties(bench.tree.find("/machine/peripheral/a").unwrap().1);
    let kind = |name: &str| &listed.iter().find(|p| p.name == name).unwrap().kind;
    assert_eq!((kind("iobase").as_str(), kind("shade").as_str()), ("uint32", "child<ISA>"));
}

#[test]
fn classes_are_listed_by_ancestor() {
    let registry = Registry::new(vec![CLASSES], Vec::new);
    let names = |ancestor: Option<&str>, with_abstract| -> Vec<String> {
        registry.types(ancestor, with_abstract).into_iter().map(|info| info.name).collect()
    };
    assert_eq!(names(None, false), ["lamp", "fixture"]);
    assert_eq!(names(None, true), ["object", "device", "lamp", "fixture"]);
    assert_eq!(names(Some("device"), true), ["device", "lamp", "fixture"]);
    assert_eq!(names(Some("lamp"), false), ["lamp"]);
    assert!(names(Some("nope"), true).is_empty());
    // A device is plugged in; it is no object of `-object`.
    assert!(names(Some("user-creatable"), true).is_empty());
    static THREAD: Class = Class { user_creatable: true, ..Class::owned("thread", "object") };
    static ALSO: &[&Class] = &[&THREAD];
    let registry_with_object = Registry::new(vec![CLASSES, ALSO], Vec::new);
    let creatable = registry_with_object.types(Some("user-creatable"), false);
    assert_eq!(creatable.iter().map(|info| &*info.name).collect::<Vec<_>>(), ["thread"]);
    let all = registry.types(None, true);
    assert_eq!((all[0].r#abstract, all[0].parent.as_deref()), (Some(true), None));
    assert_eq!((all[2].r#abstract, all[2].parent.as_deref()), (None, Some("device")));
}

#[test]
fn what_is_not_made_by_name_is_not_abstract() {
    static OWNED: Class = Class { bus: Some(BusKind::System), ..Class::owned("pit", "device") };
    static ALSO: &[&Class] = &[&OWNED];
    let registry = Registry::new(vec![CLASSES, ALSO], Vec::new);
    let listed = registry.types(Some("device"), false);
    let owned = listed.iter().find(|info| info.name == "pit").expect("a class with objects");
    assert_eq!(owned.r#abstract, None);
    assert!(registry.device_properties("pit").unwrap().is_empty());
    let mut bench = bench();
    let plan = Plan::device(&OWNED, None, Dict::new());
    assert!(bench.tree.create(plan, &bench.platform).is_err());
}

#[test]
fn properties_are_listed_with_what_all_objects_have() {
    let registry = Registry::new(vec![CLASSES], Vec::new);
    let names = |class: &str| -> Vec<String> {
        registry.properties(class).unwrap().into_iter().map(|info| info.name).collect()
    };
    let of_devices = ["type", "parent_bus", "hotplugged", "hotpluggable", "realized"];
    assert_eq!(names("object"), ["type"]);
    assert_eq!(names("device"), of_devices);
    assert_eq!(names("lamp"), [&of_devices[..], &["iobase", "colour", "level"]].concat());
    let error = qapi::Error::from(registry.properties("nope").unwrap_err());
    assert_eq!(error.class, qapi::ErrorClass::DeviceNotFound);
    assert_eq!(error.desc, "Class 'nope' not found");
}

#[test]
fn a_devices_properties_have_defaults_and_descriptions() {
    let registry = Registry::new(vec![CLASSES], Vec::new);
    let list = registry.device_properties("lamp").unwrap();
    let told: Vec<_> = list
        .iter()
        .map(|p| (&*p.name, &*p.r#type, p.description.as_deref(), p.default_value.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("iobase", "uint32", Some("the port"), Some(Value::Int(0))),
            ("colour", "str", Some("the colour"), None),
            ("level", "uint8", Some("how bright"), Some(Value::Int(0))),
        ]
    );
    let error = |class: &str| qapi::Error::from(registry.device_properties(class).unwrap_err());
    assert_eq!(error("nope"), qapi::Error::device_not_found("nope"));
    let expected = qapi::Error::expects("typename", "a non-abstract device type");
    assert_eq!([error("device"), error("object")], [expected.clone(), expected]);
}
