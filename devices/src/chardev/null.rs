//! The `null` back end, which also stands in for a removed one.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use super::backend::{Backend, Notice};
use crate::event_loop::EventSet;

pub(super) struct Null;

impl Backend for Null {
    fn interest(&self, _input: bool, _output: bool) -> Vec<(RawFd, EventSet)> {
        Vec::new()
    }

    fn ready(&mut self, _fd: RawFd, _events: EventSet, _notices: &mut Vec<Notice>) {}

    fn read(&mut self, _buf: &mut [u8], _fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn is_open(&self) -> bool {
        true
    }

    fn filename(&self) -> String {
        "null".to_string()
    }
}
