//! Breaks, changes of the back end, and ports driven by their owner.

use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::rig::*;
use crate::chardev::*;
use crate::event_loop::EventSet;

fn server(path: &str) -> Kind {
    Kind::Socket(Socket {
        address: Address::Unix { path: path.to_string(), is_abstract: false, tight: true },
        role: Role::Server { wait: false },
        nodelay: false,
    })
}

#[test]
fn breaks_reach_the_user() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Null);
    chardev.send_break();
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    chardev.send_break();
    frontend.expect_events(&[CharEvent::Opened, CharEvent::Break]);
    drop(attachment);
    chardev.send_break();
    rig.settle();
    frontend.expect_events(&[]);
}

#[test]
fn the_back_end_changes_under_its_user() {
    let rig = Rig::new();
    let (path, out) = (rig.path("s"), rig.path("out"));
    let chardev = rig.open(server(&path));
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    let mut client = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    fill(&attachment);

    // One that cannot be opened leaves everything as it was.
    let file = |path: String| Config::new(Kind::File { out: path, input: None, append: false });
    assert!(chardev.replace(&file(rig.path("no/dir")), &rig.context).is_err());
    assert!(chardev.is_open() && chardev.filename().starts_with("unix:"));

    chardev.replace(&file(out.clone()), &rig.context).unwrap();
    frontend.expect_events(&[CharEvent::Closed, CharEvent::Opened]);
    frontend.wait_writable();
    assert_eq!(attachment.write(b"elsewhere"), 9);
    assert_eq!(std::fs::read(&out).unwrap(), b"elsewhere");
    assert!(client.read_to_end(&mut Vec::new()).is_ok(), "the old one is closed");
    assert!(!std::fs::exists(&path).unwrap());

    chardev.replace(&Config::new(server(&path)), &rig.context).unwrap();
    frontend.expect_events(&[CharEvent::Closed]);
    let client = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    send_to(&client, b"back");
    frontend.expect(b"back");
}

#[test]
fn some_changes_are_refused() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Null);
    let mux = Config::new(Kind::Mux { base: "b".to_string() });
    let refused = |config: &Config| chardev.replace(config, &rig.context).unwrap_err().to_string();
    assert_eq!(refused(&mux), "Mux device hotswap not supported yet");
    let port = chardev.claim().unwrap();
    assert_eq!(refused(&Config::new(Kind::Pty)), "Chardev user does not support chardev hotswap");
    drop(port);
    chardev.replace(&Config::new(Kind::ringbuf(None, false).unwrap()), &rig.context).unwrap();
    assert_eq!(chardev.filename(), "ringbuf");
}

/// Drives a port as a monitor's thread would, until `done`.
fn drive(port: &mut Port, input: bool, mut done: impl FnMut(&mut Port, Vec<CharEvent>) -> bool) {
    let patience = Timespec::try_from(Duration::from_secs(20)).unwrap();
    loop {
        let interest = port.interest(input, false);
        // The numbers stay open meanwhile: this thread is the only one to call the port.
        let numbers: Vec<_> = interest.iter().map(|(fd, _)| *fd).collect();
        let dups: Vec<OwnedFd> = numbers
            .iter()
            .map(|fd| {
                rustix::process::pidfd_open(
                    rustix::process::getpid(),
                    rustix::process::PidfdFlags::empty(),
                )
                .and_then(|me| {
                    rustix::process::pidfd_getfd(me, *fd, rustix::process::PidfdGetfdFlags::empty())
                })
                .unwrap()
            })
            .collect();
        let mut fds: Vec<_> = dups
            .iter()
            .zip(&interest)
            .map(|(fd, (_, events))| {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, events.contains(EventSet::IN));
                flags.set(PollFlags::OUT, events.contains(EventSet::OUT));
                PollFd::new(fd, flags)
            })
            .collect();
        let count = poll(&mut fds, Some(&patience)).unwrap();
        assert!(count > 0, "nothing happened");
        let ready: Vec<_> = fds.iter().map(|fd| fd.revents()).collect();
        drop(fds);
        drop(dups);
        let mut told = Vec::new();
        for (number, flags) in numbers.into_iter().zip(ready) {
            if !flags.is_empty() {
                let mut events = EventSet::empty();
                events.set(EventSet::IN, flags.contains(PollFlags::IN));
                events.set(EventSet::OUT, flags.contains(PollFlags::OUT));
                events.set(EventSet::HANG_UP, flags.contains(PollFlags::HUP));
                told.extend(port.ready(number, events));
            }
        }
        if done(port, told) {
            return;
        }
    }
}

/// Reads what is there; true at the end of the stream.
fn read_some(port: &mut Port, data: &mut Vec<u8>, fds: &mut Vec<OwnedFd>) -> bool {
    let mut buf = [0; 16];
    loop {
        match port.read(&mut buf, fds) {
            Ok(0) => return true,
            Ok(count) => data.extend_from_slice(&buf[..count]),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::WouldBlock);
                return false;
            }
        }
    }
}

#[test]
fn a_port_is_driven_by_its_owner() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(server(&path));
    let mut port = chardev.claim().unwrap();
    assert!(!port.is_open());
    let mut client = UnixStream::connect(&path).unwrap();
    drive(&mut port, true, |_, events| events == [CharEvent::Opened]);
    // Descriptors travel with the bytes.
    let file = std::fs::File::open("/dev/null").unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sent = [file.as_fd(), file.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&sent)));
    sendmsg(&client, &[IoSlice::new(b"with files")], &mut control, SendFlags::empty()).unwrap();
    let (mut data, mut fds) = (Vec::new(), Vec::new());
    drive(&mut port, true, |port, _| {
        read_some(port, &mut data, &mut fds);
        data == b"with files"
    });
    assert_eq!(fds.len(), 2);
    assert_eq!(port.write(b"reply").unwrap(), 5);
    expect_from(&client, b"reply");

    // A client that has said everything still gets its answers.
    send_to(&client, b"bye");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut data = Vec::new();
    let mut ended = false;
    drive(&mut port, true, |port, events| {
        assert_eq!(events, []);
        ended |= read_some(port, &mut data, &mut Vec::new());
        ended
    });
    assert_eq!(data, b"bye");
    assert_eq!(port.write(b"so long").unwrap(), 7);
    assert!(port.is_open());
    port.disconnect();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "so long");

    // A client added from elsewhere is announced.
    let (near, mut far) = pair();
    chardev.add_client(near).unwrap();
    drive(&mut port, true, |_, events| events == [CharEvent::Opened]);
    port.disconnect();
    assert!(!port.is_open());
    assert_eq!(far.read(&mut [0; 4]).unwrap(), 0);
    let _next = UnixStream::connect(&path).unwrap();
    drive(&mut port, true, |_, events| events == [CharEvent::Opened]);
    drop(port);
    assert!(!chardev.is_busy());
}

#[test]
fn a_port_of_a_multiplexer() {
    let mut rig = Rig::new();
    let path = rig.path("s");
    let base = rig.open(server(&path));
    rig.context.base = Some(base);
    let mux = rig.open(Kind::Mux { base: "base".to_string() });
    let mut port = mux.claim().unwrap();
    let client = UnixStream::connect(&path).unwrap();
    send_to(&client, b"query");
    let (mut data, mut told) = (Vec::new(), Vec::new());
    drive(&mut port, true, |port, events| {
        told.extend(events);
        read_some(port, &mut data, &mut Vec::new());
        data == b"query" && told.contains(&CharEvent::Opened)
    });
    assert_eq!(port.write(b"answer").unwrap(), 6);
    expect_from(&client, b"answer");
    drop(client);
    drive(&mut port, false, |_, events| events == [CharEvent::Closed]);
}
