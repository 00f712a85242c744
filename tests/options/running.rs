//! How the machine is started and ended, and what is logged meanwhile.

use std::path::{Path, PathBuf};

use harness::{Qmp, kvm_or_skip, wait_for};
use rustix::process::Signal;
use serde_json::json;

use crate::guest::{builder, ready, start};

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn s_starts_nothing_until_cont() {
    if !kvm_or_skip("options::start_paused") {
        return;
    }
    let mut vmm = builder().args("-S").with_qmp().with_serial().start();
    let mut qmp = vmm.qmp();
    assert_eq!(qmp.ok("query-status", json!({}))["running"], false);
    assert_eq!(qmp.status(), "prelaunch");
    assert!(vmm.guest().is_silent(std::time::Duration::from_millis(200)));
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
}

#[test]
fn preconfig_waits_for_its_end() {
    if !kvm_or_skip("options::preconfig") {
        return;
    }
    let mut vmm = builder().args("-preconfig -name early").with_qmp().with_serial().start();
    let mut qmp = vmm.qmp();
    assert_eq!(qmp.ok("query-name", json!({})), json!({"name": "early"}));
    let error = qmp.execute("cont", json!({})).expect_err("no machine yet");
    assert_eq!(error.class, "GenericError");
    let text = "The command 'cont' is permitted only after machine initialization has completed";
    assert_eq!(error.desc, text);
    assert!(qmp.execute("query-cpus-fast", json!({})).is_err());
    assert!(vmm.guest().is_silent(std::time::Duration::from_millis(200)));
    qmp.ok("x-exit-preconfig", json!({}));
    vmm.guest().ready();
    assert_eq!(qmp.status(), "running");
    let again = qmp.fails("x-exit-preconfig", json!({}));
    assert_eq!(again, "The command is permitted only before machine initialization");

    let mut vmm = builder().args("-preconfig -S").with_qmp().with_serial().start();
    vmm.qmp().ok("x-exit-preconfig", json!({}));
    assert_eq!(vmm.qmp().status(), "prelaunch");
}

#[test]
fn actions_decide_what_the_guests_wishes_do() {
    if !kvm_or_skip("options::action") {
        return;
    }
    for option in ["-no-reboot", "-action reboot=shutdown"] {
        let mut vmm = start(option);
        vmm.guest().send("reset kbd");
        assert_eq!(vmm.wait().status, Some(0), "{option}");
    }
    for option in ["-no-shutdown", "-action shutdown=pause"] {
        let mut vmm = start(option);
        let mut qmp = vmm.qmp();
        vmm.guest().send("s5");
        qmp.event("SHUTDOWN");
        assert_eq!(qmp.status(), "shutdown", "{option}");
    }
    let mut vmm = start("-action panic=exit-failure,reboot=reset -device pvpanic");
    vmm.guest().send("panic");
    assert_eq!(vmm.wait().status, Some(1));
    let mut vmm = start("-action panic=none -device pvpanic");
    vmm.guest().ask("panic");
    assert_eq!(vmm.qmp().status(), "running");
}

#[test]
fn the_pid_file_has_the_number_and_goes_with_the_process() {
    if !kvm_or_skip("options::pidfile") {
        return;
    }
    let first = builder();
    let path = first.dir().join("pid");
    let option = format!("-machine none -pidfile {}", path.display());
    let mut vmm = first.args(&option).with_qmp().start();
    let mut qmp = vmm.qmp();
    assert_eq!(text(&path), format!("{}\n", vmm.pid()));
    // It is the other's, as long as that lives.
    let exit = builder().args(&option).run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains(path.to_str().expect("UTF-8")), "{}", exit.stderr);
    assert_eq!(text(&path), format!("{}\n", vmm.pid()));
    qmp.ok("quit", json!({}));
    assert_eq!(vmm.wait().status, Some(0));
    assert!(!path.exists());
}

/// Ends a process of which only the number is known.
struct Background(PathBuf);

impl Drop for Background {
    fn drop(&mut self) {
        let pid = text(&self.0).trim().parse().ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

#[test]
fn in_the_background_all_is_ready_when_the_parent_leaves() {
    if !kvm_or_skip("options::daemonize") {
        return;
    }
    let builder = builder();
    let at = |name: &str| builder.dir().join(name);
    let (pid, qmp, serial, log) = (at("pid"), at("qmp"), at("serial"), at("log"));
    let mut vmm = builder
        .args("-daemonize -S")
        .args(&format!("-pidfile {} -D {}", pid.display(), log.display()))
        .args(&format!("-qmp unix:{},server=on,wait=off", qmp.display()))
        .args(&format!("-serial unix:{},server=on,wait=off", serial.display()))
        .start();
    let background = Background(pid.clone());
    // Output ends too: nobody waits for a pipe that the background process holds.
    let exit = vmm.wait();
    assert_eq!((exit.status, exit.stdout.as_str()), (Some(0), ""), "{}", exit.stderr);
    let number = text(&pid);
    assert!(number.ends_with('\n'), "complete: {number:?}");
    assert_ne!(number.trim(), vmm.pid().to_string());
    assert!(Path::new(&format!("/proc/{}", number.trim())).exists());
    let mut qmp = Qmp::connect(&qmp).expect("listens already");
    qmp.negotiate();
    let mut guest = harness::Guest::connect(&serial).expect("listens already");
    qmp.ok("cont", json!({}));
    guest.ready();
    guest.ask("echo in the background");
    qmp.ok("quit", json!({}));
    wait_for("its end", || {
        (!Path::new(&format!("/proc/{}", number.trim())).exists()).then_some(())
    });
    assert!(!pid.exists());
    drop(background);
}

#[test]
fn in_the_background_a_mistake_is_still_told() {
    if !kvm_or_skip("options::daemonize_error") {
        return;
    }
    let exit = builder().args("-daemonize -machine none -pidfile /no/such/folder/pid").run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains("/no/such/folder/pid"), "{}", exit.stderr);
    let exit = builder().args("-daemonize -kernel /no/such/kernel").run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains("/no/such/kernel"), "{}", exit.stderr);
}

#[test]
fn messages_begin_with_time_and_name_if_asked() {
    if !kvm_or_skip("options::msg") {
        return;
    }
    let message = |options: &str| {
        let mut vmm = builder().args("-machine none -name web").args(options).with_qmp().start();
        vmm.qmp();
        vmm.signal(Signal::TERM);
        let stderr = vmm.wait().stderr;
        let line = stderr.lines().find(|line| line.contains("terminating on signal 15"));
        line.expect(&stderr).to_owned()
    };
    assert!(message("").starts_with("vmm: "));
    assert!(message("-msg timestamp=off,guest-name=off").starts_with("vmm: "));
    assert!(message("-msg guest-name=on").starts_with("web vmm: "));
    let line = message("-msg timestamp=on");
    let (stamp, rest) = line.split_once(' ').expect("a stamp");
    assert!(stamp.ends_with('Z') && stamp.contains('T') && stamp.starts_with("20"), "{line}");
    assert!(rest.starts_with("vmm: "), "{line}");
}

#[test]
fn log_items_go_to_the_log_file() {
    if !kvm_or_skip("options::log") {
        return;
    }
    let builder = builder();
    let log = builder.dir().join("log-%d");
    let mut vmm = ready(
        builder.arg("-D").arg(&log).arg("-d").arg("guest_errors,cpu_reset,trace:runstate_set"),
    );
    let log = vmm.dir().join(format!("log-{}", vmm.pid()));
    vmm.guest().ask("inb 0x1234");
    wait_for("the guest's mistake", || text(&log).contains("0x1234").then_some(()));
    let resets = text(&log).matches("CPU Reset").count();
    vmm.qmp().ok("system_reset", json!({}));
    vmm.guest().ready();
    assert!(text(&log).matches("CPU Reset").count() > resets);
    assert!(text(&log).contains("runstate_set"));
    // Without `-d` there is nothing to write.
    let builder = crate::guest::builder();
    let log = builder.dir().join("log");
    let mut vmm = ready(builder.arg("-D").arg(&log));
    vmm.guest().ask("inb 0x1234");
    assert_eq!(text(&log), "");
    // Without `-D` it goes to standard error.
    let mut vmm = start("-d guest_errors");
    vmm.guest().ask("inb 0x1234");
    wait_for("the guest's mistake", || vmm.stderr().contains("0x1234").then_some(()));
}

#[test]
fn trace_points_are_switched_on_by_pattern_and_file() {
    if !kvm_or_skip("options::trace") {
        return;
    }
    let builder = builder();
    let (list, out) = (builder.dir().join("list"), builder.dir().join("out"));
    std::fs::write(&list, "# comment\nserial_*\n-serial_read\n").expect("write");
    let option = format!("events={},file={}", list.display(), out.display());
    let mut vmm = ready(builder.args("-trace rtc_read -trace").arg(option));
    let mut qmp = vmm.qmp();
    let mut state = |name: &str| {
        let points = qmp.ok("trace-event-get-state", json!({"name": name}));
        points[0]["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(state("rtc_read"), "enabled");
    assert_eq!(state("serial_write"), "enabled");
    assert_eq!(state("serial_read"), "disabled");
    assert_eq!(state("rtc_write"), "disabled");
    vmm.guest().ask("rtc time");
    wait_for("lines", || text(&out).contains("rtc_read").then_some(()));
    let out = text(&out);
    assert!(out.contains("serial_write") && !out.contains("serial_read"), "{out}");
    // A name that no point has is a warning, not the end.
    let vmm = start("-trace no_such_point");
    assert!(vmm.stderr().contains("no_such_point"), "{}", vmm.stderr());
}

#[test]
fn a_configuration_file_gives_options() {
    if !kvm_or_skip("options::readconfig") {
        return;
    }
    let builder = builder();
    let (config, said) = (builder.dir().join("config"), builder.dir().join("said"));
    let content = format!(
        "# a comment\n[machine]\n  type = \"pc\"\n\n[smp-opts]\n  cpus = \"2\"\n\n[memory]\n  size = \"96M\"\n\n\
         [name]\n  guest = \"from a file\"\n\n[chardev \"d\"]\n  backend = \"file\"\n  path = \"{}\"\n\n\
         [device \"con\"]\n  driver = \"isa-debugcon\"\n  chardev = \"d\"\n  iobase = \"0xe9\"\n",
        said.display()
    );
    std::fs::write(&config, content).expect("write");
    let mut vmm = ready(builder.arg("-readconfig").arg(&config));
    assert_eq!(vmm.guest().ask_number("cpus", "count"), 2);
    assert_eq!(vmm.qmp().ok("query-name", json!({}))["name"], "from a file");
    let memory = vmm.qmp().ok("query-memory-size-summary", json!({}));
    assert_eq!(memory["base-memory"], 96 << 20);
    vmm.guest().ask("debugcon configured");
    wait_for("its text", || (text(&said) == "configured\n").then_some(()));
}
