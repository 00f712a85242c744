//! Clients that speak no language.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use harness::{LIMIT, Qmp, kvm_or_skip};

use crate::machine::{builder, unharmed};

/// So many bytes that look random and are the same each time.
fn noise(mut seed: u64, count: usize) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Writes all that is taken before the other side goes, and reads what comes meanwhile.
fn pour(path: &Path, bytes: &[u8]) {
    let mut socket = UnixStream::connect(path).expect("listens");
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    let mut reader = socket.try_clone().expect("clone");
    let reading = std::thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(1..) = reader.read(&mut buffer) {}
    });
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    // The other side answers what it understood, and hangs up.
    reading.join().expect("a reader");
}

#[test]
fn noise_to_monitors_and_serial_port() {
    if !kvm_or_skip("hostile::noise") {
        return;
    }
    let builder = builder();
    let [qmp, hmp] = ["noise-qmp", "noise-hmp"].map(|name| builder.dir().join(name));
    let mut vmm = builder
        .args(&format!("-qmp unix:{},server=on,wait=off", qmp.display()))
        .args(&format!("-monitor unix:{},server=on,wait=off", hmp.display()))
        .with_qmp()
        .with_serial()
        .start();
    vmm.guest().ready();
    for seed in 1..5 {
        pour(&qmp, &noise(seed, 200_000));
        let negotiated =
            [b"{'execute':'qmp_capabilities'}".to_vec(), noise(seed, 100_000)].concat();
        pour(&qmp, &negotiated);
        // No line of it can be a command that ends the program.
        let text: Vec<u8> = noise(seed, 50_000).iter().map(|byte| byte | 0x80).collect();
        pour(&hmp, &text);
        pour(&hmp, &noise(seed, 20_000).iter().map(|byte| byte & 0x1f).collect::<Vec<_>>());
    }
    unharmed(&mut vmm);
    for line in [vec![b'x'; 100_000], noise(9, 3000)] {
        // Line ends would make answers of it.
        let line: Vec<u8> = line.iter().map(|byte| byte | 0x20).collect();
        vmm.guest().send(&String::from_utf8_lossy(&line).replace(['\n', '\r'], ""));
        assert!(vmm.guest().answer().starts_with("error"));
    }
    unharmed(&mut vmm);
}

#[test]
fn brackets_and_strings_without_end() {
    if !kvm_or_skip("hostile::brackets") {
        return;
    }
    let builder = builder();
    let path = builder.dir().join("other");
    let option = format!("-qmp unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).with_qmp().with_serial().start();
    vmm.guest().ready();
    for text in
        ["[", "{\"a\":", "{\"execute\":\"", "\"", "[[[[1,", "{}", "}", "1 ", "null,", "'\\u00"]
    {
        let flood = text.repeat((4 << 20) / text.len());
        pour(&path, flood.as_bytes());
    }
    let mut again = Qmp::connect(&path).expect("listens");
    again.negotiate();
    unharmed(&mut vmm);
}

#[test]
fn one_byte_at_a_time_and_never_the_last() {
    if !kvm_or_skip("hostile::slow_sender") {
        return;
    }
    let builder = builder();
    let path = builder.dir().join("other");
    let option = format!("-qmp unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).with_qmp().with_serial().start();
    vmm.guest().ready();
    let mut slow = UnixStream::connect(&path).expect("listens");
    for byte in b"{\"execute\":\"qmp_capabilities\"" {
        slow.write_all(&[*byte]).expect("write");
    }
    unharmed(&mut vmm);
    slow.write_all(b"}").expect("write");
    slow.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    let mut seen = String::new();
    while !seen.contains("{\"return\": {}}") {
        let mut buffer = [0; 512];
        let count = slow.read(&mut buffer).expect("an answer");
        assert!(count > 0, "{seen}");
        seen += &String::from_utf8_lossy(&buffer[..count]);
    }
}
