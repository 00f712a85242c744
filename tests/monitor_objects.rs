//! The object tree, trace points, statistics and the smaller commands, by what they show of a
//! machine and change in it.

use harness::{Builder, Qmp, Vmm, kvm_or_skip, wait_for};
use serde_json::{Value, json};

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp()
}

/// A machine that is not started.
fn paused(arguments: &str) -> (Vmm, Qmp) {
    let mut vmm = builder().args("-S -serial null").args(arguments).start();
    let qmp = vmm.qmp();
    (vmm, qmp)
}

/// A machine whose guest is ready.
fn with_guest(arguments: &str) -> (Vmm, Qmp) {
    let mut vmm = builder().with_serial().args(arguments).start();
    vmm.guest().ready();
    let qmp = vmm.qmp();
    (vmm, qmp)
}

fn get(qmp: &mut Qmp, path: &str, property: &str) -> Value {
    qmp.ok("qom-get", json!({"path": path, "property": property}))
}

fn names(list: &Value) -> Vec<String> {
    let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
    list.as_array().expect("a list").iter().map(name).collect()
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().expect("a list").iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn the_tree_is_walked_by_path() {
    if !kvm_or_skip("monitor_objects::walk") {
        return;
    }
    let (_vmm, mut qmp) = paused("-device isa-debug-exit,id=exit -object iothread,id=t");
    let root = qmp.ok("qom-list", json!({"path": "/"}));
    for (name, kind) in [
        ("type", "string"),
        ("machine", "child<pc-i440fx-7.2-machine>"),
        ("objects", "child<container>"),
        ("chardevs", "child<container>"),
    ] {
        assert_eq!(named(&root, name)["type"], kind);
    }
    assert_eq!(get(&mut qmp, "/machine", "type"), "pc-i440fx-7.2-machine");
    assert_eq!(get(&mut qmp, "machine", "peripheral"), "/machine/peripheral");
    let peripheral = qmp.ok("qom-list", json!({"path": "/machine/peripheral"}));
    assert_eq!(named(&peripheral, "exit")["type"], "child<isa-debug-exit>");
    let objects = qmp.ok("qom-list", json!({"path": "/objects"}));
    assert_eq!(named(&objects, "t")["type"], "child<iothread>");
    // Every child can be listed, and every property that says it is readable be read.
    let mut paths = vec![String::new()];
    let mut seen = 0;
    while let Some(path) = paths.pop() {
        let place = if path.is_empty() { "/" } else { &path };
        let list = qmp.ok("qom-list", json!({"path": place}));
        for one in list.as_array().unwrap() {
            let name = one["name"].as_str().unwrap();
            let value = qmp.execute("qom-get", json!({"path": place, "property": name}));
            if one["type"].as_str().unwrap().starts_with("child<") {
                assert_eq!(value.unwrap(), format!("{path}/{name}"));
                paths.push(format!("{path}/{name}"));
            } else if let Err(error) = value {
                let expected =
                    error.desc.ends_with("is not readable") || error.desc == "No crash occurred";
                assert!(expected, "{path}.{name}: {error:?}");
            }
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen} objects");
}

#[test]
fn paths_and_properties_that_are_not_there() {
    if !kvm_or_skip("monitor_objects::path_errors") {
        return;
    }
    let (_vmm, mut qmp) = paused("");
    for path in ["/nope", "nope", "/machine/peripheral/nope"] {
        for (command, rest) in [
            ("qom-list", json!({})),
            ("qom-get", json!({"property": "type"})),
            ("qom-set", json!({"property": "type", "value": 1})),
        ] {
            let mut arguments = rest;
            arguments["path"] = json!(path);
            let error = qmp.execute(command, arguments).unwrap_err();
            assert_eq!(error.class, "DeviceNotFound", "{command}");
            assert_eq!(error.desc, format!("Device '{path}' not found"));
        }
    }
    assert_eq!(qmp.fails("qom-list", json!({"path": ""})), "Path '' is ambiguous");
    let arguments = json!({"path": "", "property": "type"});
    assert_eq!(qmp.fails("qom-get", arguments), "Device '' not found");
    let arguments = json!({"path": "/machine", "property": "nope"});
    let text = "Property 'pc-i440fx-7.2-machine.nope' not found";
    assert_eq!(qmp.fails("qom-get", arguments), text);
    let mut set = |path: &str, property: &str, value: Value| {
        qmp.fails("qom-set", json!({"path": path, "property": property, "value": value}))
    };
    assert_eq!(set("/machine", "nope", json!(1)), text);
    assert_eq!(
        set("/machine", "graphics", json!("x")),
        "Invalid parameter type for 'graphics', expected: boolean"
    );
    for property in ["type", "peripheral", "unattached"] {
        let text = format!("Property 'pc-i440fx-7.2-machine.{property}' is not writable");
        assert_eq!(set("/machine", property, json!("x")), text);
    }
}

#[test]
fn a_changed_property_is_what_others_see() {
    if !kvm_or_skip("monitor_objects::set") {
        return;
    }
    let (_vmm, mut qmp) =
        paused("-object memory-backend-ram,id=m,size=1M,dump=on -device isa-debug-exit,id=e");
    let dump = |qmp: &mut Qmp| {
        let list = qmp.ok("query-memdev", json!({}));
        let m = list.as_array().unwrap().iter().find(|one| one["id"] == "m").cloned();
        m.expect("the backend")["dump"].clone()
    };
    assert_eq!(dump(&mut qmp), true);
    qmp.ok("qom-set", json!({"path": "/objects/m", "property": "dump", "value": false}));
    assert_eq!(dump(&mut qmp), false);
    assert_eq!(get(&mut qmp, "m", "dump"), false);
    let arguments = json!({"path": "/objects/m", "property": "dump", "value": "off"});
    let desc = qmp.fails("qom-set", arguments);
    assert_eq!(desc, "Invalid parameter type for 'dump', expected: boolean");
    let arguments = json!({"path": "e", "property": "iobase", "value": 1});
    assert_eq!(
        qmp.fails("qom-set", arguments),
        "Attempt to set property 'iobase' on device 'e' (type 'isa-debug-exit') after it was realized"
    );
}

#[test]
fn classes_are_listed_with_their_family() {
    if !kvm_or_skip("monitor_objects::types") {
        return;
    }
    let (_vmm, mut qmp) = paused("");
    let made = names(&qmp.ok("qom-list-types", json!({})));
    let all = qmp.ok("qom-list-types", json!({"abstract": true}));
    assert!(made.iter().any(|name| name == "isa-serial"));
    assert!(!made.iter().any(|name| name == "device"));
    assert_eq!(named(&all, "device")["abstract"], true);
    assert_eq!(named(&all, "isa-serial").get("abstract"), None);
    assert_eq!(named(&all, "isa-serial")["parent"], "isa-device");
    assert_eq!(named(&all, "object").get("parent"), None);
    let unique: std::collections::BTreeSet<_> = names(&all).into_iter().collect();
    assert_eq!(unique.len(), all.as_array().unwrap().len(), "each class once");
    // Every parent is a class itself, and the same one that `implements` asks for.
    for class in all.as_array().unwrap() {
        if let Some(parent) = class.get("parent") {
            assert!(unique.contains(parent.as_str().unwrap()), "{class}");
        }
    }
    let chardevs =
        names(&qmp.ok("qom-list-types", json!({"implements": "chardev", "abstract": true})));
    assert!(chardevs.iter().all(|name| name.starts_with("chardev")) && chardevs.len() > 5);
    assert_eq!(qmp.ok("qom-list-types", json!({"implements": "nope"})), json!([]));
    for class in unique {
        let list = qmp.ok("qom-list-properties", json!({"typename": class}));
        assert_eq!(named(&list, "type")["type"], "string", "{class}");
    }
    let error = qmp.execute("qom-list-properties", json!({"typename": "nope"})).unwrap_err();
    assert_eq!((&*error.class, &*error.desc), ("DeviceNotFound", "Class 'nope' not found"));
}

#[test]
fn a_devices_properties_begin_at_their_documented_defaults() {
    if !kvm_or_skip("monitor_objects::device_properties") {
        return;
    }
    let (_vmm, mut qmp) = paused("-device pvpanic,id=p -device isa-debug-exit,id=e");
    for (class, id) in [("pvpanic", "p"), ("isa-debug-exit", "e")] {
        let list = qmp.ok("device-list-properties", json!({"typename": class}));
        assert!(!list.as_array().unwrap().is_empty());
        for one in list.as_array().unwrap() {
            let name = one["name"].as_str().unwrap();
            if let Some(default) = one.get("default-value") {
                assert_eq!(&get(&mut qmp, id, name), default, "{class}.{name}");
            }
        }
    }
    let serial = qmp.ok("device-list-properties", json!({"typename": "isa-serial"}));
    assert_eq!(named(&serial, "irq")["type"], "uint32");
    assert_eq!(named(&serial, "irq")["default-value"], 4294967295u64);
    assert_eq!(named(&serial, "chardev").get("default-value"), None);
    assert!(named(&serial, "chardev")["description"].is_string());
    assert!(!names(&serial).iter().any(|name| name == "type" || name == "realized"));
    for class in ["device", "isa-device", "object", "iothread", "pc-i440fx-7.2-machine"] {
        let desc = qmp.fails("device-list-properties", json!({"typename": class}));
        assert_eq!(desc, "Parameter 'typename' expects a non-abstract device type", "{class}");
    }
    let error = qmp.execute("device-list-properties", json!({"typename": "nope"})).unwrap_err();
    assert_eq!((&*error.class, &*error.desc), ("DeviceNotFound", "Device 'nope' not found"));
}

#[test]
fn trace_points_write_while_they_are_on() {
    if !kvm_or_skip("monitor_objects::trace") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("");
    let state = |qmp: &mut Qmp, name: &str| {
        let list = qmp.ok("trace-event-get-state", json!({"name": name}));
        assert_eq!(list[0]["vcpu"], false);
        list[0]["state"].as_str().unwrap().to_owned()
    };
    let lines = |vmm: &Vmm| vmm.stderr().lines().filter(|l| l.starts_with("pci_cfg_read ")).count();
    vmm.guest().ask("pci list");
    assert_eq!(lines(&vmm), 0);
    assert_eq!(state(&mut qmp, "pci_cfg_read"), "disabled");
    qmp.ok("trace-event-set-state", json!({"name": "pci_cfg_read", "enable": true}));
    assert_eq!(state(&mut qmp, "pci_cfg_read"), "enabled");
    assert_eq!(state(&mut qmp, "pci_cfg_write"), "disabled");
    vmm.guest().ask("pci list");
    wait_for("lines of the trace point", || (lines(&vmm) > 0).then_some(()));
    qmp.ok("trace-event-set-state", json!({"name": "pci_cfg_*", "enable": false}));
    assert_eq!(state(&mut qmp, "pci_cfg_read"), "disabled");
    // What another point writes later shows that everything before it has come.
    let settled = |vmm: &mut Vmm, qmp: &mut Qmp, mark: &str| {
        qmp.ok("trace-event-set-state", json!({"name": "serial_*", "enable": true}));
        vmm.guest().ask(&format!("echo {mark}"));
        wait_for("another point", || vmm.stderr().contains("serial_").then_some(()));
        qmp.ok("trace-event-set-state", json!({"name": "serial_*", "enable": false}));
        lines(vmm)
    };
    let before = settled(&mut vmm, &mut qmp, "one");
    vmm.guest().ask("pci list");
    assert_eq!(settled(&mut vmm, &mut qmp, "two"), before);
}

#[test]
fn trace_points_are_chosen_by_name_or_pattern() {
    if !kvm_or_skip("monitor_objects::trace_names") {
        return;
    }
    let (_vmm, mut qmp) = paused("-smp 2");
    let get = "trace-event-get-state";
    let all = names(&qmp.ok(get, json!({"name": "*"})));
    assert!(all.len() > 5);
    for name in &all {
        let one = qmp.ok(get, json!({"name": name}));
        assert_eq!(one, json!([{"name": name, "state": "disabled", "vcpu": false}]));
    }
    assert_eq!(qmp.ok(get, json!({"name": "nope*"})), json!([]));
    assert_eq!(names(&qmp.ok(get, json!({"name": "serial_*"}))), ["serial_read", "serial_write"]);
    let set = "trace-event-set-state";
    let on = |extra: Value| {
        let mut arguments = json!({"name": "serial_read", "enable": true});
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    let unknown = on(json!({"name": "nope", "ignore-unavailable": true}));
    assert_eq!(qmp.fails(set, unknown), "unknown event \"nope\"");
    assert_eq!(qmp.fails(get, json!({"name": "nope"})), "unknown event \"nope\"");
    for vcpu in [0, 1] {
        let text = "event \"serial_read\" is not vCPU-specific";
        assert_eq!(qmp.fails(set, on(json!({"vcpu": vcpu}))), text);
        assert_eq!(qmp.fails(get, json!({"name": "serial_read", "vcpu": vcpu})), text);
        assert_eq!(qmp.ok(get, json!({"name": "serial_*", "vcpu": vcpu})), json!([]));
    }
    for vcpu in [2, -1] {
        let text = format!("invalid vCPU index {vcpu}");
        assert_eq!(qmp.fails(set, on(json!({"vcpu": vcpu}))), text);
        assert_eq!(qmp.fails(get, json!({"name": "*", "vcpu": vcpu})), text);
    }
    assert_eq!(qmp.ok(get, json!({"name": "serial_read"}))[0]["state"], "disabled");
    qmp.ok(set, on(json!({"ignore-unavailable": true})));
    assert_eq!(qmp.ok(get, json!({"name": "serial_read"}))[0]["state"], "enabled");
}

fn cpu_stat(qmp: &mut Qmp, name: &str) -> u64 {
    let providers = json!([{"provider": "kvm", "names": [name]}]);
    let results = qmp.ok("query-stats", json!({"target": "vcpu", "providers": providers}));
    let value = |result: &Value| result["stats"][0]["value"].as_u64().expect("a number");
    results.as_array().unwrap().iter().map(value).sum()
}

#[test]
fn statistics_count_what_the_guest_does() {
    if !kvm_or_skip("monitor_objects::stats") {
        return;
    }
    let (mut vmm, mut qmp) = with_guest("-smp 2");
    let schemas = qmp.ok("query-stats-schemas", json!({}));
    let targets: Vec<_> = schemas.as_array().unwrap().iter().map(|one| &one["target"]).collect();
    assert_eq!(targets, ["vcpu", "vm"]);
    assert_eq!(qmp.ok("query-stats-schemas", json!({"provider": "kvm"})), schemas);
    let before = cpu_stat(&mut qmp, "exits");
    vmm.guest().ask("pio-loop 1000");
    assert!(cpu_stat(&mut qmp, "exits") >= before + 1000);

    // What the schema promises is what comes, of each CPU and of the machine.
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    let paths: Vec<_> =
        cpus.as_array().unwrap().iter().map(|cpu| cpu["qom-path"].clone()).collect();
    let of_cpus = qmp.ok("query-stats", json!({"target": "vcpu"}));
    let told: Vec<_> =
        of_cpus.as_array().unwrap().iter().map(|one| one["qom-path"].clone()).collect();
    assert_eq!(told, paths);
    let of_vm = qmp.ok("query-stats", json!({"target": "vm"}));
    assert_eq!(of_vm[0].get("qom-path"), None);
    for (result, schema) in [(&of_cpus[1], &schemas[0]), (&of_vm[0], &schemas[1])] {
        assert_eq!(result["provider"], "kvm");
        assert_eq!(names(&result["stats"]), names(&schema["stats"]));
        for one in schema["stats"].as_array().unwrap() {
            let value = &named(&result["stats"], one["name"].as_str().unwrap())["value"];
            let fits = match one["type"].as_str().unwrap() {
                "linear-histogram" | "log2-histogram" => value.is_array(),
                _ if one["unit"] == "boolean" => value.is_boolean(),
                _ => value.is_u64(),
            };
            assert!(fits, "{one}: {value}");
        }
    }
}

#[test]
fn statistics_are_filtered() {
    if !kvm_or_skip("monitor_objects::stats_filter") {
        return;
    }
    let (_vmm, mut qmp) = paused("-smp 2");
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    let path = &cpus[1]["qom-path"];
    let some = json!([{"provider": "kvm", "names": ["exits", "nope"]}]);
    let one = qmp.ok("query-stats", json!({"target": "vcpu", "vcpus": [path], "providers": some}));
    let stats = json!([{"name": "exits", "value": one[0]["stats"][0]["value"]}]);
    assert_eq!(one, json!([{"provider": "kvm", "qom-path": path, "stats": stats}]));
    for filter in [
        json!({"target": "vcpu", "vcpus": []}),
        json!({"target": "vcpu", "vcpus": ["/nope", "device[0]"]}),
        json!({"target": "vcpu", "providers": []}),
        json!({"target": "vm", "providers": [{"provider": "kvm", "names": []}]}),
        json!({"target": "vm", "providers": [{"provider": "kvm", "names": ["exits"]}]}),
    ] {
        assert_eq!(qmp.ok("query-stats", filter.clone()), json!([]), "{filter}");
    }
    let desc = qmp.fails("query-stats", json!({"target": "vm", "vcpus": []}));
    assert_eq!(desc, "Parameter 'vcpus' is unexpected");
    let desc = qmp.fails("query-stats", json!({"target": "bogus"}));
    assert_eq!(desc, "Parameter 'target' does not accept value 'bogus'");
    let mut vmm = builder().args("-machine none").start();
    assert_eq!(vmm.qmp().ok("query-stats", json!({"target": "vcpu"})), json!([]));
}

#[test]
fn io_threads_are_threads_of_the_process() {
    if !kvm_or_skip("monitor_objects::iothreads") {
        return;
    }
    let (vmm, mut qmp) = paused("-object iothread,id=one -object iothread,id=two");
    let list = qmp.ok("query-iothreads", json!({}));
    let list = list.as_array().unwrap();
    assert_eq!(list.iter().map(|one| &one["id"]).collect::<Vec<_>>(), ["one", "two"]);
    for one in list {
        let task = format!("/proc/{}/task/{}/comm", vmm.pid(), one["thread-id"]);
        let name = std::fs::read_to_string(&task).unwrap();
        assert_eq!(name.trim_end(), format!("IO {}", one["id"].as_str().unwrap()));
    }
    let (_vmm, mut qmp) = paused("");
    assert_eq!(qmp.ok("query-iothreads", json!({})), json!([]));
}

#[test]
fn the_name_is_the_one_given() {
    if !kvm_or_skip("monitor_objects::name") {
        return;
    }
    let (_vmm, mut qmp) = paused("-name guest=Alma");
    assert_eq!(qmp.ok("query-name", json!({})), json!({"name": "Alma"}));
    let (_vmm, mut qmp) = paused("");
    assert_eq!(qmp.ok("query-name", json!({})), json!({}));
}

#[test]
fn the_command_lines_options_are_described() {
    if !kvm_or_skip("monitor_objects::command_line_options") {
        return;
    }
    let (_vmm, mut qmp) = paused("");
    let all = qmp.ok("query-command-line-options", json!({}));
    for one in all.as_array().unwrap() {
        let option = &one["option"];
        let alone = qmp.ok("query-command-line-options", json!({"option": option}));
        assert_eq!(alone, json!([one]));
    }
    let name = qmp.ok("query-command-line-options", json!({"option": "name"}));
    assert_eq!(named(&name[0]["parameters"], "guest")["type"], "string");
    let desc = qmp.fails("query-command-line-options", json!({"option": "nope"}));
    assert_eq!(desc, "invalid option name: nope");
}

#[test]
fn a_machine_is_completed_when_the_client_says_so() {
    if !kvm_or_skip("monitor_objects::preconfig") {
        return;
    }
    let mut vmm = builder().args("-preconfig -S -serial null -smp 2").start();
    let mut qmp = vmm.qmp();
    for command in ["query-cpus-fast", "cont", "system_reset"] {
        let text = "is permitted only after machine initialization has completed";
        assert_eq!(qmp.fails(command, json!({})), format!("The command '{command}' {text}"));
    }
    assert_eq!(qmp.status(), "prelaunch");
    qmp.ok("x-exit-preconfig", json!({}));
    assert_eq!(qmp.status(), "prelaunch", "-S holds");
    assert_eq!(qmp.ok("query-cpus-fast", json!({})).as_array().unwrap().len(), 2);
    let desc = qmp.fails("x-exit-preconfig", json!({}));
    assert_eq!(desc, "The command is permitted only before machine initialization");

    // Without -S the machine is started.
    let mut vmm = builder().with_serial().args("-preconfig").start();
    let mut qmp = vmm.qmp();
    qmp.ok("x-exit-preconfig", json!({}));
    vmm.guest().ready();
    assert_eq!(qmp.status(), "running");
}

#[test]
fn a_machine_that_cannot_be_completed_is_the_end() {
    if !kvm_or_skip("monitor_objects::preconfig_failure") {
        return;
    }
    let device = "isa-serial,chardev=nope";
    let mut vmm = builder().args("-preconfig -serial null -device").arg(device).start();
    let mut qmp = vmm.qmp();
    let desc = qmp.fails("x-exit-preconfig", json!({}));
    assert!(desc.contains("nope"), "{desc}");
    let exit = vmm.wait();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains("nope"), "{}", exit.stderr);
}

#[test]
fn a_human_command_is_about_the_cpu_it_is_given() {
    if !kvm_or_skip("monitor_objects::human_cpu") {
        return;
    }
    let (_vmm, mut qmp) = paused("-smp 2");
    let cpus = |qmp: &mut Qmp, index: Option<i64>| {
        let mut arguments = json!({"command-line": "info cpus"});
        if let Some(index) = index {
            arguments["cpu-index"] = json!(index);
        }
        let text = qmp.ok("human-monitor-command", arguments);
        let chosen = text.as_str().unwrap().lines().find(|line| line.starts_with('*'));
        chosen.expect("a chosen CPU").split(':').next().unwrap().to_owned()
    };
    assert_eq!(cpus(&mut qmp, None), "* CPU #0");
    assert_eq!(cpus(&mut qmp, Some(1)), "* CPU #1");
    assert_eq!(cpus(&mut qmp, None), "* CPU #0", "for one command only");
    for index in [2, -1, i64::MAX] {
        let arguments = json!({"command-line": "info name", "cpu-index": index});
        let desc = qmp.fails("human-monitor-command", arguments);
        assert_eq!(desc, "Parameter 'cpu-index' expects a CPU number");
    }
    let text = |qmp: &mut Qmp, line: &str| {
        qmp.ok("human-monitor-command", json!({"command-line": line})).as_str().unwrap().to_owned()
    };
    assert_eq!(text(&mut qmp, ""), "");
    assert_eq!(text(&mut qmp, "nope"), "unknown command: 'nope'\r\n");
}

#[test]
fn ticks_of_the_clock_that_were_not_taken_are_forgotten() {
    if !kvm_or_skip("monitor_objects::rtc_reset_reinjection") {
        return;
    }
    for (policy, kept) in [("slew", true), ("none", false)] {
        let (mut vmm, mut qmp) = with_guest(&format!("-rtc driftfix={policy}"));
        let guest = vmm.guest();
        // The periodic interrupt at 8192 Hz, which nobody takes; then no more of it.
        let miss = |guest: &mut harness::Guest| {
            guest.ask("rtc write 0xb 0x42");
            guest.ask("rtc write 0xa 0x23");
            guest.ask("idle 50");
            guest.ask("rtc write 0xa 0x20");
        };
        let ticked =
            |guest: &mut harness::Guest| guest.ask_number("rtc read 0xc", "value") & 0x40 != 0;
        miss(guest);
        assert!(ticked(guest));
        for _ in 0..10 {
            assert_eq!(ticked(guest), kept, "{policy}");
        }
        miss(guest);
        qmp.ok("rtc-reset-reinjection", json!({}));
        assert!(ticked(guest), "the last one is still there");
        assert!(!ticked(guest), "{policy}");
    }
}

#[test]
fn what_this_hardware_does_not_have_is_said() {
    if !kvm_or_skip("monitor_objects::absent") {
        return;
    }
    let (_vmm, mut qmp) = paused("");
    for command in ["query-tpm", "query-tpm-models", "query-tpm-types"] {
        assert_eq!(qmp.ok(command, json!({})), json!([]));
    }
    for (command, arguments) in
        [("dump-skeys", json!({"filename": "x"})), ("query-gic-capabilities", json!({}))]
    {
        let error = qmp.execute(command, arguments).unwrap_err();
        assert_eq!(error.class, "GenericError");
        assert_eq!(error.desc, format!("The feature '{command}' is not enabled"));
    }
}

#[test]
fn a_global_reaches_the_boards_own_devices() {
    if !kvm_or_skip("monitor_objects::globals") {
        return;
    }
    let policy = |qmp: &mut Qmp| {
        let mut found = Vec::new();
        for number in 0..20 {
            let path = format!("/machine/unattached/device[{number}]");
            let kind = qmp.execute("qom-get", json!({"path": path, "property": "type"}));
            if kind.is_ok_and(|kind| kind == "kvm-pit") {
                found.push(get(qmp, &path, "lost_tick_policy"));
            }
        }
        found
    };
    let (_vmm, mut qmp) = paused("-nodefaults");
    assert_eq!(policy(&mut qmp), ["delay"]);
    let (_vmm, mut qmp) =
        paused("-nodefaults -global kvm-pit.lost_tick_policy=discard -global nosuch.x=1");
    assert_eq!(policy(&mut qmp), ["discard"]);
    let list = qmp.ok("device-list-properties", json!({"typename": "kvm-pit"}));
    assert_eq!(named(&list, "lost_tick_policy")["default-value"], "delay");
    for class in ["kvm-i8259", "kvm-ioapic"] {
        assert_eq!(qmp.ok("device-list-properties", json!({"typename": class})), json!([]));
    }
}

#[test]
fn a_global_that_does_not_fit_ends_the_program() {
    if !kvm_or_skip("monitor_objects::wrong_globals") {
        return;
    }
    for (global, text) in [
        ("kvm-pit.lost_tick_policy=slew", "Lost tick policy not supported."),
        (
            "PIIX4_PM.nope=1",
            "can't apply global PIIX4_PM.nope=1: Property 'PIIX4_PM.nope' not found",
        ),
        (
            "x86_64-cpu.sse=x",
            "can't apply global x86_64-cpu.sse=x: Parameter 'sse' expects 'on' or 'off'",
        ),
    ] {
        assert_eq!(refused(&["-global", global]), format!("vmm: {text}"));
    }
}

/// The last line that the program says when it does not start with these arguments.
fn refused(arguments: &[&str]) -> String {
    let mut builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-nodefaults -display none -S");
    builder.command().args(arguments);
    let exit = builder.run();
    assert_eq!(exit.status, Some(1), "{arguments:?}");
    exit.stderr.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_processor_tells_what_it_has_and_lacks() {
    if !kvm_or_skip("monitor_objects::cpu_features") {
        return;
    }
    // Nobody has this many: some of it is missing everywhere.
    let (_vmm, mut qmp) = paused("-nodefaults -cpu Haswell,amx-tile=on,3dnow=on");
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    let path = cpus[0]["qom-path"].as_str().unwrap().to_owned();
    let missing = get(&mut qmp, &path, "unavailable-features");
    let lacks = |name: &str| missing.as_array().unwrap().iter().any(|one| one == name);
    assert!(lacks("3dnow") || lacks("amx-tile"), "{missing}");
    let has = get(&mut qmp, &path, "feature-words");
    let filtered = get(&mut qmp, &path, "filtered-features");
    let word = |list: &Value, leaf: u32, subleaf: Option<u32>, register: &str| {
        let found = list.as_array().unwrap().iter().find(|word| {
            word["cpuid-input-eax"] == leaf
                && word.get("cpuid-input-ecx") == subleaf.map(|n| json!(n)).as_ref()
                && word["cpuid-register"] == register
        });
        found.expect("the word")["features"].as_u64().unwrap()
    };
    // Bit by bit: one that is wanted is either there or filtered, and told by its property.
    for (name, leaf, subleaf, register, bit) in [
        ("sse2", 1, None, "EDX", 26),
        ("pclmulqdq", 1, None, "ECX", 1),
        ("avx2", 7, Some(0), "EBX", 5),
        ("3dnow", 0x8000_0001, None, "EDX", 31),
        ("amx-tile", 7, Some(0), "EDX", 24),
    ] {
        let there = word(&has, leaf, subleaf, register) >> bit & 1 == 1;
        let refused = word(&filtered, leaf, subleaf, register) >> bit & 1 == 1;
        assert_ne!(there, refused, "{name}");
        assert_eq!((lacks(name), get(&mut qmp, &path, name)), (refused, json!(there)), "{name}");
    }
    let arguments = json!({"path": path, "property": "crash-information"});
    assert_eq!(qmp.fails("qom-get", arguments), "No crash occurred");
}

#[test]
fn processor_classes_have_a_family_and_defaults() {
    if !kvm_or_skip("monitor_objects::cpu_classes") {
        return;
    }
    let (_vmm, mut qmp) = paused("-nodefaults");
    let all = qmp.ok("qom-list-types", json!({"implements": "max-x86_64-cpu"}));
    let mut family = names(&all);
    family.sort();
    assert_eq!(family, ["host-x86_64-cpu", "max-x86_64-cpu"]);
    assert_eq!(named(&all, "host-x86_64-cpu")["parent"], "max-x86_64-cpu");
    let of = |qmp: &mut Qmp, class| qmp.ok("device-list-properties", json!({"typename": class}));
    let list = of(&mut qmp, "qemu64-x86_64-cpu");
    assert_eq!(named(&list, "hv-spinlocks")["default-value"], u32::MAX);
    assert_eq!(named(&list, "check")["default-value"], true);
    assert_eq!(named(&list, "family").get("default-value"), None);
    assert!(!names(&list).iter().any(|name| name.starts_with("legacy-")));
    assert_eq!(named(&of(&mut qmp, "host-x86_64-cpu"), "migratable")["default-value"], true);
    let creatable = names(&qmp.ok("qom-list-types", json!({"implements": "user-creatable"})));
    assert!(
        creatable.contains(&"iothread".into()) && creatable.contains(&"memory-backend-ram".into())
    );
    assert!(!creatable.contains(&"isa-serial".into()));
}

#[test]
fn the_machine_tells_what_was_asked_of_it() {
    if !kvm_or_skip("monitor_objects::machine") {
        return;
    }
    let (_vmm, mut qmp) = paused(
        "-nodefaults -m 64 -smp 2,maxcpus=4 -boot order=cd,menu=on -rtc base=2001-02-03T04:05:06",
    );
    let list = qmp.ok("qom-list", json!({"path": "/machine"}));
    for (name, kind, value) in [
        ("boot", "BootConfiguration", json!({"order": "cd", "menu": true})),
        ("memory", "MemorySizeConfiguration", json!({"size": 64 << 20})),
        ("memory-backend", "link<memory-backend>", json!("/objects/pc.ram")),
        ("kernel", "string", json!("")),
        ("usb", "bool", json!(false)),
        ("hpet", "bool", json!(false)),
        ("smm", "OnOffAuto", json!("off")),
    ] {
        assert_eq!(named(&list, name)["type"], kind, "{name}");
        assert_eq!(get(&mut qmp, "/machine", name), value, "{name}");
    }
    let smp = get(&mut qmp, "/machine", "smp");
    assert_eq!((&smp["cpus"], &smp["maxcpus"]), (&json!(2), &json!(4)));
    // The clock may have gone on, but not for long.
    assert_eq!(named(&list, "rtc-time")["type"], "struct tm");
    let clock =
        (0..20).map(|number| format!("/machine/unattached/device[{number}]")).find(|path| {
            let kind = qmp.execute("qom-get", json!({"path": path, "property": "type"}));
            kind.is_ok_and(|kind| kind == "mc146818rtc")
        });
    for (path, name) in [("/machine", "rtc-time"), (&clock.expect("a clock"), "date")] {
        let time = get(&mut qmp, path, name);
        let day = ["tm_year", "tm_mon", "tm_mday", "tm_hour"].map(|member| time[member].clone());
        assert_eq!(day, [json!(101), json!(1), json!(3), json!(4)], "{path}");
    }
    let size = qmp.ok("query-memory-size-summary", json!({}));
    assert_eq!(size["base-memory"], 64 << 20);
    let mut vmm = builder().args("-machine none -boot order=c").start();
    let mut qmp = vmm.qmp();
    assert_eq!(get(&mut qmp, "/machine", "boot"), json!({"order": "c"}));
    let size = qmp.ok("query-memory-size-summary", json!({}));
    assert_eq!(size, json!({"base-memory": 0, "plugged-memory": 0}));
}

#[test]
fn what_cannot_be_made_is_named() {
    if !kvm_or_skip("monitor_objects::refusals") {
        return;
    }
    for (option, argument, text) in [
        ("-device", "nope", "'nope' is not a valid device model name"),
        ("-device", "iothread", "'iothread' is not a valid device model name"),
        ("-device", "i440FX", "Parameter 'driver' expects a pluggable device type"),
        ("-device", "kvm-pit", "Parameter 'driver' expects a pluggable device type"),
        ("-device", "device", "Parameter 'driver' expects a non-abstract device type"),
        ("-device", "isa-debug-exit,iobase=foo", "Parameter 'iobase' expects integer"),
        ("-device", "isa-debug-exit,iosize=-1", "Parameter 'iosize' expects uint32_t"),
        ("-device", "isa-serial,chardev=x", "Property 'isa-serial.chardev' can't find value 'x'"),
        ("-object", "iothread,id=a,x=1", "Invalid parameter 'x'"),
        ("-object", r#"{"qom-type":"iothread","id":"a","x":1}"#, "Parameter 'x' is unexpected"),
        ("-object", "isa-serial,id=x", "Parameter 'qom-type' does not accept value 'isa-serial'"),
    ] {
        assert_eq!(refused(&[option, argument]), format!("vmm: {option} {argument}: {text}"));
    }
    assert_eq!(
        refused(&["-object", "memory-backend-ram,id=pc.ram,size=128M"]),
        "vmm: object name 'pc.ram' is reserved for the default RAM backend, it can't be used for \
         any other purposes. Change the object's 'id' to something else"
    );
    let of_none = |model| refused(&["-machine", "none", "-cpu", model]);
    assert!(of_none("nope").ends_with("unable to find CPU model 'nope'"), "{}", of_none("nope"));
    assert_eq!(of_none("qemu64"), "vmm: -cpu qemu64: the machine 'none' has no processors");
}
