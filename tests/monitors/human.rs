//! The monitor for people: prompt, echo, completion, and sharing a line with a serial port.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use harness::{Builder, kvm_or_skip, wait_for};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;
use serde_json::json;

use crate::peer::{Person, bare};

const BANNER: &str = "QEMU 7.2.0 monitor - type 'help' for more information\r\n(qemu) ";

#[test]
fn prompt_echo_and_answers_over_a_socket() {
    if !kvm_or_skip("monitors::prompt_echo_and_answers_over_a_socket") {
        return;
    }
    let builder = bare().args("-name people").with_qmp();
    let path = builder.dir().join("hmp");
    let option = format!("-monitor unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).start();
    let mut qmp = vmm.qmp();
    for _ in 0..2 {
        let mut person = Person::at(UnixStream::connect(&path).expect("listens"));
        assert_eq!(person.sees(BANNER), "");
        assert_eq!(person.commands("info name"), "people\n");
        person.types("info na");
        person.sees("info na");
        person.types("me\r");
        assert!(person.sees("\r\n").contains("info name"), "an echo");
        assert_eq!(person.sees("\r\n(qemu) "), "people");
        assert_eq!(person.commands("inxx\x7f\x7ffo status"), "VM status: running\n");
        assert_eq!(person.commands("stop"), "");
        assert_eq!(qmp.status(), "paused");
        assert_eq!(person.commands("nonsense here"), "unknown command: 'nonsense'\n");
        assert_eq!(person.commands("help quit"), "quit|q  -- quit the emulator\n");
        assert_eq!(person.commands(""), "");
        assert_eq!(person.commands("cont"), "");
        // Several lines in one write are answered one after the other.
        person.types("info name\ninfo uuid\n");
        assert!(person.sees("\r\npeople\r\n(qemu) ").contains("info name"));
        person.sees("\r\n00000000-0000-0000-0000-000000000000\r\n(qemu) ");
    }
    let mut person = Person::at(UnixStream::connect(&path).expect("listens"));
    person.sees(BANNER);
    person.types("quit\n");
    assert_eq!(qmp.event("SHUTDOWN")["data"]["reason"], "host-qmp-quit");
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn what_no_keyboard_sends_is_harmless() {
    if !kvm_or_skip("monitors::what_no_keyboard_sends_is_harmless") {
        return;
    }
    let builder = bare().with_qmp();
    let path = builder.dir().join("hmp");
    let option = format!("-monitor unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).start();
    let mut qmp = vmm.qmp();
    let mut person = Person::at(UnixStream::connect(&path).expect("listens"));
    person.sees(BANNER);
    person.types(&"x".repeat(100_000));
    person.types("\n\x1b[A\x1b[999C\x1b[3~\x1bOP\0\x01\x02\x0b\t\t\u{fffd}\n");
    person.types("print/d 6*7\n");
    person.sees("\r\n42\r\n(qemu) ");
    qmp.ok("query-status", json!({}));
}

/// Escape, then `c`: the other user of a shared line.
const SWITCH: &str = "\x01c";

/// A person who finds a serial port and a monitor on one line, the serial port first.
fn both(person: &mut Person) {
    person.sees("ready\n");
    person.types(SWITCH);
    person.sees("(qemu) ");
    assert_eq!(person.commands("info status"), "VM status: running\n");
    person.types(SWITCH);
    person.types("echo one two\n");
    person.sees("ok echo one two\n");
    person.types("\x01h");
    person.sees("C-a c");
    person.types(SWITCH);
    person.sees("(qemu) ");
    assert_eq!(person.commands("print/d 1+1"), "2\n");
}

#[test]
fn a_monitor_shares_a_line_with_a_serial_port() {
    if !kvm_or_skip("monitors::mux") {
        return;
    }
    let ways = [
        "-chardev socket,id=m,mux=on,path=LINE,server=on,wait=on -serial chardev:m -mon m",
        "-serial mon:unix:LINE,server=on,wait=on",
    ];
    for way in ways {
        let builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp();
        let path = builder.dir().join("line");
        let mut vmm = builder.args(&way.replace("LINE", path.to_str().expect("UTF-8"))).start();
        let line = wait_for("the line", || UnixStream::connect(&path).ok());
        both(&mut Person::at(line));
        assert_eq!(vmm.qmp().status(), "running");
    }
}

#[test]
fn a_menu_key_ends_the_program() {
    if !kvm_or_skip("monitors::mux_quit") {
        return;
    }
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm"));
    let path = builder.dir().join("line");
    let option = format!("-serial mon:unix:{},server=on,wait=on", path.display());
    let mut vmm = builder.args(&option).start();
    let line = wait_for("the line", || UnixStream::connect(&path).ok());
    let mut person = Person::at(line);
    person.sees("ready\n");
    person.types("\x01x");
    assert_eq!(vmm.wait().status, Some(0));
}

/// A terminal: the person's end, and the program's.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("openpt");
    grantpt(&ours).expect("grantpt");
    unlockpt(&ours).expect("unlockpt");
    let name = ptsname(&ours, Vec::new()).expect("ptsname").into_string().expect("UTF-8");
    let theirs = File::options().read(true).write(true).open(name).expect("open");
    (File::from(ours), OwnedFd::from(theirs))
}

#[test]
fn nographic_puts_serial_port_and_monitor_on_the_terminal() {
    if !kvm_or_skip("monitors::nographic") {
        return;
    }
    let (ours, theirs) = terminal();
    let before = tcgetattr(&theirs).expect("modes");
    let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm"))
        .args("-nographic")
        .stdin(theirs.try_clone().expect("clone"))
        .stdout(theirs.try_clone().expect("clone"))
        .start();
    let mut person = Person::at_terminal(ours);
    both(&mut person);
    let during = tcgetattr(&theirs).expect("modes");
    assert_ne!(during.local_modes, before.local_modes, "every key at once, no echo");
    person.types("quit\n");
    assert_eq!(vmm.wait().status, Some(0));
    let after = tcgetattr(&theirs).expect("modes");
    assert_eq!(after.local_modes, before.local_modes, "as it was");
    assert_eq!(after.input_modes, before.input_modes);
    assert_eq!(after.output_modes, before.output_modes);
}

#[test]
fn an_interrupt_key_is_the_guests_not_the_programs() {
    if !kvm_or_skip("monitors::nographic_interrupt") {
        return;
    }
    let (ours, theirs) = terminal();
    let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm"))
        .args("-nographic")
        .stdin(theirs.try_clone().expect("clone"))
        .stdout(theirs)
        .start();
    let mut person = Person::at_terminal(ours);
    person.sees("ready\n");
    person.types("\x03\n");
    person.types("echo alive\n");
    person.sees("ok echo alive");
    assert!(vmm.is_running());
}
