//! The other ends of monitors: sockets, terminals, people.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;

use harness::{Builder, LIMIT, Qmp};
use serde_json::{Value, json};

/// A process without a machine: monitors only.
pub(crate) fn bare() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-machine none -display none")
}

/// A process with the test guest.
pub(crate) fn with_guest() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp().with_serial()
}

/// The process finds what it gets as standard input as descriptor 7 instead.
pub(crate) fn input_as_descriptor_7(mut builder: Builder) -> Builder {
    let command = builder.command();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" 7<&0 </dev/null"]);
    shell.arg(command.get_program()).args(command.get_args());
    *command = shell;
    builder
}

/// The character devices' labels with their file names and whether their user is there.
pub(crate) fn chardevs(qmp: &mut Qmp) -> Vec<(String, String, bool)> {
    let list = qmp.ok("query-chardev", json!({}));
    let text = |item: &Value, name: &str| item[name].as_str().expect("text").to_owned();
    let mut list: Vec<_> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| {
            let open = item["frontend-open"].as_bool().expect("frontend-open");
            (text(item, "label"), text(item, "filename"), open)
        })
        .collect();
    list.sort();
    list
}

/// The file name of one character device.
pub(crate) fn filename(qmp: &mut Qmp, label: &str) -> String {
    let found = chardevs(qmp).into_iter().find(|(name, ..)| name == label);
    found.unwrap_or_else(|| panic!("no {label}")).1
}

/// A socket that carries what a terminal (or any other file) does.
pub(crate) fn socket_to(file: File) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().expect("sockets");
    let clone = (file.try_clone().expect("clone"), theirs.try_clone().expect("clone"));
    thread::spawn(move || copy(file, theirs));
    thread::spawn(move || copy(clone.1, clone.0));
    ours
}

fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// A person before a screen.
pub(crate) struct Person {
    socket: UnixStream,
    /// A terminal adds carriage returns of its own: none of them counts.
    terminal: bool,
    seen: Vec<u8>,
}

impl Person {
    pub(crate) fn at(socket: UnixStream) -> Self {
        socket.set_read_timeout(Some(LIMIT)).expect("a limit");
        Self { socket, terminal: false, seen: Vec::new() }
    }

    pub(crate) fn at_terminal(terminal: File) -> Self {
        Self { terminal: true, ..Self::at(socket_to(terminal)) }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.socket.write_all(keys.as_bytes()).expect("keys");
    }

    /// Reads up to `text`; returns all that came before it.
    pub(crate) fn sees(&mut self, text: &str) -> String {
        loop {
            let found = self.seen.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let before = String::from_utf8_lossy(&self.seen[..at]).into_owned();
                self.seen.drain(..at + text.len());
                return before;
            }
            let mut buffer = [0; 4096];
            let count = self.socket.read(&mut buffer).unwrap_or(0);
            let seen = String::from_utf8_lossy(&self.seen);
            assert!(count > 0, "no {text:?} after {seen:?}");
            let kept = |byte: &&u8| !self.terminal || **byte != b'\r';
            self.seen.extend(buffer[..count].iter().filter(kept));
        }
    }

    /// Types a command at the prompt and reads up to the next; returns its text.
    pub(crate) fn commands(&mut self, line: &str) -> String {
        self.types(&format!("{line}\n"));
        self.sees("\n");
        self.sees("(qemu) ").replace('\r', "")
    }
}
