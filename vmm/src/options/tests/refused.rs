//! Command lines that cannot be honoured, with the whole message.

use super::{bad, line, parse_with_file};
use crate::options::{Sources, parse};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// What QEMU 7.2 says in the same situation.
#[test]
fn in_qemus_words() {
    let mut command = "";
    let mut message = String::new();
    let mut count = 0;
    let mut check = |command: &str, message: &str| {
        if command.is_empty() {
            return;
        }
        let error = match line(&format!("-display none -nodefaults -S {command}")) {
            Ok(_) => panic!("{command}: accepted"),
            Err(error) => error.to_string(),
        };
        assert!(error.starts_with("vmm: "), "{error}");
        assert!(error.ends_with(message), "{command}: {error}, not {message}");
        count += 1;
    };
    for row in include_str!("qemu.txt").lines().filter(|row| !row.starts_with('#')) {
        match row.strip_prefix("    ") {
            Some(text) if message.is_empty() => message.push_str(text),
            Some(text) => message = format!("{message}\n{text}"),
            None => {
                check(command, &message);
                (command, message) = (row, String::new());
            }
        }
    }
    check(command, &message);
    assert!(count > 200, "{count} rows");
}

/// The place of the error stands before the message.
#[test]
fn with_the_place() {
    for (command, message) in [
        ("--foo", "vmm: --foo: invalid option"),
        ("-m", "vmm: -m: requires an argument"),
        ("--m", "vmm: --m: requires an argument"),
        ("-S disk.img", "vmm: disk.img: disk images are not supported"),
        ("-m 1G,foo=1", "vmm: -m 1G,foo=1: Invalid parameter 'foo'"),
        (
            "--smp 1 -smp 3,cores=2",
            "vmm: -smp 3,cores=2: Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (1) * dies (1) * cores (2) * threads (1) != maxcpus (3)",
        ),
        (
            "-machine q35",
            "vmm: -machine q35: unsupported machine type\nUse -machine help to list supported machines",
        ),
        (
            "-device a,id=1",
            "vmm: -device a,id=1: Parameter 'id' expects an identifier\nIdentifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
        ),
        ("-append x", "vmm: -append only allowed with -kernel option"),
    ] {
        assert_eq!(bad(command), message, "{command}");
    }
}

/// What QEMU would do and this program does not is refused by name.
#[test]
fn what_does_not_exist_yet() {
    for (command, message) in [
        ("-accel tcg", "vmm: -accel tcg: accelerator tcg is not available, only kvm is"),
        ("-accel qtest", "vmm: -accel qtest: accelerator qtest is not available, only kvm is"),
        (
            "-machine accel=tcg",
            "vmm: -machine accel=tcg: accelerator tcg is not available, only kvm is",
        ),
        ("-accel hax -accel tcg", "vmm: -accel hax: invalid accelerator hax"),
        (
            "-accel kvm,kernel-irqchip=split",
            "vmm: -accel kvm,kernel-irqchip=split: 'kernel-irqchip=split' is not supported, only 'on' is",
        ),
        (
            "-machine kernel_irqchip=off",
            "vmm: -machine kernel_irqchip=off: 'kernel-irqchip=off' is not supported, only 'on' is",
        ),
        ("-machine hpet=on", "vmm: -machine hpet=on: 'hpet=on' is not supported, only 'off' is"),
        ("-machine usb=on", "vmm: -machine usb=on: 'usb=on' is not supported, only 'off' is"),
        ("-machine smm=on", "vmm: -machine smm=on: 'smm=on' is not supported, only 'off' is"),
        ("-vga std", "vmm: -vga std: vga type 'std' is not supported, only 'none' is"),
        ("-display gtk", "vmm: -display gtk: display 'gtk' is not supported, only 'none' is"),
        ("-net user", "vmm: -net user: network backend 'user' is not supported, only 'none' is"),
        ("-nic user", "vmm: -nic user: network backend 'user' is not supported, only 'none' is"),
        (
            "-parallel null",
            "vmm: -parallel null: parallel device 'null' is not supported, only 'none' is",
        ),
        (
            "-serial vc:80Cx24C",
            "vmm: -serial vc:80Cx24C: character devices of type 'vc' are not supported",
        ),
        (
            "-serial /dev/ttyS0",
            "vmm: -serial /dev/ttyS0: character devices of type 'serial' are not supported",
        ),
        (
            "-qmp telnet::1,server",
            "vmm: -qmp telnet::1,server: character devices of type 'telnet' are not supported",
        ),
        ("-qmp mon:stdio", "vmm: -qmp mon:stdio: 'mon:stdio' is not a valid char driver"),
        (
            "-boot splash=a.jpg",
            "vmm: -boot splash=a.jpg: 'splash' is not supported: there is no display",
        ),
        ("-d in_asm", "vmm: -d in_asm: log item 'in_asm' is not supported: there is no translator"),
        (
            "-d nonsense",
            "vmm: -d nonsense: there is no log item 'nonsense'\nUse -d help to list the items",
        ),
        ("-machine none -bios x", "vmm: machine 'none' has no firmware, so -bios is not supported"),
        ("-machine none -serial null", "vmm: -serial null: machine 'none' has no serial ports"),
        ("-nographic -daemonize", "vmm: -nographic cannot be used with -daemonize"),
        (
            "-serial null -serial none -serial null -serial null -serial null",
            "vmm: -serial null: there are only 4 serial ports",
        ),
        (
            "-smp 4294967297",
            "vmm: -smp 4294967297: Invalid SMP CPUs 4294967297. The max CPUs supported by machine 'pc-i440fx-7.2' is 255",
        ),
        (
            "-smp sockets=65536,cores=65536,threads=65536",
            "vmm: -smp sockets=65536,cores=65536,threads=65536: Invalid SMP CPUs 281474976710656. The max CPUs supported by machine 'pc-i440fx-7.2' is 255",
        ),
        ("-m 18446744073709551615B", "vmm: -m 18446744073709551615B: ram size too large"),
    ] {
        assert_eq!(bad(command), message, "{command}");
    }
}

#[test]
fn character_devices() {
    for (command, message) in [
        ("-serial unix:", "vmm: -serial unix:: chardev: socket: no path given"),
        ("-serial tcp:foo", "vmm: -serial tcp:foo: chardev: socket: no port given"),
        ("-qmp unix:/s,id=x", "vmm: -qmp unix:/s,id=x: Invalid parameter 'id'"),
        (
            "-chardev null,id=serial0 -serial null",
            "vmm: -serial null: Duplicate ID 'serial0' for chardev",
        ),
        (
            "-debugcon null -debugcon null",
            "vmm: -debugcon null: Duplicate ID 'debugcon' for chardev",
        ),
        (
            "-chardev null,id=a -serial chardev:a -qmp chardev:a",
            "vmm: -qmp chardev:a: Device 'a' is in use",
        ),
        (
            "-chardev mux,id=m,chardev=a -chardev null,id=a",
            "vmm: -chardev mux,id=m,chardev=a: mux: base chardev a not found",
        ),
        ("-qmp chardev:x", "vmm: -qmp chardev:x: chardev \"x\" not found"),
    ] {
        assert_eq!(bad(command), message, "{command}");
    }
}

#[test]
fn json() {
    for (command, message) in [
        ("{}", "Parameter 'driver' is missing"),
        (r#"{"driver":1}"#, "Parameter 'driver' is missing"),
        (r#"{"driver":"a","id":1}"#, "Invalid parameter type for 'id', expected: string"),
    ] {
        assert_eq!(
            bad(&format!("-device {command}")),
            format!("vmm: -device {command}: {message}")
        );
    }
    let error = parse_with_file(["-object", "{} x"], "").map_err(|error| error.to_string());
    assert_eq!(error.map(drop), Err("vmm: -object {} x: Expecting at most one JSON value".into()));
}

#[test]
fn arguments_are_utf_8() {
    let sources = Sources { json: &|_| Err(String::new()), read: &|_| Ok(String::new()) };
    let words = [OsString::from("-S"), OsString::from_vec(vec![b'-', 0xff])];
    let error = parse(words, &sources).map_err(|error| error.to_string());
    assert_eq!(error, Err("vmm: argument 2 is not valid UTF-8".to_owned()));
}
