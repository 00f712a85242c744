//! The recorded pairs against the program, byte for byte where it has the command.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use harness::{Builder, LIMIT, Qmp, kvm_or_skip};
use serde_json::{Value, json};

const ARGUMENTS_NONE: &str =
    include_str!("../../qmp/server/tests/data/qmp-argument-errors-none.json");
const ARGUMENTS_PC: &str = include_str!("../../qmp/server/tests/data/qmp-argument-errors-pc.json");
const PARSE_PLAIN: &str = include_str!("../../qmp/server/tests/data/qmp-parse-plain.json");
const PARSE_OOB: &str = include_str!("../../qmp/server/tests/data/qmp-parse-oob.json");
/// Pairs that do not apply although the command exists, with the machine and the reason.
const EXCEPTIONS: &str = include_str!("../data/recorded-exceptions.json");

fn records(text: &str) -> Vec<(String, String)> {
    let list: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let text = |record: &Value, name: &str| record[name].as_str().expect("text").to_owned();
    list.iter().map(|record| (text(record, "i"), text(record, "o"))).collect()
}

/// Numbers after `"seconds": ` and `"microseconds": ` become 0.
fn masked(line: &str) -> String {
    let mut line = line.to_owned();
    for name in ["\"seconds\": ", "\"microseconds\": "] {
        if let Some(at) = line.find(name).map(|at| at + name.len()) {
            let digits = line[at..].chars().take_while(char::is_ascii_digit).count();
            line.replace_range(at..at + digits, "0");
        }
    }
    line
}

fn commands(qmp: &mut Qmp) -> HashSet<String> {
    let list = qmp.ok("query-commands", json!({}));
    let name = |item: &Value| item["name"].as_str().expect("a name").to_owned();
    list.as_array().expect("a list").iter().map(name).collect()
}

/// Whether the program is to answer as recorded: it has the command, or never had QEMU.
fn applies(input: &str, output: &str, commands: &HashSet<String>) -> bool {
    let request: Value = serde_json::from_str(input).expect("JSON");
    let command = request.get("execute").or(request.get("exec-oob"));
    let command = command.and_then(Value::as_str).expect("a command");
    commands.contains(command) || output.contains("has not been found")
}

fn argument_errors(machine: &str, recorded: &str) {
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp();
    let path = builder.dir().join("recorded.sock");
    let mut vmm = builder
        .args(&format!("-machine {machine} -display none"))
        .args(&format!("-qmp unix:{},server=on,wait=off", path.display()))
        .start();
    let known = commands(&mut vmm.qmp());
    let mut qmp = Qmp::connect(&path).expect("listens");
    assert!(qmp.read().get("QMP").is_some());
    let exceptions: Vec<Value> = serde_json::from_str(EXCEPTIONS).expect("JSON");
    let exception = |input: &str| {
        exceptions.iter().any(|item| item["machine"] == machine && item["i"] == input)
    };
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (input, output) in records(recorded) {
        if !applies(&input, &output, &known) {
            continue;
        }
        qmp.send_raw(&input);
        let mut answer = String::new();
        for expected in output.split_inclusive('\n') {
            if expected == "<EOF>" {
                assert_eq!(qmp.read_raw(), "", "after {input}");
                answer += expected;
            } else {
                answer += &masked(&qmp.read_raw());
            }
        }
        let expected: String = output.split_inclusive('\n').map(masked).collect();
        compared += 1;
        if exception(&input) {
            assert_ne!(answer, expected, "no exception any more: {input}");
        } else if answer != expected {
            wrong.push(format!("{input}\n  recorded {expected}\n  answered {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 45, "only {compared} records apply");
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn argument_errors_on_machine_none() {
    if !kvm_or_skip("recorded::argument_errors_on_machine_none") {
        return;
    }
    argument_errors("none", ARGUMENTS_NONE);
}

#[test]
fn argument_errors_on_machine_pc() {
    if !kvm_or_skip("recorded::argument_errors_on_machine_pc") {
        return;
    }
    argument_errors("pc", ARGUMENTS_PC);
}

#[test]
fn every_exception_is_of_a_recorded_pair() {
    let exceptions: Vec<Value> = serde_json::from_str(EXCEPTIONS).expect("JSON");
    for exception in exceptions {
        let recorded = match exception["machine"].as_str() {
            Some("none") => ARGUMENTS_NONE,
            Some("pc") => ARGUMENTS_PC,
            other => panic!("machine {other:?}"),
        };
        assert!(records(recorded).iter().any(|(input, _)| exception["i"] == *input.as_str()));
        assert!(exception["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    }
}

/// Each record on a fresh connection that is negotiated already.
fn parse_errors(recorded: &str, negotiation: &str) {
    let vmm = Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-machine none").with_qmp();
    let mut vmm = vmm.start();
    drop(vmm.qmp());
    let path = vmm.dir().join("qmp.sock");
    for (input, output) in records(recorded) {
        let mut socket = UnixStream::connect(&path).expect("listens");
        socket.set_read_timeout(Some(LIMIT)).expect("a limit");
        let mut line = |text: &str| {
            socket.write_all(text.as_bytes()).expect("write");
            let mut byte = [0];
            while byte != *b"\n" {
                socket.read_exact(&mut byte).expect("a line");
            }
        };
        line("");
        line(negotiation);
        // Each character stands for one byte.
        let input: Vec<u8> = input.chars().map(|c| u8::try_from(c).expect("a byte")).collect();
        socket.write_all(&input).expect("write");
        let expected = output.strip_suffix("<EOF>").unwrap_or(&output);
        let mut answer = vec![0; expected.len()];
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), expected);
        if expected.len() < output.len() {
            assert_eq!(socket.read(&mut [0]).expect("the end"), 0);
        }
    }
}

#[test]
fn parse_errors_over_a_socket() {
    if !kvm_or_skip("recorded::parse_errors_over_a_socket") {
        return;
    }
    parse_errors(PARSE_PLAIN, "{'execute':'qmp_capabilities'}");
    parse_errors(PARSE_OOB, "{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}");
}
