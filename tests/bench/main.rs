//! Measures the program beside the installed QEMU on the same guest image, in one run: `cargo bench`.
//!
//! `cargo bench -- [-n ROUNDS] [WORD...]` measures in so many rounds (5), and only what has a WORD in its name. The
//! programs take turns, so that what else happens on the machine meets all of them. docs/benchmarks.md says what is
//! measured and why so.

mod exits;
mod memory;
mod monitor;
mod program;
mod startup;
mod table;

use program::{Program, Running};
use table::Table;

/// What to measure. A function takes one sample of each program.
enum Measurement {
    /// With processes of its own.
    Apart(fn(&[Program], &mut Table)),
    /// With processes that run side by side, idle but for the one in turn.
    Beside(fn(&mut [Running<'_>], &mut Table)),
}

const MEASUREMENTS: &[(&str, Measurement)] = &[
    ("startup", Measurement::Apart(startup::run)),
    ("memory", Measurement::Apart(memory::private)),
    ("qmp", Measurement::Beside(monitor::round_trips)),
    ("exits", Measurement::Beside(exits::run)),
    ("pmemsave", Measurement::Beside(memory::pmemsave)),
    // The last: it leaves the guest busy.
    ("stop-cont", Measurement::Beside(monitor::stop_cont)),
];

fn main() {
    let mut rounds = 5;
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // cargo says so to every bench.
            "--bench" => {}
            "-n" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                rounds = number.expect("-n ROUNDS");
            }
            _ => words.push(argument),
        }
    }
    assert!(std::env::var_os("VMM_BIN").is_none(), "VMM_BIN would replace all programs");
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let programs = program::all();
    let mut table = Table::new(&programs);
    for round in 1..=rounds {
        let mut running = Vec::new();
        for (name, measurement) in MEASUREMENTS.iter().filter(|(name, _)| wanted(name)) {
            eprintln!("round {round} of {rounds}: {name}");
            match measurement {
                Measurement::Apart(run) => run(&programs, &mut table),
                Measurement::Beside(run) => {
                    if running.is_empty() {
                        running = programs.iter().map(Running::start).collect();
                    }
                    run(&mut running, &mut table);
                }
            }
        }
    }
    table.print();
}
