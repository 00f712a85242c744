//! The human monitor over a socket.

mod common;

use common::Bench;
use qmp::{Limits, Mode};

const BANNER: &str = "QEMU 7.2.0 monitor - type 'help' for more information\r\n(qemu) ";

#[test]
fn lines_are_echoed_and_answered() {
    let bench = Bench::new(Limits::default());
    let mut client = bench.connect(Mode::Human);
    assert_eq!(client.bytes(BANNER.len()), BANNER);
    client.send("help\n");
    let answer = "help\x1b[K\r\nline one\r\nyou said help\r\n(qemu) ";
    assert_eq!(client.bytes(answer.len()), answer);
    client.send("\n");
    assert_eq!(client.bytes("\r\n(qemu) ".len()), "\r\n(qemu) ");
    client.send("silent\n");
    let answer = "silent\x1b[K\r\n(qemu) ";
    assert_eq!(client.bytes(answer.len()), answer);
}

#[test]
fn many_lines_at_once_are_answered_in_turn() {
    let bench = Bench::new(Limits { pause: 1 << 10, ..Limits::default() });
    let mut client = bench.connect(Mode::Human);
    let lines: Vec<_> = (0..500).map(|number| format!("line {number}")).collect();
    client.send(lines.join("\n") + "\n");
    let text = client.finish();
    let answers: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("you said ")).collect();
    assert_eq!(answers, lines);
    assert!(text.ends_with("\r\n(qemu) "));
}
