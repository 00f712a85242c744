//! What the process needs for itself, and how fast it writes the guest's memory out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Program, RAM_MIB, Running, in_turns};
use crate::table::{Better, Table};

/// Private memory of the process without the guest's RAM, the guest idle for two seconds.
pub(crate) fn private(programs: &[Program], table: &mut Table) {
    programs.iter().for_each(|program| {
        table.add_one(program, "private memory", "MiB", Better::Less, private_mib(program));
    });
}

fn private_mib(program: &Program) -> f64 {
    let mut vmm = program.builder().with_qmp().with_serial().start();
    vmm.guest().ready();
    let mut qmp = vmm.qmp();
    std::thread::sleep(Duration::from_secs(2));
    let all = private_kib(&read(vmm.pid(), "smaps_rollup"));
    let maps = read(vmm.pid(), "smaps");
    let ram = ram_kib(&maps);
    assert_eq!(qmp.status(), "running");
    (all - ram) as f64 / 1024.0
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
pub(crate) fn pmemsave(running: &mut [Running<'_>], table: &mut Table) {
    let filled = (RAM_MIB - 24) << 20;
    for running in &mut *running {
        running.vmm.guest().ask(&format!("pattern write 0x1000000 {filled:#x} 1"));
    }
    let scratch = PathBuf::from(format!("/dev/shm/vmm-bench-{}", std::process::id()));
    let size = RAM_MIB << 20;
    for (name, path) in
        [("pmemsave to tmpfs", &*scratch), ("pmemsave to /dev/null", Path::new("/dev/null"))]
    {
        let arguments = json!({"val": 0, "size": size, "filename": path});
        let rates = in_turns(running, 5, |running| {
            let start = Instant::now();
            running.clients[0].ok("pmemsave", arguments.clone());
            let seconds = start.elapsed().as_secs_f64();
            if path == scratch {
                assert_eq!(fs::metadata(path).map(|file| file.len()).ok(), Some(size));
                fs::remove_file(path).expect("the file was there");
            }
            size as f64 / seconds / 1e9
        });
        table.add(running, name, "GB/s", Better::More, &rates);
    }
}
