//! Measures the program beside the installed QEMU on the same guest image, in one run: `cargo bench`.
//!
//! `cargo bench -- [-n ROUNDS] [WORD...]` measures in so many rounds (5), and only what has a WORD in its name. The
//! programs take turns within a round, so that what else happens on the machine meets all of them. docs/benchmarks.md
//! says what is measured and why so.

mod exits;
mod memory;
mod monitor;
mod program;
mod startup;
mod table;

use program::Program;
use table::Table;

/// Something to measure; adds to the table's samples of the program.
struct Measurement {
    name: &'static str,
    run: fn(&Program, &mut Table),
}

const MEASUREMENTS: &[Measurement] = &[
    Measurement { name: "startup", run: startup::run },
    Measurement { name: "memory", run: memory::private },
    Measurement { name: "qmp", run: monitor::round_trips },
    Measurement { name: "stop-cont", run: monitor::stop_cont },
    Measurement { name: "exits", run: exits::run },
    Measurement { name: "pmemsave", run: memory::pmemsave },
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
    assert!(std::env::var_os("VMM_BIN").is_none(), "VMM_BIN would replace both programs");
    let programs = program::all();
    let mut table = Table::new(&programs);
    for round in 1..=rounds {
        for measurement in MEASUREMENTS {
            if !words.is_empty() && !words.iter().any(|word| measurement.name.contains(word)) {
                continue;
            }
            for program in &programs {
                eprintln!("round {round} of {rounds}: {} of {}", measurement.name, program.name);
                (measurement.run)(program, &mut table);
            }
        }
    }
    table.print();
}
