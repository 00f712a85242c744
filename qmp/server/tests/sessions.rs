//! What happens between requests, clients and threads.

mod common;

use common::{Bench, Client, Socket, Told};
use qapi::{Dict, Value};
use qmp::{Limits, Mode};
use rustix::pipe::pipe;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

const CONTROL: Mode = Mode::Control { pretty: false };
const NAME: &str = r#"{"execute":"query-name"}"#;
const SLOW: &str = r#"{"execute":"slow","id":"slow"}"#;
const SLOW_DONE: &str = r#"{"return": "slow", "id": "slow"}"#;
const NAMED: &str = r#"{"return": {}}"#;

fn name(id: usize) -> String {
    format!(r#"{{"execute":"query-name","id":{id}}}"#)
}

fn named(id: usize) -> String {
    format!(r#"{{"return": {{}}, "id": {id}}}"#)
}

#[test]
fn the_greeting_comes_first_and_pretty_is_pretty() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.connect(CONTROL);
    let version = r#"{"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": "toy"}"#;
    let greeting = format!(r#"{{"QMP": {{"version": {version}, "capabilities": ["oob"]}}}}"#);
    assert_eq!(client.line(), greeting);

    let mut client = bench.connect(Mode::Control { pretty: true });
    client.send(r#"{"execute":"qmp_capabilities","id":[]}{"execute":"x"}"#);
    let text = client.finish();
    let greeting = "{\r\n    \"QMP\": {\r\n        \"version\": {\r\n            \"qemu\": {\r\n";
    assert!(text.starts_with(greeting), "{text}");
    let reply = "}\r\n{\r\n    \"return\": {\r\n    },\r\n    \"id\": [\r\n    ]\r\n}\r\n";
    assert!(text.contains(reply), "{text}");
    let error = "{\r\n    \"error\": {\r\n        \"class\": \"CommandNotFound\",\r\n        \"desc\": \"The command x has not been found\"\r\n    }\r\n}\r\n";
    assert!(text.ends_with(error), "{text}");
}

#[test]
fn only_the_session_of_a_slow_command_waits() {
    let bench = Bench::new(Limits::default());
    let mut slow = bench.negotiated(true);
    slow.send(SLOW);
    slow.send(r#"{"execute":1}{"execute":"x"}"#);
    slow.send(name(1));
    bench.wait_for(|told| *told == Told::Slow);
    let mut others: Vec<_> = (0..7).map(|_| bench.negotiated(true)).collect();
    for round in 0..20 {
        for client in &mut others {
            client.send(name(round));
        }
        for client in &mut others {
            assert_eq!(client.line(), named(round));
        }
    }
    // An out-of-band command overtakes; everything else keeps its order.
    assert_eq!(slow.ask(r#"{"exec-oob":"yank","id":"oob"}"#), r#"{"return": {}, "id": "oob"}"#);
    assert!(slow.ask(r#"{"exec-oob":2}"#).contains("'exec-oob' must be a string"));
    bench.toy.release();
    assert_eq!(slow.line(), SLOW_DONE);
    assert!(slow.line().contains("'execute' must be a string"));
    assert!(slow.line().contains("The command x has not been found"));
    assert_eq!(slow.line(), named(1));
}

#[test]
fn eight_may_wait_and_the_ninth_stays_unread() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(true);
    let waiting: String = (0..8).map(name).collect();
    client.send(format!(r#"{SLOW}{waiting}{{"exec-oob":"yank","id":"oob"}}"#));
    bench.wait_for(|told| *told == Told::Slow);
    let mut other = bench.negotiated(true);
    assert_eq!(other.ask(NAME), NAMED);
    assert_eq!(bench.toy.executed_oob.load(Ordering::SeqCst), 0);
    bench.toy.release();
    assert_eq!(client.line(), SLOW_DONE);
    let answers: Vec<_> = (0..9).map(|_| client.line()).collect();
    let (oob, in_band): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|line| line.contains("oob"));
    assert_eq!(oob.len(), 1);
    assert_eq!(in_band, (0..8).map(named).collect::<Vec<_>>());
}

#[test]
fn without_oob_one_is_read_ahead() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(false);
    client.send(SLOW);
    bench.wait_for(|told| *told == Told::Slow);
    let requests: String = (0..100).map(name).collect();
    client.send(&requests);
    bench.toy.release();
    assert_eq!(client.line(), SLOW_DONE);
    for id in 0..100 {
        assert_eq!(client.line(), named(id));
    }
}

#[test]
fn negotiation_starts_over_with_each_client() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qmp");
    let bench = Bench::new(Limits::default());
    bench.add(CONTROL, Socket::listening(UnixListener::bind(&path).unwrap()), "listener");
    let mut first = Client::new(UnixStream::connect(&path).unwrap());
    let mut second = Client::new(UnixStream::connect(&path).unwrap());
    let greeting = first.line();
    first.negotiate(true);
    first.send(SLOW);
    bench.wait_for(|told| *told == Told::Slow);
    drop(first);
    bench.wait_for(|told| matches!(told, Told::Closed(_)));
    // The answer to a client that left goes nowhere.
    bench.toy.release();
    assert_eq!(second.line(), greeting);
    let expecting = "Expecting capabilities negotiation with 'qmp_capabilities'";
    assert!(second.ask(NAME).contains(expecting));
    second.negotiate(false);
    assert_eq!(second.ask(NAME), NAMED);
    for _ in 0..20 {
        drop(second);
        second = Client::new(UnixStream::connect(&path).unwrap());
        assert_eq!(second.line(), greeting);
    }
    bench.handle.remove_monitor("listener");
    assert_eq!(second.rest(), "");
    // A later monitor's greeting says that the removal is complete.
    bench.negotiated(false);
    assert!(UnixStream::connect(&path).is_err());
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let bench = Bench::new(Limits { linger: common::PATIENCE, ..Limits::default() });
    let mut client = bench.negotiated(true);
    client.send(SLOW);
    client.send(name(1));
    client.stream().shutdown(std::net::Shutdown::Write).unwrap();
    bench.wait_for(|told| *told == Told::Slow);
    bench.toy.release();
    assert_eq!(client.rest(), format!("{SLOW_DONE}\r\n{}\r\n", named(1)));

    // But not for ever.
    let bench = Bench::new(Limits { linger: Duration::from_millis(10), ..Limits::default() });
    let mut client = bench.negotiated(true);
    client.send(SLOW);
    assert_eq!(client.finish(), "");
}

#[test]
fn an_abandoned_command_is_answered() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(false);
    assert!(client.ask(r#"{"execute":"drop"}"#).contains("\"error\""));
    assert_eq!(client.ask(NAME), NAMED);
}

/// A descriptor from which `text` can be read.
fn holding(text: &str) -> OwnedFd {
    let (reader, writer) = pipe().unwrap();
    std::fs::File::from(writer).write_all(text.as_bytes()).unwrap();
    reader
}

#[test]
fn descriptors_go_to_the_command_they_came_for() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(true);
    let getfd = r#"{"execute":"getfd","arguments":{"fdname":"a"}}"#;
    let missing = client.ask(getfd);
    assert!(missing.contains("No file descriptor supplied via SCM_RIGHTS"));
    client.send_with(getfd, &[holding("one").as_fd()]);
    assert_eq!(client.line(), r#"{"return": "one"}"#);
    assert_eq!(client.ask(getfd), missing);
    // With a lone space, and kept across other commands.
    client.send_with(" ", &[holding("two").as_fd()]);
    assert_eq!(client.ask(NAME), NAMED);
    assert_eq!(client.ask(r#"{"execute":"add-fd"}"#), r#"{"return": "two"}"#);
    // While commands wait, each keeps its own.
    client.send(SLOW);
    bench.wait_for(|told| *told == Told::Slow);
    client.send_with(getfd, &[holding("three").as_fd()]);
    client.send_with(getfd, &[holding("four").as_fd()]);
    bench.toy.release();
    assert_eq!(client.line(), SLOW_DONE);
    assert_eq!(client.line(), r#"{"return": "three"}"#);
    assert_eq!(client.line(), r#"{"return": "four"}"#);
}

#[test]
fn descriptors_nobody_takes_are_closed() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(false);
    let (kept, extra_end) = pipe().unwrap();
    client.send_with(r#"{"execute":"getfd"}"#, &[holding("one").as_fd(), extra_end.as_fd()]);
    drop(extra_end);
    assert_eq!(client.line(), r#"{"return": "one"}"#);
    // The end of a pipe is read only when nobody holds its other side.
    assert_eq!(rustix::io::read(&kept, &mut [0; 1]), Ok(0));

    let (replaced, replaced_end) = pipe().unwrap();
    client.send_with(" ", &[replaced_end.as_fd()]);
    drop(replaced_end);
    client.send_with(" ", &[holding("two").as_fd()]);
    assert_eq!(client.ask(r#"{"execute":"getfd"}"#), r#"{"return": "two"}"#);
    assert_eq!(rustix::io::read(&replaced, &mut [0; 1]), Ok(0));
}

#[test]
fn events_reach_negotiated_clients_in_order() {
    let bench = Bench::new(Limits::default());
    let mut clients = [bench.negotiated(false), bench.negotiated(true)];
    let mut stranger = bench.connect(CONTROL);
    stranger.line();
    for number in 0..50 {
        bench.toy.emit("TICK", Some(Dict::from_iter([("n", Value::from(number))])));
    }
    for client in &mut clients {
        for number in 0..50 {
            let line = client.line();
            assert!(line.starts_with("{\"timestamp\": {\"seconds\": "), "{line}");
            assert!(
                line.ends_with(&format!(r#""event": "TICK", "data": {{"n": {number}}}}}"#)),
                "{line}"
            );
        }
        assert_eq!(client.ask(NAME), NAMED);
    }
    assert!(stranger.ask(NAME).contains("Expecting capabilities"));
    let mut human = bench.connect(Mode::Human);
    bench.toy.emit("TICK", None);
    assert!(human.finish().ends_with("(qemu) "));
}

#[test]
fn a_limited_event_is_delayed_not_lost() {
    let bench =
        Bench::new(Limits { event_interval: Duration::from_millis(50), ..Limits::default() });
    let mut client = bench.negotiated(false);
    let emit = |offset: i64| {
        bench.toy.emit("RTC_CHANGE", Some(Dict::from_iter([("offset", offset)])));
    };
    (0..1000).for_each(emit);
    let mut seen = Vec::new();
    while seen.last() != Some(&999) {
        let line = client.line();
        let offset = line.rsplit_once("\"offset\": ").unwrap().1.trim_end_matches('}');
        seen.push(offset.parse::<i64>().unwrap());
    }
    assert_eq!(seen[0], 0);
    assert!(seen.is_sorted());
    assert!(seen.len() < 1000, "nothing was held back");
}

#[test]
fn shutting_down_tells_what_is_held_back() {
    let bench =
        Bench::new(Limits { event_interval: Duration::from_secs(3600), ..Limits::default() });
    let mut client = bench.negotiated(false);
    for offset in 0..10 {
        bench.toy.emit("RTC_CHANGE", Some(Dict::from_iter([("offset", offset)])));
    }
    bench.handle.shutdown(common::PATIENCE);
    let rest = client.rest();
    let lines: Vec<_> = rest.lines().collect();
    assert_eq!(lines.len(), 2, "{rest}");
    assert!(lines[0].contains("\"offset\": 0") && lines[1].contains("\"offset\": 9"), "{rest}");
    // Everything later does nothing.
    bench.toy.emit("STOP", None);
    bench.handle.shutdown(Duration::ZERO);
}

#[test]
fn shutting_down_flushes_to_a_slow_reader_but_not_for_ever() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(true);
    client.send(r#"{"execute":"blob"}"#.repeat(8));
    client.send(r#"{"execute":"quit"}"#);
    let handle = bench.handle.clone();
    let reader = std::thread::spawn(move || {
        let mut lines = 0;
        loop {
            let line = client.line();
            lines += 1;
            if line.contains("SHUTDOWN") {
                handle.shutdown(common::PATIENCE);
                assert_eq!(client.rest(), "{\"return\": {}}\r\n");
                return lines;
            }
        }
    });
    assert_eq!(reader.join().unwrap(), 9);

    let bench = Bench::new(Limits::default());
    let mut client = bench.negotiated(true);
    client.send(r#"{"execute":"blob"}"#.repeat(50));
    bench.handle.shutdown(Duration::from_millis(20));
    assert!(client.rest().len() < 50 * (64 << 10));
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    let bench = Bench::new(Limits { pause: 64 << 10, ..Limits::default() });
    let mut lazy = bench.negotiated(true);
    lazy.send(r#"{"execute":"blob"}"#.repeat(100));
    let mut other = bench.negotiated(false);
    for _ in 0..100 {
        assert_eq!(other.ask(NAME), NAMED);
    }
    // The socket holds a few, the backlog one or two, and eight wait.
    let executed = bench.toy.executed.load(Ordering::SeqCst) - 100;
    assert!(executed < 40, "{executed}");
    for _ in 0..100 {
        assert_eq!(lazy.line().len(), (64 << 10) + r#"{"return": ""}"#.len());
    }
    assert_eq!(lazy.ask(NAME), NAMED);
}

#[test]
fn a_client_that_lets_events_pile_up_is_closed() {
    let bench = Bench::new(Limits { pause: 64 << 10, close: 256 << 10, ..Limits::default() });
    let mut lazy = bench.negotiated(true);
    let mut other = bench.negotiated(false);
    let text = "x".repeat(1 << 10);
    for _ in 0..2000 {
        bench.toy.emit("NOISE", Some(Dict::from_iter([("text", text.as_str())])));
        assert!(other.line().contains("NOISE"));
    }
    bench.wait_for(|told| matches!(told, Told::Closed(_)));
    assert!(lazy.rest().len() < 2000 << 10);
    assert_eq!(other.ask(NAME), NAMED);
}

#[test]
fn a_file_may_be_the_client() {
    struct Script(
        std::io::Cursor<Vec<u8>>,
        std::fs::File,
        std::sync::mpsc::Sender<Vec<u8>>,
        Vec<u8>,
    );
    impl qmp::Transport for Script {
        fn interest(&self, input: bool, _: bool) -> Vec<(std::os::fd::RawFd, qmp::EventSet)> {
            use std::os::fd::AsRawFd;
            input.then(|| (self.1.as_raw_fd(), qmp::EventSet::IN)).into_iter().collect()
        }
        fn ready(&mut self, _: std::os::fd::RawFd, _: qmp::EventSet) -> Vec<qmp::Signal> {
            Vec::new()
        }
        fn read(&mut self, buf: &mut [u8], _: &mut Vec<OwnedFd>) -> std::io::Result<usize> {
            std::io::Read::read(&mut self.0, buf)
        }
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            self.3.extend_from_slice(buf);
            Ok(buf.len())
        }
        fn is_open(&self) -> bool {
            true
        }
        fn disconnect(&mut self) {
            let _ = self.2.send(std::mem::take(&mut self.3));
        }
    }
    let bench = Bench::new(Limits::default());
    let (sender, written) = std::sync::mpsc::channel();
    let script = format!(r#"{{"execute":"qmp_capabilities"}}{NAME}"#).repeat(1).into_bytes();
    let file = std::fs::File::open("/dev/null").unwrap();
    let transport = Box::new(Script(std::io::Cursor::new(script), file, sender, Vec::new()));
    bench.handle.add_monitor(qmp::Monitor {
        mode: CONTROL,
        transport,
        name: "script".into(),
        hidden: false,
    });
    let written = written.recv_timeout(common::PATIENCE).unwrap();
    let text = String::from_utf8(written).unwrap();
    assert!(text.ends_with(&format!("{NAMED}\r\n{NAMED}\r\n")), "{text}");
}
