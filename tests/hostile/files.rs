//! Kernels, initial RAM disks and firmware that are none; memory and processors that no host has.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use harness::{Exit, LIMIT, kvm_or_skip, wait_for};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::machine::builder;

static GUEST: &[u8] = include_bytes!("../../resources/guest.elf");

/// Starts a machine that does not run. Returns how the process ended, if it did not come up.
fn start(options: &[&str]) -> Option<Exit> {
    let mut builder = builder().args("-S -display none").with_qmp();
    for option in options {
        builder = builder.arg(option);
    }
    let mut vmm = builder.start();
    let socket = vmm.dir().join("qmp.sock");
    let mut came_up = false;
    wait_for("the monitor or the end", || {
        if !vmm.is_running() {
            return Some(());
        }
        let mut client = UnixStream::connect(&socket).ok()?;
        client.set_read_timeout(Some(LIMIT)).expect("a limit");
        // The monitor listens before the machine is made; only afterwards are commands executed.
        let asked = client.write_all(b"{'execute':'qmp_capabilities'}{'execute':'query-status'}");
        let mut answer = String::new();
        let mut lines = BufReader::new(client);
        let answered = (0..3).all(|_| lines.read_line(&mut answer).is_ok_and(|count| count > 0));
        came_up = asked.is_ok() && answered;
        Some(())
    });
    (!came_up).then(|| vmm.wait())
}

fn refused(options: &[&str], part: &str) {
    let exit = start(options).unwrap_or_else(|| panic!("{options:?} are taken"));
    assert_eq!((exit.status, exit.signal), (Some(1), None), "{options:?}: {exit:?}");
    assert!(exit.stderr.contains(part), "{options:?}: {}", exit.stderr);
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn with(&self, content: &[u8]) -> PathBuf {
        let path = self.0.path().join("image");
        std::fs::write(&path, content).expect("write");
        path
    }
}

#[test]
fn what_is_no_file() {
    if !kvm_or_skip("hostile::no_file") {
        return;
    }
    let files = Files::new();
    let fifo = files.0.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("mkfifo");
    let sparse = files.0.path().join("sparse");
    std::fs::File::create(&sparse).and_then(|file| file.set_len(1 << 40)).expect("a file");
    let guest = files.with(GUEST);
    for path in [
        "/",
        "/dev/zero",
        "/dev/null",
        "/dev/full",
        text(&fifo),
        "/no/such/file",
        text(&sparse),
        "",
    ] {
        refused(&["-kernel", path], path);
        refused(&["-bios", path], path);
        refused(&["-kernel", text(&guest), "-initrd", path], path);
    }
    for path in ["/proc/self/mem", "/proc/self/pagemap", "/dev/kvm"] {
        refused(&["-kernel", path], path);
        refused(&["-bios", path], path);
    }
}

#[test]
fn kernels_cut_short() {
    if !kvm_or_skip("hostile::truncated") {
        return;
    }
    let files = Files::new();
    for length in [0, 1, 4, 16, 63, 64, 65, 100, 119, 120, 176, 232, 4095, 4096, GUEST.len() / 2] {
        let path = files.with(&GUEST[..length]);
        refused(&["-kernel", text(&path)], text(&path));
    }
}

#[test]
fn kernels_with_wrong_headers() {
    if !kvm_or_skip("hostile::headers") {
        return;
    }
    let files = Files::new();
    // Every field of the file's header and of the program headers that matters, at its extremes.
    let fields = [(24, 8), (32, 8), (54, 2), (56, 2)];
    let program = (0..3).flat_map(|index| {
        let at = 64 + 56 * index;
        [(at, 4), (at + 8, 8), (at + 16, 8), (at + 24, 8), (at + 32, 8), (at + 40, 8), (at + 48, 8)]
    });
    let mut ends = 0;
    for (at, size) in fields.into_iter().chain(program) {
        for value in
            [0, 1, 0x7fff_ffff_ffff_ffff, u64::MAX, u64::MAX - 0xfff, 0xffff_f000, 0x9_f000_u64]
        {
            let mut image = GUEST.to_vec();
            image[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
            let path = files.with(&image);
            if let Some(exit) = start(&["-kernel", text(&path)]) {
                ends += 1;
                assert_eq!(
                    (exit.status, exit.signal),
                    (Some(1), None),
                    "{value:#x} at {at}: {exit:?}"
                );
                assert!(exit.stderr.contains(text(&path)), "{value:#x} at {at}: {}", exit.stderr);
            }
        }
    }
    assert!(ends > 40, "only {ends} of them are refused");
}

#[test]
fn a_bzimage_that_is_only_a_header() {
    if !kvm_or_skip("hostile::bzimage") {
        return;
    }
    let files = Files::new();
    let header = |setup_sectors: u8, version: u16, length: usize| {
        let mut image = vec![0; length];
        image[0x1f1] = setup_sectors;
        image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&version.to_le_bytes());
        image[0x211] = 1;
        image
    };
    for (sectors, version, length) in [
        (0, 0x020f, 0x300),
        (255, 0x020f, 0x300),
        (4, 0x0100, 0x4000),
        (4, 0xffff, 0xa00),
        (4, 0x020f, 0x208),
    ] {
        let path = files.with(&header(sectors, version, length.max(0x212)));
        if let Some(exit) = start(&["-kernel", text(&path)]) {
            assert_eq!((exit.status, exit.signal), (Some(1), None), "{exit:?}");
            assert!(exit.stderr.contains(text(&path)), "{}", exit.stderr);
        }
    }
    // Sizes in the header that are not true.
    for (at, size) in [(0x1f4, 4), (0x214, 4), (0x22c, 4), (0x230, 4), (0x258, 8), (0x260, 4)] {
        for value in [0, 1, u64::MAX, 0x7fff_ffff] {
            let mut image = header(4, 0x020f, 0x4000);
            image[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
            let path = files.with(&image);
            if let Some(exit) = start(&["-kernel", text(&path)]) {
                assert_eq!((exit.status, exit.signal), (Some(1), None), "{exit:?}");
            }
        }
    }
}

#[test]
fn firmware_of_impossible_sizes() {
    if !kvm_or_skip("hostile::firmware") {
        return;
    }
    let files = Files::new();
    for length in [0, 1, 0xffff, 0x1_0001, (16 << 20) + 0x1_0000] {
        let path = files.with(&vec![0xf4; length]);
        refused(&["-bios", text(&path)], text(&path));
    }
}

#[test]
fn command_lines_and_disks_that_do_not_fit() {
    if !kvm_or_skip("hostile::does_not_fit") {
        return;
    }
    let files = Files::new();
    let guest = files.with(GUEST);
    let disk = files.0.path().join("disk");
    std::fs::File::create(&disk).and_then(|file| file.set_len(200 << 20)).expect("a file");
    refused(&["-m", "64", "-kernel", text(&guest), "-initrd", text(&disk)], text(&disk));
    let endless = "x".repeat(100_000);
    if let Some(exit) = start(&["-kernel", text(&guest), "-append", &endless]) {
        assert_eq!((exit.status, exit.signal), (Some(1), None));
        assert!(exit.stderr.contains("command line"), "{}", exit.stderr);
    }
}

#[test]
fn memory_that_no_host_has() {
    if !kvm_or_skip("hostile::memory_sizes") {
        return;
    }
    for size in [
        "-1",
        "16E",
        "15E",
        "1000000G",
        "18446744073709551615",
        "99999999999999999999",
        "0x",
        "1.",
        "1k",
    ] {
        refused(&["-m", size], "vmm: ");
    }
    refused(&["-m", "2M"], "memory");
    // Nothing is as large as nothing: it is what there is without the option.
    assert_eq!(start(&["-m", "0"]), None);
    refused(&["-object", "memory-backend-ram,id=a,size=0"], "size");
    refused(&["-object", "memory-backend-ram,id=a,size=8E"], "a");
    refused(&["-object", "memory-backend-ram,id=a,size=-1"], "size");
}

#[test]
fn processors_that_no_machine_has() {
    if !kvm_or_skip("hostile::smp_sizes") {
        return;
    }
    for smp in [
        "-1",
        "256",
        "1000000",
        "18446744073709551615",
        "9223372036854775807",
        "99999999999999999999",
        "2,sockets=9223372036854775807,cores=2,threads=9223372036854775807",
        "4294967297,maxcpus=4294967297,sockets=4294967297",
        "cores=65536,threads=65536,sockets=65536",
    ] {
        refused(&["-smp", smp], "vmm: -smp");
    }
}
