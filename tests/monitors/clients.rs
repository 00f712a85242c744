//! Clients come, go, wait, and do not read: what one of them does is the others' business never.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use harness::{Qmp, kvm_or_skip, wait_for};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::peer::{bare, with_guest};

#[test]
fn the_next_client_waits_for_its_greeting_until_the_first_leaves() {
    if !kvm_or_skip("monitors::the_next_client_waits_for_its_greeting_until_the_first_leaves") {
        return;
    }
    let mut vmm = bare().with_qmp().start();
    let mut first = vmm.qmp();
    let path = vmm.dir().join("qmp.sock");
    let mut second = UnixStream::connect(&path).expect("queued");
    second.write_all(b"{'execute':'qmp_capabilities','id':2}").expect("written ahead");
    second.set_read_timeout(Some(Duration::from_millis(200))).expect("a limit");
    assert!(second.read(&mut [0]).is_err(), "nothing yet");
    first.ok("query-status", json!({}));
    drop(first);
    let mut second = Qmp::over(second).expect("limits");
    assert!(second.read().get("QMP").is_some());
    assert_eq!(second.read(), json!({"return": {}, "id": 2}));
    second.ok("query-status", json!({}));
}

#[test]
fn every_session_starts_over_at_negotiation() {
    if !kvm_or_skip("monitors::every_session_starts_over_at_negotiation") {
        return;
    }
    let mut vmm = bare().with_qmp().start();
    for _ in 0..3 {
        let mut qmp = vmm.qmp_raw();
        assert!(qmp.read().get("QMP").is_some());
        let error = qmp.execute("query-status", json!({})).expect_err("not negotiated");
        assert_eq!(error.class, "CommandNotFound");
        qmp.ok("qmp_capabilities", json!({}));
        qmp.ok("query-status", json!({}));
    }
}

#[test]
fn clients_come_and_go_at_any_time() {
    if !kvm_or_skip("monitors::clients_come_and_go_at_any_time") {
        return;
    }
    let builder = bare();
    let socket = |name: &str| builder.dir().join(name);
    let paths = [socket("a"), socket("b"), socket("c")];
    let listen = |index: usize| format!("-qmp unix:{},server=on,wait=off", paths[index].display());
    let options = format!("{} {} {}", listen(0), listen(1), listen(2));
    let mut vmm = builder.args(&options).with_qmp().start();
    let mut steady = vmm.qmp();
    let negotiate = "{\"execute\":\"qmp_capabilities\"}";
    let schema = "{\"execute\":\"query-qmp-schema\"}".repeat(20);
    let unread = format!("{negotiate}{schema}");
    let words = ["", "{", negotiate, "{\"execute\":\"qmp_capabilities\"}{\"exec", &unread];
    for round in 0..100 {
        for (index, path) in paths.iter().enumerate() {
            let mut socket = UnixStream::connect(path).expect("listens");
            let text = words[(round + index) % words.len()];
            // A full queue or an end from the other side is this client's own trouble.
            let _ = socket.write_all(text.as_bytes());
            match round % 3 {
                0 => drop(socket),
                1 => drop(socket.read(&mut [0; 64])),
                _ => drop(socket.shutdown(Shutdown::Write)),
            }
        }
        steady.ok("query-status", json!({}));
    }
    for path in &paths {
        let mut qmp = Qmp::connect(path).expect("listens");
        qmp.negotiate();
        qmp.ok("query-status", json!({}));
    }
    assert!(vmm.is_running());
}

#[test]
fn a_client_that_does_not_read_disturbs_nobody_and_misses_nothing() {
    if !kvm_or_skip("monitors::a_client_that_does_not_read_disturbs_nobody_and_misses_nothing") {
        return;
    }
    let builder = bare();
    let path = builder.dir().join("slow");
    let mut vmm = builder
        .args(&format!("-qmp unix:{},server=on,wait=off", path.display()))
        .with_qmp()
        .start();
    let mut other = vmm.qmp();
    let mut slow = Qmp::connect(&path).expect("listens");
    slow.negotiate();
    let size = other.ok("query-qmp-schema", json!({})).to_string().len();
    let count = (8 << 20) / size + 1;
    for id in 0..count {
        slow.send(&json!({"execute": "query-qmp-schema", "id": id}), &[]);
    }
    for _ in 0..200 {
        other.ok("query-status", json!({}));
    }
    let schema = other.ok("query-qmp-schema", json!({}));
    for id in 0..count {
        let reply = slow.reply();
        assert_eq!(reply["id"], id);
        assert!(reply["return"] == schema, "the whole schema");
    }
}

/// Requests that nobody reads the answers of, for ever: reading stops, memory does not grow.
#[test]
fn a_flood_of_requests_is_not_read_ahead() {
    if !kvm_or_skip("monitors::a_flood_of_requests_is_not_read_ahead") {
        return;
    }
    let builder = bare();
    let path = builder.dir().join("flood");
    let mut vmm = builder
        .args(&format!("-qmp unix:{},server=on,wait=off", path.display()))
        .with_qmp()
        .start();
    let mut other = vmm.qmp();
    let mut flood = UnixStream::connect(&path).expect("listens");
    flood.set_write_timeout(Some(Duration::from_millis(500))).expect("a limit");
    flood.write_all(b"{'execute':'qmp_capabilities'}").expect("written");
    let requests = "{\"execute\":\"query-qmp-schema\"}\n".repeat(1000);
    let stuck = (0..1000).find(|_| flood.write_all(requests.as_bytes()).is_err());
    assert!(stuck.is_some(), "1000000 requests were read");
    other.ok("query-status", json!({}));
    let status = std::fs::read_to_string(format!("/proc/{}/status", vmm.pid())).expect("status");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kib: u64 = rss.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 100 << 10, "{kib} KiB");
}

fn memsave(file: &str) -> Value {
    json!({"val": 0x10_0000, "size": 4096, "filename": file})
}

#[test]
fn a_file_that_nobody_reads_holds_its_session_only() {
    if !kvm_or_skip("monitors::fifo") {
        return;
    }
    let builder = with_guest();
    let (a, b, fifo) =
        (builder.dir().join("a"), builder.dir().join("b"), builder.dir().join("fifo"));
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("mkfifo");
    let fifo = fifo.to_str().expect("UTF-8").to_owned();
    let listen =
        |path: &std::path::Path| format!("-qmp unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&listen(&a)).args(&listen(&b)).start();
    vmm.guest().ready();
    let mut qmp = vmm.qmp();
    let mut held = Qmp::connect(&a).expect("listens");
    held.negotiate();
    held.send(&json!({"execute": "memsave", "arguments": memsave(&fifo), "id": 1}), &[]);
    held.send(&json!({"execute": "query-name", "id": 2}), &[]);
    // Somebody who waits for the same file and does not stay.
    let mut gone = Qmp::connect(&b).expect("listens");
    gone.negotiate();
    gone.send(&json!({"execute": "pmemsave", "arguments": memsave(&fifo)}), &[]);
    drop(gone);
    for _ in 0..50 {
        qmp.ok("query-status", json!({}));
    }
    qmp.ok("stop", json!({}));
    qmp.ok("cont", json!({}));
    assert_eq!(vmm.guest().ask("echo alive"), "alive");
    let mut again = wait_for("the next session", || Qmp::connect(&b).ok());
    again.negotiate();
    // A reader comes: both writers write, and the answers come in order.
    let content = std::thread::spawn(move || std::fs::read(fifo).expect("read"));
    assert_eq!(held.reply(), json!({"return": {}, "id": 1}));
    assert_eq!(held.reply()["id"], 2);
    assert!(content.join().expect("a reader").len() >= 4096);
}

#[test]
fn quit_does_not_wait_for_a_file_that_nobody_reads() {
    if !kvm_or_skip("monitors::fifo_quit") {
        return;
    }
    let builder = with_guest();
    let (a, fifo) = (builder.dir().join("a"), builder.dir().join("fifo"));
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("mkfifo");
    let option = format!("-qmp unix:{},server=on,wait=off", a.display());
    let mut vmm = builder.args(&option).start();
    vmm.guest().ready();
    let mut held = Qmp::connect(&a).expect("listens");
    held.negotiate();
    let arguments = memsave(fifo.to_str().expect("UTF-8"));
    held.send(&json!({"execute": "memsave", "arguments": arguments}), &[]);
    vmm.qmp().ok("quit", json!({}));
    assert_eq!(vmm.wait().status, Some(0));
}
