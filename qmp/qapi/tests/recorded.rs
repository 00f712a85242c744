//! Requests as documents and recordings have them: what QEMU 7.2 refuses is refused in the same words, what the
//! documents show is accepted.

mod json;

use json::{convert, dict};
use qapi::{Command, Dict, Error, Value, command_info};

/// The records of a data file.
fn records(text: &str) -> Vec<Value> {
    match convert(serde_json::from_str(text).expect("a data file")) {
        Value::List(records) => records,
        other => panic!("not a list: {other:?}"),
    }
}

/// Decodes a request; `None` if it is no plain request for a command we have.
fn decode(request: &Value) -> Option<Result<Command, Error>> {
    let name = request.get("execute")?.as_str()?;
    command_info(name)?;
    let arguments = match request.get("arguments") {
        None => Dict::new(),
        Some(arguments) => arguments.as_dict()?.clone(),
    };
    Some(Command::decode(name, arguments))
}

/// Whether an error can only come from decoding. Handlers use the same words about properties, which are no arguments.
fn is_about_arguments(request: &Value, desc: &str) -> bool {
    let about_argument = || {
        let name = desc.split('\'').nth(1).unwrap_or_default();
        request.get("arguments").is_some_and(|arguments| arguments.get(name).is_some())
    };
    desc.ends_with("is missing")
        || desc.ends_with("is unexpected")
        || desc.contains("does not accept value")
        || (desc.starts_with("Invalid parameter type for") && about_argument())
}

fn check_recorded(text: &str, refused: usize) {
    let mut count = 0;
    for record in records(text) {
        let request = dict_text(&record, "i");
        let reply = dict_text(&record, "o");
        let Some(decoded) = decode(&request) else {
            continue;
        };
        let error = reply.get("error");
        let desc = error.and_then(|error| error.get("desc")?.as_str());
        match decoded {
            Err(error) => {
                assert_eq!(Some(error.desc.as_str()), desc, "{request:?}");
                count += 1;
            }
            Ok(_) => {
                let about_arguments = desc.is_some_and(|desc| is_about_arguments(&request, desc));
                assert!(!about_arguments, "{request:?} was accepted, not {desc:?}");
            }
        }
    }
    assert_eq!(count, refused, "requests that were refused");
}

/// A member of a record, parsed: the first line that is no event.
fn dict_text(record: &Value, key: &str) -> Value {
    let text = record.get(key).and_then(Value::as_str).expect("a text");
    let line = text.lines().find(|line| !line.contains("\"timestamp\"")).expect("a line");
    Value::Dict(dict(line))
}

#[test]
fn wrong_arguments_are_refused_as_recorded() {
    check_recorded(include_str!("data/qmp-argument-errors-none.json"), 9);
    check_recorded(include_str!("data/qmp-argument-errors-pc.json"), 9);
}

#[test]
fn examples_of_the_documents_are_accepted() {
    let exceptions = records(include_str!("data/seed-exceptions.json"));
    let mut refused = 0;
    for example in records(include_str!("data/seed-examples.json")) {
        let known = exceptions.iter().find(|exception| exception.get("example") == Some(&example));
        let decoded = decode(&example).expect("a command we have");
        match known.and_then(|exception| exception.get("error")?.as_str()) {
            Some(desc) => {
                assert_eq!(decoded, Err(Error::generic(desc)), "{example:?}");
                refused += 1;
            }
            None => assert!(decoded.is_ok(), "{example:?}: {decoded:?}"),
        }
    }
    assert_eq!(refused, exceptions.len(), "an exception is for no example");
}

/// What QEMU 7.2 answered to further requests, one about each rule.
const OBSERVED: [(&str, &str, &str); 29] = [
    ("memsave", r#"{"val":0}"#, "Parameter 'size' is missing"),
    (
        "memsave",
        r#"{"val":1.0,"size":1,"filename":"x"}"#,
        "Invalid parameter type for 'val', expected: integer",
    ),
    (
        "memsave",
        r#"{"val":9223372036854775808,"size":1,"filename":"x"}"#,
        "Invalid parameter type for 'val', expected: integer",
    ),
    (
        "human-monitor-command",
        r#"{"command-line":"","cpu-index":null}"#,
        "Invalid parameter type for 'cpu-index', expected: integer",
    ),
    (
        "qom-list-types",
        r#"{"abstract":null}"#,
        "Invalid parameter type for 'abstract', expected: boolean",
    ),
    (
        "qom-list-types",
        r#"{"implements":[]}"#,
        "Invalid parameter type for 'implements', expected: string",
    ),
    ("qom-set", r#"{"path":"/machine","property":"x"}"#, "Parameter 'value' is missing"),
    (
        "qmp_capabilities",
        r#"{"enable":[1]}"#,
        "Invalid parameter type for 'enable[0]', expected: string",
    ),
    (
        "qmp_capabilities",
        r#"{"enable":null}"#,
        "Invalid parameter type for 'enable', expected: array",
    ),
    ("set-action", r#"{"reboot":"x"}"#, "Parameter 'reboot' does not accept value 'x'"),
    ("stop", r#"{"b":1,"a":1,"cc":2,"x":3}"#, "Parameter 'b' is unexpected"),
    ("query-stats", "{}", "Parameter 'target' is missing"),
    ("query-stats", r#"{"target":"vm","vcpus":[]}"#, "Parameter 'vcpus' is unexpected"),
    (
        "query-stats",
        r#"{"target":"vcpu","vcpus":[{}]}"#,
        "Invalid parameter type for 'vcpus[0]', expected: string",
    ),
    (
        "query-stats",
        r#"{"target":"vm","providers":["nope"]}"#,
        "Invalid parameter type for 'providers[0]', expected: object",
    ),
    (
        "query-stats",
        r#"{"target":"vm","providers":[{"provider":"nope"}]}"#,
        "Parameter 'provider' does not accept value 'nope'",
    ),
    (
        "query-stats",
        r#"{"target":"vm","providers":[{"provider":"kvm","names":[1]}]}"#,
        "Invalid parameter type for 'providers[0].names[0]', expected: string",
    ),
    ("chardev-add", r#"{"backend":1}"#, "Parameter 'id' is missing"),
    (
        "chardev-add",
        r#"{"id":"c","backend":1}"#,
        "Invalid parameter type for 'backend', expected: object",
    ),
    ("chardev-add", r#"{"id":"c","backend":{"data":1}}"#, "Parameter 'backend.type' is missing"),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":1}}"#,
        "Invalid parameter type for 'backend.type', expected: string",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"file"}}"#,
        "Parameter 'backend.data' is missing",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"file","data":{}}}"#,
        "Parameter 'backend.data.out' is missing",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"file","data":{"out":"x"},"extra":1,"another":2,"zz":3}}"#,
        "Parameter 'backend.zz' is unexpected",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"file","data":{"out":"x","logfile":null}}}"#,
        "Invalid parameter type for 'backend.data.logfile', expected: string",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"inet","data":{"host":1}}}}}"#,
        "Invalid parameter type for 'backend.data.addr.data.host', expected: string",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"inet","data":{"host":"a","port":"1","to":70000}}}}}"#,
        "Parameter 'to' expects uint16_t",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"inet","data":{"host":"a","port":"1","to":"x"}}}}}"#,
        "Parameter 'backend.data.addr.data.to' expects uint64",
    ),
    (
        "chardev-add",
        r#"{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"inet","data":{"host":"a","port":"1","to":1.5}}}}}"#,
        "Parameter 'backend.data.addr.data.to' expects uint64",
    ),
];

#[test]
fn wrong_arguments_are_refused_as_observed() {
    for (name, arguments, desc) in OBSERVED {
        let decoded = Command::decode(name, dict(arguments));
        assert_eq!(decoded, Err(Error::generic(desc)), "{name} {arguments}");
    }
}

#[test]
fn an_unknown_command_has_a_class_of_its_own() {
    let decoded = Command::decode("no-such-cmd", dict(r#"{"a":1}"#));
    assert_eq!(decoded, Err(Error::command_not_found("no-such-cmd")));
}
