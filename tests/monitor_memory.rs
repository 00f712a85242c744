//! `memsave` and `pmemsave`: what the files hold, and what a file can do to the program.

use std::path::PathBuf;

use harness::{Builder, Qmp, Vmm, kvm_or_skip, pattern_word, wait_for};
use serde_json::json;

const SEED: u64 = 7;
const START: u64 = 0x80_0000;
const LENGTH: u64 = 0x40_0000;

/// A guest at its prompt with two monitors; `None` where the test called `name` cannot run.
fn guest(name: &str, options: &str) -> Option<(Vmm, Qmp)> {
    if !kvm_or_skip(name) {
        return None;
    }
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm"));
    let second = builder.dir().join("second.sock");
    let mut vmm = builder
        .args("-nodefaults -display none -m 32")
        .args(options)
        .arg("-qmp")
        .arg(format!("unix:{},server=on,wait=off", second.display()))
        .with_qmp()
        .with_serial()
        .start();
    vmm.guest().ready();
    let qmp = vmm.qmp();
    Some((vmm, qmp))
}

fn second_monitor(vmm: &Vmm) -> Qmp {
    let path = vmm.dir().join("second.sock");
    let mut qmp = wait_for("the second monitor", || Qmp::connect(&path).ok());
    qmp.negotiate();
    qmp
}

fn file(vmm: &Vmm, name: &str) -> (PathBuf, String) {
    let path = vmm.dir().join(name);
    let text = path.to_str().expect("UTF-8").to_owned();
    (path, text)
}

/// The bytes that the guest's pattern puts at `address`, a multiple of 8.
fn pattern(address: u64, length: u64) -> Vec<u8> {
    let words = (address..address + length).step_by(8);
    words.flat_map(|address| pattern_word(SEED, address).to_le_bytes()).collect()
}

fn write_pattern(vmm: &mut Vmm) {
    vmm.guest().ask(&format!("pattern write {START:#x} {LENGTH:#x} {SEED}"));
}

#[test]
fn the_file_holds_what_the_guest_wrote() {
    let Some((mut vmm, mut qmp)) = guest("the_file_holds_what_the_guest_wrote", "") else { return };
    write_pattern(&mut vmm);
    let (path, name) = file(&vmm, "memory");
    let whole = pattern(START, LENGTH);
    // The guest's addresses are one to one, so both mean the same.
    for command in ["pmemsave", "memsave"] {
        for (offset, size) in [(0, LENGTH), (8, 16), (0xffd, 0x1006), (0x1f_fffb, 11), (3, 1)] {
            let arguments = json!({"val": START + offset, "size": size, "filename": name});
            qmp.ok(command, arguments);
            let saved = std::fs::read(&path).unwrap();
            let expected = &whole[offset as usize..(offset + size) as usize];
            assert!(saved == expected, "{command} of {size} bytes from {offset:#x}");
        }
    }
    assert_eq!(qmp.status(), "running", "saving does not stop the guest");
    vmm.guest().ask(&format!("pattern verify {START:#x} {LENGTH:#x} {SEED}"));
}

#[test]
fn a_paused_guest_and_the_second_processor_can_be_saved() {
    let Some((mut vmm, mut qmp)) =
        guest("a_paused_guest_and_the_second_processor_can_be_saved", "-smp 2")
    else {
        return;
    };
    write_pattern(&mut vmm);
    vmm.guest().ask("smp");
    qmp.ok("stop", json!({}));
    let (path, name) = file(&vmm, "memory");
    let arguments = json!({"val": START, "size": 4096, "filename": name, "cpu-index": 1});
    qmp.ok("memsave", arguments);
    assert_eq!(std::fs::read(&path).unwrap(), pattern(START, 4096));
    for index in [2, -1] {
        let arguments = json!({"val": 0, "size": 1, "filename": name, "cpu-index": index});
        let desc = qmp.fails("memsave", arguments);
        assert_eq!(desc, "Parameter 'cpu-index' expects a CPU number");
    }
    assert_eq!(qmp.status(), "paused");
}

#[test]
fn an_existing_file_is_emptied_first_and_nothing_makes_an_empty_one() {
    let Some((mut vmm, mut qmp)) =
        guest("an_existing_file_is_emptied_first_and_nothing_makes_an_empty_one", "")
    else {
        return;
    };
    write_pattern(&mut vmm);
    let (path, name) = file(&vmm, "memory");
    std::fs::write(&path, [1; 100]).unwrap();
    qmp.ok("pmemsave", json!({"val": START, "size": 8, "filename": name}));
    assert_eq!(std::fs::read(&path).unwrap(), pattern(START, 8));
    for command in ["memsave", "pmemsave"] {
        qmp.ok(command, json!({"val": 0, "size": 0, "filename": name}));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}

#[test]
fn ranges_that_are_not_there_are_refused() {
    let Some((mut vmm, mut qmp)) = guest("ranges_that_are_not_there_are_refused", "") else {
        return;
    };
    let (path, name) = file(&vmm, "memory");
    let ram: i64 = 32 << 20;
    for (command, address, size) in [
        ("pmemsave", 0, -1),
        ("pmemsave", 0, i64::MIN),
        ("pmemsave", 0, i64::MAX),
        ("pmemsave", -1, 16),
        ("pmemsave", ram - 8, 16),
        ("pmemsave", ram, 1),
        ("pmemsave", 0x1000_0000_0000, 16),
        ("memsave", 0, -1),
        ("memsave", -1, 16),
        ("memsave", ram - 8, 16),
        ("memsave", 1 << 45, 1),
        ("memsave", 1 << 50, 1),
    ] {
        let arguments = json!({"val": address, "size": size, "filename": name});
        let desc = qmp.fails(command, arguments);
        let expected = format!("Invalid addr 0x{address:016x}/size {size} specified");
        assert_eq!(desc, expected, "{command}");
    }
    let saved = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    assert!(saved <= 8, "{saved} bytes");
    vmm.guest().ask("echo still here");
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let Some((mut vmm, mut qmp)) = guest("files_that_cannot_be_written_are_named", "") else {
        return;
    };
    for (name, reason) in [
        ("/x/y", "Could not open '/x/y': No such file or directory"),
        ("", "Could not open '': No such file or directory"),
        ("/tmp", "Could not open '/tmp': Is a directory"),
        ("/dev/full", "Error writing '/dev/full': No space left on device"),
    ] {
        for command in ["memsave", "pmemsave"] {
            let arguments = json!({"val": 0x10_0000, "size": 0x10_0000, "filename": name});
            assert_eq!(qmp.fails(command, arguments), reason, "{command}");
        }
    }
    vmm.guest().ask("echo still here");
}

#[test]
fn a_fifo_that_nobody_reads_holds_back_its_session_only() {
    let Some((mut vmm, mut qmp)) =
        guest("a_fifo_that_nobody_reads_holds_back_its_session_only", "")
    else {
        return;
    };
    write_pattern(&mut vmm);
    let (path, name) = file(&vmm, "fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    let arguments = json!({"val": START, "size": LENGTH, "filename": name});
    qmp.send(&json!({"execute": "pmemsave", "arguments": arguments, "id": "slow"}), &[]);
    qmp.send(&json!({"execute": "query-status", "id": "next"}), &[]);
    let mut other = second_monitor(&vmm);
    other.ok("stop", json!({}));
    other.ok("cont", json!({}));
    vmm.guest().ask("echo the guest runs");
    // Somebody reads: everything comes, and only then the answers, in their order.
    let saved = std::fs::read(&path).unwrap();
    assert!(saved == pattern(START, LENGTH));
    assert_eq!(qmp.reply(), json!({"return": {}, "id": "slow"}));
    assert_eq!(qmp.reply()["id"], "next");
}

#[test]
fn a_reader_that_leaves_early_is_an_error() {
    let Some((mut vmm, mut qmp)) = guest("a_reader_that_leaves_early_is_an_error", "") else {
        return;
    };
    let (path, name) = file(&vmm, "fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    let arguments = json!({"val": 0, "size": 1 << 20, "filename": name});
    qmp.send(&json!({"execute": "pmemsave", "arguments": arguments}), &[]);
    let mut reader = std::fs::File::open(&path).unwrap();
    std::io::Read::read_exact(&mut reader, &mut [0; 16]).unwrap();
    drop(reader);
    let desc = format!("Error writing '{name}': Broken pipe");
    assert_eq!(qmp.reply()["error"]["desc"], desc);
    vmm.guest().ask("echo still here");
}

#[test]
fn the_program_ends_with_a_save_that_is_stuck() {
    let Some((mut vmm, mut qmp)) = guest("the_program_ends_with_a_save_that_is_stuck", "") else {
        return;
    };
    let (path, name) = file(&vmm, "fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    for command in ["memsave", "pmemsave"] {
        let arguments = json!({"val": 0, "size": 16, "filename": name});
        qmp.send(&json!({"execute": command, "arguments": arguments}), &[]);
        // The client leaves its command behind; the monitor takes the next one.
        drop(qmp);
        qmp = vmm.qmp();
    }
    qmp.ok("quit", json!({}));
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn a_range_over_the_hole_below_4_gib_has_zeros_there() {
    let name = "a_range_over_the_hole_below_4_gib_has_zeros_there";
    let Some((mut vmm, mut qmp)) = guest(name, "-m 3600M") else { return };
    let high = 1u64 << 32;
    vmm.guest().ask(&format!("pattern write {high:#x} 0x1000 {SEED}"));
    let low_end = 0xe000_0000;
    let size = high + 0x1000 - (low_end - 16);
    let (path, file) = file(&vmm, "fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    let arguments = json!({"val": low_end - 16, "size": size, "filename": file});
    qmp.send(&json!({"execute": "pmemsave", "arguments": arguments}), &[]);
    // Half a GiB: looked at as it comes.
    let mut reader =
        std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(&path).unwrap());
    let mut seen = 0;
    loop {
        let bytes = std::io::BufRead::fill_buf(&mut reader).unwrap();
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len() as u64;
        let zeros = (size - 0x1000).saturating_sub(seen).min(length) as usize;
        assert!(bytes[..zeros].iter().all(|byte| *byte == 0), "{seen:#x}");
        let from = (seen + zeros as u64 + 0x1000).saturating_sub(size) as usize;
        assert!(bytes[zeros..] == pattern(high, 0x1000)[from..from + bytes.len() - zeros]);
        std::io::BufRead::consume(&mut reader, length as usize);
        seen += length;
    }
    assert_eq!(seen, size);
    assert_eq!(qmp.reply(), json!({"return": {}}));
}
