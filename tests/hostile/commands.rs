//! Commands with sizes, addresses, numbers and files beyond reason.

use harness::{Vmm, kvm_or_skip};
use serde_json::{Value, json};

use crate::machine::{start, unharmed};

fn saved(vmm: &Vmm) -> String {
    vmm.dir().join("saved").display().to_string()
}

#[test]
fn memory_that_is_not_there() {
    if !kvm_or_skip("hostile::memsave") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let path = saved(&vmm);
    let ranges = [
        (0, -1),
        (0, i64::MIN),
        (0, i64::MAX),
        (i64::MAX, 4096),
        (-1, 2),
        (-4096, i64::MAX),
        (i64::MIN, 1),
    ];
    for command in ["memsave", "pmemsave"] {
        for (val, size) in ranges {
            let desc = qmp.fails(command, json!({"val": val, "size": size, "filename": path}));
            assert!(desc.contains("addr") && desc.contains("size"), "{desc}");
        }
        let empty = json!({"val": 0x10_0000, "size": 0, "filename": path});
        assert_eq!(qmp.ok(command, empty), json!({}));
        assert_eq!(std::fs::metadata(&path).expect("a file").len(), 0);
    }
    // The guest maps one to one what it wants; the rest is not mapped.
    let unmapped = json!({"val": 0x4000_0000_0000_i64, "size": 4096, "filename": path});
    qmp.fails("memsave", unmapped);
    qmp.fails("pmemsave", json!({"val": 128 << 20, "size": i64::MAX / 2, "filename": path}));
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn files_that_take_nothing() {
    if !kvm_or_skip("hostile::full_disk") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let folder = vmm.dir().display().to_string();
    for command in ["memsave", "pmemsave"] {
        let mut fails = |file: &str| {
            qmp.fails(command, json!({"val": 0x10_0000, "size": 1 << 20, "filename": file}))
        };
        let full = fails("/dev/full");
        assert!(full.contains("/dev/full") && full.contains("No space left on device"), "{full}");
        assert_eq!(fails(&folder), format!("Could not open '{folder}': Is a directory"));
        assert_eq!(fails(""), "Could not open '': No such file or directory");
        assert_eq!(
            fails("/no/such/file"),
            "Could not open '/no/such/file': No such file or directory"
        );
        let long = "x".repeat(100_000);
        assert!(fails(&long).contains("File name too long"));
        fails("with\0end");
        fails("/dev/fdset/99");
        fails("/dev/fdset/-1");
    }
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn numbers_of_processors_that_are_not_there() {
    if !kvm_or_skip("hostile::cpu_index") {
        return;
    }
    let mut vmm = start("-smp 2");
    let mut qmp = vmm.qmp();
    let path = saved(&vmm);
    for index in [2_i64, -1, 64, i64::MAX, i64::MIN] {
        let expected = "Parameter 'cpu-index' expects a CPU number";
        let arguments = json!({"val": 0, "size": 1, "filename": path, "cpu-index": index});
        assert_eq!(qmp.fails("memsave", arguments), expected);
        let arguments = json!({"command-line": "info registers", "cpu-index": index});
        assert_eq!(qmp.fails("human-monitor-command", arguments), expected);
        let told = qmp.hmp(&format!("cpu {index}"));
        assert!(!told.is_empty(), "cpu {index}");
    }
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn lines_for_people_beyond_reason() {
    if !kvm_or_skip("hostile::hmp") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let lines = [
        "x",
        "x /",
        "x /zz 0",
        "x /-1x 0",
        "x /4x",
        "x /4x 0x",
        "x /4x 0 0",
        "xp /8xg 0xffffffffffffffff",
        "xp /4xg 0xfffffffffffffff8",
        "x /3i 0xffffffffffffffff",
        "x /10s 0",
        "x /2147483648x 0",
        "print",
        "print 1/0",
        "print 1%0",
        "print (",
        "print ((((((((1))))))))",
        "print 9999999999999999999999",
        "print -9223372036854775808/-1",
        "print 1<<99",
        "print $nope",
        "print $",
        "print/q 1",
        "i",
        "i /x",
        "i /b 0x10000",
        "i /w 0xffff",
        "i /b -1",
        "o",
        "o /b 0x3ff",
        "o /b 0x70000 1",
        "memsave",
        "memsave 0",
        "memsave 0 1",
        "memsave 0 -1 \"x\"",
        "memsave 0 1 \"unclosed",
        "pmemsave 0 99999999999999999999 x",
        "cpu",
        "cpu x",
        "cpu 99999999999999999999",
        "info",
        "info nope",
        "info registers nope",
        "info registers -x",
        "help nope nope",
        "nmi nope",
        "quit nope",
        "\"",
        "\\",
        "\u{1b}[A",
        "    ",
        "info\tname",
        "print 1 2 3",
        "stop now",
    ];
    for line in lines {
        qmp.hmp(line);
    }
    // Parentheses without end, and text without end.
    qmp.hmp(&format!("print {}", "(".repeat(100_000)));
    qmp.hmp(&format!("print {}1", "-~!".repeat(50_000)));
    qmp.hmp(&"x".repeat(1 << 20));
    qmp.ok("cont", json!({}));
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn listings_without_end_are_cut_or_refused() {
    if !kvm_or_skip("hostile::hmp_long") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    for line in
        ["xp /2000000000xb 0", "x /2000000000i 0x100000", "xp /2000000000c 0", "x /2147483647xg 0"]
    {
        let text = qmp.hmp(line);
        assert!(text.len() < 64 << 20, "{line}: {} bytes", text.len());
    }
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn names_of_everything_that_is_not_there() {
    if !kvm_or_skip("hostile::names") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let deep = "/machine".repeat(10_000);
    let names =
        ["", "/", "//", "nope", "\u{0}", "\u{fffd}\u{1f600}", "../..", "/machine/../..", &deep];
    for name in names {
        let _ = qmp.execute("qom-list", json!({"path": name}));
        let _ = qmp.execute("qom-get", json!({"path": name, "property": name}));
        let _ = qmp.execute("qom-set", json!({"path": name, "property": name, "value": name}));
        let _ = qmp.execute("qom-list-types", json!({"implements": name}));
        for (command, member) in [
            ("qom-list-properties", "typename"),
            ("device-list-properties", "typename"),
            ("chardev-remove", "id"),
            ("chardev-send-break", "id"),
            ("closefd", "fdname"),
            ("trace-event-set-state", "name"),
        ] {
            let mut arguments = json!({member: name});
            if command == "trace-event-set-state" {
                arguments["enable"] = json!(true);
            }
            qmp.fails(command, arguments);
        }
        for command in ["ringbuf-read", "ringbuf-write"] {
            let value = if command == "ringbuf-read" { json!(i64::MAX) } else { json!("x") };
            let member = if command == "ringbuf-read" { "size" } else { "data" };
            qmp.fails(command, json!({"device": name, member: value}));
        }
        qmp.fails("query-cpu-model-expansion", json!({"type": "full", "model": {"name": name}}));
    }
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn every_property_takes_nonsense_calmly() {
    if !kvm_or_skip("hostile::properties") {
        return;
    }
    let mut vmm = start("-device pvpanic -device isa-debug-exit");
    let mut qmp = vmm.qmp();
    let mut paths = vec!["/".to_owned()];
    let mut visited = 0;
    while let Some(path) = paths.pop() {
        let list = qmp.ok("qom-list", json!({"path": path}));
        for item in list.as_array().expect("a list") {
            let text = |name: &str| item[name].as_str().expect("text");
            if text("type").starts_with("child<") {
                paths.push(format!("{}/{}", path.trim_end_matches('/'), text("name")));
                continue;
            }
            visited += 1;
            let name = text("name");
            let before = qmp.execute("qom-get", json!({"path": path, "property": name}));
            for value in
                [json!(i64::MIN), json!(-1), json!({}), json!([[]]), Value::Null, json!(1e300)]
            {
                let _ =
                    qmp.execute("qom-set", json!({"path": path, "property": name, "value": value}));
            }
            let after = qmp.execute("qom-get", json!({"path": path, "property": name}));
            assert_eq!(before.is_ok(), after.is_ok(), "{path}.{name}");
        }
    }
    assert!(visited > 30, "{visited} properties");
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn character_devices_beyond_reason() {
    if !kvm_or_skip("hostile::chardevs") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let address = |data: Value| json!({"type": "socket", "data": {"addr": data, "server": true, "wait": false}});
    let long = "x".repeat(5000);
    for backend in [
        json!({"type": "ringbuf", "data": {"size": 3}}),
        json!({"type": "ringbuf", "data": {"size": i64::MAX}}),
        json!({"type": "ringbuf", "data": {"size": -1}}),
        json!({"type": "ringbuf", "data": {"size": 1_i64 << 62}}),
        json!({"type": "file", "data": {"out": "/no/such/folder/file"}}),
        json!({"type": "file", "data": {"out": "/"}}),
        json!({"type": "pipe", "data": {"device": "/no/such/pipe"}}),
        json!({"type": "mux", "data": {"chardev": "nope"}}),
        json!({"type": "mux", "data": {"chardev": "a"}}),
        address(json!({"type": "unix", "data": {"path": long}})),
        address(json!({"type": "unix", "data": {"path": "/no/such/folder/socket"}})),
        address(json!({"type": "inet", "data": {"host": "256.256.256.256", "port": "1"}})),
        address(json!({"type": "inet", "data": {"host": "127.0.0.1", "port": "99999"}})),
        address(json!({"type": "inet", "data": {"host": "127.0.0.1", "port": "-1"}})),
        address(json!({"type": "fd", "data": {"str": "99"}})),
        address(json!({"type": "fd", "data": {"str": "nope"}})),
        address(json!({"type": "fd", "data": {"str": "0"}})),
    ] {
        qmp.fails("chardev-add", json!({"id": "a", "backend": backend}));
    }
    for id in ["", "1", "a b", "serial0", "compat_monitor0", &long] {
        let backend = json!({"type": "null", "data": {}});
        let _ = qmp.execute("chardev-add", json!({"id": id, "backend": backend}));
    }
    qmp.fails("chardev-remove", json!({"id": "serial0"}));
    qmp.fails("chardev-remove", json!({"id": "compat_monitor0"}));
    // Hundreds come and go.
    for number in 0..300 {
        let id = format!("n{number}");
        qmp.ok("chardev-add", json!({"id": id, "backend": {"type": "ringbuf", "data": {}}}));
    }
    for number in 0..300 {
        qmp.ok("chardev-remove", json!({"id": format!("n{number}")}));
    }
    drop(qmp);
    unharmed(&mut vmm);
}
