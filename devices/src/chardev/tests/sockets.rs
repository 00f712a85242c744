//! Servers and clients.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};

use super::rig::*;
use crate::chardev::*;

const SERVER: Role = Role::Server { wait: false };
const CLIENT: Role = Role::Client { reconnect: None };
const EAGER: Role = Role::Client { reconnect: Some(Duration::from_millis(10)) };

fn unix(path: &str, role: Role) -> Kind {
    let address = Address::Unix { path: path.to_string(), is_abstract: false, tight: true };
    socket(address, role)
}

fn tcp(host: &str, port: u16, role: Role) -> Kind {
    let address =
        Address::Inet(Inet { host: host.to_string(), port: port.to_string(), ..Inet::default() });
    socket(address, role)
}

fn socket(address: Address, role: Role) -> Kind {
    Kind::Socket(Socket { address, role, nodelay: true })
}

/// The port in `disconnected:tcp:127.0.0.1:1234,server=on`.
fn port_of(chardev: &Chardev) -> u16 {
    let name = chardev.filename();
    let name = name.strip_suffix(",server=on").unwrap();
    name.rsplit(':').next().unwrap().parse().unwrap()
}

fn both_ways(frontend: &Recorder, attachment: &Attachment, far: impl Read + std::io::Write + Copy) {
    send_to(far, b"in");
    frontend.expect(b"in");
    assert_eq!(attachment.write(b"out"), 3);
    expect_from(far, b"out");
}

#[test]
fn a_server_serves_one_client_at_a_time() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, SERVER));
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    assert_eq!(chardev.filename(), format!("disconnected:unix:{path},server=on"));
    assert_eq!(attachment.write(b"nobody hears"), 12);

    let first = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    assert_eq!(chardev.filename(), format!("unix:{path},server=on"));
    let second = UnixStream::connect(&path).unwrap();
    send_to(&second, b"second");
    both_ways(&frontend, &attachment, &first);
    assert_eq!(frontend.received(), 0);

    send_to(&first, b"last words");
    drop(first);
    frontend.expect(b"last wordssecond");
    frontend.expect_events(&[CharEvent::Closed, CharEvent::Opened]);
    attachment.write(b"yours");
    expect_from(&second, b"yours");
    drop((attachment, chardev));
    eventually("the file is removed", || !std::fs::exists(&path).unwrap());
}

#[test]
fn clients_are_accepted_and_dropped_without_a_user() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, SERVER));
    let client = UnixStream::connect(&path).unwrap();
    eventually("connected", || chardev.is_open());
    send_to(&client, b"nobody reads this");
    drop(client);
    eventually("disconnected", || !chardev.is_open());
    // What the next one sends waits for a user.
    let client = UnixStream::connect(&path).unwrap();
    send_to(&client, b"hello");
    eventually("connected", || chardev.is_open());
    let frontend = Recorder::new();
    let _attachment = rig.attach(&chardev, &frontend);
    frontend.expect(b"hello");
    frontend.expect_events(&[CharEvent::Opened]);
}

#[test]
fn back_pressure_in_both_directions() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, SERVER));
    let frontend = Recorder::with_room(5);
    let attachment = rig.attach(&chardev, &frontend);
    let client = UnixStream::connect(&path).unwrap();
    send_to(&client, b"0123456789");
    frontend.expect(b"01234");
    rig.settle();
    assert_eq!(frontend.received(), 0);
    // A hang-up does not lose what is still to be read, and is reported after it.
    let taken = fill(&attachment);
    rig.settle();
    expect_from(&client, &vec![b'f'; taken]);
    frontend.wait_writable();
    drop(client);
    rig.settle();
    frontend.expect_events(&[CharEvent::Opened]);
    frontend.set_room(usize::MAX);
    attachment.accept_input();
    frontend.expect(b"56789");
    frontend.expect_events(&[CharEvent::Closed]);
}

#[test]
fn a_client_that_left_unread_makes_room_for_the_next() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, SERVER));
    let frontend = Recorder::with_room(2);
    let attachment = rig.attach(&chardev, &frontend);
    let first = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    send_to(&first, b"first");
    frontend.expect(b"fi");
    drop(first);

    let second = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Closed, CharEvent::Opened]);
    send_to(&second, b"second");
    frontend.set_room(usize::MAX);
    attachment.accept_input();
    frontend.expect(b"second");
    assert_eq!(attachment.write(b"out"), 3);
    expect_from(&second, b"out");
}

#[test]
fn a_writer_that_waits_is_released_by_the_hang_up() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, SERVER));
    let frontend = Recorder::with_room(0);
    let attachment = rig.attach(&chardev, &frontend);
    let client = UnixStream::connect(&path).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    fill(&attachment);
    drop(client);
    frontend.wait_writable();
    assert_eq!(attachment.write(b"into the void"), 13);
}

#[test]
fn tcp_servers_and_clients() {
    let rig = Rig::new();
    for (host, shown) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")] {
        let server = rig.open(tcp(host, 0, SERVER));
        let port = port_of(&server);
        assert_eq!(server.filename(), format!("disconnected:tcp:{host}:{port},server=on"));
        let (heard, spoken) = (Recorder::new(), Recorder::new());
        let at_server = rig.attach(&server, &heard);
        let client = rig.open(tcp(host, port, CLIENT));
        let at_client = rig.attach(&client, &spoken);
        heard.expect_events(&[CharEvent::Opened]);
        spoken.expect_events(&[CharEvent::Opened]);
        at_client.write(b"to server");
        heard.expect(b"to server");
        at_server.write(b"to client");
        spoken.expect(b"to client");
        let name = client.filename();
        let local = name
            .strip_prefix("tcp:")
            .and_then(|name| name.strip_suffix(&format!(" <-> {shown}:{port}")))
            .unwrap();
        assert_eq!(server.filename(), format!("tcp:{shown}:{port},server=on <-> {local}"));
        drop((at_server, server));
        spoken.expect_events(&[CharEvent::Closed]);
        assert_eq!(client.filename(), format!("disconnected:tcp:{host}:{port}"));
        assert_eq!(at_client.write(b"lost"), 4);
    }
}

#[test]
fn a_client_connects_again() {
    let rig = Rig::new();
    let path = rig.path("s");
    let chardev = rig.open(unix(&path, EAGER));
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    assert_eq!(chardev.filename(), format!("disconnected:unix:{path}"));
    for _ in 0..3 {
        let listener = UnixListener::bind(&path).unwrap();
        let (far, _) = listener.accept().unwrap();
        frontend.expect_events(&[CharEvent::Opened]);
        both_ways(&frontend, &attachment, &far);
        assert_eq!(chardev.filename(), "unix:");
        drop((far, listener));
        std::fs::remove_file(&path).unwrap();
        frontend.expect_events(&[CharEvent::Closed]);
    }
}

#[test]
fn a_removed_client_stops_connecting() {
    let rig = Rig::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let chardev = rig.open(tcp("127.0.0.1", port, EAGER));
    let (mut far, _) = listener.accept().unwrap();
    eventually("connected", || chardev.is_open());
    chardev.remove().unwrap();
    assert_eq!(far.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(chardev.filename(), "null");
}

#[test]
fn abstract_names() {
    let rig = Rig::new();
    let name = format!("vmm-test-{}", std::process::id());
    for tight in [true, false] {
        let address = Address::Unix { path: name.clone(), is_abstract: true, tight };
        let server = rig.open(socket(address.clone(), SERVER));
        let mut raw = name.as_bytes().to_vec();
        let flags = if tight {
            ",tight=on"
        } else {
            raw.resize(107, 0);
            ""
        };
        assert_eq!(
            server.filename(),
            format!("disconnected:unix:{name},abstract=on{flags},server=on")
        );
        let frontend = Recorder::new();
        let attachment = rig.attach(&server, &frontend);
        let far = UnixStream::connect_addr(&SocketAddr::from_abstract_name(&raw).unwrap()).unwrap();
        both_ways(&frontend, &attachment, &far);
        drop(far);
        let client = rig.open(socket(address, CLIENT));
        rig.attach(&client, &Recorder::new()).write(b"by name");
        frontend.expect(b"by name");
    }
}

#[test]
fn inherited_descriptors_listening_and_connected() {
    let rig = Rig::new();
    let path = rig.path("inherited");
    let listener = UnixListener::bind(&path).unwrap();
    let inherit = |fd: &dyn AsRawFd, owned: OwnedFd| {
        let number = fd.as_raw_fd();
        fcntl_setfd(&owned, FdFlags::empty()).unwrap();
        std::mem::forget(owned);
        Address::Fd(number.to_string())
    };
    let owned: OwnedFd = listener.into();
    let number = owned.as_raw_fd();
    let server = rig.open(socket(inherit(&number, owned), SERVER));
    assert_eq!(server.filename(), format!("disconnected:unix:{path},server=on"));
    let frontend = Recorder::new();
    let attachment = rig.attach(&server, &frontend);
    let far = UnixStream::connect(&path).unwrap();
    both_ways(&frontend, &attachment, &far);

    let (near, far) = pair();
    let number = near.as_raw_fd();
    let connected = rig.open(socket(inherit(&number, near), CLIENT));
    let frontend = Recorder::new();
    let attachment = rig.attach(&connected, &frontend);
    frontend.expect_events(&[CharEvent::Opened]);
    both_ways(&frontend, &attachment, &far);

    let file = std::fs::File::create(rig.path("file")).unwrap();
    let number = file.as_raw_fd();
    let address = inherit(&number, file.into());
    let Address::Fd(name) = &address else { unreachable!() };
    let expected = format!("File descriptor '{name}' is not a socket");
    assert_eq!(rig.refused(socket(address.clone(), CLIENT)), expected);
}

#[test]
fn opening_waits_for_the_first_client_at_start_up() {
    let mut rig = Rig::new();
    rig.context.wait = true;
    let path = rig.path("s");
    let at = path.clone();
    let client = std::thread::spawn(move || {
        let mut stream = None;
        eventually("listening", || {
            stream = UnixStream::connect(&at).ok();
            stream.is_some()
        });
        stream
    });
    let chardev = rig.open(unix(&path, Role::Server { wait: true }));
    assert!(chardev.is_open());
    assert!(client.join().unwrap().is_some());
}

#[test]
fn refusals_use_known_words() {
    let rig = Rig::new();
    let missing = rig.path("missing");
    let long = rig.path(&"x".repeat(120));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let free_port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let inet = |change: fn(&mut Inet)| {
        let mut inet =
            Inet { host: "127.0.0.1".to_string(), port: "0".to_string(), ..Inet::default() };
        change(&mut inet);
        socket(Address::Inet(inet), SERVER)
    };
    for (kind, expected) in [
        (
            unix(&missing, CLIENT),
            format!("Failed to connect to '{missing}': No such file or directory"),
        ),
        (unix(&long, SERVER), format!("UNIX socket path '{long}' is too long")),
        (
            unix(&rig.path("no/dir"), SERVER),
            format!("Failed to bind socket to {}: No such file or directory", rig.path("no/dir")),
        ),
        (
            tcp("127.0.0.1", free_port, CLIENT),
            format!("Failed to connect to '127.0.0.1:{free_port}': Connection refused"),
        ),
        (
            tcp("127.0.0.1", port, SERVER),
            "Failed to find an available port: Address already in use".to_string(),
        ),
        (
            inet(|inet| inet.port = "x".to_string()),
            "address resolution failed for 127.0.0.1:x: Servname not supported for ai_socktype"
                .to_string(),
        ),
        (
            inet(|inet| (inet.ipv4, inet.ipv6) = (Some(false), Some(false))),
            "Cannot disable IPv4 and IPv6 at same time".to_string(),
        ),
        (
            inet(|inet| inet.ipv6 = Some(true)),
            "address resolution failed for 127.0.0.1:0: Address family for hostname not supported"
                .to_string(),
        ),
        (socket(Address::Fd("zz".to_string()), CLIENT), "Unable to parse FD number zz".to_string()),
    ] {
        assert_eq!(rig.refused(kind), expected);
    }
}

#[test]
fn binding_removes_stale_sockets_but_no_files() {
    let rig = Rig::new();
    let path = rig.path("s");
    drop(UnixListener::bind(&path).unwrap());
    drop(rig.open(unix(&path, SERVER)));
    eventually("the file is removed", || !std::fs::exists(&path).unwrap());
    std::fs::write(&path, "precious").unwrap();
    assert_eq!(
        rig.refused(unix(&path, SERVER)),
        format!("Failed to bind socket to {path}: Address already in use")
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_range_of_ports_is_tried() {
    let rig = Rig::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let address = Address::Inet(Inet {
        host: "127.0.0.1".to_string(),
        port: port.to_string(),
        to: Some(port.saturating_add(50)),
        ..Inet::default()
    });
    let chardev = rig.open(socket(address, SERVER));
    let chosen = port_of(&chardev);
    assert!(chosen > port && chosen <= port.saturating_add(50));
    let _client = TcpStream::connect(("127.0.0.1", chosen)).unwrap();
    eventually("connected", || chardev.is_open());
}

#[test]
fn a_server_without_host_listens_on_all_families() {
    let rig = Rig::new();
    let chardev = rig.open(tcp("", 0, SERVER));
    let port = port_of(&chardev);
    for host in ["127.0.0.1", "::1"] {
        let client = TcpStream::connect((host, port)).unwrap();
        eventually("connected", || chardev.is_open());
        drop(client);
        eventually("disconnected", || !chardev.is_open());
    }
}

#[test]
fn clients_can_be_added() {
    let rig = Rig::new();
    let chardev = rig.open(unix(&rig.path("s"), SERVER));
    let frontend = Recorder::new();
    let attachment = rig.attach(&chardev, &frontend);
    let (near, far) = pair();
    chardev.add_client(near).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    both_ways(&frontend, &attachment, &far);
    let (near, mut other) = pair();
    assert_eq!(chardev.add_client(near).unwrap_err().to_string(), "failed to add client");
    assert_eq!(other.read(&mut [0; 1]).unwrap(), 0, "a refused one is closed");
    let null = rig.open(Kind::Null);
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(null.add_client(file.as_fd().try_clone_to_owned().unwrap()).is_err());
    drop(far);
    frontend.expect_events(&[CharEvent::Closed]);
    assert!(chardev.add_client(file.into()).is_err(), "not a socket");
    let (near, _far): (OwnedFd, _) = pair();
    chardev.add_client(near).unwrap();
    frontend.expect_events(&[CharEvent::Opened]);
    let _keep: Arc<Chardev> = chardev;
}
