//! What is told to those who ask: version, options, lists.

use harness::Exit;

use crate::guest::builder;

fn ask(words: &str) -> String {
    let exit: Exit = builder().args(words).run();
    assert_eq!((exit.status, exit.stderr.as_str()), (Some(0), ""), "{words}");
    exit.stdout
}

#[test]
fn version() {
    for option in ["-version", "--version"] {
        let text = ask(option);
        assert!(text.starts_with("QEMU emulator version 7.2.0 (vmm "), "{text}");
    }
}

#[test]
fn every_option_is_in_the_help() {
    let text = ask("-help");
    assert_eq!(ask("-h"), text);
    assert_eq!(ask("--help"), text);
    let options = "machine accel cpu m smp kernel initrd append bios device object global name uuid S \
        preconfig no-shutdown no-reboot nodefaults no-user-config nographic display vga net nic serial \
        parallel chardev mon qmp qmp-pretty monitor debugcon pidfile daemonize rtc boot msg action \
        add-fd D d trace readconfig version help";
    for option in options.split_whitespace() {
        let listed = text.lines().any(|line| {
            line.trim_start().split([' ', ',']).any(|word| word == format!("-{option}"))
        });
        assert!(listed, "-{option} is not in\n{text}");
    }
}

#[test]
fn lists_are_given_by_help() {
    for (words, parts) in [
        ("-machine help", &["pc-i440fx-7.2 ", "none "][..]),
        ("-accel help", &["kvm"]),
        ("-cpu help", &["x86 qemu64", "x86 host", "x86 max"]),
        ("-device help", &["name \"isa-serial\", bus ISA", "pvpanic", "isa-debug-exit"]),
        ("-device isa-serial,help", &["iobase=<uint32>", "chardev=<str>"]),
        ("-object help", &["iothread", "memory-backend-ram"]),
        ("-object memory-backend-ram,help", &["size=<int>"]),
        ("-chardev help", &["socket", "ringbuf", "pty"]),
        ("-chardev socket,help", &["reconnect=", "server="]),
        ("-machine pc,help", &["kernel-irqchip="]),
        ("-smp help", &["threads="]),
        ("-boot help", &["once="]),
        ("-rtc help", &["base="]),
        ("-action help", &["panic="]),
        ("-msg help", &["timestamp="]),
        ("-global help", &["driver="]),
        ("-add-fd help", &["opaque="]),
        ("-display help", &["none"]),
        ("-vga help", &["none"]),
        ("-d help", &["guest_errors", "cpu_reset"]),
        ("-d trace:help", &["runstate_set"]),
        ("-trace help", &["runstate_set"]),
    ] {
        let text = ask(words);
        for part in parts {
            assert!(text.contains(part), "{words}: no {part} in\n{text}");
        }
    }
}

#[test]
fn help_about_what_there_is_not() {
    let exit = builder().args("-device nope,help").run();
    assert!(exit.stdout.contains("nope") || exit.stderr.contains("nope"));
}
