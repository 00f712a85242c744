//! What waits to be written to one client.

use crate::transport::Transport;
use std::io;

/// Memory that an idle client may keep for its next output, in bytes.
const KEPT: usize = 64 << 10;

/// Bytes to be written, in order.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// How many of them are written.
    written: usize,
}

impl Output {
    /// How much is not written yet, in bytes.
    pub(crate) fn backlog(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.backlog() == 0
    }

    /// Where to append.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Writes what fits.
    ///
    /// # Errors
    /// Those of the transport that end the connection.
    pub(crate) fn flush(&mut self, transport: &mut dyn Transport) -> io::Result<()> {
        while !self.is_empty() {
            match transport.write(&self.bytes[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.written = 0;
        } else if self.written > self.backlog() {
            // Moves less than was written since the last time.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        Ok(())
    }
}
