//! From the start of the process to the guest's first byte on the serial line, the monitor's greeting served by then.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use crate::program::Program;
use crate::table::{Better, Table};

/// The process connects to sockets on which this one listens already: nothing is polled, and the time ends when both the
/// greeting's and the guest's first byte have been read.
pub(crate) fn run(program: &Program, table: &mut Table) {
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
    let vmm = builder.start();
    let (mut monitor, _) = qmp_listener.accept().expect("the monitor connects");
    let (mut line, _) = serial_listener.accept().expect("the serial port connects");
    let mut byte = [0];
    monitor.read_exact(&mut byte).expect("a greeting");
    let greeted = start.elapsed();
    line.read_exact(&mut byte).expect("the guest says something");
    let spoken = start.elapsed();
    drop(vmm);
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    table.add_one(program, "start to greeting", "ms", Better::Less, ms(greeted));
    table.add_one(program, "start to the guest's first byte", "ms", Better::Less, ms(spoken));
}
