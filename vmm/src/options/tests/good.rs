//! Command lines and what they ask for.

use super::super::*;
use super::{dict, dicts, good};
use qapi::{Dict, Value};

#[test]
fn nothing_given() {
    let options = good("");
    assert_eq!(options, Options::default());
    assert_eq!(options.machine.accels, [Accel::Kvm]);
    assert!(options.boots_builtin_guest());
    for given in ["-kernel k", "-bios b", "-boot c", "-machine none"] {
        assert!(!good(given).boots_builtin_guest(), "{given}");
    }
}

#[test]
fn both_kinds_of_dashes() {
    let options = good("--m 1G -S --name a");
    assert_eq!(options.memory.size, 1 << 30);
    assert!(options.start_paused);
    assert_eq!(options.name.guest.as_deref(), Some("a"));
}

#[test]
fn memory() {
    for (argument, size, slots, max) in [
        ("512", 512 << 20, 0, 512 << 20),
        ("1.5G", 3 << 29, 0, 3 << 29),
        ("size=1k", 8 << 10, 0, 8 << 10),
        ("1.5k", 8 << 10, 0, 8 << 10),
        ("12345B", 16 << 10, 0, 16 << 10),
        ("0", 128 << 20, 0, 128 << 20),
        ("0x10", 16 << 20, 0, 16 << 20),
        ("1G,maxmem=2G", 1 << 30, 0, 2 << 30),
        ("size=131072k,slots=4,maxmem=1048576k", 128 << 20, 4, 1 << 30),
        ("1G,slots=0,maxmem=1G", 1 << 30, 0, 1 << 30),
        ("maxmem=1G -m 256 -m slots=2", 256 << 20, 2, 1 << 30),
    ] {
        let memory = good(&format!("-m {argument}")).memory;
        assert_eq!((memory.size, memory.slots, memory.max_size), (size, slots, max), "{argument}");
    }
    assert!(!good("-m 0").memory.size_given);
    assert!(good("-m 1").memory.size_given);
}

/// As `query-hotpluggable-cpus` of QEMU 7.2 shows it.
#[test]
fn topologies_are_filled_in() {
    for (argument, expected) in [
        ("4", [4, 4, 1, 1, 4, 1]),
        ("4,maxcpus=8", [4, 8, 1, 1, 8, 1]),
        ("sockets=2", [2, 2, 2, 1, 1, 1]),
        ("cores=4,dies=2", [8, 8, 1, 2, 4, 1]),
        ("4,threads=2", [4, 4, 1, 1, 2, 2]),
        ("4,sockets=2", [4, 4, 2, 1, 2, 1]),
        ("4,sockets=2,threads=2,maxcpus=8", [4, 8, 2, 1, 2, 2]),
        ("4,cores=2", [4, 4, 2, 1, 2, 1]),
        ("4,dies=2", [4, 4, 1, 2, 2, 1]),
        ("maxcpus=4", [4, 4, 1, 1, 4, 1]),
        ("sockets=2,cores=2,threads=2", [8, 8, 2, 1, 2, 2]),
        ("6,maxcpus=12,sockets=2,dies=2", [6, 12, 2, 2, 3, 1]),
        ("6,maxcpus=12,sockets=2,dies=3,cores=1", [6, 12, 2, 3, 1, 2]),
        ("6,threads=2,maxcpus=12", [6, 12, 1, 1, 6, 2]),
        ("2,threads=2,cores=1", [2, 2, 1, 1, 1, 2]),
        ("0", [1, 1, 1, 1, 1, 1]),
        ("2,cores=0,maxcpus=4", [2, 4, 1, 1, 4, 1]),
        ("2,cpus=4", [4, 4, 1, 1, 4, 1]),
        ("2,clusters=1", [2, 2, 1, 1, 2, 1]),
        ("0x4", [4, 4, 1, 1, 4, 1]),
        ("010", [8, 8, 1, 1, 8, 1]),
        ("255", [255, 255, 1, 1, 255, 1]),
        ("4 -smp sockets=2", [4, 4, 2, 1, 2, 1]),
        ("4 -machine smp.sockets=2", [4, 4, 2, 1, 2, 1]),
    ] {
        let smp = good(&format!("-smp {argument}")).smp;
        let actual = [smp.cpus, smp.maxcpus, smp.sockets, smp.dies, smp.cores, smp.threads];
        assert_eq!(actual, expected, "{argument}");
    }
    assert_eq!(
        good("-smp 2,cores=0").warnings,
        [
            "vmm: -smp 2,cores=0: warning: Deprecated CPU topology (considered invalid): CPU topology parameters must be greater than zero"
        ]
    );
}

#[test]
fn machines_and_accelerators() {
    for name in ["pc", "pc-i440fx-7.2", "type=pc", "none -machine pc"] {
        assert_eq!(good(&format!("-machine {name}")).machine.kind, MachineType::Pc, "{name}");
    }
    let machine = good(
        "-M none,usb=off,mem-merge=off -machine graphics=off,dump_guest_core=off,memory-backend=m",
    )
    .machine;
    assert_eq!(machine.kind, MachineType::None);
    assert!(!machine.mem_merge && !machine.graphics && !machine.dump_guest_core);
    assert_eq!(machine.memory_backend.map(|id| id.value).as_deref(), Some("m"));
    good("-machine pc,hpet=off,vmport=auto,smm=off,kernel_irqchip=on,suppress-vmdesc=off");
    for (line, accels) in [
        ("-accel kvm,kernel-irqchip=on", &[Accel::Kvm][..]),
        ("-enable-kvm", &[Accel::Kvm]),
        ("-accel tcg,thread=multi -accel kvm", &[Accel::Tcg, Accel::Kvm]),
        ("-machine accel=kvm:tcg", &[Accel::Kvm, Accel::Tcg]),
        ("-machine accel=hax:kvm", &[Accel::Kvm]),
    ] {
        assert_eq!(good(line).machine.accels, accels, "{line}");
    }
    assert_eq!(
        good("-machine accel=hax:kvm").warnings,
        ["vmm: -machine accel=hax:kvm: warning: invalid accelerator hax"]
    );
}

#[test]
fn kernels() {
    let by_options = good("-kernel k -initrd i -append a=b,c -bios f");
    assert_eq!(by_options.append.as_deref(), Some("a=b,c"));
    let by_machine = good("-machine kernel=k,initrd=i,append=a=b,,c,firmware=f");
    assert_eq!(by_options, by_machine);
}

#[test]
fn things_with_classes() {
    let options = good(
        "-device isa-serial,chardev=a,id=s,index -device {\"driver\":\"pvpanic\",\"ioport\":1285} -object iothread,id=t -global isa-serial.iobase=a,b=c -global driver=a,property=b.c,value=d",
    );
    assert_eq!(
        dicts(&options.devices),
        [
            dict(&[("driver", "isa-serial"), ("chardev", "a"), ("id", "s"), ("index", "on")]),
            Dict::from_iter([("driver", Value::from("pvpanic")), ("ioport", Value::from(1285))]),
        ]
    );
    assert_eq!(options.devices[0].form, Form::KeyValue);
    assert_eq!(options.devices[1].form, Form::Json);
    assert_eq!(
        options.devices[0].location.error("no").to_string(),
        "vmm: -device isa-serial,chardev=a,id=s,index: no"
    );
    assert_eq!(dicts(&options.objects), [dict(&[("qom-type", "iothread"), ("id", "t")])]);
    let globals: Vec<[&str; 3]> = options
        .globals
        .iter()
        .map(|global| [&*global.driver, &*global.property, &*global.value])
        .collect();
    assert_eq!(globals, [["isa-serial", "iobase", "a,b=c"], ["a", "b.c", "d"]]);
    assert_eq!(
        options.warnings,
        [
            "vmm: -device isa-serial,chardev=a,id=s,index: warning: short-form boolean option 'index' deprecated\nPlease use index=on instead"
        ]
    );
}

#[test]
fn monitors() {
    let options = good(
        "-qmp unix:/a,server=on,wait=off -monitor none -chardev null,id=c,mux=on -mon c,mode=control,pretty=on -qmp-pretty unix:/b -qmp chardev:c -monitor tcp::4444,server,nowait",
    );
    let summary: Vec<_> =
        options.monitors.iter().map(|m| (m.chardev.as_str(), m.mode, m.pretty, m.auto)).collect();
    assert_eq!(
        summary,
        [
            ("compat_monitor0", MonitorMode::Control, false, false),
            ("c", MonitorMode::Control, true, false),
            ("compat_monitor1", MonitorMode::Control, true, true),
            ("c", MonitorMode::Control, false, false),
            ("compat_monitor3", MonitorMode::Readline, false, false),
        ]
    );
    assert!(options.no_default_monitor);
    let mut first = dict(&[("backend", "socket"), ("id", "compat_monitor0"), ("path", "/a")]);
    first.insert("server", true);
    first.insert("wait", false);
    let mut last =
        dict(&[("backend", "socket"), ("id", "compat_monitor3"), ("host", ""), ("port", "4444")]);
    last.insert("server", true);
    last.insert("wait", false);
    let chardevs = dicts(&options.chardevs);
    assert_eq!(chardevs.first(), Some(&first));
    assert_eq!(chardevs.last(), Some(&last));
    assert_eq!(options.warnings.len(), 2);
}

/// Only what could as well listen connects or listens.
#[test]
fn sockets_without_a_role() {
    for (line, auto) in [
        ("-qmp unix:/s", true),
        ("-monitor unix:/s,abstract=on", true),
        ("-qmp unix:/s,server=off", false),
        ("-qmp unix:/s,reconnect=1", false),
        ("-qmp tcp:localhost:1", false),
        ("-qmp null", false),
        ("-serial mon:unix:/s", false),
    ] {
        assert_eq!(good(line).monitors[0].auto, auto, "{line}");
    }
}

#[test]
fn serial_ports() {
    let options = good(
        "-serial mon:stdio -serial none -serial file:a,,b -serial tcp:[::1]:5,nodelay=on,server=on,wait=off -debugcon pty",
    );
    let ports: Vec<Option<&str>> = options
        .serials
        .iter()
        .map(|serial| match serial {
            Serial::None => None,
            Serial::Chardev(id) => Some(id.value.as_str()),
        })
        .collect();
    assert_eq!(ports, [Some("serial0"), None, Some("serial2"), Some("serial3")]);
    assert_eq!(options.monitors.len(), 1);
    assert_eq!(options.monitors[0].chardev, "serial0");
    let chardevs = dicts(&options.chardevs);
    let mut shared = dict(&[("backend", "stdio"), ("id", "serial0")]);
    shared.insert("mux", true);
    shared.insert("signal", false);
    assert_eq!(chardevs[0], shared);
    // The path goes to the end, whatever is in it.
    assert_eq!(chardevs[1], dict(&[("backend", "file"), ("id", "serial2"), ("path", "a,,b")]));
    assert_eq!(chardevs[2].get("host"), Some(&Value::from("::1")));
    assert_eq!(chardevs[3].get("id"), Some(&Value::from("debugcon")));
    assert_eq!(options.devices[0].text("driver"), Some("isa-debugcon"));
    assert_eq!(options.devices[0].text("chardev"), Some("debugcon"));
}

#[test]
fn values_of_character_devices_are_typed() {
    let options = good(
        "-chardev socket,id=a,host=h,port=1,reconnect=5,nodelay=on -chardev ringbuf,id=b,size=4k -chardev socket,id=c,fd=26,server=on,wait=off",
    );
    let value = |index: usize, key: &str| options.chardevs[index].dict.get(key).cloned();
    assert_eq!(value(0, "reconnect"), Some(Value::Int(5)));
    assert_eq!(value(0, "nodelay"), Some(Value::Bool(true)));
    assert_eq!(value(0, "port"), Some(Value::from("1")));
    assert_eq!(value(1, "size"), Some(Value::Int(4096)));
    assert_eq!(value(2, "fd"), Some(Value::from("26")));
    assert_eq!(value(2, "wait"), Some(Value::Bool(false)));
}

#[test]
fn default_serial_port() {
    let stdio = dict(&[("backend", "stdio"), ("id", "serial0")]);
    for line in ["", "-qmp unix:/s", "-S", "-chardev null,id=a", "-device pvpanic"] {
        for terminal in [false, true] {
            let serial = good(line).default_serial(terminal);
            let expected = DefaultSerial { chardev: stdio.clone(), input: terminal, monitor: None };
            assert_eq!(serial, Some(expected), "{line}");
        }
    }
    for line in [
        "-serial none",
        "-serial null",
        "-nodefaults",
        "-display none",
        "-daemonize",
        "-qmp stdio",
        "-machine none",
        "-device isa-serial,chardev=c",
        "-nographic -nodefaults",
    ] {
        assert_eq!(good(line).default_serial(true), None, "{line}");
    }
    let shared = good("-nographic -display none").default_serial(false).expect("a port");
    assert!(shared.input);
    assert_eq!(shared.chardev.get("mux"), Some(&Value::Bool(true)));
    assert_eq!(shared.monitor.map(|monitor| monitor.chardev).as_deref(), Some("serial0"));
    for line in ["-nographic -monitor none", "-nographic -qmp unix:/s"] {
        let alone = good(line).default_serial(false).expect("a port");
        assert_eq!((alone.chardev, alone.monitor), (stdio.clone(), None), "{line}");
    }
    assert!(!good("-nographic").machine.graphics);
}

#[test]
fn boot_and_clock() {
    let boot = good("-boot cd,menu=on,splash-time=7,reboot-timeout=-1 -boot once=n,strict=on").boot;
    assert_eq!(
        boot,
        BootOptions {
            given: true,
            order: Some("cd".to_owned()),
            once: Some("n".to_owned()),
            menu: Some(true),
            splash_time: Some(7),
            reboot_timeout: Some(-1),
            strict: true,
        }
    );
    let rtc = good("-rtc base=2006-06-17T16:01:21,clock=vm -rtc driftfix=slew").rtc;
    let base = RtcBase::Date(1_150_560_081);
    assert_eq!(rtc, RtcOptions { base, clock: RtcClock::Vm, slew: true });
    assert_eq!(good("-rtc base=localtime").rtc.base, RtcBase::LocalTime);
}

#[test]
fn host_and_run_control() {
    let options = good(
        "-name a,,b,process=p -name debug-threads=on -uuid 00112233-4455-6677-8899-aabbccddeeff -msg timestamp=on -msg guest-name=on -add-fd fd=25,set=0,opaque=log -D /l%d -d unimp,trace:a*,all -trace b,file=f -trace events=e -pidfile /p -no-reboot -no-shutdown -action panic=none -preconfig",
    );
    assert_eq!(
        options.name,
        NameOptions {
            guest: Some("a,b".to_owned()),
            process: Some("p".to_owned()),
            debug_threads: Some(true),
        }
    );
    let uuid = options.uuid.expect("a UUID");
    assert_eq!(uuid[..4], [0x00, 0x11, 0x22, 0x33]);
    assert_eq!(uuid[15], 0xff);
    assert!(options.msg.timestamp && options.msg.guest_name && options.preconfig);
    let fd = &options.fds[0];
    assert_eq!((fd.fd, fd.set, fd.opaque.as_deref()), (25, 0, Some("log")));
    assert_eq!(options.log.file.map(|file| file.value).as_deref(), Some("/l%d"));
    assert_eq!(
        options.log.items,
        [LogItem::Unimplemented, LogItem::CpuReset, LogItem::GuestErrors]
    );
    let patterns: Vec<_> = options.trace.iter().map(|trace| trace.enable.as_deref()).collect();
    assert_eq!(patterns, [Some("a*"), Some("b"), None]);
    assert_eq!(options.trace[2].events.as_deref(), Some("e"));
    assert_eq!(
        options.actions,
        Actions {
            reboot: RebootAction::Shutdown,
            shutdown: ShutdownAction::Pause,
            panic: PanicAction::None,
        }
    );
}

fn help(line: &str) -> String {
    match good(line).help {
        Some(HelpRequest::Text(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn help_is_answered_here_or_by_the_classes() {
    let text = help("-version");
    assert!(text.starts_with("QEMU emulator version 7.2.0 (vmm "), "{text}");
    for (line, part) in [
        ("-help", "-rtc [base=utc|localtime|DATE]"),
        ("-h", "usage: vmm"),
        ("-machine help", "pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996) (default)\n"),
        ("-M pc,help", "  memory-backend=<str>"),
        ("-accel help", "kvm\n"),
        ("-smp help", "  maxcpus=<num>"),
        ("-chardev help", "  ringbuf"),
        ("-chardev null,help", "  reconnect=<num>"),
        ("-d help", "guest_errors"),
        ("-vga help", "none"),
        ("-display help", "none"),
    ] {
        let text = help(line);
        assert!(text.contains(part) && text.ends_with('\n'), "{line}: {text}");
    }
    let class = || Some("a".to_owned());
    for (line, request) in [
        ("-cpu help", HelpRequest::Cpu),
        ("-device help", HelpRequest::Device(None)),
        ("-device a,help", HelpRequest::Device(class())),
        ("-device a,?", HelpRequest::Device(class())),
        ("-object help", HelpRequest::Object(None)),
        ("-object a,id=b,help", HelpRequest::Object(class())),
        ("-trace help", HelpRequest::Trace),
        ("-d trace:help", HelpRequest::Trace),
        // What follows a request does not matter, unless it is no option at all.
        ("-cpu help -m nonsense", HelpRequest::Cpu),
    ] {
        assert_eq!(good(line).help, Some(request), "{line}");
    }
}

#[test]
fn every_option_is_in_the_help_text_once() {
    let text = help("-help");
    for option in super::super::table::OPTIONS {
        let name = format!("\n-{}", option.names[0]);
        let count = text
            .match_indices(&name)
            .filter(|(at, _)| text[at + name.len()..].starts_with([' ', '\n']))
            .count();
        assert_eq!(count, 1, "{name}");
    }
}

#[test]
fn the_table_is_published() {
    let options = command_line_options();
    let find = |name: &str| options.iter().find(|option| option.option == name);
    let memory = find("memory").expect("memory");
    let kinds: Vec<_> = memory.parameters.iter().map(|p| (p.name, p.kind.name())).collect();
    assert_eq!(kinds, [("size", "size"), ("slots", "number"), ("maxmem", "size")]);
    let signal = find("chardev").and_then(|c| c.parameters.iter().find(|p| p.name == "signal"));
    assert_eq!(signal.map(|p| (p.kind.name(), p.default)), Some(("boolean", Some("on"))));
    assert!(find("device").is_some_and(|device| device.parameters.is_empty()));
    for name in
        ["machine", "smp-opts", "boot-opts", "rtc", "name", "msg", "action", "object", "global"]
    {
        assert!(find(name).is_some(), "{name}");
    }
}
