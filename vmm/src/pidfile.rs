//! `-pidfile`: the process's number in a file that is locked as long as the process lives.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::logging::reason;
use crate::options::{Error, Located};

/// The file; removed when dropped.
pub(crate) struct PidFile {
    path: PathBuf,
    _locked: File,
}

impl PidFile {
    /// Writes the file, complete before this returns.
    ///
    /// # Errors
    /// It cannot be created, or another process has locked it.
    pub(crate) fn create(option: &Located<String>) -> Result<Self, Error> {
        let fail = |error: std::io::Error| {
            let reason = reason(&error);
            option.location.error(format!("cannot create PID file '{}': {reason}", option.value))
        };
        let path = std::path::absolute(&option.value).map_err(fail)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            let reason = reason(&error.into());
            option.location.error(format!("cannot lock PID file '{}': {reason}", option.value))
        })?;
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(fail)?;
        Ok(Self { path, _locked: file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = std::fs::remove_file(&self.path);
    }
}
