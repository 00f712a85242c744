//! What may take for ever does not stop the program from ending, or its other parts from working:
//! clients that do not come, readers that do not read, files that nobody serves.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use harness::{Builder, Qmp, kvm_or_skip, wait_for};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::json;

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm"))
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("FIFO");
}

#[test]
fn a_signal_ends_a_program_that_waits_for_a_client() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let builder = builder();
        let socket = builder.dir().join("socket");
        let chardev = format!("socket,id=a,path={},server=on,wait=on", socket.display());
        let mut vmm = builder.args("-nodefaults -S -chardev").arg(chardev).start();
        wait_for("the message", || vmm.stderr().contains("waiting").then_some(()));
        assert!(socket.exists());
        vmm.signal(signal);
        assert_eq!(vmm.wait().signal, Some(signal.as_raw()));
        assert!(!socket.exists(), "the socket's file goes");
    }
}

#[test]
fn a_signal_ends_a_program_that_opens_a_fifo() {
    for option in ["-serial file:", "-D "] {
        let builder = builder();
        let path = builder.dir().join("fifo");
        fifo(&path);
        let option = format!("{option}{}", path.display());
        let mut vmm = builder.args("-nodefaults -S").args(&option).start();
        // Wherever the signal finds it.
        let threads = format!("/proc/{}/task", vmm.pid());
        wait_for("threads", || (fs::read_dir(&threads).ok()?.count() > 1).then_some(()));
        vmm.signal(Signal::TERM);
        assert_eq!(vmm.wait().signal, Some(Signal::TERM.as_raw()), "{option}");
    }
}

#[test]
fn a_relative_socket_goes_with_a_program_in_the_background() {
    if !kvm_or_skip("startup::relative_socket") {
        return;
    }
    let mut builder = builder().args("-daemonize -S -nodefaults -qmp unix:qmp,server=on,wait=off");
    let directory = builder.dir().to_owned();
    builder.command().current_dir(&directory);
    let mut vmm = builder.start();
    assert_eq!(vmm.wait().status, Some(0));
    let socket = directory.join("qmp");
    let mut qmp = Qmp::connect(&socket).expect("listens");
    qmp.negotiate();
    qmp.ok("quit", json!({}));
    wait_for("the end of the socket's file", || (!socket.exists()).then_some(()));
}

/// The pipe of standard error is full, and nobody reads it.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    if !kvm_or_skip("startup::unread_log") {
        return;
    }
    let (_unread, stderr) = std::io::pipe().expect("pipe");
    let mut builder = builder();
    let path = builder.dir().join("qmp");
    let qmp = format!("unix:{},server=on,wait=off", path.display());
    let command = builder.command().args(["-nodefaults", "-S", "-trace", "*", "-qmp", &qmp]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut child = command.spawn().expect("the program starts");
    let mut qmp = wait_for("the socket", || Qmp::connect(&path).ok());
    qmp.negotiate();
    // Each command is two lines or more: many pipes full.
    for _ in 0..20_000 {
        qmp.ok("query-status", json!({}));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM)
        .expect("signal");
    let status = wait_for("the end", || child.try_wait().expect("wait"));
    assert_eq!(status.code(), Some(0));
}

#[test]
fn commands_that_wait_for_ever_have_a_bound() {
    if !kvm_or_skip("startup::workers") {
        return;
    }
    let builder = builder().with_qmp().args("-nodefaults -S");
    let path = builder.dir().join("fifo");
    fifo(&path);
    let mut vmm = builder.start();
    let tasks = format!("/proc/{}/task", vmm.pid());
    let is_worker = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "worker\n")
    };
    let workers = || fs::read_dir(&tasks).expect("tasks").flatten().filter(is_worker).count();
    let save = json!({
        "execute": "pmemsave",
        "arguments": {"val": 0, "size": 4096, "filename": path.to_str()},
    });
    for _ in 0..64 {
        vmm.qmp().send(&save, &[]);
    }
    wait_for("the workers", || (workers() == 64).then_some(()));
    let mut qmp = vmm.qmp();
    let text = qmp.fails("pmemsave", save["arguments"].clone());
    assert_eq!(text, "64 commands are waiting for files or connections");
    assert_eq!(qmp.status(), "prelaunch");
    // Somebody reads: they end, and there is room again.
    // It writes as well, so that its end of file comes only with its own end.
    let mut pipe = fs::File::options().read(true).write(true).open(path).expect("FIFO");
    std::thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
    wait_for("the end of the workers", || (workers() == 0).then_some(()));
    vmm.signal(Signal::TERM);
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_option() {
    if !kvm_or_skip("startup::no_file") {
        return;
    }
    for option in ["-kernel", "-bios"] {
        let exit = builder().args("-nodefaults").args(&format!("{option} /no/such/file")).run();
        let expected = format!(
            "vmm: {option} /no/such/file: could not open '/no/such/file': No such file or directory"
        );
        assert_eq!((exit.status, exit.stderr.lines().last()), (Some(1), Some(&*expected)));
    }
}
