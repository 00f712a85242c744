//! Commands about the machine and its processors, each by what it does to a running guest.

use harness::{Builder, Qmp, Vmm, kvm_or_skip, wait_for};
use serde_json::{Value, json};

fn builder(options: &str) -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm"))
        .args("-nodefaults -display none -m 32")
        .args(options)
        .with_qmp()
}

/// A guest at its prompt; `None` where the test called `name` cannot run.
fn guest(name: &str, options: &str) -> Option<(Vmm, Qmp)> {
    if !kvm_or_skip(name) {
        return None;
    }
    let mut vmm = builder(options).with_serial().start();
    vmm.guest().ready();
    let qmp = vmm.qmp();
    Some((vmm, qmp))
}

/// The machine without anything in it.
fn empty(name: &str) -> Option<(Vmm, Qmp)> {
    if !kvm_or_skip(name) {
        return None;
    }
    let mut vmm = builder("-M none").start();
    let qmp = vmm.qmp();
    Some((vmm, qmp))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

#[test]
fn processors_are_listed_with_thread_and_place() {
    let Some((mut vmm, mut qmp)) =
        guest("processors_are_listed_with_thread_and_place", "-smp 2,sockets=1,cores=2")
    else {
        return;
    };
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    assert_eq!(list(&cpus).len(), 2);
    for (index, cpu) in list(&cpus).iter().enumerate() {
        assert_eq!(cpu["cpu-index"], index);
        assert_eq!(cpu["target"], "x86_64");
        assert_eq!(cpu["props"], json!({"core-id": index, "thread-id": 0, "socket-id": 0}));
        let name = format!("/proc/{}/task/{}/comm", vmm.pid(), cpu["thread-id"]);
        assert_eq!(std::fs::read_to_string(name).unwrap(), format!("CPU {index}/KVM\n"));
        let path = cpu["qom-path"].as_str().unwrap();
        let kind = qmp.ok("qom-get", json!({"path": path, "property": "type"}));
        assert_eq!(kind, "qemu64-x86_64-cpu");
    }
    // The second one waits to be started, and does not once the guest has.
    let halted = |qmp: &mut Qmp| {
        let cpus = qmp.ok("query-cpus", json!({}));
        list(&cpus).iter().map(|cpu| cpu["halted"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert!(halted(&mut qmp)[1]);
    vmm.guest().ask("smp");
    vmm.guest().ask("spin 1");
    wait_for("the second CPU to spin", || (!halted(&mut qmp)[1]).then_some(()));
    let cpus = qmp.ok("query-cpus", json!({}));
    let spinning = &cpus[1];
    assert_eq!((&spinning["arch"], &spinning["current"]), (&json!("x86"), &json!(false)));
    let pc = spinning["pc"].as_u64().unwrap();
    assert!((0x10_0000..0x200_0000).contains(&pc), "{pc:#x} is in the guest's image");
}

#[test]
fn the_chosen_processor_is_the_sessions_own() {
    let Some((mut vmm, mut qmp)) = guest("the_chosen_processor_is_the_sessions_own", "-smp 2")
    else {
        return;
    };
    let current = |qmp: &mut Qmp| {
        let cpus = qmp.ok("query-cpus", json!({}));
        list(&cpus).iter().position(|cpu| cpu["current"] == true)
    };
    assert_eq!(current(&mut qmp), Some(0));
    qmp.ok("cpu", json!({"index": 1}));
    assert_eq!(current(&mut qmp), Some(1));
    for index in [2, -1, i64::MAX, i64::MIN] {
        let desc = qmp.fails("cpu", json!({"index": index}));
        assert_eq!(desc, "Parameter 'index' expects a CPU number");
    }
    assert_eq!(current(&mut qmp), Some(1), "a mistake changes nothing");
    drop(qmp);
    // The monitor's next client begins anew.
    let mut next = wait_for("the monitor to be free", || Some(vmm.qmp()));
    assert_eq!(current(&mut next), Some(0));
}

#[test]
fn places_for_processors_are_listed_from_the_last() {
    let Some((_vmm, mut qmp)) = guest(
        "places_for_processors_are_listed_from_the_last",
        "-smp 2,sockets=1,dies=2,cores=1,threads=2,maxcpus=4",
    ) else {
        return;
    };
    let places = qmp.ok("query-hotpluggable-cpus", json!({}));
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    let place = |die: u32, thread: u32, path: Option<&Value>| {
        let mut place = json!({
            "props": {"core-id": 0, "thread-id": thread, "die-id": die, "socket-id": 0},
            "vcpus-count": 1,
            "type": "qemu64-x86_64-cpu",
        });
        if let Some(path) = path {
            place["qom-path"] = path.clone();
        }
        place
    };
    let expected = json!([
        place(1, 1, None),
        place(1, 0, None),
        place(0, 1, Some(&cpus[1]["qom-path"])),
        place(0, 0, Some(&cpus[0]["qom-path"])),
    ]);
    assert_eq!(places, expected);
}

#[test]
fn machines_and_the_current_one() {
    let Some((_vmm, mut qmp)) = guest(
        "machines_and_the_current_one",
        "-uuid \
        6b0ac2a6-2a5c-4f0c-9b3c-3f1d52a7a1f1",
    ) else {
        return;
    };
    let machines = qmp.ok("query-machines", json!({}));
    let pc = json!({
        "hotpluggable-cpus": true, "name": "pc-i440fx-7.2", "numa-mem-supported": false,
        "default-cpu-type": "qemu64-x86_64-cpu", "is-default": true, "cpu-max": 255,
        "deprecated": false, "alias": "pc", "default-ram-id": "pc.ram",
    });
    let none = json!({
        "hotpluggable-cpus": false, "name": "none", "numa-mem-supported": false, "cpu-max": 1,
        "deprecated": false, "default-ram-id": "ram",
    });
    assert_eq!(machines, json!([pc, none]));
    let current = qmp.ok("query-current-machine", json!({}));
    assert_eq!(current, json!({"wakeup-suspend-support": true}));
    assert_eq!(qmp.ok("query-target", json!({})), json!({"arch": "x86_64"}));
    assert_eq!(qmp.ok("query-kvm", json!({})), json!({"enabled": true, "present": true}));
    let uuid = qmp.ok("query-uuid", json!({}));
    assert_eq!(uuid, json!({"UUID": "6b0ac2a6-2a5c-4f0c-9b3c-3f1d52a7a1f1"}));
}

#[test]
fn memory_is_described() {
    let Some((mut vmm, mut qmp)) =
        guest("memory_is_described", "-object memory-backend-ram,id=m0,size=1M,merge=off,dump=off")
    else {
        return;
    };
    let summary = qmp.ok("query-memory-size-summary", json!({}));
    assert_eq!(summary, json!({"base-memory": 32 << 20, "plugged-memory": 0}));
    let guests = vmm.guest().ask_number("info", "ram");
    assert!(guests <= 32 << 20, "{guests} bytes is what the guest sees");
    let memdevs = qmp.ok("query-memdev", json!({}));
    let of = |id: &str| {
        let found = list(&memdevs).iter().find(|memdev| memdev["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {memdevs}")).clone()
    };
    let described = |id: &str, size: u64, flag: bool| {
        json!({
            "id": id, "size": size, "merge": flag, "dump": flag, "prealloc": false,
            "share": false, "reserve": true, "host-nodes": [], "policy": "default",
        })
    };
    assert_eq!(of("m0"), described("m0", 1 << 20, false));
    assert_eq!(of("pc.ram"), described("pc.ram", 32 << 20, true));
    assert_eq!(list(&memdevs).len(), 2);
}

#[test]
fn a_reset_starts_the_guest_again() {
    let Some((mut vmm, mut qmp)) = guest("a_reset_starts_the_guest_again", "-smp 2") else {
        return;
    };
    vmm.guest().ask("smp");
    vmm.guest().ask("spin 1");
    qmp.ok("system_reset", json!({}));
    let event = qmp.event("RESET");
    assert_eq!(event["data"], json!({"guest": false, "reason": "host-qmp-system-reset"}));
    let banner = vmm.guest().ready();
    assert!(banner.len() >= 3, "{banner:?}");
    assert_eq!(qmp.status(), "running");
    assert_eq!(vmm.guest().ask("nmi"), "count=0", "it counts anew");
    vmm.guest().ask("smp");
}

#[test]
fn a_reset_of_a_paused_machine_leaves_it_paused() {
    let Some((mut vmm, mut qmp)) = guest("a_reset_of_a_paused_machine_leaves_it_paused", "") else {
        return;
    };
    qmp.ok("stop", json!({}));
    qmp.ok("system_reset", json!({}));
    assert_eq!(qmp.status(), "prelaunch");
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
}

#[test]
fn the_power_button_reaches_the_guest() {
    let Some((mut vmm, mut qmp)) = guest("the_power_button_reaches_the_guest", "") else {
        return;
    };
    vmm.guest().ask("sci on");
    vmm.guest().ask("pm1 enable pwrbtn");
    qmp.ok("system_powerdown", json!({}));
    qmp.event("POWERDOWN");
    vmm.guest().event("pwrbtn");
    vmm.guest().ask("obey on");
    qmp.ok("system_powerdown", json!({}));
    let event = qmp.event("SHUTDOWN");
    assert_eq!(event["data"], json!({"guest": true, "reason": "guest-shutdown"}));
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn a_sleeping_guest_is_woken_with_its_memory() {
    let Some((mut vmm, mut qmp)) = guest("a_sleeping_guest_is_woken_with_its_memory", "") else {
        return;
    };
    let awake = "Unable to wake up: guest is not in suspended state";
    assert_eq!(qmp.fails("system_wakeup", json!({})), awake);
    vmm.guest().ask("pattern write 0x800000 0x10000 5");
    vmm.guest().send("s3");
    qmp.event("SUSPEND");
    assert_eq!(qmp.status(), "suspended");
    qmp.ok("system_wakeup", json!({}));
    qmp.event("WAKEUP");
    assert_eq!(vmm.guest().answer(), "ok s3 woken");
    vmm.guest().ask("pattern verify 0x800000 0x10000 5");
    assert_eq!(qmp.status(), "running");
    assert_eq!(qmp.fails("system_wakeup", json!({})), awake);
}

#[test]
fn every_processor_gets_an_nmi() {
    let Some((mut vmm, mut qmp)) = guest("every_processor_gets_an_nmi", "-smp 2") else { return };
    vmm.guest().ask("smp");
    for round in 1..=3 {
        qmp.ok("inject-nmi", json!({}));
        wait_for("both CPUs' NMIs", || {
            let count = vmm.guest().ask_number("nmi", "count");
            assert!(count <= 2 * round, "{count} after {round} rounds");
            (count == 2 * round).then_some(())
        });
    }
    assert_eq!(qmp.hmp("nmi"), "");
    wait_for("the human monitor's", || (vmm.guest().ask_number("nmi", "count") == 8).then_some(()));
}

#[test]
fn an_nmi_waits_for_a_paused_guest() {
    let Some((mut vmm, mut qmp)) = guest("an_nmi_waits_for_a_paused_guest", "") else { return };
    qmp.ok("stop", json!({}));
    qmp.ok("inject-nmi", json!({}));
    qmp.ok("cont", json!({}));
    wait_for("the NMI", || (vmm.guest().ask_number("nmi", "count") == 1).then_some(()));
}

#[test]
fn pci_functions_are_those_that_the_guest_finds() {
    let Some((mut vmm, mut qmp)) = guest("pci_functions_are_those_that_the_guest_finds", "") else {
        return;
    };
    let buses = qmp.ok("query-pci", json!({}));
    assert_eq!((list(&buses).len(), &buses[0]["bus"]), (1, &json!(0)));
    let number = |value: &Value| value.as_u64().unwrap();
    let mut ours: Vec<String> = list(&buses[0]["devices"])
        .iter()
        .map(|device| {
            let place = format!(
                "{:02x}:{:02x}.{}",
                number(&device["bus"]),
                number(&device["slot"]),
                number(&device["function"])
            );
            let (vendor, id) = (number(&device["id"]["vendor"]), number(&device["id"]["device"]));
            format!("{place}={vendor:04x}:{id:04x}/{:04x}", number(&device["class_info"]["class"]))
        })
        .collect();
    let answer = vmm.guest().ask("pci list");
    let mut guests: Vec<&str> = answer.split(' ').filter(|word| word.contains(":")).collect();
    guests.sort_unstable();
    ours.sort_unstable();
    assert_eq!(guests.len(), ours.len(), "{answer}");
    for (theirs, ours) in guests.iter().zip(&ours) {
        assert!(theirs.contains(ours.as_str()), "{theirs} and {ours}");
    }
    let host = &buses[0]["devices"][0];
    assert_eq!(host["class_info"], json!({"class": 0x600, "desc": "Host bridge"}));
    assert_eq!((&host["irq_pin"], host.get("irq")), (&json!(0), None));
    assert_eq!(host["id"]["subsystem-vendor"], 0x1af4);
    // What the guest writes to the interrupt line register of a function with a pin is seen.
    let pm = |qmp: &mut Qmp| {
        let buses = qmp.ok("query-pci", json!({}));
        let pm = list(&buses[0]["devices"]).iter().find(|d| d["id"]["device"] == 0x7113);
        pm.expect("the power management function").clone()
    };
    assert_eq!(pm(&mut qmp)["irq_pin"], 1);
    vmm.guest().ask("pciw 0:1.3 0x3c 1 11");
    assert_eq!(pm(&mut qmp)["irq"], 11);
}

#[test]
fn models_are_listed_and_compared() {
    let Some((_vmm, mut qmp)) = empty("models_are_listed_and_compared") else { return };
    let models = qmp.ok("query-cpu-definitions", json!({}));
    let of = |name: &str| list(&models).iter().find(|m| m["name"] == name).unwrap().clone();
    let host = of("host");
    assert_eq!(host["unavailable-features"], json!([]), "the host runs itself");
    assert_eq!((&host["migration-safe"], &host["static"]), (&json!(false), &json!(false)));
    assert_eq!(of("qemu64")["typename"], "qemu64-x86_64-cpu");
    assert_eq!(of("qemu64")["alias-of"], "qemu64-v1");
    let model = |name: &str| json!({"name": name});
    let compare = |qmp: &mut Qmp, a: &str, b: &str| {
        let arguments = json!({"modela": model(a), "modelb": model(b)});
        qmp.ok("query-cpu-model-comparison", arguments)
    };
    assert_eq!(compare(&mut qmp, "qemu64", "qemu64")["result"], "identical");
    let found = compare(&mut qmp, "Haswell", "Haswell-noTSX");
    assert_eq!(found["result"], "superset");
    assert!(list(&found["responsible-properties"]).contains(&json!("rtm")), "{found}");
    let arguments = json!({"modela": model("Haswell"), "modelb": model("EPYC")});
    let base = qmp.ok("query-cpu-model-baseline", arguments);
    assert_eq!(base["model"]["name"], "base");
    let props = &base["model"]["props"];
    assert_eq!((&props["avx2"], &props["sha-ni"]), (&json!(true), &json!(false)));
}

#[test]
fn models_are_expanded_with_their_properties() {
    let Some((_vmm, mut qmp)) = empty("models_are_expanded_with_their_properties") else {
        return;
    };
    let expand = |qmp: &mut Qmp, kind: &str, model: Value| {
        qmp.ok("query-cpu-model-expansion", json!({"type": kind, "model": model}))
    };
    let found = expand(&mut qmp, "static", json!({"name": "qemu64", "props": {"avx": true}}));
    assert_eq!(found["model"]["name"], "base");
    assert_eq!(found["model"]["props"]["avx"], true);
    // Under KVM the vendor is the host's.
    let host = expand(&mut qmp, "static", json!({"name": "host"}));
    assert_eq!(found["model"]["props"]["vendor"], host["model"]["props"]["vendor"]);
    let full = expand(&mut qmp, "full", json!({"name": "qemu64"}));
    assert_eq!(full["model"]["name"], "qemu64");
    assert_eq!(full["model"]["props"]["avx"], false);
    let fails = |qmp: &mut Qmp, model: Value| {
        let arguments = json!({"type": "full", "model": model});
        qmp.fails("query-cpu-model-expansion", arguments)
    };
    assert_eq!(fails(&mut qmp, json!({"name": "nope"})), "CPU model 'nope' not found");
    let missing = "Property 'qemu64-x86_64-cpu.nope' not found";
    assert_eq!(fails(&mut qmp, json!({"name": "qemu64", "props": {"nope": true}})), missing);
    let kind = "Invalid parameter type for 'sse', expected: boolean";
    for value in [json!(3), json!(null), json!([]), json!({}), json!(1.5)] {
        let model = json!({"name": "qemu64", "props": {"sse": value}});
        assert_eq!(fails(&mut qmp, model), kind);
    }
    let object = "Invalid parameter type for 'model.props', expected: object";
    assert_eq!(fails(&mut qmp, json!({"name": "qemu64", "props": 5})), object);
}

#[test]
fn a_machine_without_processors_says_so() {
    let Some((_vmm, mut qmp)) = empty("a_machine_without_processors_says_so") else { return };
    let none = json!({});
    assert_eq!(qmp.ok("query-cpus-fast", none.clone()), json!([]));
    assert_eq!(qmp.ok("query-cpus", none.clone()), json!([]));
    assert_eq!(qmp.ok("query-pci", none.clone()), json!([]));
    let current = qmp.ok("query-current-machine", none.clone());
    assert_eq!(current, json!({"wakeup-suspend-support": false}));
    for (command, desc) in [
        ("query-hotpluggable-cpus", "The feature 'query-hotpluggable-cpus' is not enabled"),
        ("inject-nmi", "this feature or command is not currently supported"),
        ("system_wakeup", "wake-up from suspend is not supported by this guest"),
    ] {
        assert_eq!(qmp.fails(command, none.clone()), desc);
    }
    assert_eq!(qmp.fails("cpu", json!({"index": 0})), "Parameter 'index' expects a CPU number");
    qmp.ok("system_powerdown", none.clone());
    qmp.event("POWERDOWN");
    qmp.ok("system_reset", none);
    qmp.event("RESET");
}
