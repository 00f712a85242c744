//! The multiplexer with several users.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use super::rig::*;
use crate::chardev::*;

struct Muxed {
    rig: Rig,
    base: Arc<Chardev>,
    mux: Arc<Chardev>,
    terminal: UnixStream,
    requests: Arc<Mutex<Vec<MuxRequest>>>,
}

fn muxed() -> Muxed {
    let mut rig = Rig::new();
    let base = rig.open(Kind::Socket(Socket {
        address: Address::Unix { path: rig.path("s"), is_abstract: false, tight: true },
        role: Role::Server { wait: false },
        nodelay: false,
    }));
    let terminal = UnixStream::connect(rig.path("s")).unwrap();
    eventually("connected", || base.is_open());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let asked = requests.clone();
    rig.context.on_mux = Arc::new(move |request| asked.lock().unwrap().push(request));
    rig.context.base = Some(base.clone());
    let mux = rig.open(Kind::Mux { base: "base".to_string() });
    Muxed { rig, base, mux, terminal, requests }
}

#[test]
fn input_goes_to_the_focus_and_output_is_merged() {
    let Muxed { rig, base, mux, terminal, .. } = muxed();
    assert_eq!(mux.filename(), "mux");
    assert!(base.is_busy() && !base.frontend_open() && !mux.is_busy());
    // Nobody is there yet: input waits.
    send_to(&terminal, b"early");
    let (first, second) = (Recorder::new(), Recorder::new());
    let one = rig.attach(&mux, &first);
    assert!(base.frontend_open() && mux.frontend_open());
    first.expect(b"early");
    first.expect_events(&[CharEvent::Opened, CharEvent::MuxIn]);
    let two = rig.attach(&mux, &second);
    second.expect_events(&[CharEvent::Opened, CharEvent::MuxIn]);
    first.expect_events(&[CharEvent::MuxOut]);
    send_to(&terminal, b"a\x01cb\x01cc\x01\x01\x01zd");
    second.expect(b"ac\x01d");
    first.expect(b"b");
    one.write(b"1");
    expect_from(&terminal, b"1");
    two.write(b"2");
    expect_from(&terminal, b"2");
    one.take_focus();
    send_to(&terminal, b"mine");
    first.expect(b"mine");
    // The focus moves on when its owner leaves.
    drop(one);
    send_to(&terminal, b"yours");
    second.expect(b"yours");
    drop(terminal);
    eventually("disconnected", || !mux.is_open());
}

#[test]
fn the_menu() {
    let Muxed { rig, mux, terminal, requests, .. } = muxed();
    let frontend = Recorder::new();
    let attachment = rig.attach(&mux, &frontend);
    frontend.expect_events(&[CharEvent::Opened, CharEvent::MuxIn]);
    send_to(&terminal, b"\x01h");
    expect_from(
        &terminal,
        b"\n\rC-a h    print this help\n\r\
          C-a x    exit emulator\n\r\
          C-a s    save disk data back to file (if -snapshot)\n\r\
          C-a t    toggle console timestamps\n\r\
          C-a b    send break (magic sysrq)\n\r\
          C-a c    switch between console and monitor\n\r\
          C-a C-a  sends C-a\n\r",
    );
    send_to(&terminal, b"\x01b\x01s\x01x");
    expect_from(&terminal, b"QEMU: Terminated\n\r");
    frontend.expect_events(&[CharEvent::Break]);
    eventually("requests", || requests.lock().unwrap().len() == 2);
    assert_eq!(*requests.lock().unwrap(), [MuxRequest::Commit, MuxRequest::Quit]);

    // Time stamps at the start of each line, until switched off.
    send_to(&terminal, b"\x01t.");
    frontend.expect(b".");
    assert_eq!(attachment.write(b"a\nb\nc"), 5);
    let mut stamped = vec![0; "a\nb\nc".len() + 2 * "[00:00:00.000] ".len()];
    std::io::Read::read_exact(&mut &terminal, &mut stamped).unwrap();
    let stamped = String::from_utf8(stamped).unwrap();
    assert!(stamped.starts_with("a\n[00:00:"), "{stamped}");
    assert!(stamped.contains("] b\n[") && stamped.ends_with("] c"), "{stamped}");
    send_to(&terminal, b"\x01t.");
    frontend.expect(b".");
    attachment.write(b"\nplain\n");
    expect_from(&terminal, b"\nplain\n");
    mux.send_break();
    frontend.expect_events(&[CharEvent::Break]);
}

#[test]
fn four_users_and_no_more() {
    let Muxed { rig, base, mux, .. } = muxed();
    let users: Vec<_> = (0..4).map(|_| rig.attach(&mux, &Recorder::new())).collect();
    let error = mux.attach(Recorder::new(), &rig.on()).err().unwrap();
    assert_eq!(error.to_string(), "Device 'x' is in use");
    assert_eq!(mux.remove().unwrap_err().to_string(), "Chardev 'x' is busy");
    assert!(base.remove().is_err());
    drop(users);
    assert!(mux.claim().is_ok());
    mux.remove().unwrap();
    assert!(mux.claim().is_err());
    drop((mux, rig));
    assert!(!base.is_busy());
    base.remove().unwrap();
}

#[test]
fn back_pressure_through_the_multiplexer() {
    let Muxed { rig, mux, terminal, .. } = muxed();
    let frontend = Recorder::with_room(3);
    let attachment = rig.attach(&mux, &frontend);
    let total = 2_000_000;
    let feeder = terminal.try_clone().unwrap();
    let feeding = std::thread::spawn(move || send_to(&feeder, &vec![b'i'; total]));
    frontend.expect(b"iii");
    let taken = fill(&attachment);
    rig.settle();
    expect_from(&terminal, &vec![b'f'; taken]);
    frontend.wait_writable();
    assert_eq!(attachment.write(b"."), 1);
    expect_from(&terminal, b".");
    assert!(!feeding.is_finished(), "more than the queue was taken");
    frontend.set_room(usize::MAX);
    attachment.accept_input();
    feeding.join().unwrap();
    frontend.expect(&vec![b'i'; total - 3]);
}

#[test]
fn a_multiplexer_needs_a_base() {
    let mut rig = Rig::new();
    let kind = Kind::Mux { base: "zz".to_string() };
    assert_eq!(rig.refused(kind.clone()), "mux: base chardev zz not found");
    let base = rig.open(Kind::Null);
    let _user = rig.attach(&base, &Recorder::new());
    rig.context.base = Some(base);
    assert_eq!(rig.refused(kind), "Device 'x' is in use");
}
