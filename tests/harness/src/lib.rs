//! Drives the built program from outside, as its users do: starts the process, speaks QMP, talks
//! to the test guest over its serial line. No code is shared with the program, so that a mistake
//! there cannot hide itself here.
//!
//! Every wait has a limit ([`LIMIT`]) and its failure shows what was being waited for and what the
//! process printed. No test asserts a time.

mod guest;
mod image;
mod process;
mod qmp;
mod skip;

pub use guest::{Guest, pattern_word};
pub use image::pvh_image;
pub use process::{Builder, Exit, Vmm};
pub use qmp::{Qmp, QmpError};
pub use skip::{kvm_or_skip, skip};

use std::time::{Duration, Instant};

/// How long anything may take, on the slowest of machines, before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Polls `condition` until it gives a value.
///
/// # Panics
/// After [`LIMIT`], naming `what` was waited for.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < LIMIT, "gave up waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
