//! From the command line to a running program, and to its exit status.

use std::ffi::{CString, OsString};
use std::io::IsTerminal;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use devices::event_loop::{EventLoop, LoopThread};
use devices::request::{EventSink, RequestSink};
use qapi::{Dict, Value};
use qmp::Server;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use thiserror::Error;

use crate::chardevs::Opener;
use crate::control::{Control, ControlInbox, Frontend, Urgent};
use crate::daemon::Daemon;
use crate::fd_sets::{FdSets, Member};
use crate::inbox::Inbox;
use crate::machine::{self, Environment, Machine};
use crate::options::{self, MonitorOptions, Options, Serial};
use crate::pidfile::PidFile;
use crate::signals::{Phase, Signals};
use crate::{help, logging, monitors};

/// Why the program does not start.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Option(#[from] options::Error),
    #[error("vmm: {0}")]
    Device(#[from] devices::error::Error),
    #[error("{}", prefixed(.0))]
    Machine(#[from] machine::Error),
    #[error("vmm: {what}: {source}")]
    System { what: String, source: std::io::Error },
}

/// A mistake on the command line brings its own prefix.
fn prefixed(error: &machine::Error) -> String {
    match error {
        machine::Error::Option(error) => error.to_string(),
        other => format!("vmm: {other}"),
    }
}

impl Error {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

/// Runs the program; returns its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    abort_on_panic();
    let status = run(arguments).unwrap_or_else(|error| {
        logging::report(&error.to_string());
        1
    });
    logging::flush();
    status
}

/// No half-alive machine: a panic in any thread ends the process, after the message with thread
/// and backtrace.
fn abort_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        logging::flush();
        without_waiting_for_a_reader(|| default(info));
        devices::chardev::restore_terminal();
        std::process::abort();
    }));
}

/// Writes to standard error with `write`, as much as there is room for. Whoever shares the descriptor
/// finds it as it was.
fn without_waiting_for_a_reader(write: impl FnOnce()) {
    let stderr = std::io::stderr();
    let flags = fcntl_getfl(&stderr);
    if let Ok(flags) = flags {
        let _ = fcntl_setfl(&stderr, flags | OFlags::NONBLOCK);
    }
    write();
    if let Ok(flags) = flags {
        let _ = fcntl_setfl(&stderr, flags);
    }
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<i32, Error> {
    let options = options::parse(arguments, &help::sources())?;
    options.warnings.iter().for_each(|line| eprintln!("{line}"));
    if let Some(request) = &options.help {
        print!("{}", help::text(request, &machine::registry()));
        return Ok(0);
    }
    // Before any thread: a fork takes only its own along, and all inherit the signal mask.
    let daemon = options.daemonize.then(Daemon::fork).transpose();
    let daemon = daemon.map_err(Error::system("cannot go to the background"))?;
    let signals = Signals::collect().map_err(Error::system("signals"))?;
    let inbox: Arc<ControlInbox> = Inbox::new();
    let io = EventLoop::spawn("IO main").map_err(Error::system("event loop"))?;
    let (phase, requests) = (Arc::new(Phase::default()), inbox.clone());
    let _signals = signals.watch(&io.handle(), {
        let phase = phase.clone();
        move |number, sender| {
            phase.end_unless_serving(number);
            requests.request(Urgent::Signal { number, sender });
        }
    });
    logging::start(&options)?;
    name_process(&options)?;
    let status = serve(options, inbox, &io, &phase, daemon);
    devices::chardev::restore_terminal();
    status
}

/// `-name process=`: what `ps` and `top` show, at most 15 bytes of it.
fn name_process(options: &Options) -> Result<(), Error> {
    let Some(name) = &options.name.process else { return Ok(()) };
    let name = CString::new(name.as_str()).unwrap_or_default();
    rustix::thread::set_name(&name).map_err(|error| Error::system("process name")(error.into()))
}

fn serve(
    options: Options,
    inbox: Arc<ControlInbox>,
    io: &LoopThread,
    phase: &Phase,
    daemon: Option<Daemon>,
) -> Result<i32, Error> {
    let server = Server::spawn(Arc::new(Frontend(inbox.clone())))
        .map_err(Error::system("monitor thread"))?;
    let environment = environment(&io.handle(), &inbox, &server);
    let fd_sets = FdSets::new();
    add_inherited_fds(&options, &fd_sets)?;
    let mut machine = Machine::bare(&options, &environment)?;
    let opener = Opener::new(&io.handle(), &fd_sets, {
        let inbox = inbox.clone();
        move || inbox.request(Urgent::Quit)
    });
    // Complete before any monitor answers, and before the parent leaves.
    let _pidfile = options.pidfile.as_ref().map(PidFile::create).transpose()?;
    let options = connect(options, &mut machine, &opener, &server)?;
    if !options.preconfig {
        machine.build(&options, &environment)?;
    }
    // Nothing waits for others from here on to the control loop.
    phase.serve();
    let start = !options.start_paused && !options.preconfig;
    let mut control = Control::new(machine, options, environment, server, opener, fd_sets, inbox);
    if start && let Err(error) = control.machine.start() {
        log::error!("{error}");
    }
    if let Some(daemon) = daemon {
        logging::flush();
        daemon.ready().map_err(Error::system("cannot go to the background"))?;
    }
    Ok(control.run())
}

fn environment(
    io: &devices::event_loop::LoopHandle,
    inbox: &Arc<ControlInbox>,
    server: &qmp::ServerHandle,
) -> Environment {
    let (requests, reports, events) = (inbox.clone(), inbox.clone(), server.events());
    Environment {
        io: io.clone(),
        requests: RequestSink::new(move |request| requests.request(Urgent::Device(request))),
        events: EventSink::new(move |event| events.emit(event.name(), event.data())),
        reports: Arc::new(move |report| reports.request(Urgent::Vcpu(report))),
    }
}

/// Opens the character devices of the command line and of the defaults, and serves the monitors.
/// Returns the options with the defaults filled in.
fn connect(
    mut options: Options,
    machine: &mut Machine,
    opener: &Opener,
    server: &qmp::ServerHandle,
) -> Result<Options, Error> {
    let mut default_monitor: Option<MonitorOptions> = None;
    if let Some(serial) = options.default_serial(is_typed_to()) {
        opener.add_default_serial(&mut machine.tree, &serial.chardev, serial.input)?;
        default_monitor = serial.monitor;
        options.serials.push(Serial::Chardev(options::Located {
            value: "serial0".into(),
            location: options::Location::Nowhere,
        }));
    }
    for item in &options.chardevs {
        let dict = resolve_auto(&item.dict, &options);
        opener
            .add_from_options(&mut machine.tree, &dict)
            .map_err(|error| item.location.error(error.to_string()))?;
    }
    for monitor in options.monitors.iter().chain(&default_monitor) {
        let shared = has_port(&options, &monitor.chardev);
        monitors::add(server, &machine.tree, monitor, shared)
            .map_err(|error| monitor.location.error(error.to_string()))?;
    }
    Ok(options)
}

/// Whether somebody types at standard input to this program. A job in the background would be stopped
/// for touching its terminal.
fn is_typed_to() -> bool {
    let stdin = std::io::stdin();
    let background = rustix::termios::tcgetpgrp(&stdin)
        .is_ok_and(|foreground| foreground != rustix::process::getpgrp());
    stdin.is_terminal() && !background
}

/// Whether a port of the machine is connected to the character device.
fn has_port(options: &Options, chardev: &str) -> bool {
    let serial = |serial: &Serial| matches!(serial, Serial::Chardev(name) if name.value == chardev);
    options.serials.iter().any(serial)
        || options.devices.iter().any(|device| device.text("chardev") == Some(chardev))
}

/// A monitor's `unix:PATH` that says neither `server` nor `wait` connects if somebody listens there,
/// and listens otherwise.
fn resolve_auto(dict: &Dict, options: &Options) -> Dict {
    let mut dict = dict.clone();
    let text = |name: &str| dict.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, path) = (text("id"), text("path"));
    let undecided = options.monitors.iter().any(|monitor| monitor.auto && monitor.chardev == id);
    if undecided && UnixStream::connect(&path).is_err() {
        dict.insert("server", true);
        dict.insert("wait", false);
    }
    dict
}

fn add_inherited_fds(options: &Options, fd_sets: &FdSets) -> Result<(), Error> {
    for add in &options.fds {
        let fd = crate::daemon::inherited(add.fd)
            .map_err(|error| add.location.error(error.to_string()))?;
        let set = u64::try_from(add.set).unwrap_or_default();
        fd_sets.add(Some(set), Member { fd, opaque: add.opaque.clone() });
    }
    Ok(())
}
