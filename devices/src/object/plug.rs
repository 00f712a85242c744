//! What an object connects to when it is realized.

use std::any::Any;
use std::sync::Arc;

use qapi::Value;
use vm_memory::GuestMemoryAtomic;

use super::{BusKind, Class, Node, Object, Tree};
use crate::chardev::{Attachment, Frontend};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event_loop::LoopHandle;
use crate::interrupt::{Interrupts, IrqLine};
use crate::memory::{AddressSpace, Mapping, MappingId, RamView, Region, Target};
use crate::pci::{Function, PciBus};
use crate::request::{EventSink, RequestSink};

/// The surroundings that all devices of a machine share.
#[derive(Clone)]
pub struct Platform {
    /// Guest physical memory.
    pub memory: Arc<AddressSpace>,
    /// I/O ports.
    pub ports: Arc<AddressSpace>,
    /// Guest RAM, as devices reach it by DMA.
    pub ram: GuestMemoryAtomic<RamView>,
    /// The interrupt lines.
    pub interrupts: Interrupts,
    /// The machine's own time; stands still while it is stopped.
    pub virtual_clock: Clock,
    /// The host's date and time.
    pub host_clock: Clock,
    /// Time that never stops.
    pub real_clock: Clock,
    /// The loop of all devices that have no I/O thread of their own.
    pub io: LoopHandle,
    /// Where run-state requests go.
    pub requests: RequestSink,
    /// Where events go.
    pub events: EventSink,
}

/// A bus that devices plug into.
#[derive(Clone)]
pub enum Bus {
    /// The ISA bus: no arbitration, each device brings its addresses.
    Isa,
    /// A PCI bus.
    Pci(Arc<PciBus>),
}

impl Bus {
    /// What can be plugged in.
    pub fn kind(&self) -> BusKind {
        match self {
            Self::Isa => BusKind::Isa,
            Self::Pci(_) => BusKind::Pci,
        }
    }
}

/// Something that is undone when it is dropped: a mapping, a slot, an attachment.
pub type Guard = Box<dyn Any + Send>;

/// The connections of one object in the making. Dropped before the object is inserted it takes
/// all of them back; afterwards the object's node holds them until it is unplugged.
pub struct PlugContext<'a> {
    /// The shared surroundings.
    pub platform: &'a Platform,
    /// All objects that exist already.
    pub tree: &'a Tree,
    /// Where the object will be in the tree.
    pub path: String,
    class: &'static Class,
    bus: Option<Bus>,
    guards: Vec<Guard>,
    children: Vec<(String, Node)>,
    /// For tests: the number of further connections that succeed.
    steps_left: Option<usize>,
}

impl<'a> PlugContext<'a> {
    /// A context without connections, for an object of `class`.
    pub(super) fn new(
        platform: &'a Platform,
        tree: &'a Tree,
        class: &'static Class,
        path: String,
        bus: Option<Bus>,
    ) -> Self {
        let (guards, children) = Default::default();
        Self { platform, tree, path, class, bus, guards, children, steps_left: None }
    }

    /// Makes every connection after the first `steps` fail, so that tests can see all of them
    /// undone.
    pub fn fail_after(&mut self, steps: usize) {
        self.steps_left = Some(steps);
    }

    /// Maps registers at I/O ports.
    ///
    /// # Errors
    /// The window does not fit below 2^16.
    pub fn map_ports(
        &mut self,
        name: &str,
        base: u64,
        size: u64,
        region: Arc<dyn Region>,
    ) -> Result<MappingId> {
        if base.checked_add(size).is_none_or(|end| end > 0x1_0000) {
            return Err(Error::message(format!("I/O ports 0x{base:x} of '{name}' do not exist")));
        }
        let ports = self.platform.ports.clone();
        self.add_mapping(&ports, Mapping::new(name, base, size, Target::Io(region)))
    }

    /// Adds any mapping to guest physical memory.
    ///
    /// # Errors
    /// As [`AddressSpace::add`].
    pub fn map_memory(&mut self, mapping: Mapping) -> Result<MappingId> {
        let memory = self.platform.memory.clone();
        self.add_mapping(&memory, mapping)
    }

    /// Adds any mapping to `space`.
    ///
    /// # Errors
    /// As [`AddressSpace::add`].
    pub fn add_mapping(
        &mut self,
        space: &Arc<AddressSpace>,
        mapping: Mapping,
    ) -> Result<MappingId> {
        self.step()?;
        let mapped = space.add(mapping)?;
        let id = mapped.id();
        self.guards.push(Box::new(mapped));
        Ok(id)
    }

    /// A source on interrupt line `gsi`.
    ///
    /// # Errors
    /// There is no such line.
    pub fn irq(&mut self, gsi: u32) -> Result<IrqLine> {
        self.step()?;
        let line = self.platform.interrupts.source(gsi);
        line.ok_or_else(|| Error::message(format!("there is no interrupt line {gsi}")))
    }

    /// Becomes the front end of the character device `label`.
    ///
    /// # Errors
    /// No such character device, or it has a front end already.
    pub fn chardev(&mut self, label: &str, frontend: Arc<dyn Frontend>) -> Result<Attachment> {
        self.step()?;
        let chardev = self.tree.chardev(label).map_err(|_| {
            let class = self.class.name;
            Error::message(format!("Property '{class}.chardev' can't find value '{label}'"))
        })?;
        Ok(chardev.attach(frontend, &self.platform.io)?)
    }

    /// Plugs a function into the PCI bus this object was given, at `devfn` or, without one, in the
    /// first free slot. Returns its place.
    ///
    /// # Errors
    /// The place is taken, or the bus is full.
    pub fn plug_pci(&mut self, devfn: Option<u8>, function: Arc<dyn Function>) -> Result<u8> {
        self.step()?;
        let Some(Bus::Pci(bus)) = &self.bus else {
            return Err(Error::message("a PCI function needs a PCI bus"));
        };
        let slot = bus.plug(devfn, function)?;
        let devfn = slot.devfn();
        self.guards.push(Box::new(slot));
        Ok(devfn)
    }

    /// The bus this object is plugged into.
    pub fn bus(&self) -> Option<&Bus> {
        self.bus.as_ref()
    }

    /// Offers a bus, called `name`, as a child of this object.
    ///
    /// # Errors
    /// None of its own; tests make it fail.
    pub fn offer_bus(&mut self, name: &str, bus: Bus) -> Result<()> {
        self.step()?;
        self.children.push((name.into(), Node::bus(bus)));
        Ok(())
    }

    /// Keeps `guard` for as long as the object is plugged.
    pub fn keep(&mut self, guard: impl Any + Send) {
        self.guards.push(Box::new(guard));
    }

    /// The connections, to be kept by the object's node.
    pub(super) fn finish(self) -> (Vec<Guard>, Vec<(String, Node)>) {
        (self.guards, self.children)
    }

    /// The object at `path` as its own type.
    pub fn object<T: Object>(&self, path: &str) -> Option<&T> {
        self.tree.find(path).ok()?.1.object_as()
    }

    fn step(&mut self) -> Result<()> {
        match &mut self.steps_left {
            Some(0) => Err(Error::message("injected failure")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The value `name` of `properties` as text, removed from them.
pub(super) fn take_text(properties: &mut qapi::Dict, name: &str) -> Result<Option<String>> {
    match properties.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => {
            Err(Error::message(format!("Invalid parameter type for '{name}', expected: string")))
        }
    }
}
