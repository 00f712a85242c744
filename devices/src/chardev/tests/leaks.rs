//! No descriptor outlives its character device (counted in a process of its own).

use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::time::Duration;

use super::rig::*;
use crate::chardev::*;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

const CHILD: &str = "chardev::tests::leaks::leak_child";

#[test]
fn nothing_stays_open() {
    let status = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--nocapture", "--test-threads=1"])
        .env("LEAK_CHILD", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Runs only as the child of the test above.
#[test]
fn leak_child() {
    if std::env::var_os("LEAK_CHILD").is_none() {
        return;
    }
    let mut rig = Rig::new();
    round(&mut rig);
    eventually("threads have gone", || std::fs::read_dir("/proc/self/task").unwrap().count() <= 3);
    rig.settle();
    let before = descriptors();
    for _ in 0..5 {
        round(&mut rig);
    }
    eventually("no descriptor is left over", || descriptors() == before);
}

/// Uses every kind once, with a user and connections.
fn round(rig: &mut Rig) {
    let socket = |path: String, role| {
        Kind::Socket(Socket {
            address: Address::Unix { path, is_abstract: false, tight: true },
            role,
            nodelay: false,
        })
    };
    let far = rig.path("far");
    let listener = UnixListener::bind(&far).unwrap();
    let again = Role::Client { reconnect: Some(Duration::from_millis(5)) };
    let server = rig.path("s");
    let kinds = [
        Kind::Null,
        Kind::Pty,
        Kind::ringbuf(None, false).unwrap(),
        Kind::File {
            out: rig.path("out"),
            input: Some("/etc/hostname".to_string()),
            append: false,
        },
        socket(server.clone(), Role::Server { wait: false }),
        socket(far.clone(), Role::Client { reconnect: None }),
        socket(far.clone(), again),
        socket(rig.path("nobody"), again),
    ];
    for (index, kind) in kinds.into_iter().enumerate() {
        let is_server = index == 4;
        let chardev = rig.open(kind);
        let frontend = Recorder::new();
        let attachment = rig.attach(&chardev, &frontend);
        attachment.write(b"x");
        if is_server {
            for _ in 0..3 {
                let client = UnixStream::connect(&server).unwrap();
                frontend.expect_events(&[CharEvent::Opened]);
                drop(client);
                frontend.expect_events(&[CharEvent::Closed]);
            }
        }
        chardev.replace(&Config::new(Kind::Null), &rig.context).unwrap();
        drop(attachment);
        rig.context.base = Some(chardev.clone());
        let mux = rig.open(Kind::Mux { base: "x".to_string() });
        rig.context.base = None;
        let port = mux.claim().unwrap();
        let user = rig.attach(&mux, &Recorder::new());
        drop((port, user));
        mux.remove().unwrap();
        chardev.remove().unwrap();
    }
    drop(listener);
    std::fs::remove_file(far).unwrap();
    rig.settle();
}
