//! A test that cannot run here says so by name, and is counted.

use std::fs::OpenOptions;
use std::io::Write;

/// Records that the test called `name` did not run, and why. `.ci/run` collects the records from
/// the file that `VMM_SKIPS` names and fails on any it does not expect.
pub fn skip(name: &str, reason: &str) {
    eprintln!("SKIPPED {name}: {reason}");
    if let Some(path) = std::env::var_os("VMM_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        // One write, so that the lines of tests that run at once stay whole.
        let line = format!("{name}: {reason}\n");
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("skip record");
    }
}

/// Whether `/dev/kvm` can be used; if not, the test called `name` is recorded as skipped.
pub fn kvm_or_skip(name: &str) -> bool {
    match OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        Ok(_) => true,
        Err(error) => {
            skip(name, &format!("/dev/kvm: {error}"));
            false
        }
    }
}
