//! The monitor: how long a command takes there and back, and how many there are in a second.

use std::thread;
use std::time::{Duration, Instant};

use harness::Qmp;

use crate::program::{Running, in_turns};
use crate::table::{Better, Table, middle};

/// How long one program is asked before it is the next one's turn.
const TURN: Duration = Duration::from_millis(50);
const TURNS: usize = 20;

/// One command; its lines are read up to its reply, and not parsed.
fn execute(qmp: &mut Qmp, command: &str) {
    qmp.send_raw(format!("{{\"execute\":\"{command}\"}}\r\n"));
    loop {
        let line = qmp.read_raw();
        if line.starts_with("{\"return\"") {
            return;
        }
        assert!(line.contains("\"event\""), "{line:?} after {command}");
    }
}

/// One `query-status` after the other; how long each took, in microseconds.
fn ask(qmp: &mut Qmp) -> Vec<f64> {
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < TURN {
        let sent = Instant::now();
        execute(qmp, "query-status");
        times.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    times
}

/// From one client, then from eight at once, each on its own monitor.
pub(crate) fn round_trips(running: &mut [Running<'_>], table: &mut Table) {
    let times = in_turns(running, TURNS, |running| middle(&mut ask(&mut running.clients[0])));
    table.add(running, "query-status, round trip", "µs", Better::Less, &times);
    let rates = in_turns(running, TURNS, |running| {
        ask(&mut running.clients[0]).len() as f64 / TURN.as_secs_f64()
    });
    table.add(running, "query-status, 1 client", "1/s", Better::More, &rates);
    let rates = in_turns(running, TURNS, |running| {
        let count: usize = thread::scope(|scope| {
            let clients = running.clients.iter_mut();
            let threads: Vec<_> = clients.map(|client| scope.spawn(|| ask(client).len())).collect();
            threads.into_iter().map(|thread| thread.join().expect("a client")).sum()
        });
        count as f64 / TURN.as_secs_f64()
    });
    table.add(running, "query-status, 8 clients", "1/s", Better::More, &rates);
}

/// `stop` and `cont` with their replies, the guest's CPU halted and then running.
pub(crate) fn stop_cont(running: &mut [Running<'_>], table: &mut Table) {
    for (name, action) in
        [("stop and cont, idle guest", None), ("stop and cont, busy guest", Some("spin 0"))]
    {
        let times = in_turns(running, TURNS, |running| {
            if let Some(action) = action {
                running.vmm.guest().ask(action);
            }
            let qmp = &mut running.clients[0];
            let mut times: Vec<_> = (0..10)
                .map(|_| {
                    // Long enough for the CPU to be where it is to be.
                    thread::sleep(Duration::from_millis(2));
                    let start = Instant::now();
                    execute(qmp, "stop");
                    execute(qmp, "cont");
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            if action.is_some() {
                running.vmm.guest().ask("stop");
            }
            middle(&mut times)
        });
        table.add(running, name, "µs", Better::Less, &times);
    }
}
