//! Where a monitor can be: sockets of both kinds and roles, descriptors, a terminal, standard input.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};

use harness::{Qmp, kvm_or_skip, wait_for};
use serde_json::json;

use crate::peer::{bare, chardevs, filename, input_as_descriptor_7, socket_to};

fn serves(socket: impl Into<OwnedFd>) -> Qmp {
    let mut qmp = Qmp::over(socket).expect("limits");
    qmp.negotiate();
    assert_eq!(qmp.ok("query-name", json!({})), json!({"name": "placed"}));
    qmp
}

#[test]
fn many_monitors_at_once_each_a_character_device() {
    if !kvm_or_skip("monitors::many_monitors_at_once_each_a_character_device") {
        return;
    }
    let builder = bare().args("-name placed");
    let dir = builder.dir().to_owned();
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let listen = |name: &str| format!("unix:{},server=on,wait=off", path(name));
    let mut vmm = builder
        .args(&format!("-qmp {} -qmp {} -qmp {}", listen("a"), listen("b"), listen("c")))
        .args(&format!("-monitor {}", listen("d")))
        .args(&format!("-chardev socket,id=e,path={},server=on,wait=off", path("e")))
        .args("-mon chardev=e,mode=control,pretty=on")
        .args("-chardev null,id=f -chardev ringbuf,id=g -mon f,mode=control")
        .with_qmp()
        .start();
    let mut qmp = vmm.qmp();
    let b = serves(UnixStream::connect(path("b")).expect("listens"));
    let c = serves(UnixStream::connect(path("c")).expect("listens"));
    let (own, lost) = (path("qmp.sock"), "disconnected:unix:");
    let seen = |label: &str, name: String, open: bool| (label.to_owned(), name, open);
    let mut expected = vec![
        seen("compat_monitor0", format!("{lost}{},server=on", path("a")), true),
        seen("compat_monitor1", format!("unix:{},server=on", path("b")), true),
        seen("compat_monitor2", format!("unix:{},server=on", path("c")), true),
        seen("compat_monitor3", format!("{lost}{},server=on", path("d")), true),
        seen("compat_monitor4", format!("unix:{own},server=on"), true),
        seen("e", format!("{lost}{},server=on", path("e")), true),
        seen("f", "null".to_owned(), true),
        seen("g", "ringbuf".to_owned(), false),
    ];
    assert_eq!(chardevs(&mut qmp), expected);
    // Who leaves is gone from the list, too.
    drop((b, c));
    expected[1].1 = format!("{lost}{},server=on", path("b"));
    expected[2].1 = format!("{lost}{},server=on", path("c"));
    wait_for("the clients' ends", || (chardevs(&mut qmp) == expected).then_some(()));
    serves(UnixStream::connect(path("a")).expect("listens"));
}

#[test]
fn a_tcp_server_and_its_clients() {
    if !kvm_or_skip("monitors::a_tcp_server_and_its_clients") {
        return;
    }
    let mut vmm = bare()
        .args("-name placed -qmp tcp:127.0.0.1:0,server=on,wait=off")
        .args("-chardev socket,id=t,host=localhost,port=0,server=on,wait=off,ipv4=on")
        .args("-mon t,mode=control")
        .with_qmp()
        .start();
    let mut qmp = vmm.qmp();
    for label in ["compat_monitor0", "t"] {
        let name = filename(&mut qmp, label);
        let address = name.strip_prefix("disconnected:tcp:");
        let address = address.and_then(|rest| rest.strip_suffix(",server=on")).expect(&name);
        let client = TcpStream::connect(address).expect("listens");
        let local = client.local_addr().expect("bound");
        let client = serves(client);
        let connected = format!("tcp:{address},server=on <-> {local}");
        assert_eq!(filename(&mut qmp, label), connected);
        drop(client);
        serves(TcpStream::connect(address).expect("listens again"));
    }
}

#[test]
fn a_client_connects_at_start() {
    if !kvm_or_skip("monitors::a_client_connects_at_start") {
        return;
    }
    let tcp = TcpListener::bind("127.0.0.1:0").expect("bind");
    let builder = bare().args("-name placed");
    let path = builder.dir().join("listener");
    let unix = UnixListener::bind(&path).expect("bind");
    let vmm = builder
        .args(&format!("-qmp tcp:{}", tcp.local_addr().expect("bound")))
        .args(&format!("-chardev socket,id=c,path={} -mon c,mode=control", path.display()))
        .start();
    serves(tcp.accept().expect("a connection").0);
    serves(unix.accept().expect("a connection").0);
    drop(vmm);
}

#[test]
fn a_client_that_finds_nobody_and_may_not_try_again_is_an_error() {
    if !kvm_or_skip("monitors::a_client_that_finds_nobody_and_may_not_try_again_is_an_error") {
        return;
    }
    let builder = bare();
    let path = builder.dir().join("nobody");
    let option = format!("-chardev socket,id=c,path={} -mon c,mode=control", path.display());
    let exit = builder.args(&option).run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains("Failed to connect to"), "{}", exit.stderr);
    assert!(exit.stderr.contains(path.to_str().expect("UTF-8")), "{}", exit.stderr);
}

#[test]
fn a_client_that_reconnects_meets_a_listener_that_comes_goes_and_comes_again() {
    if !kvm_or_skip(
        "monitors::a_client_that_reconnects_meets_a_listener_that_comes_goes_and_comes_again",
    ) {
        return;
    }
    let builder = bare().args("-name placed").with_qmp();
    let path = builder.dir().join("later");
    let chardev = format!("-chardev socket,id=c,path={},reconnect=1", path.display());
    let mut vmm = builder.args(&chardev).args("-mon c,mode=control").start();
    let mut qmp = vmm.qmp();
    assert_eq!(filename(&mut qmp, "c"), format!("disconnected:unix:{}", path.display()));
    for round in 0..3 {
        let listener = UnixListener::bind(&path).expect("bind");
        let (socket, _) = listener.accept().expect("a connection");
        serves(socket);
        if round == 1 {
            // The same listener once more.
            serves(listener.accept().expect("a connection").0);
        }
        drop(listener);
        std::fs::remove_file(&path).expect("remove");
    }
    let disconnected = || filename(&mut qmp, "c").starts_with("disconnected:").then_some(());
    wait_for("the end of the connection", disconnected);
}

#[test]
fn a_plain_unix_path_listens_if_nobody_does_and_connects_if_somebody_listens() {
    if !kvm_or_skip(
        "monitors::a_plain_unix_path_listens_if_nobody_does_and_connects_if_somebody_listens",
    ) {
        return;
    }
    let builder = bare().args("-name placed");
    let path = builder.dir().join("plain");
    let vmm = builder.arg("-qmp").arg(format!("unix:{}", path.display())).start();
    let connect = || UnixStream::connect(&path).ok();
    serves(wait_for("the socket", connect));
    serves(connect().expect("a second client"));
    drop(vmm);

    let builder = bare().args("-name placed");
    let path = builder.dir().join("plain");
    let listener = UnixListener::bind(&path).expect("bind");
    let monitor = format!("unix:{}", path.display());
    let vmm = builder.arg("-qmp").arg(&monitor).start();
    // The first one only asked whether somebody is there.
    let served = wait_for("a client that stays", || {
        let (socket, _) = listener.accept().expect("a connection");
        let peeked = rustix::net::recv(&socket, &mut [0_u8], rustix::net::RecvFlags::PEEK);
        (peeked.expect("peek").1 == 1).then_some(socket)
    });
    serves(served);
    drop(vmm);
}

#[test]
fn a_dead_listeners_socket_is_in_nobodys_way() {
    if !kvm_or_skip("monitors::a_dead_listeners_socket_is_in_nobodys_way") {
        return;
    }
    let builder = bare().args("-name placed");
    let path = builder.dir().join("stale");
    drop(UnixListener::bind(&path).expect("bind"));
    assert!(path.exists());
    let _vmm = builder.arg("-qmp").arg(format!("unix:{}", path.display())).start();
    serves(wait_for("the socket", || UnixStream::connect(&path).ok()));
}

#[test]
fn wait_holds_the_machine_until_a_client_is_there() {
    if !kvm_or_skip("monitors::wait_holds_the_machine_until_a_client_is_there") {
        return;
    }
    let builder = bare().args("-name placed").with_qmp();
    let path = builder.dir().join("wait");
    let own = builder.dir().join("qmp.sock");
    let _vmm = builder.args(&format!("-qmp unix:{},server=on,wait=on", path.display())).start();
    let client = wait_for("the socket", || UnixStream::connect(&path).ok());
    serves(client);
    serves(wait_for("the other one", || UnixStream::connect(&own).ok()));
}

#[test]
fn inherited_descriptors_listen_or_are_connected() {
    if !kvm_or_skip("monitors::inherited_descriptors_listen_or_are_connected") {
        return;
    }
    let builder = bare().args("-name placed");
    let path = builder.dir().join("inherited");
    let listener = UnixListener::bind(&path).expect("bind");
    let builder = builder.args("-chardev socket,id=c,fd=7,server=on,wait=off -mon c,mode=control");
    let vmm = input_as_descriptor_7(builder.stdin(OwnedFd::from(listener))).start();
    for _ in 0..3 {
        serves(UnixStream::connect(&path).expect("listens"));
    }
    drop(vmm);

    let (ours, theirs) = UnixStream::pair().expect("sockets");
    let builder = bare().args("-name placed -chardev socket,id=c,fd=7 -mon c,mode=control");
    let mut vmm = input_as_descriptor_7(builder.stdin(OwnedFd::from(theirs))).start();
    let mut qmp = serves(ours);
    assert_eq!(filename(&mut qmp, "c"), "unix:");
    // Who hangs up is not called back; the process stays.
    drop(qmp);
    assert!(vmm.is_running());

    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("bound");
    let builder = bare().args("-name placed");
    let builder = builder.args("-chardev socket,id=c,fd=7,server=on,wait=off -mon c,mode=control");
    let _vmm = input_as_descriptor_7(builder.stdin(OwnedFd::from(listener))).start();
    serves(TcpStream::connect(address).expect("listens"));
}

#[test]
fn a_descriptor_that_is_no_socket_or_not_there_is_refused() {
    if !kvm_or_skip("monitors::a_descriptor_that_is_no_socket_or_not_there_is_refused") {
        return;
    }
    let builder = bare().args("-chardev socket,id=c,fd=7 -mon c,mode=control");
    let exit = input_as_descriptor_7(builder.stdin(File::open("/dev/null").expect("open"))).run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains('7') && exit.stderr.contains("socket"), "{}", exit.stderr);
    let exit = bare().args("-chardev socket,id=c,fd=99 -mon c,mode=control").run();
    assert_eq!(exit.status, Some(1));
    assert!(exit.stderr.contains("99"), "{}", exit.stderr);
}

#[test]
fn standard_input_and_output() {
    if !kvm_or_skip("monitors::standard_input_and_output") {
        return;
    }
    for monitor in ["-qmp stdio", "-chardev stdio,id=s -mon s,mode=control"] {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let output = theirs.try_clone().expect("clone");
        let mut vmm = bare()
            .args("-name placed")
            .args(monitor)
            .stdin(OwnedFd::from(theirs))
            .stdout(OwnedFd::from(output))
            .start();
        let mut qmp = serves(ours);
        qmp.send(&json!({"execute": "quit"}), &[]);
        assert_eq!(qmp.event("SHUTDOWN")["data"]["reason"], "host-qmp-quit");
        assert_eq!(qmp.reply(), json!({"return": {}}));
        assert_eq!(vmm.wait().status, Some(0));
    }
}

#[test]
fn a_terminal_of_its_own() {
    if !kvm_or_skip("monitors::a_terminal_of_its_own") {
        return;
    }
    let mut vmm = bare().args("-name placed -qmp pty").with_qmp().start();
    let mut qmp = vmm.qmp();
    let name = filename(&mut qmp, "compat_monitor0");
    let path = name.strip_prefix("pty:").expect(&name).to_owned();
    let said = format!("char device redirected to {path} (label compat_monitor0)");
    wait_for("the terminal's name", || {
        (vmm.stdout() + &vmm.stderr()).contains(&said).then_some(())
    });
    let open = || {
        let file = File::options().read(true).write(true).open(&path).expect("open");
        socket_to(file)
    };
    serves(open());
}
