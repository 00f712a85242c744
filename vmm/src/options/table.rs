//! The table of options: one entry each, in the order of the help text.

use super::error::{Error, Location};
use super::groups::{self as group};
use super::help::{self, HelpRequest};
use super::parser::{Argument, Parser};
use super::types::{Located, RebootAction, ShutdownAction};
use super::{device, host, monitor, readconfig};

/// An option.
pub(super) struct OptionEntry {
    /// The name without dashes, and another one for the same option.
    pub(super) names: &'static [&'static str],
    /// What stands for the argument in the help text; `None` if it takes none.
    pub(super) argument: Option<&'static str>,
    /// The heading it is under in the help text.
    pub(super) section: Section,
    /// What it does.
    pub(super) help: &'static str,
    /// Applies it.
    pub(super) apply: fn(&mut Parser<'_>, &Argument<'_>) -> Result<(), Error>,
}

/// A heading of the help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Standard,
    Devices,
    Display,
    Characters,
    Boot,
    Running,
}

impl Section {
    pub(super) fn title(self) -> &'static str {
        match self {
            Section::Standard => "Standard options",
            Section::Devices => "Devices and objects",
            Section::Display => "Display and network",
            Section::Characters => "Monitors and character devices",
            Section::Boot => "Booting a kernel or firmware",
            Section::Running => "Running and debugging",
        }
    }
}

/// A word of the command line with what belongs to it.
pub(super) enum CommandLine<'a> {
    /// An option.
    Option(&'static OptionEntry, Argument<'a>),
    /// A word that is neither an option nor an option's argument.
    Positional(&'a str),
}

/// Finds the options and their arguments.
pub(super) fn split(words: &[String]) -> Result<Vec<CommandLine<'_>>, Error> {
    let mut line = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix('-') else {
            line.push(CommandLine::Positional(word));
            continue;
        };
        let name = name.strip_prefix('-').unwrap_or(name);
        let mut location = Location::Option { name: word.clone(), argument: None };
        let Some(option) = OPTIONS.iter().find(|option| option.names.contains(&name)) else {
            return Err(location.error("invalid option"));
        };
        let mut text = "";
        if option.argument.is_some() {
            text = words.next().ok_or_else(|| location.error("requires an argument"))?;
            location = Location::Option { name: word.clone(), argument: Some(text.to_owned()) };
        }
        line.push(CommandLine::Option(option, Argument { text, location }));
    }
    Ok(line)
}

/// Accepts one value of an option, and refuses the others by name.
fn only(argument: &Argument<'_>, accepted: &str, refusal: &str) -> Result<(), Error> {
    if argument.text == accepted {
        return Ok(());
    }
    let text = format!("{refusal} '{}' is not supported, only '{accepted}' is", argument.text);
    Err(argument.location.error(text))
}

/// A list with the one value that [`only`] accepts, if the argument asks for it.
fn choices(parser: &mut Parser<'_>, argument: &Argument<'_>, text: &str) -> bool {
    let asked = super::keyval::is_help(argument.text);
    if asked {
        parser.options.help = Some(HelpRequest::Text(text.to_owned()));
    }
    asked
}

use Section::{Boot, Characters, Devices, Display, Running, Standard};

macro_rules! entries {
    ($(($section:expr, [$($name:literal),+], $argument:expr, $help:literal, $apply:expr)),+ $(,)?) => {
        &[$(OptionEntry {
            names: &[$($name),+],
            argument: $argument,
            section: $section,
            help: $help,
            apply: $apply,
        }),+]
    };
}

/// Every option.
pub(super) static OPTIONS: &[OptionEntry] = entries![
    (Standard, ["help", "h"], None, "Show this text and exit.", |p, _| {
        p.options.help = Some(HelpRequest::Text(help::usage()));
        Ok(())
    }),
    (Standard, ["version"], None, "Show the version and exit.", |p, _| {
        p.options.help = Some(HelpRequest::Text(help::VERSION.to_owned()));
        Ok(())
    }),
    (
        Standard,
        ["machine", "M"],
        Some("[type=]NAME[,PROP=VALUE...]"),
        "The machine, pc or none, and its properties. -machine help lists the machines, -machine NAME,help the properties.",
        |p, a| p.group(&group::MACHINE, a)
    ),
    (
        Standard,
        ["accel"],
        Some("[accel=]NAME[,PROP=VALUE...]"),
        "The accelerator. Given several times, the first one that works is taken; kvm is the only one there is.",
        |p, a| p.group(&group::ACCEL, a)
    ),
    (Standard, ["enable-kvm"], None, "The same as -machine accel=kvm.", |p, a| {
        p.accel.machine = Some(Located { value: "kvm".to_owned(), location: a.location.clone() });
        Ok(())
    }),
    (
        Standard,
        ["cpu"],
        Some("MODEL[,+FEATURE][,-FEATURE][,FEATURE=VALUE]"),
        "The model of the CPUs and changes to its features. -cpu help lists the models.",
        |p, a| {
            if super::keyval::is_help(a.text) {
                p.options.help = Some(HelpRequest::Cpu);
            } else if a.text.is_empty() {
                return Err(a.location.error("-cpu option cannot be empty"));
            } else {
                p.options.cpu =
                    Some(Located { value: a.text.to_owned(), location: a.location.clone() });
            }
            Ok(())
        }
    ),
    (
        Standard,
        ["smp"],
        Some("[cpus=]N[,maxcpus=N][,sockets=N][,dies=N][,cores=N][,threads=N]"),
        "How many CPUs there are at the start, how many there can be, and how they are arranged. What is left out follows from the rest; cores come before sockets.",
        |p, a| p.group(&group::SMP, a)
    ),
    (
        Standard,
        ["m"],
        Some("[size=]SIZE[,slots=N,maxmem=SIZE]"),
        "RAM, in MiB or with a suffix k, M, G, T.",
        |p, a| p.group(&group::MEMORY, a)
    ),
    (
        Standard,
        ["name"],
        Some("[guest=]NAME[,process=NAME][,debug-threads=on|off]"),
        "Names of the guest and of the process, and whether threads have names.",
        |p, a| p.group(&group::NAME, a)
    ),
    (Standard, ["uuid"], Some("UUID"), "The machine's universally unique identifier.", host::uuid),
    (
        Standard,
        ["boot"],
        Some(
            "[order=]DEVICES[,once=DEVICES][,menu=on|off][,splash-time=MS][,reboot-timeout=MS][,strict=on|off]"
        ),
        "What the firmware boots from, by letters, and how.",
        |p, a| p.group(&group::BOOT, a)
    ),
    (
        Standard,
        ["rtc"],
        Some("[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]"),
        "What the real-time clock shows at the start and what drives it.",
        |p, a| p.group(&group::RTC, a)
    ),
    (Standard, ["nodefaults"], None, "Make no devices that were not asked for.", |p, _| {
        p.options.nodefaults = true;
        Ok(())
    }),
    (
        Standard,
        ["no-user-config"],
        None,
        "Read no configuration files of the user. There are none.",
        |p, _| {
            p.options.no_user_config = true;
            Ok(())
        }
    ),
    (
        Standard,
        ["readconfig"],
        Some("FILE"),
        "Read options from a file in QEMU's format.",
        readconfig::apply
    ),
    (
        Devices,
        ["device"],
        Some("DRIVER[,PROP=VALUE...]"),
        "Add a device; the argument may be a JSON object. -device help lists the classes, -device DRIVER,help the properties.",
        device::device_option
    ),
    (
        Devices,
        ["object"],
        Some("TYPE,id=ID[,PROP=VALUE...]"),
        "Add an object; the argument may be a JSON object. -object help lists the classes, -object TYPE,help the properties.",
        device::object_option
    ),
    (
        Devices,
        ["global"],
        Some("DRIVER.PROP=VALUE"),
        "Set a property of every device of a class. The long form is driver=DRIVER,property=PROP,value=VALUE.",
        device::global_option
    ),
    (
        Devices,
        ["add-fd"],
        Some("fd=N,set=N[,opaque=TEXT]"),
        "Add an inherited descriptor to a set; the set is opened as /dev/fdset/N.",
        |p, a| p.group(&group::ADD_FD, a)
    ),
    (Display, ["display"], Some("none"), "There is no display.", |p, a| {
        if !choices(p, a, "Available display backend types:\nnone\n") {
            only(a, "none", "display")?;
            p.options.display_none = true;
        }
        Ok(())
    }),
    (
        Display,
        ["nographic"],
        None,
        "No display; the first serial port and the monitor share standard input and output.",
        |p, _| {
            p.options.nographic = true;
            p.options.machine.graphics = false;
            Ok(())
        }
    ),
    (Display, ["vga"], Some("none"), "There is no graphics card.", |p, a| {
        if !choices(p, a, "none                 no graphic card (default)\n") {
            only(a, "none", "vga type")?;
        }
        Ok(())
    }),
    (Display, ["net"], Some("none"), "There is no default network card.", |p, a| {
        if !choices(p, a, "none\n") {
            only(a, "none", "network backend")?;
        }
        Ok(())
    }),
    (Display, ["nic"], Some("none"), "There is no default network card.", |p, a| {
        if !choices(p, a, "none\n") {
            only(a, "none", "network backend")?;
        }
        Ok(())
    }),
    (
        Characters,
        ["chardev"],
        Some("BACKEND,id=ID[,PROP=VALUE...]"),
        "Add a character device. -chardev help lists the backends, -chardev BACKEND,help the parameters.",
        |p, a| p.group(&group::CHARDEV, a)
    ),
    (
        Characters,
        ["mon"],
        Some("[chardev=]ID[,mode=control|readline][,pretty=on|off]"),
        "Put a monitor on a character device: QMP, or lines for people.",
        |p, a| p.group(&group::MON, a)
    ),
    (
        Characters,
        ["qmp"],
        Some("DEV"),
        "A QMP monitor. DEV is unix:PATH, tcp:HOST:PORT, stdio, pty, null, file:PATH, pipe:PATH, or chardev:ID. unix: and tcp: take ,server=on,wait=off to listen; a plain unix:PATH connects if someone listens there, and listens otherwise.",
        |p, a| monitor::qmp(p, a, false)
    ),
    (Characters, ["qmp-pretty"], Some("DEV"), "The same with indented output.", |p, a| {
        monitor::qmp(p, a, true)
    }),
    (
        Characters,
        ["monitor"],
        Some("DEV"),
        "A monitor for people, on DEV as for -qmp, or none.",
        monitor::monitor
    ),
    (
        Characters,
        ["serial"],
        Some("DEV"),
        "Connect the next serial port to DEV as for -qmp (a plain unix:PATH connects), or none. mon:DEV shares DEV with a monitor.",
        monitor::serial
    ),
    (Characters, ["parallel"], Some("none"), "There are no parallel ports.", |_, a| only(
        a,
        "none",
        "parallel device"
    )),
    (
        Characters,
        ["debugcon"],
        Some("DEV"),
        "A debug console at port 0xe9 on DEV as for -serial.",
        monitor::debugcon
    ),
    (
        Boot,
        ["kernel"],
        Some("FILE"),
        "Boot a Linux kernel (ELF or bzImage) or a PVH image.",
        |p, a| {
            p.options.kernel = Some(a.text.to_owned());
            Ok(())
        }
    ),
    (Boot, ["initrd"], Some("FILE"), "The kernel's initial RAM disk.", |p, a| {
        p.options.initrd = Some(a.text.to_owned());
        Ok(())
    }),
    (Boot, ["append"], Some("TEXT"), "The kernel's command line.", |p, a| {
        p.options.append = Some(a.text.to_owned());
        Ok(())
    }),
    (Boot, ["bios"], Some("FILE"), "A firmware image, at the end of the first 4 GiB.", |p, a| {
        p.options.bios = Some(a.text.to_owned());
        Ok(())
    }),
    (Running, ["S"], None, "Do not start the CPUs; the monitor's cont does.", |p, _| {
        p.options.start_paused = true;
        Ok(())
    }),
    (
        Running,
        ["preconfig"],
        None,
        "Wait for x-exit-preconfig before the machine is made.",
        |p, _| {
            p.options.preconfig = true;
            Ok(())
        }
    ),
    (
        Running,
        ["action"],
        Some("EVENT=ACTION[,...]"),
        "What happens at an event: reboot=reset|shutdown, shutdown=poweroff|pause, panic=pause|shutdown|exit-failure|none.",
        |p, a| p.group(&group::ACTION, a)
    ),
    (Running, ["no-reboot"], None, "The same as -action reboot=shutdown.", |p, _| {
        p.options.actions.reboot = RebootAction::Shutdown;
        Ok(())
    }),
    (Running, ["no-shutdown"], None, "The same as -action shutdown=pause.", |p, _| {
        p.options.actions.shutdown = ShutdownAction::Pause;
        Ok(())
    }),
    (Running, ["pidfile"], Some("FILE"), "Write the process's number to a file.", |p, a| {
        p.options.pidfile =
            Some(Located { value: a.text.to_owned(), location: a.location.clone() });
        Ok(())
    }),
    (
        Running,
        ["daemonize"],
        None,
        "Go to the background once the sockets listen and the pid file is written.",
        |p, _| {
            p.options.daemonize = true;
            Ok(())
        }
    ),
    (
        Running,
        ["msg"],
        Some("[timestamp=on|off][,guest-name=on|off]"),
        "What messages start with.",
        |p, a| p.group(&group::MSG, a)
    ),
    (
        Running,
        ["D"],
        Some("FILE"),
        "Log to a file; %d stands for the process's number.",
        host::log_file
    ),
    (Running, ["d"], Some("ITEM[,...]"), "What to log. -d help lists the items.", host::log_items),
    (
        Running,
        ["trace"],
        Some("[enable=]PATTERN[,events=FILE][,file=FILE]"),
        "Switch on trace points. -trace help lists them.",
        |p, a| p.group(&group::TRACE, a)
    ),
];
