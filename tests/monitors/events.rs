//! Who gets which event, when, and in which form.

use harness::{Qmp, kvm_or_skip, wait_for};
use serde_json::{Value, json};

use crate::peer::bare;

#[test]
fn events_reach_every_negotiated_client_of_every_monitor() {
    if !kvm_or_skip("monitors::events_reach_every_negotiated_client_of_every_monitor") {
        return;
    }
    let builder = bare();
    let paths = ["a", "b", "c"].map(|name| builder.dir().join(name));
    let mut builder = builder.with_qmp();
    for path in &paths {
        builder = builder.args(&format!("-qmp unix:{},server=on,wait=off", path.display()));
    }
    let mut vmm = builder.start();
    let mut qmp = vmm.qmp();
    let mut others = paths.map(|path| Qmp::connect(&path).expect("listens"));
    let [first, second, late] = &mut others;
    first.negotiate();
    second.negotiate();
    assert!(late.read().get("QMP").is_some(), "greeted, not negotiated");
    for name in ["STOP", "RESUME", "STOP", "RESUME"] {
        qmp.ok(if name == "STOP" { "stop" } else { "cont" }, json!({}));
        for client in [&mut qmp, &mut *first, &mut *second] {
            let event = client.event(name);
            let members: Vec<_> = event.as_object().expect("an object").keys().collect();
            assert_eq!(members, ["timestamp", "event"]);
            let stamp = |name: &str| event["timestamp"][name].as_i64().expect("a number");
            assert!(stamp("seconds") > 1_600_000_000, "{event}");
            assert!((0..1_000_000).contains(&stamp("microseconds")), "{event}");
        }
    }
    // None of them was for somebody who had not negotiated.
    late.send(&json!({"execute": "qmp_capabilities"}), &[]);
    assert_eq!(late.read(), json!({"return": {}}));
    assert!(late.events_so_far().is_empty());
    qmp.ok("stop", json!({}));
    late.event("STOP");
}

#[test]
fn the_end_is_told_to_all_before_they_are_left() {
    if !kvm_or_skip("monitors::the_end_is_told_to_all_before_they_are_left") {
        return;
    }
    let builder = bare();
    let path = builder.dir().join("a");
    let option = format!("-qmp unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args(&option).with_qmp().start();
    let mut qmp = vmm.qmp();
    let mut other = Qmp::connect(&path).expect("listens");
    other.negotiate();
    qmp.send(&json!({"execute": "quit"}), &[]);
    assert_eq!(other.event("SHUTDOWN")["data"], json!({"guest": false, "reason": "host-qmp-quit"}));
    assert_eq!(other.read_raw(), "");
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn pretty_output_is_indented_by_four() {
    if !kvm_or_skip("monitors::pretty_output_is_indented_by_four") {
        return;
    }
    let builder = bare();
    let (a, b) = (builder.dir().join("a"), builder.dir().join("b"));
    let mut vmm = builder
        .args(&format!("-qmp-pretty unix:{},server=on,wait=off", a.display()))
        .args(&format!("-chardev socket,id=p,path={},server=on,wait=off", b.display()))
        .args("-mon chardev=p,mode=control,pretty=on")
        .start();
    assert!(vmm.is_running());
    for path in [a, b] {
        let mut qmp = wait_for("the socket", || Qmp::connect(&path).ok());
        let greeting = object(&mut qmp);
        assert!(greeting.starts_with("{\r\n    \"QMP\": {\r\n        \"version\": {\r\n"));
        qmp.send(&json!({"execute": "qmp_capabilities"}), &[]);
        assert_eq!(object(&mut qmp), "{\r\n    \"return\": {\r\n    }\r\n}\r\n");
        qmp.send(&json!({"execute": "query-kvm-not", "id": [1]}), &[]);
        let error: Value = serde_json::from_str(&object(&mut qmp)).expect("JSON");
        assert_eq!(
            (&error["id"], &error["error"]["class"]),
            (&json!([1]), &json!("CommandNotFound"))
        );
    }
}

/// The lines of one object: its end alone is not indented.
fn object(qmp: &mut Qmp) -> String {
    let mut text = String::new();
    while !text.ends_with("\n}\r\n") {
        let line = qmp.read_raw();
        assert!(line.ends_with("\r\n"), "{line:?} after {text:?}");
        text += &line;
    }
    text
}
