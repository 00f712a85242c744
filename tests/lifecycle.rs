//! The run state: what the guest, the monitor and signals do to it, as the guest, the monitor's
//! events and the process's end show it.

use harness::{Builder, Vmm, kvm_or_skip, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp().with_serial()
}

/// A machine whose guest is ready.
fn start(arguments: &str) -> Vmm {
    let mut vmm = builder().args(arguments).start();
    vmm.guest().ready();
    vmm
}

fn data(event: &Value) -> (bool, &str) {
    let data = &event["data"];
    (data["guest"].as_bool().expect("guest"), data["reason"].as_str().expect("reason"))
}

#[test]
fn stop_halts_the_guest_and_cont_lets_it_go_on() {
    if !kvm_or_skip("lifecycle::stop_and_cont") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    vmm.guest().ask("tick 1000");
    qmp.ok("stop", json!({}));
    qmp.event("STOP");
    assert_eq!(qmp.status(), "paused");
    let before = qmp.hmp("info registers");
    assert_eq!(qmp.hmp("info registers"), before, "nothing moves");
    qmp.ok("stop", json!({}));
    qmp.ok("cont", json!({}));
    qmp.event("RESUME");
    assert_eq!(qmp.status(), "running");
    let ticks = vmm.guest().ask_number("ticks", "count");
    assert!(vmm.guest().ask_number("idle 50", "ms") >= 50);
    assert!(vmm.guest().ask_number("ticks", "count") > ticks, "ticks go on");
}

#[test]
fn a_machine_started_paused_waits_for_cont() {
    if !kvm_or_skip("lifecycle::start_paused") {
        return;
    }
    let mut vmm = builder().args("-S").start();
    let mut qmp = vmm.qmp();
    assert_eq!(qmp.status(), "prelaunch");
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
    assert_eq!(qmp.status(), "running");
}

#[test]
fn every_way_to_reset_starts_the_guest_anew() {
    if !kvm_or_skip("lifecycle::guest_resets") {
        return;
    }
    let mut vmm = start("-smp 2");
    let mut qmp = vmm.qmp();
    for way in ["kbd", "port92", "cf9", "acpi", "triple"] {
        vmm.guest().ask("wq 0x2000000 0x1234567890");
        assert_eq!(vmm.guest().ask_number("smp", "running"), 2);
        vmm.guest().send(&format!("reset {way}"));
        assert_eq!(data(&qmp.event("RESET")), (true, "guest-reset"), "{way}");
        vmm.guest().ready();
        assert_eq!(vmm.guest().ask_number("info", "running"), 1, "{way}: CPU 1 waits again");
        assert_eq!(qmp.status(), "running");
    }
}

#[test]
fn system_reset_works_running_and_stopped() {
    if !kvm_or_skip("lifecycle::system_reset") {
        return;
    }
    let mut vmm = start("-smp 3");
    let mut qmp = vmm.qmp();
    // Interrupt controllers, timers and the serial port are busy when it comes.
    vmm.guest().ask("smp");
    vmm.guest().ask("tick 1000");
    vmm.guest().ask("irq on 8");
    qmp.ok("system_reset", json!({}));
    assert_eq!(data(&qmp.event("RESET")), (false, "host-qmp-system-reset"));
    vmm.guest().ready();
    assert_eq!(vmm.guest().ask_number("ticks", "count"), 0);
    qmp.ok("stop", json!({}));
    qmp.ok("system_reset", json!({}));
    assert_eq!(qmp.status(), "prelaunch");
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
}

#[test]
fn no_reboot_turns_a_reset_into_the_end() {
    if !kvm_or_skip("lifecycle::no_reboot") {
        return;
    }
    for option in ["-no-reboot", "-action reboot=shutdown"] {
        let mut vmm = start(option);
        let mut qmp = vmm.qmp();
        vmm.guest().send("reset kbd");
        assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-reset"));
        assert_eq!(vmm.wait().status, Some(0));
    }
}

#[test]
fn power_off_ends_the_process_or_with_no_shutdown_stops_the_machine() {
    if !kvm_or_skip("lifecycle::power_off") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    vmm.guest().send("s5");
    assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-shutdown"));
    assert_eq!(vmm.wait().status, Some(0));

    let mut vmm = start("-no-shutdown");
    let mut qmp = vmm.qmp();
    vmm.guest().send("s5");
    qmp.event("SHUTDOWN");
    qmp.event("STOP");
    assert_eq!(qmp.status(), "shutdown");
    assert_eq!(qmp.fails("cont", json!({})), "Resetting the Virtual Machine is required");
    qmp.ok("system_reset", json!({}));
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
    assert!(vmm.is_running());
}

#[test]
fn the_power_button_reaches_an_obedient_guest() {
    if !kvm_or_skip("lifecycle::power_button") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    vmm.guest().ask("pm1 enable pwrbtn");
    vmm.guest().ask("sci on");
    qmp.ok("system_powerdown", json!({}));
    qmp.event("POWERDOWN");
    vmm.guest().event("pwrbtn");
    vmm.guest().ask("obey on");
    qmp.ok("system_powerdown", json!({}));
    assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-shutdown"));
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn suspend_keeps_memory_and_wakes_at_the_waking_vector() {
    if !kvm_or_skip("lifecycle::suspend") {
        return;
    }
    let mut vmm = start("-smp 2");
    let mut qmp = vmm.qmp();
    vmm.guest().ask("pattern write 0x2000000 0x100000 9");
    let desc = qmp.fails("system_wakeup", json!({}));
    assert_eq!(desc, "Unable to wake up: guest is not in suspended state");
    vmm.guest().send("s3");
    qmp.event("SUSPEND");
    assert_eq!(qmp.status(), "suspended");
    qmp.ok("system_wakeup", json!({}));
    qmp.event("WAKEUP");
    assert_eq!(vmm.guest().answer(), "ok s3 woken");
    assert_eq!(qmp.status(), "running");
    vmm.guest().ask("pattern verify 0x2000000 0x100000 9");
    assert_eq!(vmm.guest().ask_number("smp", "running"), 2);
}

#[test]
fn the_clocks_alarm_wakes_a_suspended_machine() {
    if !kvm_or_skip("lifecycle::rtc_wake") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    vmm.guest().ask("pm1 enable rtc");
    vmm.guest().ask("rtc arm 1");
    vmm.guest().send("s3");
    qmp.event("SUSPEND");
    qmp.event("WAKEUP");
    assert_eq!(vmm.guest().answer(), "ok s3 woken");
}

#[test]
fn a_guests_panic_does_what_the_action_says() {
    if !kvm_or_skip("lifecycle::panic") {
        return;
    }
    let action = |event: &Value| event["data"]["action"].as_str().expect("action").to_owned();
    let panicked = |options: &str| {
        let mut vmm = start(&format!("-device pvpanic {options}"));
        let mut qmp = vmm.qmp();
        vmm.guest().send("panic");
        let told = action(&qmp.event("GUEST_PANICKED"));
        (vmm, qmp, told)
    };
    let (mut vmm, mut qmp, told) = panicked("");
    assert_eq!(told, "poweroff");
    assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-panic"));
    assert_eq!(vmm.wait().status, Some(0));

    let (mut vmm, _, told) = panicked("-action panic=exit-failure");
    assert_eq!((told.as_str(), vmm.wait().status), ("poweroff", Some(1)));

    for options in ["-action panic=pause", "-no-shutdown"] {
        let (mut vmm, mut qmp, told) = panicked(options);
        assert_eq!(told, "pause");
        qmp.event("STOP");
        assert_eq!(qmp.status(), "guest-panicked");
        qmp.ok("system_reset", json!({}));
        qmp.ok("cont", json!({}));
        vmm.guest().ready();
    }

    let (mut vmm, mut qmp, told) = panicked("-action panic=none");
    assert_eq!((told.as_str(), qmp.status().as_str()), ("run", "running"));
    vmm.guest().answer();
    vmm.guest().send("panic crashloaded");
    assert_eq!(action(&qmp.event("GUEST_CRASHLOADED")), "run");

    let (_vmm, mut qmp, _) = panicked("-action panic=none");
    qmp.ok("set-action", json!({"panic": "pause", "reboot": "shutdown", "shutdown": "pause"}));
    let mut vmm = start("-device pvpanic");
    let mut qmp = vmm.qmp();
    qmp.ok("set-action", json!({"panic": "pause"}));
    vmm.guest().send("panic");
    assert_eq!(action(&qmp.event("GUEST_PANICKED")), "pause");
}

#[test]
fn set_action_changes_what_reset_and_power_off_do() {
    if !kvm_or_skip("lifecycle::set_action") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    qmp.ok("set-action", json!({"reboot": "shutdown", "shutdown": "pause"}));
    vmm.guest().send("reset kbd");
    assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-reset"));
    assert_eq!(qmp.status(), "shutdown");
    qmp.ok("set-action", json!({"reboot": "reset", "shutdown": "poweroff"}));
    qmp.ok("system_reset", json!({}));
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
    vmm.guest().send("s5");
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn quit_and_signals_end_the_process_with_their_reason() {
    if !kvm_or_skip("lifecycle::ends") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    qmp.send(&json!({"execute": "quit", "id": "bye"}), &[]);
    assert_eq!(data(&qmp.event("SHUTDOWN")), (false, "host-qmp-quit"));
    assert_eq!(qmp.read(), json!({"return": {}, "id": "bye"}));
    assert_eq!(qmp.read_raw(), "");
    assert_eq!(vmm.wait().status, Some(0));

    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut vmm = start("-no-shutdown");
        let mut qmp = vmm.qmp();
        vmm.signal(signal);
        assert_eq!(data(&qmp.event("SHUTDOWN")), (false, "host-signal"));
        let exit = vmm.wait();
        assert_eq!(exit.status, Some(0));
        assert!(exit.stderr.contains("terminating on signal"), "{}", exit.stderr);
    }
}

#[test]
fn a_guests_exit_code_is_the_processs() {
    if !kvm_or_skip("lifecycle::debug_exit") {
        return;
    }
    let mut vmm = start("-device isa-debug-exit");
    vmm.guest().send("exit 21");
    assert_eq!(vmm.wait().status, Some(43));
    let mut vmm = start("-device isa-debug-exit,iobase=0xf4,iosize=0x04");
    vmm.guest().send("exit 0 0xf4");
    assert_eq!(vmm.wait().status, Some(1));
}

#[test]
fn an_instruction_that_kvm_cannot_execute_stops_the_machine_and_is_logged() {
    if !kvm_or_skip("lifecycle::internal_error") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    if !std::path::Path::new("/sys/module/kvm_pvm").exists() {
        // An ordinary KVM runs the instruction; this one gives up on executing from registers.
        vmm.guest().send("jump0 0xfe000000");
    } else {
        vmm.guest().send("badinsn0");
    }
    qmp.event("STOP");
    assert_eq!(qmp.status(), "internal-error");
    assert_eq!(qmp.fails("cont", json!({})), "Resetting the Virtual Machine is required");
    wait_for("registers and code in the log", || {
        let log = vmm.stderr();
        (log.contains("RIP=") && log.contains("Code=")).then_some(())
    });
    qmp.ok("system_reset", json!({}));
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
}

#[test]
fn a_guests_shutdown_wins_over_a_queued_cont() {
    if !kvm_or_skip("lifecycle::priority") {
        return;
    }
    let mut vmm = start("-no-shutdown");
    let mut qmp = vmm.qmp();
    vmm.guest().send("s5");
    qmp.event("SHUTDOWN");
    for _ in 0..20 {
        assert!(qmp.execute("cont", json!({})).is_err());
    }
    assert_eq!(qmp.status(), "shutdown");
}

#[test]
fn a_reset_ends_sleep() {
    if !kvm_or_skip("lifecycle::reset_asleep") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    vmm.guest().send("s3");
    qmp.event("SUSPEND");
    qmp.ok("system_reset", json!({}));
    assert_eq!(qmp.status(), "prelaunch");
    let desc = qmp.fails("system_wakeup", json!({}));
    assert_eq!(desc, "Unable to wake up: guest is not in suspended state");
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
    assert!(vmm.guest().ask_number("idle 50", "ms") >= 50, "time goes on");
}

#[test]
fn suspend_to_disk_is_told_and_powers_off() {
    if !kvm_or_skip("lifecycle::suspend_disk") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    // PM1 control: sleep type 2 (S4) and sleep enable.
    vmm.guest().send("outw 0x604 0x2800");
    qmp.event("SUSPEND_DISK");
    assert_eq!(data(&qmp.event("SHUTDOWN")), (true, "guest-shutdown"));
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn setting_the_clock_is_told() {
    if !kvm_or_skip("lifecycle::rtc_change") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    // The year's register: far enough away for any rounding.
    vmm.guest().ask("rtc write 9 0x50");
    let event = qmp.event("RTC_CHANGE");
    let offset = event["data"]["offset"].as_i64().expect("offset");
    assert!(offset > 20 * 365 * 86400, "{event}");
    let path = event["data"]["qom-path"].as_str().expect("path");
    let kind = qmp.ok("qom-get", json!({"path": path, "property": "type"}));
    assert_eq!(kind, "mc146818rtc");
}
