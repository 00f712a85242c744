use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use super::*;

/// Reports what it is told, after taking the bytes that are there.
struct Reader {
    streams: Mutex<Vec<UnixStream>>,
    heard: mpsc::Sender<(RawFd, Vec<u8>)>,
}

impl Source for Reader {
    fn ready(&self, fd: RawFd, _events: EventSet) {
        let mut bytes = [0; 64];
        let mut streams = self.streams.lock();
        let got = match streams.iter_mut().find(|s| s.as_raw_fd() == fd) {
            Some(stream) => stream.read(&mut bytes).unwrap_or(0),
            None => 0,
        };
        self.heard.send((fd, bytes[..got].to_vec())).unwrap();
    }
}

fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    (a, b)
}

fn reader(streams: Vec<UnixStream>) -> (Arc<Reader>, mpsc::Receiver<(RawFd, Vec<u8>)>) {
    let (heard, hear) = mpsc::channel();
    let streams = Mutex::new(Rank::Device, streams);
    (Arc::new(Reader { streams, heard }), hear)
}

#[test]
fn dispatches_to_the_source_of_the_descriptor() {
    let mut event_loop = EventLoop::new().unwrap();
    let ((a, mut a_far), (b, mut b_far)) = (pair(), pair());
    let (a_fd, b_fd) = (a.as_raw_fd(), b.as_raw_fd());
    let (first, hear_first) = reader(vec![a]);
    let (second, hear_second) = reader(vec![b]);
    let handle = event_loop.handle();
    let watches = [handle.watch(first), handle.watch(second)];
    watches[0].set(&[(a_fd, EventSet::IN)]);
    watches[1].set(&[(b_fd, EventSet::IN)]);
    a_far.write_all(b"one").unwrap();
    b_far.write_all(b"two").unwrap();
    event_loop.run_once(1000).unwrap();
    assert_eq!(hear_first.try_recv().unwrap(), (a_fd, b"one".to_vec()));
    assert_eq!(hear_second.try_recv().unwrap(), (b_fd, b"two".to_vec()));

    watches[0].set(&[]);
    a_far.write_all(b"unheard").unwrap();
    b_far.write_all(b"heard").unwrap();
    event_loop.run_once(1000).unwrap();
    assert!(hear_first.try_recv().is_err());
    assert_eq!(hear_second.try_recv().unwrap().1, b"heard");
}

#[test]
fn a_dropped_watch_is_silent_even_for_events_already_collected() {
    struct Killer {
        victim: Mutex<Option<Watch>>,
    }
    impl Source for Killer {
        fn ready(&self, _fd: RawFd, _events: EventSet) {
            self.victim.lock().take();
        }
    }
    // Whichever the kernel reports first drops the other.
    let mut event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let ((a, mut a_far), (b, mut b_far)) = (pair(), pair());
    let killers = [(); 2].map(|()| Arc::new(Killer { victim: Mutex::new(Rank::Device, None) }));
    for (i, stream) in [&a, &b].into_iter().enumerate() {
        let watch = handle.watch(killers[i].clone());
        watch.set(&[(stream.as_raw_fd(), EventSet::IN)]);
        *killers[1 - i].victim.lock() = Some(watch);
    }
    a_far.write_all(b"x").unwrap();
    b_far.write_all(b"x").unwrap();
    event_loop.run_once(1000).unwrap();
    let left = killers.iter().filter(|k| k.victim.lock().is_some()).count();
    assert_eq!(left, 1, "both ran though one had been dropped");
}

#[test]
fn a_number_used_again_after_close_is_watched() {
    let mut event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let (a, a_far) = pair();
    let number = a.as_raw_fd();
    let (source, hear) = reader(vec![a]);
    let watch = handle.watch(source.clone());
    watch.set(&[(number, EventSet::IN)]);
    event_loop.run_once(0).unwrap();
    for renew in [false, true] {
        // Put another file under the same number, as a close and an open would.
        let (fresh, mut far) = pair();
        {
            let mut streams = source.streams.lock();
            let mut old: std::os::fd::OwnedFd = streams.pop().unwrap().into();
            rustix::io::dup3(fresh.as_fd(), &mut old, rustix::io::DupFlags::CLOEXEC).unwrap();
            streams.push(old.into());
        }
        drop(fresh);
        if renew {
            watch.renew(&[(number, EventSet::IN)]);
        } else {
            watch.set(&[(number, EventSet::IN | EventSet::OUT)]);
        }
        far.write_all(b"again").unwrap();
        event_loop.run_once(1000).unwrap();
        assert_eq!(hear.try_recv().unwrap(), (number, b"again".to_vec()));
    }
    drop(a_far);
}

#[test]
fn closing_first_and_unwatching_later_leaves_other_watches_alone() {
    let mut event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let ((a, _a_far), (b, mut b_far)) = (pair(), pair());
    let (a_fd, b_fd) = (a.as_raw_fd(), b.as_raw_fd());
    let (first, _quiet) = reader(vec![a]);
    let (second, hear) = reader(vec![b]);
    let watch = handle.watch(first.clone());
    watch.set(&[(a_fd, EventSet::IN)]);
    let other = handle.watch(second);
    other.set(&[(b_fd, EventSet::IN)]);
    event_loop.run_once(0).unwrap();
    first.streams.lock().clear();
    drop(watch);
    b_far.write_all(b"still here").unwrap();
    event_loop.run_once(1000).unwrap();
    assert_eq!(hear.try_recv().unwrap().1, b"still here");
    drop(other);
    event_loop.run_once(0).unwrap();
    assert!(event_loop.table.lock().is_empty());
}

#[test]
fn requests_from_other_threads_and_from_the_loop_itself() {
    let thread = EventLoop::spawn("loop under test").unwrap();
    let handle = thread.handle();
    let (send, receive) = mpsc::channel();
    let inner = handle.clone();
    let from_loop = send.clone();
    handle.post(move || {
        let name = std::thread::current().name().map(str::to_string);
        inner.post(move || from_loop.send(name).unwrap());
    });
    assert_eq!(receive.recv().unwrap().as_deref(), Some("loop under test"));
    let (a, mut far) = pair();
    let fd = a.as_raw_fd();
    let (source, hear) = reader(vec![a]);
    let watch = handle.watch(source);
    watch.set(&[(fd, EventSet::IN)]);
    far.write_all(b"woken").unwrap();
    assert_eq!(hear.recv().unwrap(), (fd, b"woken".to_vec()));
    drop(thread);
    // The loop is gone: requests are dropped, nothing blocks or grows.
    handle.post(move || send.send(None).unwrap());
    assert!(receive.recv().is_err());
}

#[test]
fn dropping_the_loop_frees_sources() {
    let event_loop = EventLoop::new().unwrap();
    let (a, _far) = pair();
    let fd = a.as_raw_fd();
    let (source, _hear) = reader(vec![a]);
    let watch = event_loop.handle().watch(source.clone());
    watch.set(&[(fd, EventSet::IN)]);
    drop(event_loop);
    drop(watch);
    assert_eq!(Arc::strong_count(&source), 1);
}

#[test]
fn a_stop_is_never_lost() {
    // Most often it comes while the loop is on its way to its first sleep.
    for _ in 0..200 {
        let thread = EventLoop::spawn("short-lived").unwrap();
        drop(thread);
    }
}
