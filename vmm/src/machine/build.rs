//! From the command line to a machine, in two steps: what exists before the machine (accelerator,
//! an empty tree), and the machine itself.

use std::sync::Arc;

use arch::cpu::{self, Topology};
use devices::clock::Clock;
use devices::event_loop::LoopHandle;
use devices::interrupt::Interrupts;
use devices::memory::{AddressSpace, Dispatch, RamView};
use devices::object::{Node, Plan, Platform, Registry, Tree};
use devices::request::{EventSink, RequestSink};
use vm_memory::GuestMemoryAtomic;

use super::board::Start;
use super::{Board, CpuObject, Cpus, Error, Machine, cpu_object};
use crate::kvm::{self, Vm};
use crate::options::{self, Form, Item, MachineType, Options};
use crate::run_state::RunState;
use crate::vcpu::Reports;

/// Input pins of the interrupt controllers: those of the I/O APIC.
const LINES: u32 = 24;

/// What the program around the machine gives it.
pub(crate) struct Environment {
    /// The loop of all devices without an I/O thread of their own.
    pub(crate) io: LoopHandle,
    /// Where timers post run-state requests.
    pub(crate) requests: RequestSink,
    /// Where events go.
    pub(crate) events: EventSink,
    /// Where vCPUs report to.
    pub(crate) reports: Reports,
}

/// All classes of the program.
pub(crate) fn registry() -> Registry {
    let tables = vec![
        devices::object::BASES,
        devices::pci::CLASSES,
        devices::chipset::CLASSES,
        devices::serial::CLASSES,
        devices::debug::CLASSES,
        devices::rtc::CLASSES,
        devices::i8042::CLASSES,
        devices::fw_cfg::CLASSES,
        devices::backend::CLASSES,
        crate::chardevs::CLASSES,
        super::machine_object::CLASSES,
        kvm::irqchip::CLASSES,
        cpu_object::BASES,
    ];
    Registry::new(tables, cpu_object::classes)
}

impl Machine {
    /// KVM, and an empty tree: all that exists before the machine is made.
    ///
    /// # Errors
    /// KVM is not there or not able; the host has no descriptors left.
    pub(crate) fn bare(options: &Options, environment: &Environment) -> Result<Self, Error> {
        let vm = Vm::new(kvm::open()?)?;
        let memory = AddressSpace::new("memory", 0);
        memory.set_listener(Arc::new(vm.slots()));
        let io = environment.io.clone();
        let platform = Platform {
            memory,
            ports: AddressSpace::new("I/O", u64::MAX),
            ram: GuestMemoryAtomic::new(RamView::new()),
            interrupts: Interrupts::new(LINES, Arc::new(vm.lines())),
            virtual_clock: Clock::virtual_time(&io)?,
            host_clock: Clock::host_time(&io)?,
            real_clock: Clock::real_time(&io)?,
            io,
            requests: environment.requests.clone(),
            events: environment.events.clone(),
        };
        let mut tree = Tree::new(Arc::new(registry()));
        for global in &options.globals {
            tree.add_global(&global.driver, &global.property, &global.value);
        }
        Ok(Self {
            cpus: None,
            tree,
            platform,
            board: Board { start: Start::Nothing, order_after_reset: None },
            roms: Vec::new(),
            vm: Some(vm),
            run_state: RunState::Preconfig,
            actions: options.actions,
        })
    }

    /// Makes the machine of the command line, ready to be started.
    ///
    /// # Errors
    /// Anything on the command line that does not work, by name.
    pub(crate) fn build(
        &mut self,
        options: &Options,
        environment: &Environment,
    ) -> Result<(), Error> {
        refuse_what_is_not_there(options)?;
        self.make_machine_object(options)?;
        self.user_objects(options)?;
        if options.machine.kind == MachineType::Pc {
            self.add_cpus(options, environment)?;
            self.build_pc(options)?;
        } else {
            self.refuse_processors(options)?;
            self.user_devices(options)?;
        }
        self.tree.global_warnings().iter().for_each(|text| log::warn!("{text}"));
        self.set_run_state(RunState::Prelaunch);
        self.reset_parts(false);
        Ok(())
    }

    fn make_machine_object(&mut self, options: &Options) -> Result<(), Error> {
        let node = super::machine_object::node(options);
        self.tree.remove("/machine");
        self.tree.insert("/", "machine", node)?;
        for name in ["unattached", "peripheral", "peripheral-anon"] {
            self.tree.insert("/machine", name, Node::container())?;
        }
        Ok(())
    }

    fn user_objects(&mut self, options: &Options) -> Result<(), Error> {
        for item in &options.objects {
            self.user_object(item).map_err(|error| at(item, &error))?;
        }
        Ok(())
    }

    fn user_object(&mut self, item: &Item) -> Result<(), devices::error::Error> {
        let mut properties = item.dict.clone();
        let kind = item.text("qom-type").unwrap_or_default();
        let id = item.text("id").unwrap_or_default().to_owned();
        properties.remove("qom-type");
        properties.remove("id");
        let class = self.tree.registry().find(kind);
        let class = class.filter(|class| class.user_creatable && class.bus.is_none());
        let class = class
            .ok_or_else(|| wrong(format!("Parameter 'qom-type' does not accept value '{kind}'")))?;
        let unknown = |name: &&str| self.tree.registry().property(class, name).is_none();
        if let Some(name) = properties.iter().map(|(name, _)| name).find(unknown) {
            return Err(wrong(match item.form {
                Form::Json => format!("Parameter '{name}' is unexpected"),
                _ => format!("Invalid parameter '{name}'"),
            }));
        }
        self.tree.create(Plan::object(class, id, properties), &self.platform)?;
        Ok(())
    }

    /// Makes the devices of `-device`, in order.
    pub(super) fn user_devices(&mut self, options: &Options) -> Result<(), Error> {
        for item in &options.devices {
            self.user_device(item).map_err(|error| at(item, &error))?;
        }
        Ok(())
    }

    fn user_device(&mut self, item: &Item) -> Result<(), devices::error::Error> {
        let mut properties = item.dict.clone();
        let driver = item.text("driver").unwrap_or_default();
        let id = item.text("id").map(str::to_owned);
        properties.remove("driver");
        properties.remove("id");
        let registry = self.tree.registry();
        let class = registry.find(driver).filter(|class| registry.is_a(class, "device"));
        let class =
            class.ok_or_else(|| wrong(format!("'{driver}' is not a valid device model name")))?;
        let kind = match (class.is_abstract(), class.user_creatable) {
            (true, _) => Some("non-abstract"),
            (false, false) => Some("pluggable"),
            (false, true) => None,
        };
        if let Some(kind) = kind {
            return Err(wrong(format!("Parameter 'driver' expects a {kind} device type")));
        }
        self.tree.create(Plan::device(class, id, properties), &self.platform)?;
        Ok(())
    }

    fn add_cpus(&mut self, options: &Options, environment: &Environment) -> Result<(), Error> {
        let vm = self.vm.as_ref().expect("KVM is the only accelerator");
        let host = kvm::host_cpu(vm)?;
        let model = self.cpu_model(options, &host)?;
        let smp = &options.smp;
        let most = vm.max_cpus();
        if smp.maxcpus as usize > most {
            let text = format!(
                "Number of CPUs requested ({}) exceeds the {most} that KVM supports",
                smp.maxcpus
            );
            return Err(options::Error::new(text).into());
        }
        let topology = Topology {
            sockets: smp.sockets,
            dies: smp.dies,
            cores: smp.cores,
            threads: smp.threads,
        };
        let resolved = Arc::new(model.resolve(&host, topology)?);
        if resolved.check() {
            resolved.unavailable().iter().for_each(|missing| log::warn!("{missing}"));
        }
        resolved.phys_bits_warning().iter().for_each(|text| log::warn!("{text}"));
        let dispatch = Dispatch::new(self.platform.memory.clone(), self.platform.ports.clone());
        let cpus = Cpus::new(vm, resolved.clone(), smp.cpus, &dispatch, &environment.reports)?;
        let class = resolved.model().type_name();
        let class = self.tree.registry().find(&class).expect("every model has a class");
        for index in 0..smp.cpus {
            let object = Box::new(CpuObject::new(resolved.clone(), index));
            self.tree.adopt_complete(class, object)?;
        }
        self.cpus = Some(cpus);
        Ok(())
    }

    /// A machine without processors has no use for a model, not even a right one.
    fn refuse_processors(&self, options: &Options) -> Result<(), Error> {
        let Some(named) = &options.cpu else { return Ok(()) };
        let vm = self.vm.as_ref().expect("KVM is the only accelerator");
        self.cpu_model(options, &kvm::host_cpu(vm)?)?;
        Err(named.location.error("the machine 'none' has no processors").into())
    }

    fn cpu_model(&self, options: &Options, host: &cpu::HostCpu) -> Result<cpu::CpuModel, Error> {
        let (mut model, warnings) = match &options.cpu {
            None => cpu::parse_option("qemu64", host)?,
            Some(text) => cpu::parse_option(&text.value, host)
                .map_err(|error| text.location.error(error.to_string()))?,
        };
        warnings.iter().for_each(|text| log::warn!("{text}"));
        let class = self.tree.registry().find(&model.type_name()).expect("every model has a class");
        self.tree.apply_globals(class, |name, value| model.set_text(name, value))?;
        Ok(model)
    }
}

/// Nothing on the command line is without effect.
fn refuse_what_is_not_there(options: &Options) -> Result<(), Error> {
    let refuse = |text: &str| Err(options::Error::new(text).into());
    if options.memory.max_size > options.memory.size {
        return refuse(
            "memory cannot be added later: 'slots' and 'maxmem' of -m are not supported",
        );
    }
    if options.name.debug_threads == Some(false) {
        return refuse("threads always have names: 'debug-threads=off' of -name is not supported");
    }
    Ok(())
}

fn wrong(text: String) -> devices::error::Error {
    devices::error::Error::message(text)
}

/// An error about an option, with the place where it was given.
fn at(item: &Item, error: &dyn std::fmt::Display) -> Error {
    item.location.error(error.to_string()).into()
}
