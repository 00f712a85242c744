//! The monitor: how long a command takes there and back, and how many there are in a second.

use std::thread;
use std::time::{Duration, Instant};

use harness::Qmp;

use crate::program::Program;
use crate::table::{Better, Table, middle};

const QUERY: &str = "{\"execute\":\"query-status\"}\r\n";

/// One command; its lines are read up to its reply, and not parsed.
fn command(qmp: &mut Qmp, request: &str) {
    qmp.send_raw(request);
    loop {
        let line = qmp.read_raw();
        if line.starts_with("{\"return\"") {
            return;
        }
        assert!(line.contains("\"event\""), "{line:?} after {request}");
    }
}

/// `query-status` from one client, then from eight at once, each on its own monitor, one command after the other.
pub(crate) fn round_trips(program: &Program, table: &mut Table) {
    let (_vmm, paths) = program.start_with_monitors(8);
    let connect = |path| {
        let mut qmp = Qmp::connect(path).expect("the monitor listens");
        qmp.negotiate();
        qmp
    };
    let mut clients: Vec<_> = paths.iter().map(|path| connect(path)).collect();

    let one = &mut clients[0];
    (0..500).for_each(|_| command(one, QUERY));
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < Duration::from_secs(1) {
        let sent = Instant::now();
        command(one, QUERY);
        times.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    table.add(program, "query-status, round trip", "µs", Better::Less, middle(&mut times));
    table.add(program, "query-status, 1 client", "1/s", Better::More, rate);

    let start = Instant::now();
    let threads: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            thread::spawn(move || {
                let mut count = 0_u64;
                while start.elapsed() < Duration::from_secs(1) {
                    command(&mut client, QUERY);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let count: u64 = threads.into_iter().map(|thread| thread.join().expect("a client")).sum();
    let rate = count as f64 / start.elapsed().as_secs_f64();
    table.add(program, "query-status, 8 clients", "1/s", Better::More, rate);
}

/// `stop` and `cont` with their replies, the guest's CPU halted and then running.
pub(crate) fn stop_cont(program: &Program, table: &mut Table) {
    let mut vmm = program.start();
    let mut qmp = vmm.qmp();
    for (name, action) in
        [("stop and cont, idle guest", None), ("stop and cont, busy guest", Some("spin 0"))]
    {
        if let Some(action) = action {
            vmm.guest().ask(action);
        }
        let mut times = Vec::new();
        for _ in 0..200 {
            let start = Instant::now();
            command(&mut qmp, "{\"execute\":\"stop\"}\r\n");
            command(&mut qmp, "{\"execute\":\"cont\"}\r\n");
            times.push(start.elapsed().as_secs_f64() * 1e6);
            // Long enough for the CPU to be inside the guest again.
            thread::sleep(Duration::from_millis(1));
        }
        table.add(program, name, "µs", Better::Less, middle(&mut times));
    }
}
