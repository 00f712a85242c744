//! A frontend that records, and a loop to run it on.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::chardev::*;
use crate::event_loop::{EventLoop, LoopHandle, LoopThread};

/// Long enough that only a fault reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A frontend that notes everything.
pub(super) struct Recorder {
    seen: Mutex<Seen>,
    changed: Condvar,
    room: AtomicUsize,
}

#[derive(Default)]
struct Seen {
    data: Vec<u8>,
    events: Vec<CharEvent>,
    writable: usize,
}

impl Recorder {
    /// With room for everything.
    pub(super) fn new() -> Arc<Recorder> {
        Self::with_room(usize::MAX)
    }

    pub(super) fn with_room(room: usize) -> Arc<Recorder> {
        Arc::new(Recorder {
            seen: Mutex::default(),
            changed: Condvar::new(),
            room: AtomicUsize::new(room),
        })
    }

    pub(super) fn set_room(&self, room: usize) {
        self.room.store(room, Ordering::SeqCst);
    }

    fn wait(&self, what: &str, met: impl Fn(&Seen) -> bool) {
        let seen = self.seen.lock().unwrap();
        let (seen, timeout) =
            self.changed.wait_timeout_while(seen, PATIENCE, |seen| !met(seen)).unwrap();
        assert!(
            !timeout.timed_out(),
            "no {what}; data {:?}, events {:?}",
            String::from_utf8_lossy(&seen.data),
            seen.events
        );
    }

    /// Waits until exactly `expected` was received since the last call.
    pub(super) fn expect(&self, expected: &[u8]) {
        self.wait("data", |seen| seen.data.len() >= expected.len());
        let data = std::mem::take(&mut self.seen.lock().unwrap().data);
        assert_eq!(String::from_utf8_lossy(&data), String::from_utf8_lossy(expected));
    }

    /// Waits until exactly `expected` happened since the last call.
    pub(super) fn expect_events(&self, expected: &[CharEvent]) {
        self.wait("events", |seen| seen.events.len() >= expected.len());
        let events = std::mem::take(&mut self.seen.lock().unwrap().events);
        assert_eq!(events, expected);
    }

    pub(super) fn wait_writable(&self) {
        self.wait("room", |seen| seen.writable > 0);
        self.seen.lock().unwrap().writable = 0;
    }

    pub(super) fn received(&self) -> usize {
        self.seen.lock().unwrap().data.len()
    }
}

impl Frontend for Recorder {
    fn can_receive(&self) -> usize {
        self.room.load(Ordering::SeqCst)
    }

    fn receive(&self, data: &[u8]) {
        let room = self.room.load(Ordering::SeqCst);
        assert!(!data.is_empty() && data.len() <= room);
        if room != usize::MAX {
            self.room.fetch_sub(data.len(), Ordering::SeqCst);
        }
        self.seen.lock().unwrap().data.extend_from_slice(data);
        self.changed.notify_all();
    }

    fn event(&self, event: CharEvent) {
        self.seen.lock().unwrap().events.push(event);
        self.changed.notify_all();
    }

    fn writable(&self) {
        self.seen.lock().unwrap().writable += 1;
        self.changed.notify_all();
    }
}

/// A loop on a thread, a directory, and a context with both.
pub(super) struct Rig {
    pub(super) dir: tempfile::TempDir,
    pub(super) context: Context,
    thread: LoopThread,
}

impl Rig {
    pub(super) fn new() -> Rig {
        let thread = EventLoop::spawn("chardev test").unwrap();
        Rig { dir: tempfile::tempdir().unwrap(), context: Context::new(thread.handle()), thread }
    }

    pub(super) fn on(&self) -> LoopHandle {
        self.thread.handle()
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_string()
    }

    pub(super) fn open(&self, kind: Kind) -> Arc<Chardev> {
        open("x", &Config::new(kind), &self.context).unwrap()
    }

    pub(super) fn refused(&self, kind: Kind) -> String {
        match open("x", &Config::new(kind), &self.context) {
            Ok(_) => panic!("accepted"),
            Err(e) => e.to_string(),
        }
    }

    pub(super) fn attach(&self, chardev: &Arc<Chardev>, frontend: &Arc<Recorder>) -> Attachment {
        chardev.attach(frontend.clone(), &self.on()).unwrap()
    }

    /// Waits until the loop has done what it was asked so far.
    pub(super) fn settle(&self) {
        let (done, wait) = std::sync::mpsc::channel();
        self.on().post(move || done.send(()).unwrap());
        wait.recv_timeout(PATIENCE).unwrap();
    }
}

/// Waits until `met`, which something asynchronous brings about.
pub(super) fn eventually(what: &str, mut met: impl FnMut() -> bool) {
    let give_up = std::time::Instant::now() + PATIENCE;
    while !met() {
        assert!(std::time::Instant::now() < give_up, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads exactly as many bytes as `expected` has, and compares.
pub(super) fn expect_from(mut stream: impl Read, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(expected));
}

/// Writes everything.
pub(super) fn send_to(mut stream: impl Write, data: &[u8]) {
    stream.write_all(data).unwrap();
}

/// Fills the output until nothing more is taken; returns how many bytes that were.
pub(super) fn fill(attachment: &Attachment) -> usize {
    let mut total = 0;
    loop {
        match attachment.write(&[b'f'; 4096]) {
            0 => return total,
            taken => total += taken,
        }
        assert!(total < 1 << 28, "never full");
    }
}

/// A connected pair, the first end as a descriptor.
pub(super) fn pair() -> (std::os::fd::OwnedFd, std::os::unix::net::UnixStream) {
    let (a, b) = std::os::unix::net::UnixStream::pair().unwrap();
    (a.as_fd().try_clone_to_owned().unwrap(), b)
}
