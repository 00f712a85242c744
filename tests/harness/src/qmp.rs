//! A QMP client of our own.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};

use crate::LIMIT;

/// An error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QmpError {
    /// Its class.
    pub class: String,
    /// Its description.
    pub desc: String,
}

/// A connection to a monitor.
pub struct Qmp {
    reader: BufReader<UnixStream>,
    events: VecDeque<Value>,
}

impl Qmp {
    /// Connects; nothing is read yet.
    ///
    /// # Errors
    /// Nobody listens at `path`.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Self::over(UnixStream::connect(path)?)
    }

    /// The same over a socket of any kind that is connected already.
    ///
    /// # Errors
    /// It takes no time limits.
    pub fn over(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        let stream = UnixStream::from(socket.into());
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self { reader: BufReader::new(stream), events: VecDeque::new() })
    }

    /// Reads the greeting and negotiates without capabilities. Returns the greeting.
    pub fn negotiate(&mut self) -> Value {
        let greeting = self.read();
        assert!(greeting.get("QMP").is_some(), "a greeting, not {greeting}");
        self.ok("qmp_capabilities", json!({}));
        greeting
    }

    /// Writes bytes as they are.
    pub fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).expect("write to the monitor");
    }

    /// Sends a request without waiting for its reply; descriptors go with its first byte.
    pub fn send(&mut self, request: &Value, fds: &[BorrowedFd<'_>]) {
        let line = format!("{request}\r\n");
        if fds.is_empty() {
            return self.send_raw(line);
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
        let parts = [IoSlice::new(line.as_bytes())];
        let sent = sendmsg(self.reader.get_ref(), &parts, &mut control, SendFlags::empty());
        assert_eq!(sent.expect("sendmsg"), line.len());
    }

    /// The next line as it is, with its end; empty at the end of the connection.
    pub fn read_raw(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line from the monitor");
        line
    }

    /// The next object.
    pub fn read(&mut self) -> Value {
        let line = self.read_raw();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// The next object that is not an event; events are kept for [`Qmp::event`].
    pub fn reply(&mut self) -> Value {
        loop {
            let object = self.read();
            if object.get("event").is_none() {
                return object;
            }
            self.events.push_back(object);
        }
    }

    /// Executes a command.
    ///
    /// # Errors
    /// The command's error reply.
    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        self.execute_with(command, arguments, &[])
    }

    /// Executes a command and passes descriptors with it.
    ///
    /// # Errors
    /// The command's error reply.
    pub fn execute_with(
        &mut self,
        command: &str,
        arguments: Value,
        fds: &[BorrowedFd<'_>],
    ) -> Result<Value, QmpError> {
        self.send(&json!({"execute": command, "arguments": arguments}), fds);
        let mut reply = self.reply();
        if let Some(value) = reply.get_mut("return") {
            return Ok(value.take());
        }
        let text = |name: &str| reply["error"][name].as_str().expect("an error").to_owned();
        Err(QmpError { class: text("class"), desc: text("desc") })
    }

    /// Executes a command that must succeed.
    pub fn ok(&mut self, command: &str, arguments: Value) -> Value {
        self.execute(command, arguments)
            .unwrap_or_else(|error| panic!("{command} answers {error:?}"))
    }

    /// Executes a command that must fail; returns the description.
    pub fn fails(&mut self, command: &str, arguments: Value) -> String {
        match self.execute(command, arguments) {
            Err(error) => error.desc,
            Ok(value) => panic!("{command} answers {value}"),
        }
    }

    /// Executes a human monitor command; returns its text with LF line ends.
    pub fn hmp(&mut self, line: &str) -> String {
        let text = self.ok("human-monitor-command", json!({"command-line": line}));
        text.as_str().expect("text").replace("\r\n", "\n")
    }

    /// The run state's name.
    pub fn status(&mut self) -> String {
        self.ok("query-status", json!({}))["status"].as_str().expect("text").to_owned()
    }

    /// The next event called `name`, waiting for it; events before it are dropped.
    pub fn event(&mut self, name: &str) -> Value {
        loop {
            let event = self.events.pop_front().unwrap_or_else(|| self.read());
            if event["event"] == name {
                return event;
            }
            assert!(event.get("event").is_some(), "{event} while waiting for {name}");
        }
    }

    /// The names of the events that have come so far and were not waited for.
    pub fn events_so_far(&mut self) -> Vec<String> {
        self.ok("query-status", json!({}));
        let name = |event: Value| event["event"].as_str().expect("a name").to_owned();
        self.events.drain(..).map(name).collect()
    }
}
