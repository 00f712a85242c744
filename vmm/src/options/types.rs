//! What a command line asks for, as plain data.

use super::error::Location;
use super::help::HelpRequest;
use super::machine::MachineType;
use qapi::Dict;

/// Everything the command line says. What it leaves open has QEMU's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Nothing is to be run: print this and exit with status 0. The other members are incomplete then.
    pub help: Option<HelpRequest>,
    /// Whole lines for standard error, in order.
    pub warnings: Vec<String>,
    /// `-machine`, `-accel`.
    pub machine: MachineOptions,
    /// `-cpu`: the model and its features, not yet understood.
    pub cpu: Option<Located<String>>,
    /// `-m`.
    pub memory: MemoryOptions,
    /// `-smp`.
    pub smp: Smp,
    /// `-boot`.
    pub boot: BootOptions,
    /// `-kernel`: the path of a kernel.
    pub kernel: Option<String>,
    /// `-initrd`: the path of an initial RAM disk; only with a kernel.
    pub initrd: Option<String>,
    /// `-append`: the kernel's command line; only with a kernel.
    pub append: Option<String>,
    /// `-bios`: the path of a firmware image.
    pub bios: Option<String>,
    /// `-rtc`.
    pub rtc: RtcOptions,
    /// `-name`.
    pub name: NameOptions,
    /// `-uuid`: the bytes in the order of the text.
    pub uuid: Option<[u8; 16]>,
    /// `-device` in order; each has the string member `driver`. `-debugcon` adds an `isa-debugcon`.
    pub devices: Vec<Item>,
    /// `-object` in order; each has the string members `qom-type` and `id`.
    pub objects: Vec<Item>,
    /// `-global` in order.
    pub globals: Vec<Global>,
    /// `-chardev` and what `-serial`, `-monitor`, `-qmp`, `-debugcon` imply, in the order in which they are to be made.
    /// Each has the string members `backend` and `id`, and is accepted by `devices::chardev::Config::from_options`.
    pub chardevs: Vec<Item>,
    /// `-mon`, `-qmp`, `-qmp-pretty`, `-monitor` and `-serial mon:…` in order.
    pub monitors: Vec<MonitorOptions>,
    /// `-monitor none` was given: no human monitor where one would be made by default.
    pub no_default_monitor: bool,
    /// The serial ports from the first on. Empty if `-serial` was not given: see [`Options::default_serial`].
    pub serials: Vec<Serial>,
    /// `-add-fd`.
    pub fds: Vec<AddFd>,
    /// `-D`, `-d`.
    pub log: LogOptions,
    /// `-trace` in order, and the `trace:PATTERN` items of `-d`.
    pub trace: Vec<TraceOptions>,
    /// `-action`, `-no-reboot`, `-no-shutdown`.
    pub actions: Actions,
    /// `-msg`.
    pub msg: MsgOptions,
    /// `-pidfile`: where to write the process's number.
    pub pidfile: Option<Located<String>>,
    /// `-daemonize`: go to the background once everything is set up.
    pub daemonize: bool,
    /// `-S`: do not start the CPUs.
    pub start_paused: bool,
    /// `-preconfig`: wait for `x-exit-preconfig` before the machine is made.
    pub preconfig: bool,
    /// `-nodefaults`: no default devices.
    pub nodefaults: bool,
    /// `-no-user-config`: read no configuration files of the user. There are none, so this changes nothing.
    pub no_user_config: bool,
    /// `-nographic`: the first serial port and the monitor share standard input and output.
    pub nographic: bool,
    /// `-display none` was given.
    pub display_none: bool,
}

/// A value and where it was given, for messages about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was given.
    pub location: Location,
}

/// How an item was written, which decides how strictly its values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `key=value,…`: every value is a string; `5`, `on` and the like stand for numbers and truth values.
    KeyValue,
    /// A JSON object: values have their own types.
    Json,
    /// Checked and typed here: strings, booleans, and numbers and sizes as integers.
    Typed,
}

/// A thing to be made: a device, an object or a character device.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its members.
    pub dict: Dict,
    /// How they were written.
    pub form: Form,
    /// Where it was asked for.
    pub location: Location,
}

impl Item {
    /// A member that is a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.dict.get(key)?.as_str()
    }
}

/// `-machine` and `-accel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineOptions {
    /// Which machine.
    pub kind: MachineType,
    /// The accelerators to try, in order. At least one of them is [`Accel::Kvm`].
    pub accels: Vec<Accel>,
    /// The object that provides the guest's RAM.
    pub memory_backend: Option<Located<String>>,
    /// Whether firmware may use a display; off means the serial console.
    pub graphics: bool,
    /// Whether a core dump of this process contains the guest's RAM.
    pub dump_guest_core: bool,
    /// Whether the host may merge equal pages of the guest's RAM.
    pub mem_merge: bool,
}

impl Default for MachineOptions {
    fn default() -> MachineOptions {
        MachineOptions {
            kind: MachineType::Pc,
            accels: vec![Accel::Kvm],
            memory_backend: None,
            graphics: true,
            dump_guest_core: true,
            mem_merge: true,
        }
    }
}

/// An accelerator that a command line may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    /// The kernel's virtual machines.
    Kvm,
    /// QEMU's translator. It is accepted as a fall-back that is never taken.
    Tcg,
}

/// `-m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Bytes of RAM, a multiple of 8 KiB.
    pub size: u64,
    /// Whether the size was given rather than the default.
    pub size_given: bool,
    /// How many memory devices can be plugged in, at most 256.
    pub slots: u64,
    /// The most RAM there can be with plugged memory, at least `size`.
    pub max_size: u64,
}

impl Default for MemoryOptions {
    fn default() -> MemoryOptions {
        MemoryOptions { size: 128 << 20, size_given: false, slots: 0, max_size: 128 << 20 }
    }
}

/// `-smp`, with everything filled in: `sockets * dies * cores * threads == maxcpus >= cpus >= 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smp {
    /// The CPUs at the start.
    pub cpus: u32,
    /// The CPUs there can be.
    pub maxcpus: u32,
    /// Sockets.
    pub sockets: u32,
    /// Dies in a socket.
    pub dies: u32,
    /// Cores in a die.
    pub cores: u32,
    /// Threads in a core.
    pub threads: u32,
}

impl Default for Smp {
    fn default() -> Smp {
        Smp { cpus: 1, maxcpus: 1, sockets: 1, dies: 1, cores: 1, threads: 1 }
    }
}

/// `-boot`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootOptions {
    /// Whether `-boot` was given at all.
    pub given: bool,
    /// The devices to boot from, as letters from `a` to `p`.
    pub order: Option<String>,
    /// The order for the first boot only.
    pub once: Option<String>,
    /// Whether the firmware offers a menu.
    pub menu: Option<bool>,
    /// How long the firmware shows its splash screen or menu, in milliseconds.
    pub splash_time: Option<u16>,
    /// Milliseconds until a failed boot is tried again; -1 for never.
    pub reboot_timeout: Option<i32>,
    /// Whether the firmware stops after the listed devices.
    pub strict: bool,
}

/// `-rtc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtcOptions {
    /// What the clock shows at the start.
    pub base: RtcBase,
    /// What drives it.
    pub clock: RtcClock,
    /// Whether lost periodic interrupts are made up for (`driftfix=slew`).
    pub slew: bool,
}

/// What the real-time clock shows at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RtcBase {
    /// Universal time.
    #[default]
    Utc,
    /// The host's local time.
    LocalTime,
    /// A date, in seconds since 1970.
    Date(i64),
}

/// What drives the real-time clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RtcClock {
    /// The host's time of day, with its corrections.
    #[default]
    Host,
    /// The host's monotonic time.
    Rt,
    /// The guest's time, which stands still while the guest does.
    Vm,
}

/// `-name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameOptions {
    /// The guest's name.
    pub guest: Option<String>,
    /// The process's name in `ps` and `top`.
    pub process: Option<String>,
    /// Whether threads are to have names of their own.
    pub debug_threads: Option<bool>,
}

/// `-global DRIVER.PROPERTY=VALUE`: a default for every device of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// The class.
    pub driver: String,
    /// The property.
    pub property: String,
    /// Its value, as text.
    pub value: String,
    /// Where it was given.
    pub location: Location,
}

/// A monitor on a character device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorOptions {
    /// The character device; one of [`Options::chardevs`].
    pub chardev: String,
    /// The monitor's own id.
    pub id: Option<String>,
    /// Which protocol it speaks.
    pub mode: MonitorMode,
    /// Whether QMP is indented.
    pub pretty: bool,
    /// The character device is a unix socket that is connected to if someone listens there, and is listened on otherwise,
    /// without waiting for a client. Its own description says that it connects.
    pub auto: bool,
    /// Where it was asked for.
    pub location: Location,
}

/// Which protocol a monitor speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonitorMode {
    /// Lines for people.
    #[default]
    Readline,
    /// QMP.
    Control,
}

/// A serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serial {
    /// `-serial none`: there is no such port.
    None,
    /// The port is connected to this character device.
    Chardev(Located<String>),
}

/// `-add-fd`: an inherited descriptor joins a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddFd {
    /// The descriptor, above 2.
    pub fd: i32,
    /// The set, from 0 up.
    pub set: i64,
    /// What `query-fdsets` says about it.
    pub opaque: Option<String>,
    /// Where it was given.
    pub location: Location,
}

/// `-D` and `-d`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The file to log to; at most one `%d` in it stands for the process's number. Standard error if there is none.
    pub file: Option<Located<String>>,
    /// What to log.
    pub items: Vec<LogItem>,
}

/// An item of `-d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// The CPUs' registers at a reset.
    CpuReset,
    /// Guest accesses to functions that are not modelled.
    Unimplemented,
    /// What the guest does wrong.
    GuestErrors,
}

/// One `-trace`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceOptions {
    /// A pattern of trace points to switch on; one with a leading `-` switches off.
    pub enable: Option<String>,
    /// A file with one pattern a line.
    pub events: Option<String>,
    /// The file to write to.
    pub file: Option<String>,
    /// Where it was given.
    pub location: Location,
}

/// `-action`: what happens at certain events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// When the guest resets.
    pub reboot: RebootAction,
    /// When the guest switches itself off.
    pub shutdown: ShutdownAction,
    /// When the guest reports a panic.
    pub panic: PanicAction,
}

/// What happens when the guest resets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RebootAction {
    /// It starts again.
    #[default]
    Reset,
    /// It is shut down.
    Shutdown,
}

/// What happens when the guest switches itself off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShutdownAction {
    /// The process ends.
    #[default]
    Poweroff,
    /// The guest stops and the process stays.
    Pause,
}

/// What happens when the guest reports a panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PanicAction {
    /// The guest stops.
    Pause,
    /// It is shut down.
    #[default]
    Shutdown,
    /// The process ends with a failure.
    ExitFailure,
    /// Nothing.
    None,
}

/// `-msg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MsgOptions {
    /// Messages start with the time.
    pub timestamp: bool,
    /// Messages start with the guest's name.
    pub guest_name: bool,
}
