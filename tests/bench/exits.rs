//! How many accesses to ports and to memory without RAM the guest makes in a second; each is an exit to the program.

use std::time::Instant;

use crate::program::{Running, in_turns};
use crate::table::{Better, Table};

/// From ring 3, and from ring 0, whose own cost differs where KVM interprets it.
pub(crate) fn run(running: &mut [Running<'_>], table: &mut Table) {
    for (name, action, count) in [
        ("port reads", "pio-loop", 1000),
        ("MMIO reads", "mmio-loop", 1000),
        ("port reads, ring 0", "ring0-pio-loop", 2000),
        ("MMIO reads, ring 0", "ring0-mmio-loop", 2000),
    ] {
        let rates = in_turns(running, 20, |running| {
            let start = Instant::now();
            running.vmm.guest().ask(&format!("{action} {count}"));
            f64::from(count) / start.elapsed().as_secs_f64()
        });
        table.add(running, name, "1/s", Better::More, &rates);
    }
}
