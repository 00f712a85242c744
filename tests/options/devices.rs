//! Devices, objects, character devices and ports that the command line asks for.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

use harness::{Builder, Guest, Qmp, kvm_or_skip, wait_for};
use serde_json::{Value, json};

use crate::guest::{builder, ready, start};

fn labels(qmp: &mut Qmp) -> Vec<String> {
    let list = qmp.ok("query-chardev", json!({}));
    let label = |item: &Value| item["label"].as_str().expect("text").to_owned();
    let mut labels: Vec<String> = list.as_array().expect("a list").iter().map(label).collect();
    labels.sort();
    labels
}

#[test]
fn devices_are_there_in_both_forms() {
    if !kvm_or_skip("options::device") {
        return;
    }
    let json = r#"{"driver": "isa-debug-exit", "id": "x", "iobase": 1792, "iosize": 4}"#;
    for option in ["isa-debug-exit,id=x,iobase=0x700,iosize=4", json] {
        let mut vmm = ready(builder().arg("-device").arg(option));
        let path = "/machine/peripheral/x";
        let base = vmm.qmp().ok("qom-get", json!({"path": path, "property": "iobase"}));
        assert_eq!(base, 0x700);
        vmm.guest().send("exit 3 0x700");
        assert_eq!(vmm.wait().status, Some(7));
    }
    let mut vmm = start("-device pvpanic,ioport=0x606");
    assert_eq!(vmm.guest().ask_number("inb 0x606", "value"), 3);
    let anonymous = vmm.qmp().ok("qom-list", json!({"path": "/machine/peripheral-anon"}));
    assert!(anonymous.to_string().contains("child<pvpanic>"), "{anonymous}");
}

#[test]
fn globals_are_defaults() {
    if !kvm_or_skip("options::global") {
        return;
    }
    for global in
        ["isa-debug-exit.iobase=0x700", "driver=isa-debug-exit,property=iobase,value=0x700"]
    {
        let mut vmm = start(&format!("-global {global} -device isa-debug-exit"));
        vmm.guest().send("exit 1 0x700");
        assert_eq!(vmm.wait().status, Some(3), "{global}");
    }
    let global = "-global isa-debug-exit.iobase=0x700";
    let mut vmm = start(&format!("{global} -device isa-debug-exit,iobase=0x710"));
    vmm.guest().send("exit 2 0x710");
    assert_eq!(vmm.wait().status, Some(5), "what a device says itself counts more");
}

#[test]
fn objects_are_there_in_both_forms_and_back_the_memory() {
    if !kvm_or_skip("options::object") {
        return;
    }
    let json = r#"{"qom-type": "iothread", "id": "io2"}"#;
    let mut vmm = ready(
        builder()
            .args("-object iothread,id=io1 -object")
            .arg(json)
            .args("-object memory-backend-ram,id=extra,size=16M")
            .args("-object memory-backend-ram,id=main,size=192M,prealloc=on")
            .args("-m 192M -machine memory-backend=main"),
    );
    let mut qmp = vmm.qmp();
    let threads = qmp.ok("query-iothreads", json!({}));
    let id = |thread: &Value| thread["id"].as_str().expect("an id").to_owned();
    let mut threads: Vec<String> = threads.as_array().expect("a list").iter().map(id).collect();
    threads.sort();
    assert_eq!(threads, ["io1", "io2"]);
    let memory = qmp.ok("query-memdev", json!({}));
    let find = |id: &str| {
        let list = memory.as_array().expect("a list").iter();
        list.clone().find(|item| item["id"] == id).unwrap_or_else(|| panic!("{id} in {memory}"))
    };
    assert_eq!(find("extra")["size"], 16 << 20);
    assert_eq!(
        (&find("main")["size"], &find("main")["prealloc"]),
        (&json!(192 << 20), &json!(true))
    );
    assert_eq!(qmp.ok("query-memory-size-summary", json!({}))["base-memory"], 192 << 20);
    vmm.guest().ask("pattern write 0x1000000 0x100000 9");
    vmm.guest().ask("pattern verify 0x1000000 0x100000 9");
}

#[test]
fn four_serial_ports() {
    if !kvm_or_skip("options::serial") {
        return;
    }
    let builder = builder();
    let (second, third) = (builder.dir().join("second"), builder.dir().join("third"));
    let mut vmm = builder
        .with_serial()
        .with_qmp()
        .args(&format!("-serial file:{} -serial null", second.display()))
        .args(&format!("-chardev file,id=f,path={} -serial chardev:f", third.display()))
        .start();
    vmm.guest().ready();
    for (port, letter) in [(0x2f8, b'2'), (0x3e8, b'3'), (0x2e8, b'4')] {
        vmm.guest().ask(&format!("outb {port:#x} {letter}"));
        // The line status of a port that is there.
        assert_eq!(vmm.guest().ask_number(&format!("inb {:#x}", port + 5), "value"), 0x60);
    }
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    wait_for("the second port", || (text(&second) == "2").then_some(()));
    wait_for("the fourth port", || (text(&third) == "4").then_some(()));
    assert_eq!(labels(&mut vmm.qmp()), ["compat_monitor0", "f", "serial0", "serial1", "serial2"]);
    let builder = crate::guest::builder().with_serial().args("-serial none -serial null");
    let mut vmm = builder.start();
    vmm.guest().ready();
    assert_eq!(vmm.guest().ask_number("inb 0x2fd", "value"), 0xff);
    assert_eq!(vmm.guest().ask_number("inb 0x3ed", "value"), 0x60);
}

#[test]
fn the_default_serial_port_is_standard_output() {
    if !kvm_or_skip("options::default_serial") {
        return;
    }
    let mut vmm = builder().with_qmp().start();
    wait_for("the banner", || vmm.stdout().contains("\nready").then_some(()));
    assert_eq!(labels(&mut vmm.qmp()), ["compat_monitor0", "serial0"]);
    for option in ["-nodefaults", "-display none", "-serial none", "-serial null"] {
        let builder = builder();
        let said = builder.dir().join("said");
        let mut vmm = builder
            .args(option)
            .arg("-debugcon")
            .arg(format!("file:{}", said.display()))
            .with_qmp()
            .start();
        let has_port = labels(&mut vmm.qmp()).contains(&"serial0".to_owned());
        assert_eq!(has_port, option == "-serial null", "{option}");
        assert_eq!(vmm.qmp().status(), "running");
        assert_eq!(vmm.stdout(), "", "{option}");
    }
}

#[test]
fn nodefaults_leaves_the_board_alone() {
    if !kvm_or_skip("options::nodefaults") {
        return;
    }
    let mut with = start("");
    let mut without = start("-nodefaults");
    assert_eq!(with.guest().ask("pci list"), without.guest().ask("pci list"));
    let monitors = |option: &str| {
        let mut vmm = builder().args(option).args("-S").with_qmp().start();
        labels(&mut vmm.qmp())
    };
    assert_eq!(monitors("-nodefaults"), ["compat_monitor0"]);
}

#[test]
fn what_there_is_none_of_may_be_said() {
    if !kvm_or_skip("options::none") {
        return;
    }
    let none = "-display none -vga none -net none -nic none -parallel none -monitor none";
    let mut vmm = start(&format!("{none} -no-user-config -machine hpet=off,usb=off,vmport=off"));
    assert_eq!(labels(&mut vmm.qmp()), ["compat_monitor0", "serial0"]);
    let list = vmm.guest().ask("pci list");
    assert_eq!(list.split(' ').count(), 3, "{list}");
    assert_eq!(vmm.guest().ask_number("inb 0x378", "value"), 0xff, "no parallel port");
}

#[test]
fn character_devices_of_every_kind() {
    if !kvm_or_skip("options::chardev") {
        return;
    }
    let builder = builder();
    let dir = builder.dir().display().to_string();
    for name in ["pipe.in", "pipe.out"] {
        let made = Command::new("mkfifo").arg(format!("{dir}/{name}")).status();
        assert!(made.expect("mkfifo").success());
    }
    let mut vmm = builder
        .args("-machine none -chardev null,id=a -chardev ringbuf,id=b,size=1024 -chardev pty,id=c")
        .args(&format!("-chardev file,id=d,path={dir}/file -chardev pipe,id=e,path={dir}/pipe"))
        .args(&format!("-chardev socket,id=f,path={dir}/socket,server=on,wait=off"))
        .args("-chardev null,id=g,mux=on")
        .with_qmp()
        .start();
    let mut qmp = vmm.qmp();
    assert_eq!(labels(&mut qmp), ["a", "b", "c", "compat_monitor0", "d", "e", "f", "g", "g-base"]);
    qmp.ok("ringbuf-write", json!({"device": "b", "data": "kept"}));
    assert_eq!(qmp.ok("ringbuf-read", json!({"device": "b", "size": 9})), "kept");
    assert!(UnixStream::connect(format!("{dir}/socket")).is_ok());
}

#[test]
fn a_log_file_gets_what_goes_out() {
    if !kvm_or_skip("options::logfile") {
        return;
    }
    let builder = builder();
    let log = builder.dir().join("log");
    std::fs::write(&log, "before\n").expect("write");
    let socket = builder.dir().join("serial");
    let chardev = format!(
        "socket,id=s,path={},server=on,wait=on,logfile={},logappend=on",
        socket.display(),
        log.display()
    );
    let _vmm = builder.arg("-chardev").arg(chardev).args("-serial chardev:s").start();
    let mut guest = wait_for("the port", || Guest::connect(&socket).ok());
    guest.ready();
    guest.ask("echo logged");
    // The client has the last byte a little earlier than the file.
    let text = || std::fs::read_to_string(&log).expect("read");
    wait_for("the whole log", || text().ends_with("ok echo logged\n").then_some(()));
    assert!(text().starts_with("before\nvmm test guest"), "{}", text());
}

/// The process has what it gets as standard input as descriptor 7.
fn with_descriptor_7(mut builder: Builder, fd: OwnedFd) -> Builder {
    let command = builder.command();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" 7<&0 </dev/null"]);
    shell.arg(command.get_program()).args(command.get_args());
    *command = shell;
    builder.stdin(fd)
}

#[test]
fn an_inherited_descriptor_joins_a_set() {
    if !kvm_or_skip("options::add_fd") {
        return;
    }
    let builder = builder();
    let path = builder.dir().join("output");
    let file = std::fs::File::create(&path).expect("create");
    let builder = builder
        .args("-add-fd fd=7,set=3,opaque=mine -chardev file,id=f,path=/dev/fdset/3")
        .args("-device isa-debugcon,iobase=0xe9,chardev=f")
        .with_qmp()
        .with_serial();
    let mut vmm = with_descriptor_7(builder, file.into()).start();
    vmm.guest().ready();
    let sets = vmm.qmp().ok("query-fdsets", json!({}));
    assert_eq!((&sets[0]["fdset-id"], &sets[0]["fds"][0]["opaque"]), (&json!(3), &json!("mine")));
    vmm.guest().ask("debugcon through a set");
    let text = || std::fs::read_to_string(&path).expect("read");
    wait_for("its text", || (text() == "through a set\n").then_some(()));
}

#[test]
fn monitors_of_every_option() {
    if !kvm_or_skip("options::monitors") {
        return;
    }
    let mut vmm = builder()
        .args("-machine none -qmp null -qmp-pretty null -monitor null -chardev null,id=m")
        .args("-mon chardev=m,mode=readline -monitor none")
        .with_qmp()
        .start();
    let list = vmm.qmp().ok("query-chardev", json!({}));
    let users = list.as_array().expect("a list").iter();
    let users: Vec<&Value> = users.filter(|item| item["frontend-open"] == true).collect();
    assert_eq!(users.len(), 5, "{list}");
}
