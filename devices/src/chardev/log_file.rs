//! The `logfile` of a character device.

use std::fs::File;
use std::io::Write;

use super::error::reason;

/// A copy of everything that a user sends. A write that fails is reported once and then forgotten:
/// a full disk must not stop the guest.
pub(super) struct Log {
    file: File,
    path: String,
    failed: bool,
}

impl Log {
    pub(super) fn new(file: File, path: String) -> Log {
        Log { file, path, failed: false }
    }

    pub(super) fn write(&mut self, data: &[u8]) {
        if self.failed || data.is_empty() {
            return;
        }
        if let Err(e) = self.file.write_all(data) {
            log::warn!("cannot write to log file {}: {}", self.path, reason(&e));
            self.failed = true;
        }
    }
}
