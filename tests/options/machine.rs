//! The machine itself: type, accelerator, processors, memory, names, clock.

use std::collections::HashSet;

use harness::{kvm_or_skip, wait_for};
use serde_json::{Value, json};

use crate::guest::{builder, image, ready, start};

fn list_len(value: &Value) -> usize {
    value.as_array().expect("a list").len()
}

#[test]
fn machine_chooses_what_is_emulated() {
    if !kvm_or_skip("options::machine") {
        return;
    }
    for (option, class) in [
        ("", "pc-i440fx-7.2-machine"),
        ("-machine pc", "pc-i440fx-7.2-machine"),
        ("-M type=pc-i440fx-7.2", "pc-i440fx-7.2-machine"),
        ("-machine none", "none-machine"),
    ] {
        let mut vmm = builder().args(option).args("-S -display none").with_qmp().start();
        let mut qmp = vmm.qmp();
        let ty = qmp.ok("qom-get", json!({"path": "/machine", "property": "type"}));
        assert_eq!(ty, class, "{option}");
        let cpus = list_len(&qmp.ok("query-cpus-fast", json!({})));
        assert_eq!(cpus, usize::from(!option.contains("none")), "{option}");
    }
}

#[test]
fn machine_properties_are_what_the_machine_object_says() {
    if !kvm_or_skip("options::machine_properties") {
        return;
    }
    let builder = builder();
    let kernel = image(builder.dir()).display().to_string();
    let option = format!("pc,kernel={kernel},append=do=info,graphics=off,mem-merge=off");
    let mut vmm = ready(builder.arg("-machine").arg(option));
    let mut qmp = vmm.qmp();
    let mut get = |name: &str| qmp.ok("qom-get", json!({"path": "/machine", "property": name}));
    assert_eq!(get("kernel"), kernel.as_str());
    assert_eq!(get("append"), "do=info");
    assert_eq!((get("graphics"), get("mem-merge")), (json!(false), json!(false)));
    assert!(vmm.guest().answer().ends_with("cmdline=\"do=info\""));
    let memdev = vmm.qmp_raw();
    drop(memdev);
}

#[test]
fn mem_merge_and_dump_guest_core_reach_the_memory() {
    if !kvm_or_skip("options::mem_merge") {
        return;
    }
    let mut vmm = start("-machine mem-merge=off,dump-guest-core=off");
    let mut qmp = vmm.qmp();
    let memdev = qmp.ok("query-memdev", json!({}))[0].clone();
    assert_eq!((&memdev["merge"], &memdev["dump"]), (&json!(false), &json!(false)));
    let maps = std::fs::read_to_string(format!("/proc/{}/smaps", vmm.pid())).expect("smaps");
    let size = |mapping: &str| {
        let line = mapping.lines().find_map(|line| line.strip_prefix("Size:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
    };
    // Each mapping ends with its flags.
    let ram = maps.split_inclusive("VmFlags:").zip(maps.split("VmFlags:").skip(1));
    let mut ram = ram.filter(|(mapping, _)| size(mapping).is_some_and(|size| size >= 128 << 10));
    let flags = ram.next().expect("the RAM").1.lines().next().expect("flags");
    assert!(flags.contains(" dd") && !flags.contains(" mg"), "{flags}");
}

#[test]
fn accelerators_are_tried_in_order_and_kvm_is_the_one() {
    if !kvm_or_skip("options::accel") {
        return;
    }
    for option in [
        "-accel kvm",
        "-enable-kvm",
        "-machine accel=kvm",
        "-machine accel=kvm:tcg",
        "-machine accel=tcg:kvm",
        "-accel tcg -accel kvm",
        "-accel kvm -accel tcg",
    ] {
        let mut vmm = start(option);
        let kvm = vmm.qmp().ok("query-kvm", json!({}));
        assert_eq!(kvm, json!({"enabled": true, "present": true}), "{option}");
    }
    for option in ["-accel tcg", "-machine accel=tcg", "-accel tcg -accel hvf"] {
        let exit = builder().args(option).run();
        assert_eq!((exit.status, exit.stderr.lines().count()), (Some(1), 1), "{}", exit.stderr);
        assert!(exit.stderr.contains("tcg"), "{}", exit.stderr);
    }
}

#[test]
fn memory_is_as_large_as_asked_for() {
    if !kvm_or_skip("options::memory") {
        return;
    }
    for (option, bytes) in [
        ("", 128 << 20_u64),
        ("-m 64", 64 << 20),
        ("-m size=96M", 96 << 20),
        ("-m 1G", 1 << 30),
        ("-m 98304k", 96 << 20),
        ("-m 3500", 3500 << 20),
        ("-m 3584", 3584 << 20),
        ("-m 5G", 5 << 30),
    ] {
        let mut vmm = start(option);
        let summary = vmm.qmp().ok("query-memory-size-summary", json!({}));
        assert_eq!(summary, json!({"base-memory": bytes, "plugged-memory": 0}), "{option}");
        // RAM, with what firmware tables take of it: below 4 GiB, if there are less than 3.5 GiB,
        // else 3 GiB, and the rest above.
        let below = if bytes < 0xe000_0000 { bytes } else { 3 << 30 };
        let map = vmm.guest().ask("memmap");
        let ends: Vec<&str> = map.split(' ').filter(|entry| entry.ends_with(":1")).collect();
        let within = |entry: &&str| {
            let (start, end) = entry.trim_end_matches(":1").split_once('-').expect("a range");
            let number = |text: &str| u64::from_str_radix(&text[2..], 16).expect("a number");
            (number(start), number(end))
        };
        let ranges: Vec<(u64, u64)> = ends.iter().map(within).collect();
        let low = ranges.iter().filter(|range| range.1 <= 1 << 32).map(|range| range.1).max();
        assert!((below - (1 << 20)..=below).contains(&low.expect("RAM")), "{option}: {map}");
        let high: u64 = ranges.iter().filter(|range| range.0 >= 1 << 32).map(|r| r.1 - r.0).sum();
        assert_eq!(high, bytes - below, "{option}: {map}");
        // The last word below the hole and the last of all are memory.
        for end in [low.expect("RAM"), if high > 0 { (1 << 32) + high } else { low.expect("RAM") }]
        {
            let address = end - 8;
            vmm.guest().ask(&format!("wq {address:#x} 0x1122334455667788"));
            let read = vmm.guest().ask_number(&format!("rq {address:#x}"), "value");
            assert_eq!(read, 0x1122_3344_5566_7788, "{option}");
        }
    }
}

#[test]
fn processors_are_as_many_and_arranged_as_asked_for() {
    if !kvm_or_skip("options::smp") {
        return;
    }
    for (option, running, possible, last) in [
        ("1", 1, 1, json!({"socket-id": 0, "core-id": 0, "thread-id": 0})),
        ("3", 3, 3, json!({"socket-id": 0, "core-id": 2, "thread-id": 0})),
        ("cpus=2,maxcpus=4", 2, 4, json!({"socket-id": 0, "core-id": 3, "thread-id": 0})),
        (
            "8,sockets=2,cores=2,threads=2",
            8,
            8,
            json!({"socket-id": 1, "core-id": 1, "thread-id": 1}),
        ),
        (
            "8,sockets=2,dies=2,cores=2,threads=1",
            8,
            8,
            json!({"socket-id": 1, "die-id": 1, "core-id": 1, "thread-id": 0}),
        ),
    ] {
        let mut vmm = start(&format!("-smp {option}"));
        let slots = vmm.qmp().ok("query-hotpluggable-cpus", json!({}));
        assert_eq!(list_len(&slots), possible, "{option}");
        assert_eq!(slots[0]["props"], last, "{option}");
        let present = slots.as_array().expect("a list").iter();
        let present = present.filter(|slot| slot.get("qom-path").is_some()).count();
        assert_eq!(present, running, "{option}");
        assert_eq!(list_len(&vmm.qmp().ok("query-cpus-fast", json!({}))), running);
        assert_eq!(vmm.guest().ask_number("cpus", "count"), running as u64, "{option}");
        assert_eq!(vmm.guest().ask_number("smp", "running"), running as u64, "{option}");
    }
}

#[test]
fn sixty_four_processors_run() {
    if !kvm_or_skip("options::smp_64") {
        return;
    }
    let mut vmm = start("-smp 64");
    assert_eq!(vmm.guest().ask_number("smp", "running"), 64);
    let ids = vmm.guest().ask_value("cpus", "apic");
    assert_eq!(ids.split(',').collect::<HashSet<_>>().len(), 64);
}

#[test]
fn the_processors_model_is_what_cpuid_says() {
    if !kvm_or_skip("options::cpu") {
        return;
    }
    // Family, model and stepping of the model; these hosts add features of their own.
    for (option, version) in
        [("qemu64", 0xf_0000_u64 >> 16), ("Nehalem", 0), ("EPYC", 0), ("max", 0), ("host", 0)]
    {
        let mut vmm = start(&format!("-cpu {option}"));
        let expansion = vmm
            .qmp()
            .ok("query-cpu-model-expansion", json!({"type": "full", "model": {"name": option}}));
        let props = &expansion["model"]["props"];
        let number = |name: &str| props[name].as_u64().unwrap_or_else(|| panic!("{name}: {props}"));
        let eax = vmm.guest().ask_number("cpuid 1", "eax");
        let family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
        let model = (eax >> 4 & 0xf) | (eax >> 12 & 0xf0);
        assert_eq!(
            (family, model, eax & 0xf),
            (number("family"), number("model"), number("stepping"))
        );
        assert!(version == 0 || family == version, "{option}");
        let types = vmm.qmp().ok("query-hotpluggable-cpus", json!({}));
        assert_eq!(types[0]["type"], format!("{option}-x86_64-cpu"));
    }
}

#[test]
fn features_are_added_and_removed() {
    if !kvm_or_skip("options::cpu_features") {
        return;
    }
    // x2apic, bit 21 of ECX in leaf 1, is one of those that every KVM lets one choose.
    for (option, on) in [
        ("qemu64,+x2apic", true),
        ("qemu64,-x2apic", false),
        ("qemu64,x2apic=on", true),
        ("qemu64,x2apic=off", false),
        ("qemu64,+x2apic,x2apic=off,-x2apic", false),
    ] {
        let mut vmm = start(&format!("-cpu {option}"));
        let ecx = vmm.guest().ask_number("cpuid 1", "ecx");
        assert_eq!(ecx >> 21 & 1 == 1, on, "{option}");
        let qom = vmm
            .qmp()
            .ok("qom-get", json!({"path": "/machine/unattached/device[0]", "property": "x2apic"}));
        assert_eq!(qom, on, "{option}");
    }
    let mut vmm = start("-cpu qemu64,vendor=GenuineIntel,model-id=Testing,level=7");
    let leaf = vmm.guest().ask("cpuid 0");
    assert!(leaf.contains("eax=0x7 ebx=0x756e6547"), "{leaf}");
    let brand = vmm.guest().ask_number("cpuid 0x80000002", "eax");
    assert_eq!(brand, u64::from(u32::from_le_bytes(*b"Test")));
}

#[test]
fn names_and_uuid() {
    if !kvm_or_skip("options::name") {
        return;
    }
    let uuid = "12345678-9abc-def0-1122-334455667788";
    let mut vmm =
        start(&format!("-name guest=web,process=webvm,debug-threads=on -uuid {uuid} -smp 2"));
    let mut qmp = vmm.qmp();
    assert_eq!(qmp.ok("query-name", json!({})), json!({"name": "web"}));
    assert_eq!(qmp.ok("query-uuid", json!({})), json!({"UUID": uuid}));
    let comm = |path: String| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    assert_eq!(comm(format!("/proc/{}/comm", vmm.pid())), "webvm");
    let tasks = std::fs::read_dir(format!("/proc/{}/task", vmm.pid())).expect("threads");
    let names: HashSet<String> = tasks
        .map(|task| comm(task.expect("a thread").path().join("comm").display().to_string()))
        .collect();
    assert!(names.contains("CPU 0/KVM") && names.contains("CPU 1/KVM"), "{names:?}");
    // The firmware's tables have the identifier, the first three parts with their bytes swapped.
    let saved = vmm.dir().join("tables").display().to_string();
    qmp.ok("pmemsave", json!({"val": 0xf_0000, "size": 0x1_0000, "filename": saved}));
    let bytes = [
        0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
        0x88_u8,
    ];
    let saved = std::fs::read(saved).expect("read");
    assert!(saved.windows(16).any(|window| window == bytes), "SMBIOS has the UUID");
    let mut vmm = start("-name plain");
    assert_eq!(vmm.qmp().ok("query-name", json!({})), json!({"name": "plain"}));
    assert_eq!(
        vmm.qmp().ok("query-uuid", json!({}))["UUID"],
        "00000000-0000-0000-0000-000000000000"
    );
}

#[test]
fn the_clock_begins_where_it_is_told() {
    if !kvm_or_skip("options::rtc_base") {
        return;
    }
    for (option, begins) in [
        ("-rtc base=2020-02-29T23:59:00", "2020-02-29T23:59:"),
        ("-rtc base=1999-12-31", "1999-12-31T00:00:"),
        ("-rtc base=2038-01-19T03:14:00,clock=vm", "2038-01-19T03:1"),
    ] {
        let mut vmm = start(option);
        let time = vmm.guest().ask("rtc time");
        assert!(time.starts_with(begins), "{option}: {time}");
    }
    // Without it, the host's time in UTC.
    let mut vmm = start("");
    let time = vmm.guest().ask("rtc time");
    let minute = |offset: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        (now.expect("after 1970").as_secs() / 60 - offset) % 60
    };
    let told: u64 = time[14..16].parse().expect("minutes");
    assert!(told == minute(0) || told == minute(1), "{time}");
    let mut vmm = ready(builder().args("-rtc base=localtime").env("TZ", "XYZ-5:30"));
    let local: u64 = vmm.guest().ask("rtc time")[14..16].parse().expect("minutes");
    let apart = (local + 60 - minute(0)) % 60;
    assert!((29..=30).contains(&apart), "{local}");
}

/// The seconds of the clock, read by the monitor while the machine stands still.
fn seconds(qmp: &mut harness::Qmp) -> String {
    qmp.hmp("o /b 0x70 0");
    qmp.hmp("i /b 0x71")
}

#[test]
fn the_clock_stands_while_the_machine_does_if_that_drives_it() {
    if !kvm_or_skip("options::rtc_clock") {
        return;
    }
    let mut vmm = start("-rtc clock=vm");
    let mut qmp = vmm.qmp();
    qmp.ok("stop", json!({}));
    let before = seconds(&mut qmp);
    // Meanwhile a clock driven by the host's goes on.
    for clock in ["host", "rt"] {
        let mut other = start(&format!("-rtc clock={clock}"));
        let mut other = other.qmp();
        other.ok("stop", json!({}));
        let start = seconds(&mut other);
        wait_for("the host's clock", || (seconds(&mut other) != start).then_some(()));
    }
    assert_eq!(seconds(&mut qmp), before);
}

#[test]
fn lost_clock_interrupts_are_made_up_for_if_asked() {
    if !kvm_or_skip("options::rtc_driftfix") {
        return;
    }
    for (option, policy) in [("none", "discard"), ("slew", "slew")] {
        let mut vmm = start(&format!("-rtc driftfix={option}"));
        let tree = vmm.qmp().hmp("info qtree");
        assert!(tree.contains(&format!("lost_tick_policy = \"{policy}\"")), "{tree}");
    }
}
