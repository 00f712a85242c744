//! Pseudo-terminals, and standard input and output (in a process of their own).

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::rig::*;
use crate::chardev::*;

#[test]
fn a_pty_opens_and_closes_with_its_users() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Pty);
    let path = chardev.pty_path().unwrap();
    assert_eq!(chardev.filename(), format!("pty:{path}"));
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    assert!(!chardev.is_open());
    assert_eq!(attachment.write(b"nobody hears"), 12);
    for _ in 0..2 {
        let terminal = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        // Output finds the user before the next look.
        assert_eq!(attachment.write(b"hello\n"), 6);
        expect_from(&terminal, b"hello\n");
        frontend.expect_events(&[CharEvent::Opened]);
        send_to(&terminal, b"typed\r");
        frontend.expect(b"typed\r");
        send_to(&terminal, b"last words");
        drop(terminal);
        frontend.expect(b"last words");
        frontend.expect_events(&[CharEvent::Closed]);
    }
}

#[test]
fn a_full_pty_takes_output_again() {
    let rig = Rig::new();
    let chardev = rig.open(Kind::Pty);
    let frontend = Recorder::with_room(0);
    let attachment = rig.attach(&chardev, &frontend);
    let path = chardev.pty_path().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    let taken = fill(&attachment);
    rig.settle();
    expect_from(&terminal, &vec![b'f'; taken]);
    frontend.wait_writable();
    // A frontend without room does not keep the hang-up from being seen.
    send_to(&terminal, b"unread");
    drop(terminal);
    frontend.expect_events(&[CharEvent::Closed]);
}

const CHILD: &str = "chardev::tests::terminals::stdio_child";

/// Runs only as the child of the tests below: copies its input to its output until `.`.
#[test]
fn stdio_child() {
    if std::env::var_os("STDIO_CHILD").is_none() {
        return;
    }
    let rig = Rig::new();
    let chardev = rig.open(Kind::Stdio { signal: true, input: true });
    assert_eq!(
        rig.refused(Kind::Stdio { signal: true, input: true }),
        "cannot use stdio by multiple character devices"
    );
    struct Echo(std::sync::OnceLock<Attachment>, std::sync::mpsc::Sender<()>);
    impl Frontend for Echo {
        fn can_receive(&self) -> usize {
            if self.0.get().is_some() { 100 } else { 0 }
        }
        fn receive(&self, data: &[u8]) {
            let attachment = self.0.get().unwrap();
            attachment.write(data);
            if data.contains(&b'.') {
                self.1.send(()).unwrap();
            }
        }
        fn event(&self, event: CharEvent) {
            if event == CharEvent::Closed {
                self.0.get().unwrap().write(b"<end>");
                self.1.send(()).unwrap();
            }
        }
    }
    let (done, wait) = std::sync::mpsc::channel();
    let echo = std::sync::Arc::new(Echo(Default::default(), done));
    let attachment = chardev.attach(echo.clone(), &rig.on()).unwrap();
    attachment.write(b"<ready>");
    assert!(echo.0.set(attachment).is_ok());
    echo.0.get().unwrap().accept_input();
    wait.recv().unwrap();
    // The end of the process comes without destructors.
    restore_terminal();
    std::process::exit(0);
}

fn child() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([CHILD, "--exact", "--nocapture", "--test-threads=1"])
        .env("STDIO_CHILD", "1")
        .stderr(Stdio::inherit());
    command
}

/// Reads until `end` has been seen.
fn read_until(mut from: impl Read, end: &str) -> String {
    let mut seen = String::new();
    let mut byte = [0];
    while !seen.ends_with(end) {
        assert_eq!(from.read(&mut byte).unwrap(), 1, "ended after {seen:?}");
        seen.push(byte[0].into());
    }
    seen
}

#[test]
fn stdio_over_pipes() {
    let mut child = child().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    read_until(&mut output, "<ready>");
    input.write_all(b"echoed").unwrap();
    read_until(&mut output, "echoed");
    drop(input);
    read_until(&mut output, "<end>");
    assert!(child.wait().unwrap().success());
}

#[test]
fn stdio_from_and_to_files() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::write(&from, "file content").unwrap();
    std::fs::write(&to, "kept ").unwrap();
    let mut child = child()
        .stdin(std::fs::File::open(&from).unwrap())
        .stdout(OpenOptions::new().append(true).open(&to).unwrap())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    let result = std::fs::read_to_string(&to).unwrap();
    assert!(result.starts_with("kept "), "{result}");
    assert!(result.ends_with("<ready>file content<end>"), "{result}");
}

#[test]
fn stdio_on_a_terminal_is_raw_and_restored() {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let terminal = ioctl_tiocgptpeer(&master, flags).unwrap();
    let settings = || tcgetattr(&terminal).unwrap().local_modes;
    let before = settings();
    let open_flags = rustix::fs::fcntl_getfl(&terminal).unwrap();
    let mut child = child()
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .spawn()
        .unwrap();
    let master = std::fs::File::from(master);
    read_until(&master, "<ready>");
    assert!(!settings().intersects(LocalModes::ICANON | LocalModes::ECHO));
    assert!(settings().contains(LocalModes::ISIG));
    assert_eq!(rustix::fs::fcntl_getfl(&terminal).unwrap(), open_flags);
    send_to(&master, b"key.");
    read_until(&master, "key.");
    assert!(child.wait().unwrap().success());
    assert_eq!(settings(), before);
    assert_eq!(rustix::fs::fcntl_getfl(&terminal).unwrap(), open_flags);
}
