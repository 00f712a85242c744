//! What QEMU 7.2 answered, byte for byte.

mod common;

use common::Bench;
use qmp::Limits;
use qmp::json::{Reader, write_compact};
use serde_json::Value;

fn records(text: &str) -> Vec<(Vec<u8>, String)> {
    let records: Vec<Value> = serde_json::from_str(text).unwrap();
    let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    let bytes = |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    records.iter().map(|record| (bytes(text(record, "i")), text(record, "o"))).collect()
}

const PLAIN: &str = include_str!("data/qmp-parse-plain.json");
const OOB: &str = include_str!("data/qmp-parse-oob.json");

fn each_on_a_fresh_connection(recorded: &str, oob: bool, chunk: usize) {
    let bench = Bench::new(Limits::default());
    for (input, output) in records(recorded) {
        let mut client = bench.negotiated(oob);
        for part in input.chunks(chunk) {
            client.send(part);
        }
        let shown = String::from_utf8_lossy(&input);
        assert_eq!(client.finish(), output.replace("<EOF>", ""), "{shown}");
    }
}

#[test]
fn requests_are_answered_as_recorded() {
    each_on_a_fresh_connection(PLAIN, false, usize::MAX);
    each_on_a_fresh_connection(OOB, true, usize::MAX);
}

#[test]
fn requests_may_come_in_pieces() {
    each_on_a_fresh_connection(PLAIN, false, 1);
    each_on_a_fresh_connection(OOB, true, 7);
}

fn outcomes(reader: &mut Reader, mut input: &[u8], out: &mut Vec<u8>) {
    while let Some(outcome) = reader.next(&mut input) {
        match outcome {
            Ok(value) => write_compact(out, &value),
            Err(error) => out.extend_from_slice(error.desc.as_bytes()),
        }
        out.push(b'\n');
    }
    assert!(input.is_empty());
}

#[test]
fn every_split_reads_the_same() {
    for (input, _) in records(PLAIN) {
        let mut whole = Vec::new();
        outcomes(&mut Reader::new(), &input, &mut whole);
        for at in 0..=input.len() {
            let (mut reader, mut parts) = (Reader::new(), Vec::new());
            outcomes(&mut reader, &input[..at], &mut parts);
            outcomes(&mut reader, &input[at..], &mut parts);
            assert_eq!(parts, whole);
        }
    }
}

/// The text with every number in a timestamp as 0.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\"timestamp\": {") {
        let end = at + rest[at..].find('}').unwrap();
        masked.push_str(&rest[..at]);
        masked.extend(rest[at..end].chars().filter(|c| !c.is_ascii_digit()));
        rest = &rest[end..];
    }
    masked + rest
}

/// The session's own errors and those of commands that the toy knows, in one session.
#[test]
fn one_session_answers_as_recorded() {
    let known = ["qmp_capabilities", "query-name", "no-such-cmd", "no-such", "stop", "quit"];
    let quoted = known.map(|name| format!("\":\"{name}\""));
    for recorded in [
        include_str!("data/qmp-argument-errors-none.json"),
        include_str!("data/qmp-argument-errors-pc.json"),
    ] {
        let bench = Bench::new(Limits::default());
        let mut client = bench.connect(qmp::Mode::Control { pretty: false });
        client.line();
        let mut compared = 0;
        for (input, output) in records(recorded) {
            let input = String::from_utf8(input).unwrap();
            if !quoted.iter().any(|name| input.contains(name)) {
                continue;
            }
            compared += 1;
            client.send(&input);
            let answer = match output.strip_suffix("<EOF>") {
                Some(_) => {
                    let answer = format!("{}\r\n{}\r\n", client.line(), client.line());
                    bench.handle.shutdown(common::PATIENCE);
                    answer + &client.rest() + "<EOF>"
                }
                None => client.line() + "\r\n",
            };
            assert_eq!(masked(&answer), masked(&output), "{input}");
        }
        assert!(compared >= 11, "{compared}");
    }
}
