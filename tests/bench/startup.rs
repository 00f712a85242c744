//! From the start of the process to the guest's first byte on the serial line, the monitor's greeting served by then.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use crate::program::Program;
use crate::table::{Better, Table, middle};

/// Starts in one round, in turns.
const TURNS: usize = 10;

/// A program that takes longer than this starts once.
const SLOW: f64 = 1000.0;

/// The middle of several starts of each program, in milliseconds.
pub(crate) fn run(programs: &[Program], table: &mut Table) {
    let mut times = vec![(Vec::new(), Vec::new()); programs.len()];
    for _ in 0..TURNS {
        for (program, (greeted, spoken)) in programs.iter().zip(&mut times) {
            if spoken.last().is_some_and(|time| *time > SLOW) {
                continue;
            }
            let (greeting, byte) = start(program);
            greeted.push(greeting.as_secs_f64() * 1e3);
            spoken.push(byte.as_secs_f64() * 1e3);
        }
    }
    for (program, (greeted, spoken)) in programs.iter().zip(&mut times) {
        table.add_one(program, "start to greeting", "ms", Better::Less, middle(greeted));
        let first = "start to the guest's first byte";
        table.add_one(program, first, "ms", Better::Less, middle(spoken));
    }
}

/// The process connects to sockets on which this one listens already: nothing is polled, and the second time is when both
/// the greeting's and the guest's first byte have been read.
fn start(program: &Program) -> (Duration, Duration) {
    let builder = program.builder();
    let [qmp, serial] = ["qmp", "serial"].map(|name| builder.dir().join(name));
    let [qmp_listener, serial_listener] =
        [&qmp, &serial].map(|path| UnixListener::bind(path).expect("a socket"));
    let builder = builder
        .arg("-qmp")
        .arg(format!("unix:{},server=off", qmp.display()))
        .arg("-serial")
        .arg(format!("unix:{},server=off", serial.display()));
    let start = Instant::now();
    let _vmm = builder.start();
    let (mut monitor, _) = qmp_listener.accept().expect("the monitor connects");
    let (mut line, _) = serial_listener.accept().expect("the serial port connects");
    let mut byte = [0];
    monitor.read_exact(&mut byte).expect("a greeting");
    let greeted = start.elapsed();
    line.read_exact(&mut byte).expect("the guest says something");
    (greeted, start.elapsed())
}
