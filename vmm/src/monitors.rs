//! Monitors: a character device in the hands of the qmp thread.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use devices::chardev::{CharEvent, Port};
use devices::object::Tree;
use qmp::{EventSet, Mode, Monitor, ServerHandle, Signal, Transport};

use crate::options::{MonitorMode, MonitorOptions};

/// Serves a monitor on the character device it names.
///
/// # Errors
/// There is no such character device, or it has a user.
pub(crate) fn add(
    server: &ServerHandle,
    tree: &Tree,
    options: &MonitorOptions,
) -> Result<(), devices::error::Error> {
    let label = &options.chardev;
    let chardev = tree.chardev(label).map_err(|_| {
        devices::error::Error::message(format!("chardev \"{label}\" not found"))
    })?;
    let mode = match options.mode {
        MonitorMode::Control => Mode::Control { pretty: options.pretty },
        MonitorMode::Readline => Mode::Human,
    };
    let transport = Box::new(PortTransport(chardev.claim()?));
    server.add_monitor(Monitor { mode, transport, name: label.clone() });
    Ok(())
}

struct PortTransport(Port);

impl Transport for PortTransport {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        self.0.interest(input, output)
    }

    fn ready(&mut self, fd: RawFd, events: EventSet) -> Vec<Signal> {
        let signal = |event| match event {
            CharEvent::Opened => Some(Signal::Opened),
            CharEvent::Closed => Some(Signal::Closed),
            // A break means nothing to a monitor; a multiplexer's focus is the multiplexer's.
            CharEvent::Break | CharEvent::MuxIn | CharEvent::MuxOut => None,
        };
        self.0.ready(fd, events).into_iter().filter_map(signal).collect()
    }

    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        self.0.read(buf, fds)
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    fn disconnect(&mut self) {
        self.0.disconnect();
    }
}
