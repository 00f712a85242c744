//! How many accesses to ports and to memory without RAM the guest makes in a second; each is an exit to the program.

use std::time::Instant;

use crate::program::Program;
use crate::table::{Better, Table};

/// Reads of one loop.
const COUNT: u64 = 10_000;

/// From ring 3, and from ring 0, whose own cost differs where KVM interprets it.
pub(crate) fn run(program: &Program, table: &mut Table) {
    let mut vmm = program.start();
    for (name, action) in [
        ("port reads", "pio-loop"),
        ("MMIO reads", "mmio-loop"),
        ("port reads, ring 0", "ring0-pio-loop"),
        ("MMIO reads, ring 0", "ring0-mmio-loop"),
    ] {
        vmm.guest().ask(&format!("{action} {}", COUNT / 10));
        let start = Instant::now();
        vmm.guest().ask(&format!("{action} {COUNT}"));
        let rate = COUNT as f64 / start.elapsed().as_secs_f64();
        table.add(program, name, "1/s", Better::More, rate);
    }
}
