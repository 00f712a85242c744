//! Descriptors that come with requests: names belong to their session, sets to the process.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::os::fd::AsFd;

use harness::{Qmp, kvm_or_skip, wait_for};
use serde_json::{Value, json};

use crate::peer::{bare, with_guest};

/// Two sessions at two monitors of one process.
fn two() -> (harness::Vmm, Qmp, Qmp, std::path::PathBuf) {
    let builder = bare();
    let path = builder.dir().join("other");
    let option = format!("-qmp unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).with_qmp().start();
    let qmp = vmm.qmp();
    let mut other = Qmp::connect(&path).expect("listens");
    other.negotiate();
    (vmm, qmp, other, path)
}

/// The pipe's other end is closed everywhere.
fn ends(mut pipe: PipeReader) {
    let (done, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(pipe.read(&mut [0]).expect("read")));
    assert_eq!(end.recv_timeout(harness::LIMIT), Ok(0), "the end of the pipe");
}

#[test]
fn a_name_is_its_sessions_and_goes_with_it() {
    if !kvm_or_skip("monitors::a_name_is_its_sessions_and_goes_with_it") {
        return;
    }
    let (_vmm, mut qmp, mut other, path) = two();
    let (reader, writer) = std::io::pipe().expect("pipe");
    let name = || json!({"fdname": "pipe"});
    qmp.execute_with("getfd", name(), &[writer.as_fd()]).expect("taken");
    drop(writer);
    let unknown = "File descriptor named 'pipe' not found";
    assert_eq!(other.fails("closefd", name()), unknown);
    qmp.ok("closefd", name());
    ends(reader);
    assert_eq!(qmp.fails("closefd", name()), unknown);

    let (reader, writer) = std::io::pipe().expect("pipe");
    other.execute_with("getfd", name(), &[writer.as_fd()]).expect("taken");
    drop(writer);
    drop(other);
    ends(reader);
    let mut other = Qmp::connect(&path).expect("listens");
    other.negotiate();
    assert_eq!(other.fails("closefd", name()), unknown);
}

#[test]
fn a_name_taken_again_closes_what_it_stood_for() {
    if !kvm_or_skip("monitors::a_name_taken_again_closes_what_it_stood_for") {
        return;
    }
    let (_vmm, mut qmp, ..) = two();
    let (first, first_writer) = std::io::pipe().expect("pipe");
    let (second, second_writer) = std::io::pipe().expect("pipe");
    let name = || json!({"fdname": "pipe"});
    qmp.execute_with("getfd", name(), &[first_writer.as_fd()]).expect("taken");
    qmp.execute_with("getfd", name(), &[second_writer.as_fd()]).expect("taken");
    drop((first_writer, second_writer));
    ends(first);
    qmp.ok("closefd", name());
    ends(second);
}

#[test]
fn descriptors_are_asked_for_and_named_properly() {
    if !kvm_or_skip("monitors::descriptors_are_asked_for_and_named_properly") {
        return;
    }
    let (_vmm, mut qmp, mut other, _) = two();
    let none = "No file descriptor supplied via SCM_RIGHTS";
    assert_eq!(qmp.fails("getfd", json!({"fdname": "a"})), none);
    assert_eq!(qmp.fails("add-fd", json!({})), none);
    let null = File::open("/dev/null").expect("open");
    // What comes with a request that does not want it is kept for the next that does.
    qmp.execute_with("query-status", json!({}), &[null.as_fd()]).expect("runs");
    assert_eq!(other.fails("getfd", json!({"fdname": "a"})), none, "another session's");
    qmp.ok("getfd", json!({"fdname": "a"}));
    assert_eq!(qmp.fails("getfd", json!({"fdname": "b"})), none, "one name each");
    let error = qmp.execute_with("getfd", json!({"fdname": "1a"}), &[null.as_fd()]);
    let desc = error.expect_err("a digit").desc;
    assert_eq!(desc, "Parameter 'fdname' expects a name not starting with a digit");
}

#[test]
fn descriptors_that_nobody_asked_for_do_not_pile_up() {
    if !kvm_or_skip("monitors::descriptors_that_nobody_asked_for_do_not_pile_up") {
        return;
    }
    let (vmm, mut qmp, ..) = two();
    let null = File::open("/dev/null").expect("open");
    let fds = [null.as_fd(); 8];
    let open = || std::fs::read_dir(format!("/proc/{}/fd", vmm.pid())).expect("list").count();
    qmp.execute_with("query-status", json!({}), &fds).expect("runs");
    let before = open();
    for _ in 0..100 {
        qmp.execute_with("query-status", json!({}), &fds).expect("runs");
    }
    assert!(open() <= before + 16, "{} descriptors, {before} before", open());
}

#[test]
fn sets_are_everybodys_and_stay() {
    if !kvm_or_skip("monitors::sets_are_everybodys_and_stay") {
        return;
    }
    let (_vmm, mut qmp, mut other, _) = two();
    let null = File::open("/dev/null").expect("open");
    let add = |qmp: &mut Qmp, arguments: Value| {
        qmp.execute_with("add-fd", arguments, &[null.as_fd()]).expect("added")
    };
    let first = add(&mut qmp, json!({"opaque": "mine"}));
    let second = add(&mut other, json!({"fdset-id": first["fdset-id"]}));
    let third = add(&mut other, json!({"fdset-id": 40}));
    assert_eq!(first["fdset-id"], second["fdset-id"]);
    assert_eq!(third["fdset-id"], 40);
    drop(other);
    let sets = qmp.ok("query-fdsets", json!({}));
    let set = |id: &Value| {
        let sets = sets.as_array().expect("a list");
        sets.iter().find(|set| set["fdset-id"] == *id).expect("the set")["fds"].clone()
    };
    let members = set(&first["fdset-id"]);
    assert_eq!(members.as_array().map(Vec::len), Some(2));
    assert!(
        members.as_array().expect("list").contains(&json!({"fd": first["fd"], "opaque": "mine"}))
    );
    assert_eq!(set(&json!(40)), json!([{"fd": third["fd"]}]));
    qmp.ok("remove-fd", json!({"fdset-id": first["fdset-id"], "fd": first["fd"]}));
    qmp.ok("remove-fd", json!({"fdset-id": 40}));
    let gone = "File descriptor named 'fdset-id:40' not found";
    assert_eq!(qmp.fails("remove-fd", json!({"fdset-id": 40})), gone);
    assert_eq!(qmp.ok("query-fdsets", json!({}))[0]["fds"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_sets_descriptor_is_opened_by_its_name() {
    if !kvm_or_skip("monitors::fdset") {
        return;
    }
    let mut vmm = with_guest().start();
    vmm.guest().ready();
    vmm.guest().ask("pattern write 0x2000000 0x1000 5");
    vmm.guest().ask("sci on");
    vmm.guest().ask("pm1 enable pwrbtn");
    let mut qmp = vmm.qmp();
    let path = vmm.dir().join("saved");
    let file = File::create(&path).expect("file");
    let set = qmp.execute_with("add-fd", json!({}), &[file.as_fd()]).expect("added");
    let name = format!("/dev/fdset/{}", set["fdset-id"]);
    qmp.ok("pmemsave", json!({"val": 0x200_0000, "size": 16, "filename": name}));
    let words: Vec<u8> = [0x200_0000, 0x200_0008]
        .iter()
        .flat_map(|address| harness::pattern_word(5, *address).to_le_bytes())
        .collect();
    assert_eq!(std::fs::read(&path).expect("read"), words);

    let backend = json!({"type": "file", "data": {"out": name}});
    qmp.ok("chardev-add", json!({"id": "log", "backend": backend}));
    let fails = qmp.fails(
        "chardev-add",
        json!({"id": "no", "backend":
        {"type": "file", "data": {"out": "/dev/fdset/77"}}}),
    );
    assert!(fails.contains("/dev/fdset/77"), "{fails}");
    qmp.ok("chardev-change", json!({"id": "serial0", "backend": backend}));
    // What the guest says from now on goes behind the bytes of memory.
    qmp.ok("system_powerdown", json!({}));
    wait_for("the guest's event", || {
        std::fs::read(&path).expect("read").ends_with(b"event pwrbtn\n").then_some(())
    });
}
