//! Monitors: a character device in the hands of the qmp thread.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use devices::chardev::{CharEvent, Port};
use devices::object::Tree;
use qmp::{EventSet, Mode, Monitor, ServerHandle, Signal, Transport};

use crate::options::{MonitorMode, MonitorOptions};

/// Serves a monitor on the character device it names. If that is `shared` with a port of the machine,
/// the port has the focus first.
///
/// # Errors
/// There is no such character device, or it has a user.
pub(crate) fn add(
    server: &ServerHandle,
    tree: &Tree,
    options: &MonitorOptions,
    shared: bool,
) -> Result<(), devices::error::Error> {
    let label = &options.chardev;
    let chardev = tree
        .chardev(label)
        .map_err(|_| devices::error::Error::message(format!("chardev \"{label}\" not found")))?;
    let mode = match options.mode {
        MonitorMode::Control => Mode::Control { pretty: options.pretty },
        MonitorMode::Readline => Mode::Human,
    };
    let hidden = shared && mode == Mode::Human;
    let port = chardev.claim()?;
    // Who types JSON on a terminal sees it; a monitor for people edits lines itself.
    port.set_echo(mode != Mode::Human);
    let transport = Box::new(PortTransport { port, unfocused: hidden });
    server.add_monitor(Monitor { mode, transport, name: label.clone(), hidden });
    Ok(())
}

struct PortTransport {
    port: Port,
    /// The focus that a multiplexer gives to each new user is about to go to a port of the machine.
    unfocused: bool,
}

impl Transport for PortTransport {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        self.port.interest(input, output)
    }

    fn ready(&mut self, fd: RawFd, events: EventSet) -> Vec<Signal> {
        let unfocused = &mut self.unfocused;
        let signal = |event| match event {
            CharEvent::Opened => Some(Signal::Opened),
            CharEvent::Closed => Some(Signal::Closed),
            CharEvent::MuxIn if std::mem::take(unfocused) => None,
            CharEvent::MuxIn => Some(Signal::Shown),
            CharEvent::MuxOut => Some(Signal::Hidden),
            // It means nothing to a monitor.
            CharEvent::Break => None,
        };
        self.port.ready(fd, events).into_iter().filter_map(signal).collect()
    }

    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        self.port.read(buf, fds)
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.port.write(buf)
    }

    fn is_open(&self) -> bool {
        self.port.is_open()
    }

    fn disconnect(&mut self) {
        self.port.disconnect();
    }
}
