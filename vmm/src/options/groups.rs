//! The table of option groups.

use super::group::ParameterKind::{Boolean, Number, Size, String as Text};
use super::group::{Group, Parameter, ParameterKind, Syntax};
use super::{accel, boot, chardev, device, host, machine, memory, monitor, rtc, run_control, smp};

const fn parameter(name: &'static str, kind: ParameterKind, help: &'static str) -> Parameter {
    Parameter { name, kind, help: Some(help), default: None }
}

const fn with_default(
    name: &'static str,
    kind: ParameterKind,
    help: &'static str,
    default: &'static str,
) -> Parameter {
    Parameter { name, kind, help: Some(help), default: Some(default) }
}

/// Every group, in alphabetical order.
pub(super) static GROUPS: &[&Group] = &[
    &ACCEL, &ACTION, &ADD_FD, &BOOT, &CHARDEV, &DEVICE, &GLOBAL, &MACHINE, &MEMORY, &MON, &MSG,
    &NAME, &OBJECT, &RTC, &SMP, &TRACE,
];

/// `-accel`. The parameters are those of the accelerators.
pub(super) static ACCEL: Group = Group {
    name: "accel",
    syntax: Syntax::Opts,
    implied: Some("accel"),
    named: true,
    parameters: None,
    apply: accel::accel,
};

pub(super) static ACTION: Group = Group {
    name: "action",
    syntax: Syntax::Opts,
    implied: None,
    named: false,
    parameters: Some(&[
        with_default("reboot", Text, "reset or shutdown", "reset"),
        with_default("shutdown", Text, "poweroff or pause", "poweroff"),
        with_default("panic", Text, "pause, shutdown, exit-failure or none", "shutdown"),
    ]),
    apply: run_control::action,
};

pub(super) static ADD_FD: Group = Group {
    name: "add-fd",
    syntax: Syntax::Opts,
    implied: None,
    named: true,
    parameters: Some(&[
        parameter("fd", Number, "inherited descriptor, above 2, whose duplicate joins the set"),
        parameter("set", Number, "number of the set"),
        parameter("opaque", Text, "free text shown by query-fdsets"),
    ]),
    apply: host::add_fd,
};

pub(super) static BOOT: Group = Group {
    name: "boot-opts",
    syntax: Syntax::KeyVal("boot."),
    implied: Some("order"),
    named: false,
    parameters: Some(&[
        parameter("order", Text, "devices to boot from: letters from a (floppy) to p"),
        parameter("once", Text, "the order for the first boot only"),
        parameter("menu", Boolean, "the firmware offers a menu"),
        parameter("splash-time", Number, "milliseconds the firmware waits, 0 to 65535"),
        parameter(
            "reboot-timeout",
            Number,
            "milliseconds before a failed boot is retried, -1 for never",
        ),
        with_default("strict", Boolean, "boot from no other device than the listed ones", "off"),
    ]),
    apply: boot::apply,
};

pub(super) static CHARDEV: Group = Group {
    name: "chardev",
    syntax: Syntax::Opts,
    implied: Some("backend"),
    named: true,
    parameters: Some(&[
        parameter("backend", Text, "kind of character device"),
        parameter("path", Text, "file, FIFO, device or unix socket"),
        parameter("host", Text, "host name or address of a TCP socket"),
        parameter("port", Text, "port of a TCP socket"),
        parameter("fd", Text, "inherited socket, listening for a server"),
        parameter("to", Number, "highest port to try when listening"),
        parameter("ipv4", Boolean, "use IPv4"),
        parameter("ipv6", Boolean, "use IPv6"),
        with_default("server", Boolean, "listen instead of connecting", "off"),
        with_default("wait", Boolean, "a server waits for its first client before the start", "on"),
        parameter("delay", Boolean, "allow TCP to gather small packets"),
        parameter("nodelay", Boolean, "do not let TCP gather small packets"),
        with_default(
            "reconnect",
            Number,
            "seconds until a client connects again, 0 for never",
            "0",
        ),
        with_default("abstract", Boolean, "the unix socket is in the abstract namespace", "off"),
        with_default("tight", Boolean, "an abstract name ends with its last character", "on"),
        with_default("append", Boolean, "keep what the file holds", "off"),
        with_default("signal", Boolean, "Ctrl-C on the terminal ends the program", "on"),
        with_default("size", Size, "size of a ring buffer, a power of two", "64k"),
        parameter("chardev", Text, "the character device that is shared"),
        with_default("mux", Boolean, "let several users share the character device", "off"),
        parameter("logfile", Text, "file that gets a copy of all output"),
        with_default("logappend", Boolean, "keep what the log file holds", "off"),
    ]),
    apply: chardev::apply,
};

/// `-device`. The parameters are the properties of the classes.
pub(super) static DEVICE: Group = Group {
    name: "device",
    syntax: Syntax::Opts,
    implied: Some("driver"),
    named: true,
    parameters: None,
    apply: device::device,
};

pub(super) static GLOBAL: Group = Group {
    name: "global",
    syntax: Syntax::Opts,
    implied: None,
    named: false,
    parameters: Some(&[
        parameter("driver", Text, "class of devices"),
        parameter("property", Text, "property of the class"),
        parameter("value", Text, "the property's default from now on"),
    ]),
    apply: device::global,
};

pub(super) static MACHINE: Group = Group {
    name: "machine",
    syntax: Syntax::KeyVal(""),
    implied: Some("type"),
    named: false,
    parameters: Some(&[
        with_default("type", Text, "the machine: pc or none", "pc"),
        with_default("accel", Text, "accelerators in the order to try, with colons between", "kvm"),
        parameter("kernel", Text, "kernel image, as -kernel"),
        parameter("initrd", Text, "initial RAM disk, as -initrd"),
        parameter("append", Text, "kernel command line, as -append"),
        parameter("firmware", Text, "firmware image, as -bios"),
        parameter("memory-backend", Text, "id of the object that provides the RAM"),
        with_default("dump-guest-core", Boolean, "a core dump contains the guest's RAM", "on"),
        with_default("mem-merge", Boolean, "the host may merge equal pages", "on"),
        with_default("graphics", Boolean, "firmware may use a display; off: the serial port", "on"),
        with_default("usb", Boolean, "a USB controller; only off", "off"),
        with_default("suppress-vmdesc", Boolean, "only off", "off"),
        with_default("kernel-irqchip", Text, "interrupt controllers in the kernel; only on", "on"),
        with_default("hpet", Boolean, "an HPET (pc); only off", "off"),
        with_default("vmport", Text, "a vmport (pc); only off or auto", "auto"),
        with_default("smm", Text, "system management mode (pc); only off or auto", "auto"),
    ]),
    apply: machine::machine,
};

pub(super) static MEMORY: Group = Group {
    name: "memory",
    syntax: Syntax::Opts,
    implied: Some("size"),
    named: false,
    parameters: Some(&[
        with_default("size", Size, "RAM; in MiB without a suffix", "128M"),
        with_default("slots", Number, "number of memory devices that can be added", "0"),
        parameter("maxmem", Size, "most RAM with the added devices"),
    ]),
    apply: memory::apply,
};

pub(super) static MON: Group = Group {
    name: "mon",
    syntax: Syntax::Opts,
    implied: Some("chardev"),
    named: true,
    parameters: Some(&[
        parameter("chardev", Text, "id of the character device"),
        with_default("mode", Text, "control (QMP) or readline", "readline"),
        with_default("pretty", Boolean, "indent QMP", "off"),
    ]),
    apply: monitor::mon,
};

pub(super) static MSG: Group = Group {
    name: "msg",
    syntax: Syntax::Opts,
    implied: None,
    named: false,
    parameters: Some(&[
        with_default("timestamp", Boolean, "messages start with the time", "off"),
        with_default(
            "guest-name",
            Boolean,
            "messages start with the guest's name, if it has one",
            "off",
        ),
    ]),
    apply: host::msg,
};

pub(super) static NAME: Group = Group {
    name: "name",
    syntax: Syntax::Opts,
    implied: Some("guest"),
    named: false,
    parameters: Some(&[
        parameter("guest", Text, "name of the guest"),
        parameter("process", Text, "name of the process in ps and top"),
        parameter("debug-threads", Boolean, "name the threads"),
    ]),
    apply: host::name,
};

/// `-object`. The parameters are the properties of the classes.
pub(super) static OBJECT: Group = Group {
    name: "object",
    syntax: Syntax::Opts,
    implied: Some("qom-type"),
    named: true,
    parameters: None,
    apply: device::object,
};

pub(super) static RTC: Group = Group {
    name: "rtc",
    syntax: Syntax::Opts,
    implied: None,
    named: false,
    parameters: Some(&[
        with_default("base", Text, "utc, localtime or a date such as 2006-06-17T16:01:21", "utc"),
        with_default("clock", Text, "host, rt or vm", "host"),
        with_default("driftfix", Text, "none, or slew to make up for lost interrupts", "none"),
    ]),
    apply: rtc::apply,
};

pub(super) static SMP: Group = Group {
    name: "smp-opts",
    syntax: Syntax::KeyVal("smp."),
    implied: Some("cpus"),
    named: false,
    parameters: Some(&[
        parameter("cpus", Number, "CPUs at the start"),
        parameter("maxcpus", Number, "CPUs there can be"),
        parameter("sockets", Number, "sockets"),
        parameter("dies", Number, "dies in a socket (pc)"),
        parameter("clusters", Number, "only 1"),
        parameter("cores", Number, "cores in a die"),
        parameter("threads", Number, "threads in a core"),
    ]),
    apply: smp::apply,
};

pub(super) static TRACE: Group = Group {
    name: "trace",
    syntax: Syntax::Opts,
    implied: Some("enable"),
    named: false,
    parameters: Some(&[
        parameter("enable", Text, "pattern of trace points"),
        parameter("events", Text, "file with one pattern a line"),
        parameter("file", Text, "file to write to"),
    ]),
    apply: host::trace,
};
