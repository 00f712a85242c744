//! What a hostile guest, client or user must not achieve. Each test is an attack that once worked.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use harness::{Builder, LIMIT, Vmm, kvm_or_skip, pvh_image};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

/// A stopped machine whose guest is `code`.
fn start(code: &[u8], arguments: &str) -> Vmm {
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp();
    let (kernel, output) = (builder.dir().join("kernel"), builder.dir().join("debugcon"));
    fs::write(&kernel, pvh_image(code)).expect("kernel");
    builder
        .args("-nodefaults -S -m 16")
        .args(arguments)
        .arg("-kernel")
        .arg(kernel)
        .arg("-debugcon")
        .arg(format!("file:{}", output.display()))
        .start()
}

/// One instruction reads from registers and writes to a port: both happen, however often the
/// processor is looked at between the two.
#[test]
fn an_instruction_with_two_accesses_loses_none() {
    if !kvm_or_skip("attack::two_accesses") {
        return;
    }
    #[rustfmt::skip]
    let code = [
        0xfc,                         // cld
        0xb9, 0x20, 0x4e, 0, 0,       // mov ecx, 20000
        0xba, 0xe9, 0, 0, 0,          // mov edx, 0xe9
        0xbe, 0, 0, 0, 0xfd,          // again: mov esi, 0xfd000000
        0x6e,                         // outsb
        0x49,                         // dec ecx
        0x75, 0xf7,                   // jnz again
        0x66, 0xba, 0x04, 0x06,       // mov dx, 0x604
        0x66, 0xb8, 0x00, 0x20,       // mov ax, 0x2000
        0x66, 0xef,                   // out dx, ax: power off
        0xf4,                         // hlt
    ];
    let mut vmm = start(&code, "-no-shutdown");
    let mut qmp = vmm.qmp();
    qmp.ok("cont", json!({}));
    while qmp.status() == "running" {
        qmp.hmp("info registers");
    }
    assert_eq!(qmp.status(), "shutdown");
    let output = fs::read(vmm.dir().join("debugcon")).expect("output");
    assert_eq!(output.len(), 20_000);
}

/// A client that comes while the host has no descriptor left is served once there is one.
#[test]
fn a_client_waits_for_a_descriptor() {
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp();
    let path = builder.dir().join("second");
    let socket = format!("unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.args("-machine none -nodefaults -qmp").arg(socket).start();
    let mut qmp = vmm.qmp();

    let pid = Pid::from_raw(vmm.pid() as i32);
    // It has inherited this process's.
    let old = getrlimit(Resource::Nofile);
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(0), ..old }).expect("limit");
    let mut client = UnixStream::connect(path).expect("connect");
    // Long enough for several attempts; what the monitor has is not harmed.
    for _ in 0..20 {
        qmp.ok("query-status", json!({}));
        sleep(Duration::from_millis(20));
    }
    client.set_nonblocking(true).expect("not blocking");
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    prlimit(pid, Resource::Nofile, old).expect("limit");
    client.set_nonblocking(false).expect("blocking");
    client.set_read_timeout(Some(LIMIT)).expect("a limit to reading");
    assert_eq!(client.read(&mut [0]).expect("greeting"), 1);
}
