//! The machine `pc`: i440FX and PIIX chips, ISA devices, and the way from the command line to a
//! guest that can start.

use std::path::Path;

use arch::acpi::{self, AcpiConfig};
use arch::boot::{Boot, BootConfig, Firmware, Image};
use arch::layout::{self, Placed};
use arch::smbios::{self, SmbiosConfig};
use devices::backend::MemoryBackend;
use devices::chipset::{I440fx, PowerManagement};
use devices::debug::PvPanic;
use devices::fw_cfg::{FwCfg, key};
use devices::memory::{Access, Mapping, RamBlock, RamRegion, RamView, Target};
use devices::object::Plan;
use devices::rtc::Rtc;
use devices::serial::IsaSerial;
use qapi::Dict;

use super::board::Start;
use super::machine_object::MachineObject;
use super::{Error, Machine};
use crate::kvm;
use crate::local_time;
use crate::options::{self, BootOptions, Options, RtcBase, RtcClock, Serial};

/// The guest that runs when the command line names none.
static BUILT_IN_GUEST: &[u8] = include_bytes!("../../../resources/guest.elf");
/// ROM lies over RAM and under what PAM opens.
const ROM_PRIORITY: i32 = 0;

impl Machine {
    /// Adds the board's devices and those of the command line, in QEMU's order.
    pub(super) fn build_pc(&mut self, options: &Options) -> Result<(), Error> {
        self.board_device("i440FX-pcihost", Some("i440fx"), &[])?;
        self.board_device("i440FX", None, &[("addr", "0")])?;
        self.connect_ram(options)?;
        self.board_device("PIIX3", None, &[("addr", "1.0"), ("multifunction", "on")])?;
        self.controllers()?;
        let properties = rtc_properties(options);
        let properties: Vec<_> = properties.iter().map(|(name, value)| (*name, &**value)).collect();
        self.board_device("mc146818rtc", None, &properties)?;
        self.show_time();
        self.board_device("i8042", None, &[])?;
        self.board_device("port92", None, &[])?;
        self.board_device("PIIX4_PM", None, &[("addr", "1.3")])?;
        self.board_device("fw_cfg_io", Some("fw_cfg"), &[])?;
        self.serial_ports(options)?;
        self.user_devices(options)?;
        self.fill_cmos(options);
        self.boot_order(&options.boot);
        self.fill_fw_cfg(options)?;
        self.board.start = self.start_of(options)?;
        Ok(())
    }

    fn board_device(
        &mut self,
        class: &str,
        name: Option<&str>,
        properties: &[(&str, &str)],
    ) -> Result<(), Error> {
        let class = self.tree.registry().find(class).expect("a class of the board");
        let properties: Dict = properties.iter().copied().collect();
        self.tree.create(Plan::board(class, name, properties), &self.platform)?;
        Ok(())
    }

    /// `/machine` shows the time of the clock chip.
    fn show_time(&mut self) {
        let time = self.tree.objects::<Rtc>().first().map(|(_, rtc)| rtc.time());
        let machine = self.tree.find_mut("/machine").and_then(|node| node.object_as_mut());
        if let Some(machine) = machine {
            let machine: &mut MachineObject = machine;
            machine.time = time;
        }
    }

    /// KVM's interrupt controllers and timer.
    fn controllers(&mut self) -> Result<(), Error> {
        let vm = self.vm.as_ref().expect("KVM is the only accelerator");
        for (class, object) in kvm::irqchip::controllers(vm.fd())? {
            self.tree.adopt(class, object, &self.platform)?;
        }
        Ok(())
    }

    /// Allocates RAM from the backend that `-machine memory-backend` names or one of the board's
    /// own, and gives it to the CPUs through the memory controller and to devices for DMA.
    fn connect_ram(&mut self, options: &Options) -> Result<(), Error> {
        let path = self.ram_backend(options)?;
        let size = options.memory.size;
        let wrong = |text: String| devices::error::Error::message(text);
        let (_, node) = self.tree.find(&path)?;
        let backend = node
            .object_as::<MemoryBackend>()
            .ok_or_else(|| wrong(format!("object '{path}' is not a memory backend")))?;
        let block = backend.block().clone();
        if block.size() != size {
            let text = "Machine memory size does not match the size of the memory backend";
            return Err(wrong(format!("{text}: {size} and {} bytes", block.size())).into());
        }
        let view = ram_view(&block)?;
        self.platform.ram.lock().expect("one builder").replace(view);
        let bridges = self.tree.objects::<I440fx>();
        let (_, bridge) = bridges.first().expect("made before");
        bridge.connect_ram(&block, layout::low_ram(size))?;
        Ok(())
    }

    fn ram_backend(&mut self, options: &Options) -> Result<String, Error> {
        if let Some(named) = &options.machine.memory_backend {
            let id = &named.value;
            let path = format!("/objects/{id}");
            if self.tree.find(&path).is_err() {
                let error = named.location.error(format!("Memory backend '{id}' not found"));
                return Err(error.into());
            }
            return Ok(path);
        }
        let class = self.tree.registry().find("memory-backend-ram").expect("a class of ours");
        let text = |on| if on { "on" } else { "off" };
        let properties = [
            ("size", options.memory.size.to_string()),
            ("merge", text(options.machine.mem_merge).to_owned()),
            ("dump", text(options.machine.dump_guest_core).to_owned()),
        ];
        if self.tree.find("/objects/pc.ram").is_ok() {
            let text = "object name 'pc.ram' is reserved for the default RAM backend, it can't be \
                        used for any other purposes. Change the object's 'id' to something else";
            return Err(options::Error::new(text).into());
        }
        let plan = Plan::object(class, "pc.ram".into(), properties.into_iter().collect());
        Ok(self.tree.create(plan, &self.platform)?)
    }

    fn serial_ports(&mut self, options: &Options) -> Result<(), Error> {
        for (index, serial) in options.serials.iter().enumerate() {
            if let Serial::Chardev(chardev) = serial {
                let index = index.to_string();
                let properties = [("index", index.as_str()), ("chardev", &chardev.value)];
                self.board_device("isa-serial", None, &properties)?;
            }
        }
        Ok(())
    }

    /// What firmware reads to learn the machine's size (PC/AT CMOS layout, and QEMU's additions).
    fn fill_cmos(&self, options: &Options) {
        let clocks = self.tree.objects::<Rtc>();
        let Some((_, rtc)) = clocks.first() else { return };
        let low = layout::low_ram(options.memory.size);
        let high = layout::high_ram(options.memory.size) >> 16;
        let base = (low >> 10).min(640);
        let extended = (low >> 10).saturating_sub(1024).min(0xffff);
        let above_16m = (low >> 16).saturating_sub(256).min(0xffff);
        let word = |at: u8, value: u64| {
            rtc.set_cmos(at, value as u8);
            rtc.set_cmos(at + 1, (value >> 8) as u8);
        };
        word(0x15, base);
        word(0x17, extended);
        word(0x30, extended);
        word(0x34, above_16m);
        word(0x5b, high);
        rtc.set_cmos(0x5d, (high >> 16) as u8);
        rtc.set_cmos(0x5f, (options.smp.cpus - 1) as u8);
    }

    /// Tells firmware which devices to try, by the letters of `-boot`.
    pub(super) fn set_boot_order(&self, letters: &str) {
        let mut devices = letters.bytes().map(boot_code).chain([0; 3]);
        let mut next = || devices.next().unwrap_or(0);
        for (_, rtc) in self.tree.objects::<Rtc>() {
            rtc.set_cmos(0x3d, next() | next() << 4);
            rtc.set_cmos(0x38, next() << 4);
        }
    }

    /// `once` holds until the first reset, `order` after it.
    fn boot_order(&mut self, boot: &BootOptions) {
        let order = boot.order.as_deref().unwrap_or("cad");
        self.board.order_after_reset = boot.once.as_ref().map(|_| order.to_owned());
        self.set_boot_order(boot.once.as_deref().unwrap_or(order));
    }

    fn fill_fw_cfg(&self, options: &Options) -> Result<(), Error> {
        let devices = self.tree.objects::<FwCfg>();
        let Some((_, fw_cfg)) = devices.first() else { return Ok(()) };
        let smp = &options.smp;
        let word = |value: u16| value.to_le_bytes().to_vec();
        fw_cfg.add_item(key::UUID, options.uuid.unwrap_or_default().to_vec());
        fw_cfg.add_item(key::RAM_SIZE, options.memory.size.to_le_bytes().to_vec());
        fw_cfg.add_item(key::NOGRAPHIC, word(u16::from(!options.machine.graphics)));
        fw_cfg.add_item(key::NB_CPUS, word(smp.cpus as u16));
        fw_cfg.add_item(key::MAX_CPUS, word(smp.maxcpus as u16));
        fw_cfg.add_item(key::BOOT_MENU, word(u16::from(options.boot.menu == Some(true))));
        let map = arch::e820::Map::firmware(options.memory.size).to_fw_cfg();
        fw_cfg.add_file("etc/e820", map)?;
        if let Some(milliseconds) = options.boot.splash_time {
            fw_cfg.add_file("etc/boot-menu-wait", word(milliseconds))?;
        }
        if let Some(milliseconds) = options.boot.reboot_timeout {
            fw_cfg.add_file("etc/boot-fail-wait", milliseconds.to_le_bytes().to_vec())?;
        }
        if options.boot.strict {
            fw_cfg.add_file("bootorder", b"HALT\0".to_vec())?;
        }
        Ok(())
    }

    fn start_of(&mut self, options: &Options) -> Result<Start, Error> {
        if let Some(path) = &options.bios {
            self.map_firmware(&image("-bios", path)?)?;
        }
        let kernel = match &options.kernel {
            Some(path) => image("-kernel", path)?,
            None if options.boots_builtin_guest() => {
                log::info!("no kernel given: starting the built-in guest");
                Image::from_bytes(BUILT_IN_GUEST, "built-in guest")
            }
            None => return Ok(Start::Firmware),
        };
        let initrd = options.initrd.as_deref().map(|path| image("-initrd", path));
        let (tables, rsdp, facs) = self.firmware_tables(options)?;
        let boot = Boot::new(BootConfig {
            kernel,
            initrd: initrd.transpose()?,
            command_line: options.append.clone().unwrap_or_default(),
            ram: options.memory.size,
            tables,
            rsdp,
        })?;
        Ok(Start::Kernel { boot: Box::new(boot), facs })
    }

    /// The image at the top of 4 GiB, and its end again below 1 MiB.
    fn map_firmware(&mut self, image: &Image) -> Result<(), Error> {
        let firmware = Firmware::read(image)?;
        for (name, (base, bytes)) in [("pc.bios", firmware.rom()), ("isa-bios", firmware.alias())] {
            let block = RamBlock::rom(name, bytes)?;
            let mapping = Mapping::new(name, base, block.size(), Target::Ram(block));
            let mapping = Mapping { access: Access::ReadOnly, priority: ROM_PRIORITY, ..mapping };
            self.roms.push(self.platform.memory.add(mapping)?);
        }
        Ok(())
    }

    /// ACPI and SMBIOS for a kernel that is started without firmware: what to write, where the
    /// root pointer is, and where the FACS.
    fn firmware_tables(&self, options: &Options) -> Result<(Vec<Placed>, Option<u64>, u64), Error> {
        let ram = options.memory.size;
        let Some(area) = layout::acpi_area(ram) else { return Ok((Vec::new(), None, 0)) };
        let tables = |error: &dyn std::fmt::Display| Error::Tables(error.to_string());
        let config = self.acpi_config(options);
        let acpi = acpi::build(&config, area, layout::RSDP).map_err(|error| tables(&error))?;
        let smbios = smbios::build(&self.smbios_config(options)).map_err(|error| tables(&error))?;
        let rsdp = acpi.rsdp.address;
        Ok((vec![acpi.rsdp, acpi.tables, smbios], Some(rsdp), acpi.facs))
    }

    fn acpi_config(&self, options: &Options) -> AcpiConfig {
        let ram = options.memory.size;
        let apic_id =
            |index| self.cpus.as_ref().map_or(index, |c| c.model.topology().apic_id(index));
        let cpus = (0..options.smp.maxcpus)
            .map(|index| acpi::Cpu { apic_id: apic_id(index), present: index < options.smp.cpus });
        let serial = self.tree.objects::<IsaSerial>().into_iter().map(|(_, port)| {
            let (index, port, irq) = port.place();
            acpi::Serial { uid: index as u8 + 1, port: port as u16, irq: irq as u8 }
        });
        let hole = layout::pci_hole(ram);
        let pm = self.tree.objects::<PowerManagement>();
        AcpiConfig {
            cpus: cpus.collect(),
            serial: serial.collect(),
            i8042: true,
            pvpanic: self.tree.objects::<PvPanic>().first().map(|(_, device)| device.port()),
            fw_cfg: true,
            s3: pm.iter().all(|(_, pm)| pm.s3_enabled()),
            s4: pm.iter().all(|(_, pm)| pm.s4_enabled()),
            pci_window: hole.start as u32..hole.end as u32,
            pci_window_64: None,
        }
    }

    fn smbios_config(&self, options: &Options) -> SmbiosConfig {
        let smp = &options.smp;
        let signature = self.cpus.as_ref().map_or(0, |cpus| cpus.model.signature());
        SmbiosConfig {
            firmware_vendor: "vmm".into(),
            firmware_version: env!("CARGO_PKG_VERSION").into(),
            firmware_date: "01/01/2026".into(),
            manufacturer: "QEMU".into(),
            product: "Standard PC (i440FX + PIIX, 1996)".into(),
            version: "pc-i440fx-7.2".into(),
            uuid: options.uuid.unwrap_or_default(),
            ram: options.memory.size,
            sockets: smp.sockets,
            cores: smp.dies * smp.cores,
            threads: smp.dies * smp.cores * smp.threads,
            processor_id: signature.into(),
        }
    }
}

/// Opens the file that an option names.
fn image(option: &str, path: &str) -> Result<Image, Error> {
    Image::open(Path::new(path)).map_err(|error| {
        let (name, argument) = (option.to_owned(), Some(path.to_owned()));
        options::Location::Option { name, argument }.error(error.to_string()).into()
    })
}

fn ram_view(block: &RamBlock) -> Result<RamView, Error> {
    let mut offset = 0;
    let mut regions = Vec::new();
    for (base, size) in layout::ram_ranges(block.size()) {
        regions.push(RamRegion::new(base.0, block.clone(), offset, size)?);
        offset += size;
    }
    RamView::from_regions(regions).map_err(|error| Error::Tables(error.to_string()))
}

fn rtc_properties(options: &Options) -> Vec<(&'static str, String)> {
    let rtc = &options.rtc;
    let clock = match rtc.clock {
        RtcClock::Host => "host",
        RtcClock::Rt => "rt",
        RtcClock::Vm => "vm",
    };
    let offset = match rtc.base {
        RtcBase::Utc => 0,
        RtcBase::LocalTime => local_time::offset(),
        RtcBase::Date(date) => date - local_time::now(),
    };
    let policy = if rtc.slew { "slew" } else { "discard" };
    vec![
        // The century byte is right with this one only.
        ("base_year", "0".to_owned()),
        ("x-clock", clock.to_owned()),
        ("x-offset", offset.to_string()),
        ("lost_tick_policy", policy.to_owned()),
    ]
}

/// The firmware's number for a drive letter of `-boot`.
fn boot_code(letter: u8) -> u8 {
    match letter {
        b'a' | b'b' => 1,
        b'c' => 2,
        b'd' => 3,
        b'n' => 4,
        _ => 0,
    }
}
