//! Character devices, descriptors and clients, as their commands change them: bytes really go where
//! the command says, descriptors are really kept and closed.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use harness::{Builder, Guest, LIMIT, Qmp, Vmm, kvm_or_skip, wait_for};
use serde_json::{Value, json};

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp()
}

/// A machine without a guest: what is here does not need one.
fn empty() -> (Vmm, Qmp) {
    let mut vmm = builder().args("-machine none").start();
    let qmp = vmm.qmp();
    (vmm, qmp)
}

/// A machine whose guest is ready on the character device `serial0`.
fn with_guest(arguments: &str) -> (Vmm, Qmp) {
    let mut vmm = builder().with_serial().args(arguments).start();
    vmm.guest().ready();
    let qmp = vmm.qmp();
    (vmm, qmp)
}

fn add(qmp: &mut Qmp, id: &str, kind: &str, data: Value) -> Value {
    qmp.ok("chardev-add", json!({"id": id, "backend": {"type": kind, "data": data}}))
}

fn refuses(qmp: &mut Qmp, id: &str, kind: &str, data: Value) -> String {
    qmp.fails("chardev-add", json!({"id": id, "backend": {"type": kind, "data": data}}))
}

fn change(qmp: &mut Qmp, id: &str, kind: &str, data: Value) -> Value {
    qmp.ok("chardev-change", json!({"id": id, "backend": {"type": kind, "data": data}}))
}

/// What `query-chardev` says of `label`.
fn chardev(qmp: &mut Qmp, label: &str) -> Option<Value> {
    let list = qmp.ok("query-chardev", json!({}));
    list.as_array().unwrap().iter().find(|info| info["label"] == label).cloned()
}

fn unix(path: &Path, server: bool) -> Value {
    let address = json!({"type": "unix", "data": {"path": path}});
    if server {
        json!({"addr": address, "server": true, "wait": false})
    } else {
        json!({"addr": address, "server": false})
    }
}

/// Has a guest behind `stream` answer `echo`.
fn echoes(stream: impl Read + Write, text: &str) {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(format!("echo {text}\n").as_bytes()).unwrap();
    let mut line = String::new();
    while !line.starts_with("ok echo") {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the line has ended");
    }
    assert_eq!(line.trim_end(), format!("ok echo {text}"));
}

/// A connected pair with limits to waiting.
fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    (ours, theirs)
}

#[test]
fn the_list_names_every_character_device_and_kind() {
    if !kvm_or_skip("monitor_char::lists") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("-chardev null,id=idle");
    let serial = chardev(&mut qmp, "serial0").unwrap();
    assert_eq!(serial["frontend-open"], true);
    let path = vmm.dir().join("serial.sock");
    let filename = serial["filename"].as_str().unwrap();
    assert!(filename.contains(path.to_str().unwrap()), "{filename}");
    let monitor = chardev(&mut qmp, "compat_monitor0").unwrap();
    assert_eq!(monitor["frontend-open"], true);
    let idle = chardev(&mut qmp, "idle").unwrap();
    assert_eq!(idle, json!({"label": "idle", "filename": "null", "frontend-open": false}));
    let kinds = qmp.ok("query-chardev-backends", json!({}));
    let kinds: Vec<_> = kinds.as_array().unwrap().iter().map(|kind| &kind["name"]).collect();
    for kind in kinds {
        // Each is known to chardev-add: it fails over its data, if at all, not over its kind.
        let backend = json!({"type": kind, "data": {"nope": 1}});
        let desc = qmp.fails("chardev-add", json!({"id": "x", "backend": backend}));
        assert!(!desc.contains("does not accept value"), "{kind}: {desc}");
    }
    vmm.guest().ask("echo still here");
}

#[test]
fn an_added_device_exists_until_it_is_removed() {
    if !kvm_or_skip("monitor_char::add_remove") {
        return;
    }
    let (_vmm, mut qmp) = empty();
    assert_eq!(add(&mut qmp, "a", "null", json!({})), json!({}));
    assert_eq!(chardev(&mut qmp, "a").unwrap()["filename"], "null");
    let kind = qmp.ok("qom-get", json!({"path": "/chardevs/a", "property": "type"}));
    assert_eq!(kind, "chardev-null");
    assert_eq!(refuses(&mut qmp, "a", "null", json!({})), "Chardev with id 'a' already exists");
    qmp.ok("chardev-remove", json!({"id": "a"}));
    assert_eq!(chardev(&mut qmp, "a"), None);
    assert_eq!(qmp.fails("chardev-remove", json!({"id": "a"})), "Chardev 'a' not found");
    add(&mut qmp, "a", "ringbuf", json!({}));
    assert_eq!(chardev(&mut qmp, "a").unwrap()["filename"], "ringbuf");
}

#[test]
fn descriptions_that_make_no_device_are_refused() {
    if !kvm_or_skip("monitor_char::add_errors") {
        return;
    }
    let (vmm, mut qmp) = empty();
    let missing = vmm.dir().join("missing/file");
    let path = missing.to_str().unwrap();
    add(&mut qmp, "base", "null", json!({}));
    add(&mut qmp, "mux", "mux", json!({"chardev": "base"}));
    let cases = [
        ("", "null", json!({}), "Parameter 'id' expects an identifier".to_owned()),
        ("a/b", "null", json!({}), "Parameter 'id' expects an identifier".to_owned()),
        (
            "x",
            "file",
            json!({"out": path}),
            not_added(&format!("Could not open '{path}': No such file or directory")),
        ),
        (
            "x",
            "socket",
            unix(&missing, false),
            not_added(&format!("Failed to connect to '{path}': No such file or directory")),
        ),
        (
            "x",
            "ringbuf",
            json!({"size": 15}),
            not_added("size of ringbuf chardev must be power of two"),
        ),
        (
            "x",
            "ringbuf",
            json!({"size": -1}),
            not_added("size of ringbuf chardev must be power of two"),
        ),
        ("x", "mux", json!({"chardev": "nope"}), not_added("mux: base chardev nope not found")),
        ("x", "mux", json!({"chardev": "base"}), not_added("Device 'base' is in use")),
        (
            "x",
            "socket",
            json!({"addr": {"type": "fd", "data": {"str": "none"}}}),
            not_added("File descriptor named 'none' has not been found"),
        ),
        (
            "x",
            "file",
            json!({"out": "/dev/fdset/7"}),
            not_added("Could not open '/dev/fdset/7': No such file or directory"),
        ),
        ("x", "file", json!({}), "Parameter 'backend.data.out' is missing".to_owned()),
    ];
    for (id, kind, data, expected) in cases {
        assert_eq!(refuses(&mut qmp, id, kind, data.clone()), expected, "{id} {kind} {data}");
        assert_eq!(chardev(&mut qmp, "x"), None);
    }
    let backend = json!({"type": "nope", "data": {}});
    let desc = qmp.fails("chardev-add", json!({"id": "x", "backend": backend}));
    assert!(desc.ends_with("does not accept value 'nope'"), "{desc}");
}

fn not_added(why: &str) -> String {
    format!("Failed to add chardev 'x': {why}")
}

#[test]
fn what_is_in_use_is_not_removed() {
    if !kvm_or_skip("monitor_char::busy") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("");
    add(&mut qmp, "base", "null", json!({}));
    add(&mut qmp, "mux", "mux", json!({"chardev": "base"}));
    for id in ["serial0", "compat_monitor0", "base"] {
        let desc = qmp.fails("chardev-remove", json!({"id": id}));
        assert_eq!(desc, format!("Chardev '{id}' is busy"));
    }
    vmm.guest().ask("echo unharmed");
}

#[test]
fn sockets_are_served_and_called() {
    if !kvm_or_skip("monitor_char::sockets") {
        return;
    }
    let (vmm, mut qmp) = empty();
    let path = vmm.dir().join("there.sock");
    let listener = UnixListener::bind(&path).unwrap();
    add(&mut qmp, "client", "socket", unix(&path, false));
    let (mut called, _) = listener.accept().unwrap();
    called.set_read_timeout(Some(LIMIT)).unwrap();
    qmp.ok("chardev-remove", json!({"id": "client"}));
    assert_eq!(called.read(&mut [0]).unwrap(), 0, "removed is closed");

    let path = vmm.dir().join("here.sock");
    add(&mut qmp, "server", "socket", unix(&path, true));
    UnixStream::connect(&path).unwrap();
    qmp.ok("chardev-remove", json!({"id": "server"}));
    assert!(UnixStream::connect(&path).is_err(), "nobody listens any more");
}

#[test]
fn a_socket_can_come_as_a_descriptor() {
    if !kvm_or_skip("monitor_char::socket_fd") {
        return;
    }
    let (_vmm, mut qmp) = empty();
    let (mut ours, theirs) = pair();
    qmp.execute_with("getfd", json!({"fdname": "end"}), &[theirs.as_fd()]).unwrap();
    drop(theirs);
    let data = json!({"addr": {"type": "fd", "data": {"str": "end"}}, "server": false});
    add(&mut qmp, "given", "socket", data);
    let gone = qmp.fails("closefd", json!({"fdname": "end"}));
    assert_eq!(gone, "File descriptor named 'end' not found", "it is the device's now");
    qmp.ok("chardev-remove", json!({"id": "given"}));
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_guest_talks_to_whatever_its_device_becomes() {
    if !kvm_or_skip("monitor_char::change") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("");
    vmm.guest().ask("echo first");

    let reply = change(&mut qmp, "serial0", "pty", json!({}));
    let pty = reply["pty"].as_str().unwrap();
    assert_eq!(chardev(&mut qmp, "serial0").unwrap()["filename"], format!("pty:{pty}"));
    let kind = qmp.ok("qom-get", json!({"path": "/chardevs/serial0", "property": "type"}));
    assert_eq!(kind, "chardev-pty");
    echoes(OpenOptions::new().read(true).write(true).open(pty).unwrap(), "second");

    let path = vmm.dir().join("other.sock");
    assert_eq!(change(&mut qmp, "serial0", "socket", unix(&path, true)), json!({}));
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    echoes(&stream, "third");

    // A failure leaves the device as it was.
    let backend = json!({"type": "file", "data": {"out": "/nope/x"}});
    let desc = qmp.fails("chardev-change", json!({"id": "serial0", "backend": backend}));
    assert_eq!(desc, "Could not open '/nope/x': No such file or directory");
    echoes(&stream, "fourth");

    let (input, out) = (vmm.dir().join("in"), vmm.dir().join("out"));
    fs::write(&input, "echo from a file\n").unwrap();
    change(&mut qmp, "serial0", "file", json!({"in": input, "out": out}));
    wait_for("the answer in the file", || {
        fs::read_to_string(&out).unwrap().contains("ok echo from a file").then_some(())
    });
}

#[test]
fn what_cannot_be_changed_says_so() {
    if !kvm_or_skip("monitor_char::change_errors") {
        return;
    }
    let (_vmm, mut qmp) = empty();
    add(&mut qmp, "base", "null", json!({}));
    add(&mut qmp, "mux", "mux", json!({"chardev": "base"}));
    add(&mut qmp, "free", "null", json!({}));
    let mut fails = |id: &str, kind: &str, data: Value| {
        let backend = json!({"type": kind, "data": data});
        qmp.fails("chardev-change", json!({"id": id, "backend": backend}))
    };
    assert_eq!(fails("nope", "null", json!({})), "Chardev 'nope' does not exist");
    assert_eq!(fails("mux", "null", json!({})), "Mux device hotswap not supported yet");
    assert_eq!(
        fails("compat_monitor0", "null", json!({})),
        "Chardev user does not support chardev hotswap"
    );
    fails("free", "mux", json!({"chardev": "free"}));
    change(&mut qmp, "free", "ringbuf", json!({"size": 8}));
    assert_eq!(chardev(&mut qmp, "free").unwrap()["filename"], "ringbuf");
}

#[test]
fn a_log_file_gets_what_the_guest_says() {
    if !kvm_or_skip("monitor_char::logfile") {
        return;
    }
    let (vmm, mut qmp) = with_guest("");
    let (path, log) = (vmm.dir().join("other.sock"), vmm.dir().join("log"));
    fs::write(&log, "before\n").unwrap();
    let mut data = unix(&path, true);
    data["logfile"] = json!(log);
    data["logappend"] = json!(true);
    change(&mut qmp, "serial0", "socket", data);
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    echoes(stream, "hello");
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("before\n") && text.contains("ok echo hello"), "{text}");
}

#[test]
fn a_device_that_waits_holds_back_its_own_session_only() {
    if !kvm_or_skip("monitor_char::blocking_open") {
        return;
    }
    let builder = builder().args("-machine none");
    let second = builder.dir().join("second.sock");
    let option = format!("unix:{},server=on,wait=off", second.display());
    let mut vmm = builder.arg("-qmp").arg(option).start();
    let mut qmp = vmm.qmp();
    let mut other = Qmp::connect(&second).unwrap();
    other.negotiate();
    let fifo = vmm.dir().join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let backend = json!({"type": "file", "data": {"out": fifo}});
    let arguments = json!({"id": "slow", "backend": backend});
    qmp.send(&json!({"execute": "chardev-add", "arguments": arguments}), &[]);
    for _ in 0..3 {
        assert_eq!(chardev(&mut other, "slow"), None);
    }
    // The name is taken by who is ready first.
    add(&mut other, "slow", "null", json!({}));
    let _reader = File::open(&fifo).unwrap();
    let reply = qmp.reply();
    assert_eq!(reply["error"]["desc"], "Chardev with id 'slow' already exists");
    assert_eq!(chardev(&mut other, "slow").unwrap()["filename"], "null");
}

#[test]
fn a_break_reaches_the_serial_port() {
    if !kvm_or_skip("monitor_char::send_break") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("-chardev null,id=second -serial chardev:second");
    // Nobody in the guest reads the second port: its line status keeps what comes.
    let status = |vmm: &mut Vmm| vmm.guest().ask_number("inb 0x2fd", "value");
    assert_eq!(status(&mut vmm) & 0x10, 0);
    qmp.ok("chardev-send-break", json!({"id": "second"}));
    wait_for("the break", || (status(&mut vmm) & 0x10 != 0).then_some(()));
    let desc = qmp.fails("chardev-send-break", json!({"id": "nope"}));
    assert_eq!(desc, "Chardev 'nope' not found");
}

#[test]
fn a_ring_buffer_keeps_the_last_bytes() {
    if !kvm_or_skip("monitor_char::ringbuf") {
        return;
    }
    let (_vmm, mut qmp) = empty();
    add(&mut qmp, "r", "ringbuf", json!({"size": 8}));
    let write = |qmp: &mut Qmp, data: &str, format: &str| {
        qmp.execute("ringbuf-write", json!({"device": "r", "data": data, "format": format}))
    };
    let read = |qmp: &mut Qmp, size: i64, format: &str| {
        let value = qmp.ok("ringbuf-read", json!({"device": "r", "size": size, "format": format}));
        value.as_str().unwrap().to_owned()
    };
    write(&mut qmp, "abc\u{e9}", "utf8").unwrap();
    assert_eq!(read(&mut qmp, 2, "utf8"), "ab");
    assert_eq!(read(&mut qmp, 100, "utf8"), "c\u{e9}");
    assert_eq!(read(&mut qmp, 100, "utf8"), "");
    write(&mut qmp, "0123456789", "utf8").unwrap();
    assert_eq!(read(&mut qmp, 100, "base64"), "MjM0NTY3ODk=", "the last eight");
    write(&mut qmp, "/4AAYQ==", "base64").unwrap();
    assert_eq!(read(&mut qmp, 100, "utf8"), "\u{fffd}\u{fffd}\0a", "no UTF-8 is made visible");
    // A character that is cut in two is none.
    write(&mut qmp, "\u{20ac}", "utf8").unwrap();
    assert_eq!(read(&mut qmp, 2, "utf8"), "\u{fffd}");
    assert_eq!(read(&mut qmp, 2, "utf8"), "\u{fffd}");
    let desc = write(&mut qmp, "YW Jj", "base64").unwrap_err().desc;
    assert_eq!(desc, "Base64 data contains invalid characters");
    assert!(write(&mut qmp, "YWJ", "base64").is_err());
    assert_eq!(read(&mut qmp, 100, "utf8"), "", "nothing of a bad text is written");
    for size in [0, -1, i64::MIN] {
        let desc = qmp.fails("ringbuf-read", json!({"device": "r", "size": size}));
        assert_eq!(desc, "size must be greater than zero");
    }
    add(&mut qmp, "n", "null", json!({}));
    for (device, text) in [("nope", "Device 'nope' not found"), ("n", "n is not a ringbuf device")]
    {
        assert_eq!(qmp.fails("ringbuf-read", json!({"device": device, "size": 1})), text);
        assert_eq!(qmp.fails("ringbuf-write", json!({"device": device, "data": "x"})), text);
    }
}

#[test]
fn a_ring_buffer_holds_what_the_guest_said() {
    if !kvm_or_skip("monitor_char::ringbuf_guest") {
        return;
    }
    let mut vmm = builder().args("-chardev ringbuf,id=r -serial chardev:r").start();
    let mut qmp = vmm.qmp();
    let mut said = String::new();
    wait_for("the guest's banner", || {
        let more = qmp.ok("ringbuf-read", json!({"device": "r", "size": 65536}));
        said.push_str(more.as_str().unwrap());
        said.ends_with("ready\n").then_some(())
    });
}

#[test]
fn a_client_is_handed_to_a_server() {
    if !kvm_or_skip("monitor_char::add_client") {
        return;
    }
    let builder = builder();
    let path = builder.dir().join("s.sock");
    let option = format!("unix:{},server=on,wait=on", path.display());
    let mut vmm = builder.arg("-serial").arg(option).start();
    // The guest drops what comes before it is ready; then nobody may be there for the next one.
    let mut first = wait_for("the serial socket", || Guest::connect(&path).ok());
    first.ready();
    drop(first);
    let mut qmp = vmm.qmp();
    wait_for("the first client to be gone", || {
        let info = chardev(&mut qmp, "serial0").unwrap();
        info["filename"].as_str().unwrap().starts_with("disconnected").then_some(())
    });
    let give = |qmp: &mut Qmp, protocol: &str| {
        let (ours, theirs) = pair();
        qmp.execute_with("getfd", json!({"fdname": "c"}), &[theirs.as_fd()]).unwrap();
        drop(theirs);
        let added = qmp.execute("add_client", json!({"protocol": protocol, "fdname": "c"}));
        // In any case it is the client's no more.
        let desc = qmp.fails("closefd", json!({"fdname": "c"}));
        assert_eq!(desc, "File descriptor named 'c' not found");
        (ours, added)
    };
    let (stream, added) = give(&mut qmp, "serial0");
    assert_eq!(added, Ok(json!({})));
    echoes(stream, "hello");
    for (protocol, class, desc) in [
        ("compat_monitor0", "GenericError", "failed to add client"),
        ("nope", "GenericError", "protocol 'nope' is invalid"),
        ("vnc", "DeviceNotActive", "VNC is not in use"),
        ("spice", "DeviceNotActive", "SPICE is not in use"),
        ("@dbus-display", "DeviceNotActive", "D-Bus display is not in use"),
    ] {
        let (mut stream, added) = give(&mut qmp, protocol);
        let error = added.unwrap_err();
        assert_eq!((&*error.class, &*error.desc), (class, desc));
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "{protocol}: closed");
    }
    let desc = qmp.fails("add_client", json!({"protocol": "serial0", "fdname": "none"}));
    assert_eq!(desc, "File descriptor named 'none' has not been found");
}

#[test]
fn descriptors_belong_to_the_session_that_passed_them() {
    if !kvm_or_skip("monitor_char::getfd") {
        return;
    }
    let builder = builder().args("-machine none");
    let second = builder.dir().join("second.sock");
    let option = format!("unix:{},server=on,wait=off", second.display());
    let mut vmm = builder.arg("-qmp").arg(option).start();
    let mut qmp = vmm.qmp();
    let mut other = Qmp::connect(&second).unwrap();
    other.negotiate();
    let pass = |qmp: &mut Qmp, name: &str| {
        let (ours, theirs) = pair();
        qmp.execute_with("getfd", json!({"fdname": name}), &[theirs.as_fd()]).unwrap();
        ours
    };
    let closed = |mut stream: &UnixStream| stream.read(&mut [0]).unwrap() == 0;
    let open = |stream: &UnixStream| {
        stream.set_nonblocking(true).unwrap();
        let kind = { stream }.read(&mut [0]).unwrap_err().kind();
        stream.set_nonblocking(false).unwrap();
        kind == std::io::ErrorKind::WouldBlock
    };
    let first = pass(&mut qmp, "a");
    let theirs = pass(&mut other, "a");
    assert!(open(&first) && open(&theirs));
    let replacement = pass(&mut qmp, "a");
    assert!(closed(&first), "a name is used once");
    qmp.ok("closefd", json!({"fdname": "a"}));
    assert!(closed(&replacement) && open(&theirs));
    let desc = qmp.fails("closefd", json!({"fdname": "a"}));
    assert_eq!(desc, "File descriptor named 'a' not found");
    drop(other);
    assert!(closed(&theirs), "what a client passed goes with it");

    let desc = qmp.fails("getfd", json!({"fdname": "b"}));
    assert_eq!(desc, "No file descriptor supplied via SCM_RIGHTS");
    let (ours, theirs) = pair();
    let digit = qmp.execute_with("getfd", json!({"fdname": "1b"}), &[theirs.as_fd()]);
    let desc = digit.unwrap_err().desc;
    assert_eq!(desc, "Parameter 'fdname' expects a name not starting with a digit");
    drop(theirs);
    assert!(closed(&ours));
}

#[test]
fn a_set_of_descriptors_is_opened_like_a_file() {
    if !kvm_or_skip("monitor_char::fdset") {
        return;
    }
    let (vmm, mut qmp) = with_guest("");
    let path = vmm.dir().join("out");
    let file = File::create(&path).unwrap();
    let arguments = json!({"fdset-id": 3, "opaque": "for the guest"});
    let added = qmp.execute_with("add-fd", arguments, &[file.as_fd()]).unwrap();
    assert_eq!(added["fdset-id"], 3);
    let list = qmp.ok("query-fdsets", json!({}));
    let member = json!({"fd": added["fd"], "opaque": "for the guest"});
    assert_eq!(list, json!([{"fdset-id": 3, "fds": [member]}]));
    let next = qmp.execute_with("add-fd", json!({}), &[file.as_fd()]).unwrap();
    assert_eq!(next["fdset-id"], 0, "the first free one");

    let (input, fd) = (vmm.dir().join("in"), &added["fd"]);
    fs::write(&input, "echo into a set\n").unwrap();
    change(&mut qmp, "serial0", "file", json!({"in": input, "out": "/dev/fdset/3"}));
    wait_for("the answer in the set's file", || {
        fs::read_to_string(&path).unwrap().contains("ok echo into a set").then_some(())
    });
    let written_only = json!({"in": "/dev/fdset/3", "out": "/dev/null"});
    let desc = refuses(&mut qmp, "x", "file", written_only);
    assert!(desc.contains("Permission denied"), "{desc}");

    let desc = qmp.fails("remove-fd", json!({"fdset-id": 3, "fd": 999}));
    assert_eq!(desc, "File descriptor named 'fdset-id:3, fd:999' not found");
    qmp.ok("remove-fd", json!({"fdset-id": 3, "fd": fd}));
    qmp.ok("remove-fd", json!({"fdset-id": 0}));
    assert_eq!(qmp.ok("query-fdsets", json!({})), json!([]));
    for (arguments, name) in [
        (json!({"fdset-id": 3}), "fdset-id:3"),
        (json!({"fdset-id": -1}), "fdset-id:-1"),
        (
            json!({"fdset-id": i64::MAX, "fd": i64::MIN}),
            "fdset-id:9223372036854775807, fd:-9223372036854775808",
        ),
    ] {
        let desc = qmp.fails("remove-fd", arguments);
        assert_eq!(desc, format!("File descriptor named '{name}' not found"));
    }
    let desc = qmp.fails("add-fd", json!({}));
    assert_eq!(desc, "No file descriptor supplied via SCM_RIGHTS");
    let negative = qmp.execute_with("add-fd", json!({"fdset-id": -1}), &[file.as_fd()]);
    assert_eq!(negative.unwrap_err().desc, "Parameter 'fdset-id' expects a non-negative value");
}

#[test]
fn a_server_serves_the_next_client() {
    if !kvm_or_skip("monitor_char::next_client") {
        return;
    }
    let (vmm, mut qmp) = with_guest("");
    let path = vmm.dir().join("other.sock");
    change(&mut qmp, "serial0", "socket", unix(&path, true));
    for text in ["one", "two"] {
        let mut guest = Guest::connect(&path).unwrap();
        assert_eq!(guest.ask(&format!("echo {text}")), text);
    }
}
