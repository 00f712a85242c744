//! `null`, `file`, `pipe`, `ringbuf` and log files.

use std::fs::{File, OpenOptions, read, write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::rig::*;
use crate::chardev::*;

fn fifo(path: &str) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn null_takes_everything() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Null);
    assert_eq!((chardev.label(), chardev.filename().as_str()), ("x", "null"));
    assert!(!chardev.frontend_open());
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    assert!(chardev.frontend_open());
    frontend.expect_events(&[CharEvent::Opened]);
    assert_eq!(attachment.write(&[7; 100_000]), 100_000);
    attachment.set_open(false);
    assert!(!chardev.frontend_open());
}

#[test]
fn one_user_at_a_time() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Null);
    let first = rig.attach(&chardev, &Recorder::new());
    for error in
        [chardev.attach(Recorder::new(), &rig.on()).err().unwrap(), chardev.claim().err().unwrap()]
    {
        assert_eq!(error.to_string(), "Device 'x' is in use");
    }
    assert_eq!(chardev.remove().unwrap_err().to_string(), "Chardev 'x' is busy");
    drop(first);
    let port = chardev.claim().unwrap();
    assert!(chardev.is_busy() && chardev.frontend_open());
    assert!(chardev.attach(Recorder::new(), &rig.on()).is_err());
    drop(port);
    assert!(!chardev.is_busy());
    chardev.remove().unwrap();
    assert!(chardev.claim().is_err(), "removed for good");
}

#[test]
fn file_writes_appends_and_reads() {
    let rig = Rig::new();
    let (out, input) = (rig.path("out"), rig.path("in"));
    write(&out, "old ").unwrap();
    write(&input, vec![b'i'; 100_000]).unwrap();
    let open =
        |append| rig.open(Kind::File { out: out.clone(), input: Some(input.clone()), append });
    for (append, content) in [(true, "old new"), (false, "new")] {
        let chardev = open(append);
        assert_eq!(chardev.filename(), "file");
        let frontend = Recorder::with_room(10);
        let attachment = rig.attach(&chardev, &frontend);
        assert_eq!(attachment.write(b"new"), 3);
        assert_eq!(read(&out).unwrap(), content.as_bytes());
        // No more than there is room for, and the rest once there is.
        frontend.expect(&[b'i'; 10]);
        rig.settle();
        frontend.set_room(usize::MAX);
        attachment.accept_input();
        frontend.expect(&[b'i'; 99_990]);
        frontend.expect_events(&[CharEvent::Opened, CharEvent::Closed]);
        // Output outlives the end of the input.
        assert_eq!(attachment.write(b"!"), 1);
        assert!(read(&out).unwrap().ends_with(b"new!"));
        write(&out, "old ").unwrap();
    }
}

#[test]
fn failures_name_the_file() {
    let rig = Rig::new();
    let missing = rig.path("no/where");
    let file = |out: &str, input: Option<String>| Kind::File {
        out: out.to_string(),
        input,
        append: false,
    };
    let expected = format!("Could not open '{missing}': No such file or directory");
    assert_eq!(rig.refused(file(&missing, None)), expected);
    assert_eq!(rig.refused(file(&rig.path("ok"), Some(missing.clone()))), expected);
    assert_eq!(rig.refused(Kind::Pipe { path: missing.clone() }), expected);
    let mut config = Config::new(Kind::Null);
    config.log = Some(LogFile { path: missing.clone(), append: false });
    let error = open("x", &config, &rig.context).err().unwrap().to_string();
    assert_eq!(error, format!("Could not create '{missing}': No such file or directory"));
    assert_eq!(
        rig.refused(file("/dev/fdset/7", None)),
        "Could not open '/dev/fdset/7': No such file or directory"
    );
    assert_eq!(
        rig.refused(file("/dev/fdset/x", None)),
        "Could not open '/dev/fdset/x': Invalid argument"
    );
}

#[test]
fn a_set_of_descriptors_stands_for_a_path() {
    let mut rig = Rig::new();
    let path = rig.path("set");
    let target = path.clone();
    rig.context.fd_set = std::sync::Arc::new(move |set, flags| {
        assert_eq!((set, flags.contains(OFlags::WRONLY)), (3, true));
        Ok(File::create(&target)?.into())
    });
    let chardev =
        rig.open(Kind::File { out: "/dev/fdset/3".to_string(), input: None, append: false });
    let attachment = rig.attach(&chardev, &Recorder::new());
    attachment.write(b"through the set");
    assert_eq!(read(&path).unwrap(), b"through the set");
}

#[test]
fn pipes_both_ways_with_back_pressure() {
    let rig = Rig::new();
    for suffix in [".in", ".out"] {
        fifo(&rig.path(&format!("p{suffix}")));
    }
    let chardev = rig.open(Kind::Pipe { path: rig.path("p") });
    assert_eq!(chardev.filename(), "pipe");
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    let mut far = OpenOptions::new();
    let write_end = far.write(true).custom_flags(0).open(rig.path("p.in")).unwrap();
    let read_end = File::open(rig.path("p.out")).unwrap();
    send_to(&write_end, b"to the guest");
    frontend.expect(b"to the guest");
    attachment.write(b"from the guest");
    expect_from(&read_end, b"from the guest");

    let taken = fill(&attachment);
    rig.settle();
    expect_from(&read_end, &vec![b'f'; taken]);
    frontend.wait_writable();
    assert_eq!(attachment.write(b"more"), 4);
    expect_from(&read_end, b"more");
    // Ends of a pipe come and go; it never closes.
    drop((write_end, read_end));
    frontend.expect_events(&[CharEvent::Opened]);
    assert!(chardev.is_open());
}

#[test]
fn a_single_pipe_serves_both_directions() {
    let rig = Rig::new();
    fifo(&rig.path("p"));
    let chardev = rig.open(Kind::Pipe { path: rig.path("p") });
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    attachment.write(b"loop");
    frontend.expect(b"loop");
}

#[test]
fn ring_buffers_are_read_by_commands() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::ringbuf(Some(8), false).unwrap());
    assert_eq!(chardev.filename(), "ringbuf");
    let attachment = rig.attach(&chardev, &Recorder::new());
    assert_eq!(attachment.write(b"0123456789"), 10);
    assert_eq!(chardev.ringbuf_read(3).unwrap(), b"234");
    chardev.ringbuf_write(b"abc").unwrap();
    assert_eq!(chardev.ringbuf_read(100).unwrap(), b"56789abc");
    assert_eq!(rig.open(Kind::ringbuf(None, true).unwrap()).filename(), "memory");
    let null = rig.open(Kind::Null);
    assert_eq!(null.ringbuf_read(1).unwrap_err().to_string(), "x is not a ringbuf device");
    assert!(null.ringbuf_write(b"").is_err());
}

#[test]
fn log_files_copy_the_output_of_any_back_end() {
    let rig = Rig::new();
    let path = rig.path("log");
    for (append, expected) in [(false, "one"), (true, "oneone"), (false, "one")] {
        let config = Config { kind: Kind::Null, log: Some(LogFile { path: path.clone(), append }) };
        let chardev = open("x", &config, &rig.context).unwrap();
        rig.attach(&chardev, &Recorder::new()).write(b"one");
        assert_eq!(read(&path).unwrap(), expected.as_bytes());
    }
}

#[test]
fn a_full_log_does_not_stop_the_output() {
    let rig = Rig::new();
    let config = Config {
        kind: Kind::ringbuf(None, false).unwrap(),
        log: Some(LogFile { path: "/dev/full".to_string(), append: true }),
    };
    let chardev = open("x", &config, &rig.context).unwrap();
    let attachment = rig.attach(&chardev, &Recorder::new());
    assert_eq!(attachment.write(b"data"), 4);
    assert_eq!(chardev.ringbuf_read(9).unwrap(), b"data");
}
