//! A toy program behind the monitor, a transport over Unix sockets, and a client.

#![allow(dead_code, unreachable_pub)]

use qapi::decode::At;
use qapi::source::Json;
use qapi::{Dict, Error, RawReply, Value};
use qmp::{
    CommandKind, EventSet, EventSink, HumanReply, Limits, Mode, Monitor, Server, ServerHandle,
    Service, SessionId, Signal, Transport,
};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Long enough for a loaded machine: only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What the toy tells the test.
#[derive(Debug, PartialEq)]
pub enum Told {
    Opened(SessionId),
    Closed(SessionId),
    /// `slow` was called and waits for [`Toy::release`].
    Slow,
}

/// A program with a few commands.
pub struct Toy {
    parked: Mutex<Vec<RawReply>>,
    pub events: OnceLock<EventSink>,
    pub executed: AtomicUsize,
    pub executed_oob: AtomicUsize,
    told: Mutex<Sender<Told>>,
}

impl Toy {
    pub fn release(&self) {
        let parked = std::mem::take(&mut *self.parked.lock().unwrap());
        for reply in parked {
            reply.send(Ok(Value::from("slow")));
        }
    }

    fn tell(&self, told: Told) {
        // The test may have ended.
        let _ = self.told.lock().unwrap().send(told);
    }

    pub fn emit(&self, name: &str, data: Option<Dict>) {
        self.events.get().unwrap().emit(name, data);
    }
}

fn no_arguments(arguments: &Dict) -> Result<(), Error> {
    qapi::decode::nothing_left(arguments, &At::root(&Json))
}

fn contents(fds: Vec<OwnedFd>) -> Result<Value, Error> {
    assert!(fds.len() <= 1);
    let Some(fd) = fds.into_iter().next() else {
        return Err(Error::generic("No file descriptor supplied via SCM_RIGHTS"));
    };
    let mut text = String::new();
    File::from(fd).read_to_string(&mut text).unwrap();
    Ok(text.into())
}

impl Service for Toy {
    fn greeting(&self) -> Value {
        let version = [("major", 7), ("minor", 2), ("micro", 0)];
        let qemu = Value::Dict(Dict::from_iter(version));
        Value::Dict(Dict::from_iter([("qemu", qemu), ("package", "toy".into())]))
    }

    fn command(&self, name: &str) -> Option<CommandKind> {
        let in_band = [
            "query-name",
            "query-uuid",
            "slow",
            "blob",
            "getfd",
            "add-fd",
            "echo",
            "stop",
            "quit",
            "drop",
        ];
        let oob = name == "yank";
        (oob || in_band.contains(&name)).then_some(CommandKind { oob })
    }

    fn execute(
        &self,
        _: SessionId,
        name: &str,
        arguments: Dict,
        fds: Vec<OwnedFd>,
        reply: RawReply,
    ) {
        self.executed.fetch_add(1, Ordering::SeqCst);
        let result = match name {
            "query-name" => no_arguments(&arguments).map(|()| Value::Dict(Dict::new())),
            "query-uuid" => {
                let uuid = "00000000-0000-0000-0000-000000000000";
                Ok(Value::Dict(Dict::from_iter([("UUID", uuid)])))
            }
            "slow" => {
                self.parked.lock().unwrap().push(reply);
                self.tell(Told::Slow);
                return;
            }
            "blob" => Ok("b".repeat(64 << 10).into()),
            "getfd" | "add-fd" => contents(fds),
            "echo" => Ok(Value::Dict(arguments)),
            "stop" => no_arguments(&arguments).map(|()| Value::Dict(Dict::new())),
            "quit" => {
                let data = Dict::from_iter([
                    ("guest", Value::from(false)),
                    ("reason", Value::from("host-qmp-quit")),
                ]);
                self.emit("SHUTDOWN", Some(data));
                Ok(Value::Dict(Dict::new()))
            }
            "drop" => return,
            other => Err(Error::command_not_found(other)),
        };
        reply.send(result);
    }

    fn execute_oob(&self, _: SessionId, _: &str, _: Dict, reply: RawReply) {
        self.executed_oob.fetch_add(1, Ordering::SeqCst);
        reply.send(Ok(Value::Dict(Dict::new())));
    }

    fn human(&self, _: SessionId, line: &str, reply: HumanReply) {
        match line {
            "silent" => drop(reply),
            _ => reply.send(format!("line one\nyou said {line}\n")),
        }
    }

    fn opened(&self, session: SessionId) {
        self.tell(Told::Opened(session));
    }

    fn closed(&self, session: SessionId) {
        self.tell(Told::Closed(session));
    }
}

/// A running server with the toy behind it.
pub struct Bench {
    pub toy: Arc<Toy>,
    pub handle: ServerHandle,
    told: Receiver<Told>,
}

impl Bench {
    pub fn new(limits: Limits) -> Bench {
        let (sender, told) = mpsc::channel();
        let toy = Arc::new(Toy {
            parked: Mutex::default(),
            events: OnceLock::new(),
            executed: AtomicUsize::new(0),
            executed_oob: AtomicUsize::new(0),
            told: Mutex::new(sender),
        });
        let handle = Server::spawn_with(Arc::clone(&toy) as Arc<dyn Service>, limits).unwrap();
        toy.events.set(handle.events()).unwrap();
        Bench { toy, handle, told }
    }

    /// A client on a monitor of its own, greeted.
    pub fn connect(&self, mode: Mode) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        self.add(mode, Socket::connected(theirs), "pair");
        Client::new(ours)
    }

    /// A negotiated client.
    pub fn negotiated(&self, oob: bool) -> Client {
        let mut client = self.connect(Mode::Control { pretty: false });
        client.line();
        client.negotiate(oob);
        client
    }

    pub fn add(&self, mode: Mode, socket: Socket, name: &str) {
        let (transport, name) = (Box::new(socket), name.to_owned());
        self.handle.add_monitor(Monitor { mode, transport, name, hidden: false });
    }

    /// Waits until the toy tells what is wanted; what it tells before is skipped.
    pub fn wait_for(&self, wanted: impl Fn(&Told) -> bool) {
        while !wanted(&self.told.recv_timeout(PATIENCE).expect("the toy never told")) {}
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.toy.release();
        self.handle.shutdown(Duration::ZERO);
    }
}

/// A transport over Unix sockets: one connection, or a listener that serves one client at a time.
pub struct Socket {
    listener: Option<UnixListener>,
    stream: Option<UnixStream>,
}

impl Socket {
    pub fn connected(stream: UnixStream) -> Socket {
        stream.set_nonblocking(true).unwrap();
        Socket { listener: None, stream: Some(stream) }
    }

    pub fn listening(listener: UnixListener) -> Socket {
        listener.set_nonblocking(true).unwrap();
        Socket { listener: Some(listener), stream: None }
    }
}

impl Transport for Socket {
    fn interest(&self, input: bool, output: bool) -> Vec<(RawFd, EventSet)> {
        let Some(stream) = &self.stream else {
            return self
                .listener
                .iter()
                .map(|listener| (listener.as_raw_fd(), EventSet::IN))
                .collect();
        };
        let mut events = EventSet::empty();
        events.set(EventSet::IN, input);
        events.set(EventSet::OUT, output);
        vec![(stream.as_raw_fd(), events)]
    }

    fn ready(&mut self, fd: RawFd, events: EventSet) -> Vec<Signal> {
        match (&self.stream, &self.listener) {
            (Some(stream), _) if stream.as_raw_fd() == fd => {
                let gone = events.intersects(EventSet::HANG_UP | EventSet::ERROR);
                self.stream.take_if(|_| gone).map(|_| Signal::Closed).into_iter().collect()
            }
            (None, Some(listener)) => {
                let Ok((stream, _)) = listener.accept() else {
                    return Vec::new();
                };
                stream.set_nonblocking(true).unwrap();
                self.stream = Some(stream);
                vec![Signal::Opened]
            }
            _ => Vec::new(),
        }
    }

    fn read(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let stream = self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(stream, &mut [IoSliceMut::new(buf)], &mut control, flags)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        Ok(received.bytes)
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        stream.write(buf)
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    fn disconnect(&mut self) {
        self.stream = None;
    }
}

/// The other end.
pub struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    pub fn new(stream: UnixStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { reader: BufReader::new(stream) }
    }

    pub fn stream(&self) -> &UnixStream {
        self.reader.get_ref()
    }

    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream().write_all(text.as_ref()).unwrap();
    }

    pub fn send_with(&mut self, text: &str, fds: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
        let data = [IoSlice::new(text.as_bytes())];
        let sent = sendmsg(self.stream().as_fd(), &data, &mut control, SendFlags::empty());
        assert_eq!(sent, Ok(text.len()));
    }

    /// One line without its CR LF.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        let text = line.strip_suffix("\r\n");
        text.unwrap_or_else(|| panic!("no line: {line:?}")).to_owned()
    }

    /// Sends a request and returns the next line.
    pub fn ask(&mut self, text: &str) -> String {
        self.send(text);
        self.line()
    }

    pub fn negotiate(&mut self, oob: bool) {
        let enable = if oob { r#","arguments":{"enable":["oob"]}"# } else { "" };
        let reply = self.ask(&format!(r#"{{"execute":"qmp_capabilities"{enable}}}"#));
        assert_eq!(reply, r#"{"return": {}}"#);
    }

    /// So many bytes as text.
    pub fn bytes(&mut self, count: usize) -> String {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Everything up to the end.
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Sends nothing more, and returns everything up to the end.
    pub fn finish(&mut self) -> String {
        self.stream().shutdown(std::net::Shutdown::Write).unwrap();
        self.rest()
    }
}
