//! The `ringbuf` back end: the last bytes of the output, in memory.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use super::backend::{Backend, Notice};
use crate::event_loop::EventSet;

/// At most `size` bytes; a new byte pushes out the oldest.
pub struct Ring {
    bytes: VecDeque<u8>,
    size: usize,
    name: &'static str,
}

impl Ring {
    /// An empty ring. Memory is taken as bytes come.
    pub(super) fn new(size: usize, memory: bool) -> Ring {
        Ring { bytes: VecDeque::new(), size, name: if memory { "memory" } else { "ringbuf" } }
    }

    /// Takes out up to `count` of the oldest bytes.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        self.bytes.drain(..count.min(self.bytes.len())).collect()
    }

    /// Adds bytes, forgetting the oldest.
    pub(super) fn put(&mut self, data: &[u8]) {
        let data = &data[data.len().saturating_sub(self.size)..];
        let excess = (self.bytes.len() + data.len()).saturating_sub(self.size);
        self.bytes.drain(..excess);
        self.bytes.extend(data);
    }
}

impl Backend for Ring {
    fn interest(&self, _input: bool, _output: bool) -> Vec<(RawFd, EventSet)> {
        Vec::new()
    }

    fn ready(&mut self, _fd: RawFd, _events: EventSet, _notices: &mut Vec<Notice>) {}

    fn read(&mut self, _buf: &mut [u8], _fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.put(data);
        Ok(data.len())
    }

    fn is_open(&self) -> bool {
        true
    }

    fn filename(&self) -> String {
        self.name.to_string()
    }

    fn ring(&mut self) -> Option<&mut Ring> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_bytes_in_order() {
        let mut ring = Ring::new(4, false);
        ring.put(b"ab");
        assert_eq!(ring.take(1), b"a");
        ring.put(b"cdef");
        assert_eq!(ring.take(10), b"cdef");
        assert_eq!(ring.take(10), b"");
        ring.put(b"0123456789");
        assert_eq!(ring.take(3), b"678");
        assert_eq!(ring.write(b"xyz").unwrap(), 3);
        assert_eq!(ring.take(9), b"9xyz");
    }
}
