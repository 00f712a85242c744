//! The lines with which libvirt 9.0 started QEMU 7.2: accepted but for what does not exist yet.

use super::super::{Accel, HelpRequest, MachineType, MonitorMode, Options, RtcBase};
use super::parse_with_file;

/// The recorded lines: name and arguments.
fn recorded() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut lines = Vec::new();
    for row in include_str!("libvirt.txt").lines() {
        match (row.strip_prefix("== "), lines.last_mut()) {
            (Some(name), _) => lines.push((name, Vec::new())),
            (None, Some((_, words))) => words.push(row),
            (None, None) => panic!("no name before {row}"),
        }
    }
    lines
}

/// Options that come later; each has an argument, but for the last.
const LATER: &[&str] = &[
    "-overcommit",
    "-blockdev",
    "-netdev",
    "-audiodev",
    "-sandbox",
    "-incoming",
    "-loadvm",
    "-vnc",
    "-watchdog-action",
    "-smbios",
    "-fw_cfg",
    "-numa",
    "-no-hpet",
];

fn without_later<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !LATER.contains(word) {
            kept.push(*word);
        } else if *word != "-no-hpet" {
            words.next();
        }
    }
    kept
}

#[test]
fn every_line_fails_only_at_what_comes_later() {
    let mut accepted = 0;
    for (name, words) in recorded() {
        if let Err(error) = parse_with_file(words.iter().copied(), "") {
            let text = error.to_string();
            let later = LATER.iter().any(|option| text == format!("vmm: {option}: invalid option"));
            assert!(later || text.contains("accelerator tcg is not available"), "{name}: {text}");
        } else {
            accepted += 1;
        }
        match parse_with_file(without_later(&words), "").map_err(|error| error.to_string()) {
            Ok(options) => {
                accepted += 1;
                check(name, &options);
            }
            Err(text) => assert!(
                text.contains("unsupported machine type")
                    || text.contains("accelerator tcg is not available"),
                "{name}: {text}"
            ),
        }
    }
    // The first probe, as it is and without the later options (it has none), and the four domains on KVM.
    assert_eq!(accepted, 6);
}

fn check(name: &str, options: &Options) {
    assert_eq!(options.help, None::<HelpRequest>);
    assert!(options.start_paused && options.nodefaults && options.no_user_config);
    assert_eq!(options.default_serial(true), None, "{name}");
    if name == "01-capability-probe" {
        assert_eq!(options.machine.kind, MachineType::None);
        assert_eq!(options.machine.accels, [Accel::Kvm, Accel::Tcg]);
        assert!(options.daemonize && options.nographic && options.pidfile.is_some());
        assert_eq!(options.monitors.len(), 1);
        assert!(!options.monitors[0].auto);
        return;
    }
    assert_eq!(options.machine.kind, MachineType::Pc, "{name}");
    assert!(!options.machine.dump_guest_core);
    assert_eq!(options.memory.size, 128 << 20);
    assert_eq!((options.smp.cpus, options.smp.maxcpus, options.smp.sockets), (1, 2, 2));
    assert_eq!(options.rtc.base, RtcBase::Utc);
    assert_eq!(options.name.debug_threads, Some(true));
    assert!(options.boot.strict && options.msg.timestamp && options.display_none);
    assert_eq!(options.append.as_deref(), Some("console=ttyS0"));
    assert_eq!(options.chardevs[0].text("id"), Some("charmonitor"));
    assert_eq!(options.monitors[0].mode, MonitorMode::Control);
    let serial = options.devices.iter().find(|item| item.text("driver") == Some("isa-serial"));
    let index = serial.and_then(|item| item.dict.get("index")?.as_i64());
    assert_eq!(index, Some(0));
    assert!(options.objects.iter().any(|item| item.text("id") == Some("pc.ram")));
}
