//! What the process needs for itself, and how fast it writes the guest's memory out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Program, RAM_MIB};
use crate::table::{Better, Table};

/// Private memory of the process without the guest's RAM, the guest idle for two seconds.
pub(crate) fn private(program: &Program, table: &mut Table) {
    let mut vmm = program.start();
    let mut qmp = vmm.qmp();
    std::thread::sleep(Duration::from_secs(2));
    let all = private_kib(&read(vmm.pid(), "smaps_rollup"));
    let maps = read(vmm.pid(), "smaps");
    let ram = ram_kib(&maps);
    assert_eq!(qmp.status(), "running");
    table.add(program, "private memory", "MiB", Better::Less, (all - ram) as f64 / 1024.0);
}

fn read(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process's maps")
}

/// The sum of the lines `Private_Clean` and `Private_Dirty`.
fn private_kib(text: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with("Private_") && !line.contains("Huge"));
    lines.map(kib).sum()
}

fn kib(line: &str) -> u64 {
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number of kB")
}

/// What of the mapping of the guest's RAM is private: the one that has its size, together with what the kernel may have
/// merged with it.
fn ram_kib(maps: &str) -> u64 {
    let mut mappings: Vec<Vec<&str>> = Vec::new();
    for line in maps.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if first.contains('-') {
            mappings.push(Vec::new());
        }
        mappings.last_mut().expect("a mapping comes first").push(line);
    }
    let size = |mapping: &[&str]| {
        mapping.iter().find(|line| line.starts_with("Size:")).map(|line| kib(line))
    };
    let wanted = RAM_MIB * 1024..RAM_MIB * 1024 + 2048;
    let mut found = mappings.iter().filter(|mapping| {
        mapping[0].contains(" rw-") && size(mapping).is_some_and(|size| wanted.contains(&size))
    });
    let ram = found.next().expect("a mapping of the RAM's size");
    assert!(found.next().is_none(), "two mappings of the RAM's size");
    private_kib(&ram.join("\n"))
}

/// All RAM, which the guest has filled, into a file in memory and to nowhere.
pub(crate) fn pmemsave(program: &Program, table: &mut Table) {
    let mut vmm = program.start();
    let mut qmp = vmm.qmp();
    let filled = (RAM_MIB - 24) << 20;
    vmm.guest().ask(&format!("pattern write 0x1000000 {filled:#x} 1"));
    let scratch = PathBuf::from(format!("/dev/shm/vmm-bench-{}", std::process::id()));
    for (name, path) in
        [("pmemsave to tmpfs", &*scratch), ("pmemsave to /dev/null", Path::new("/dev/null"))]
    {
        let size = RAM_MIB << 20;
        let start = Instant::now();
        qmp.ok("pmemsave", json!({"val": 0, "size": size, "filename": path}));
        let seconds = start.elapsed().as_secs_f64();
        table.add(program, name, "GB/s", Better::More, size as f64 / seconds / 1e9);
    }
    assert_eq!(fs::metadata(&scratch).map(|file| file.len()).ok(), Some(RAM_MIB << 20));
    fs::remove_file(&scratch).expect("the file was there");
}
