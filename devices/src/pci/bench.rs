//! A machine without a CPU, for the tests of devices: address spaces, lines, a manual clock, and
//! records of everything that leaves.

use std::sync::{Arc, Mutex};

use qapi::Dict;
use vm_memory::GuestMemoryAtomic;

use super::PciBus;
use crate::clock::Clock;
use crate::error::Result;
use crate::event_loop::EventLoop;
use crate::interrupt::{InterruptSink, Interrupts};
use crate::memory::{AddressSpace, Dispatch, RamView};
use crate::object::{Bus, Class, Node, Object, Plan, Platform, Registry, Tree};
use crate::request::{EventSink, Request, RequestSink};

static OBJECT: Class = Class::base("object", "");
static DEVICE: Class = Class::base("device", "object");
static SYS_BUS_DEVICE: Class = Class::base("sys-bus-device", "device");
static ISA_DEVICE: Class = Class::base("isa-device", "device");
static BASES: &[&Class] = &[&OBJECT, &DEVICE, &SYS_BUS_DEVICE, &ISA_DEVICE];

/// The level of each interrupt line.
#[derive(Default)]
pub(crate) struct Pins(Mutex<[bool; 24]>);

impl InterruptSink for Pins {
    fn set(&self, gsi: u32, high: bool) {
        self.0.lock().unwrap()[gsi as usize] = high;
    }
}

pub(crate) struct Bench {
    pub(crate) tree: Tree,
    pub(crate) platform: Platform,
    pub(crate) cpu: Dispatch,
    pins: Arc<Pins>,
    requests: Arc<Mutex<Vec<Request>>>,
    _loop: EventLoop,
}

impl Bench {
    /// An empty machine that knows the chipset's classes and `classes`.
    pub(crate) fn new(classes: &'static [&'static Class]) -> Self {
        let tables = vec![BASES, super::CLASSES, crate::chipset::CLASSES, classes];
        let mut tree = Tree::new(Arc::new(Registry::new(tables, Vec::new)));
        for name in ["peripheral", "peripheral-anon", "unattached"] {
            tree.insert("/machine", name, Node::container()).unwrap();
        }
        let io = EventLoop::new().unwrap();
        let (pins, requests) = (Arc::new(Pins::default()), Arc::new(Mutex::new(Vec::new())));
        let (memory, ports) =
            (AddressSpace::new("memory", u64::MAX), AddressSpace::new("I/O", u64::MAX));
        let posted = requests.clone();
        let platform = Platform {
            memory: memory.clone(),
            ports: ports.clone(),
            ram: GuestMemoryAtomic::new(RamView::new()),
            interrupts: Interrupts::new(24, pins.clone()),
            virtual_clock: Clock::manual(0),
            host_clock: Clock::manual(0),
            real_clock: Clock::manual(0),
            io: io.handle(),
            requests: RequestSink::new(move |request| posted.lock().unwrap().push(request)),
            events: EventSink::new(|_| {}),
        };
        let cpu = Dispatch::new(memory, ports);
        Self { tree, platform, cpu, pins, requests, _loop: io }
    }

    /// Makes a board device called `name`.
    pub(crate) fn board(&mut self, class: &'static Class, name: &str, set: &[(&str, &str)]) {
        let plan = Plan::board(class, Some(name), set.iter().copied().collect());
        self.tree.create(plan, &self.platform).unwrap();
    }

    /// Makes a user's device.
    pub(crate) fn device(
        &mut self,
        class: &'static Class,
        id: &str,
        set: &[(&str, &str)],
    ) -> Result<String> {
        let properties: Dict = set.iter().copied().collect();
        self.tree.create(Plan::device(class, Some(id.into()), properties), &self.platform)
    }

    /// Makes an object whose connections fail one after another: each time nothing of it may
    /// remain. Returns the number of connections it makes.
    pub(crate) fn fail_everywhere(&mut self, class: &'static Class, set: &[(&str, &str)]) -> usize {
        let before = self.footprint();
        for steps in 0..200 {
            let plan = Plan::board(class, Some("victim"), set.iter().copied().collect());
            let prepare = |context: &mut crate::object::PlugContext<'_>| context.fail_after(steps);
            match self.tree.create_with(plan, &self.platform, prepare) {
                Err(error) => assert_eq!(error.to_string(), "injected failure"),
                Ok(path) => {
                    drop(self.tree.remove(&path).unwrap());
                    assert_eq!(self.footprint(), before, "{}", class.name);
                    return steps;
                }
            }
            assert_eq!(self.footprint(), before, "{} after {steps}", class.name);
        }
        panic!("{} never succeeds", class.name)
    }

    /// How much is mapped and plugged.
    fn footprint(&self) -> (usize, usize, usize) {
        let mut plugged = 0;
        self.tree.walk(&mut |_, node| {
            if let Some(Bus::Pci(bus)) = node.as_bus() {
                plugged += bus.functions().len();
            }
        });
        let mappings = |space: &AddressSpace| space.mappings().len();
        (mappings(&self.platform.memory), mappings(&self.platform.ports), plugged)
    }

    pub(crate) fn bus(&self) -> Arc<PciBus> {
        let mut found = None;
        self.tree.walk(&mut |_, node| {
            if let Some(Bus::Pci(bus)) = node.as_bus() {
                found = Some(bus.clone());
            }
        });
        found.expect("a PCI bus")
    }

    pub(crate) fn object<T: Object>(&self) -> &T {
        self.tree.objects::<T>().pop().expect("such an object").1
    }

    pub(crate) fn line(&self, gsi: usize) -> bool {
        self.pins.0.lock().unwrap()[gsi]
    }

    /// What was posted since the last call.
    pub(crate) fn posted(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    pub(crate) fn inp(&self, port: u16, size: usize) -> u32 {
        let mut bytes = [0; 4];
        self.cpu.read_port(port, &mut bytes[..size]);
        u32::from_le_bytes(bytes)
    }

    pub(crate) fn out(&self, port: u16, size: usize, value: u32) -> Option<Request> {
        self.cpu.write_port(port, &value.to_le_bytes()[..size])
    }

    pub(crate) fn load(&self, address: u64) -> u8 {
        let mut byte = [0];
        self.cpu.read_memory(address, &mut byte);
        byte[0]
    }

    pub(crate) fn store(&self, address: u64, value: u8) {
        assert_eq!(self.cpu.write_memory(address, &[value]), None);
    }

    /// Reads configuration space through the ports of configuration mechanism #1.
    pub(crate) fn config(&self, devfn: u8, offset: u8, size: usize) -> u32 {
        self.out(0xcf8, 4, 0x8000_0000 | u32::from(devfn) << 8 | u32::from(offset & !3));
        self.inp(0xcfc + u16::from(offset & 3), size)
    }

    pub(crate) fn set_config(&self, devfn: u8, offset: u8, size: usize, value: u32) {
        self.out(0xcf8, 4, 0x8000_0000 | u32::from(devfn) << 8 | u32::from(offset & !3));
        assert_eq!(self.out(0xcfc + u16::from(offset & 3), size, value), None);
    }
}
