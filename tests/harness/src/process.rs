//! The program as a process.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use crate::{Guest, Qmp, wait_for};

/// Puts a command line together.
pub struct Builder {
    command: Command,
    dir: TempDir,
    serial: bool,
    qmp: bool,
    stdin: Stdio,
    stdout: Stdio,
}

impl Builder {
    /// The program at `path`; the environment's `VMM_BIN` wins, so that the same suites run inside
    /// the lab's machine.
    pub fn new(path: &str) -> Self {
        let path = std::env::var_os("VMM_BIN").unwrap_or_else(|| path.into());
        let dir = tempfile::Builder::new().prefix("vmm-test-").tempdir().expect("scratch folder");
        Self {
            command: Command::new(path),
            dir,
            serial: false,
            qmp: false,
            stdin: Stdio::null(),
            stdout: Stdio::piped(),
        }
    }

    /// A folder that goes with the process.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Adds arguments, split at white space.
    pub fn args(mut self, words: &str) -> Self {
        self.command.args(words.split_whitespace());
        self
    }

    /// Adds one argument as it is.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A QMP monitor at the socket that [`Vmm::qmp`] connects to.
    pub fn with_qmp(mut self) -> Self {
        let path = self.dir.path().join("qmp.sock");
        self.qmp = true;
        self.arg("-qmp").arg(format!("unix:{},server=on,wait=off", path.display()))
    }

    /// The first serial port at the socket that [`Vmm::guest`] connects to. The process waits for
    /// that connection, so that nothing the guest says is lost.
    pub fn with_serial(mut self) -> Self {
        let path = self.dir.path().join("serial.sock");
        self.serial = true;
        self.arg("-serial").arg(format!("unix:{},server=on,wait=on", path.display()))
    }

    /// Its standard input; nothing without this.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Its standard output; without this it is collected for [`Vmm::stdout`].
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self
    }

    /// The command itself, for what the other methods do not offer.
    pub fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts the process.
    pub fn start(mut self) -> Vmm {
        self.command.stdin(self.stdin).stdout(self.stdout).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program starts");
        let stdout = child.stdout.take().map(collect).unwrap_or_default();
        let stderr = collect(child.stderr.take().expect("piped"));
        // The command holds this process's copies of what was passed.
        drop(self.command);
        let mut vmm = Vmm { child, stdout, stderr, dir: self.dir, serial: None, ended: None };
        if self.serial {
            vmm.serial = Some(vmm.connect_serial());
        }
        vmm
    }

    /// Runs the process to its end.
    pub fn run(self) -> Exit {
        self.start().wait()
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit status; `None` after a signal.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All it printed.
    pub stdout: String,
    /// All it complained.
    pub stderr: String,
}

type Output = Arc<Mutex<Vec<u8>>>;

/// A running process; killed when dropped.
pub struct Vmm {
    child: Child,
    stdout: Output,
    stderr: Output,
    dir: TempDir,
    serial: Option<Guest>,
    ended: Option<Exit>,
}

impl Vmm {
    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A folder that goes with the process.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A negotiated connection to the monitor of [`Builder::with_qmp`].
    pub fn qmp(&mut self) -> Qmp {
        let mut qmp = self.qmp_raw();
        qmp.negotiate();
        qmp
    }

    /// The same before negotiation, the greeting not yet read.
    pub fn qmp_raw(&mut self) -> Qmp {
        let path = self.dir.path().join("qmp.sock");
        self.connect("the QMP socket", &path, |path| Qmp::connect(path).ok())
    }

    /// The test guest at the serial port of [`Builder::with_serial`].
    pub fn guest(&mut self) -> &mut Guest {
        self.serial.as_mut().expect("started with_serial")
    }

    fn connect_serial(&mut self) -> Guest {
        let path = self.dir.path().join("serial.sock");
        self.connect("the serial socket", &path, |path| Guest::connect(path).ok())
    }

    fn connect<T>(
        &mut self,
        what: &str,
        path: &Path,
        mut connect: impl FnMut(&Path) -> Option<T>,
    ) -> T {
        wait_for(what, || {
            if let Some(value) = connect(path) {
                return Some(value);
            }
            if self.child.try_wait().expect("wait").is_some() {
                panic!("the process ended: {}", self.stderr());
            }
            None
        })
    }

    /// What it printed so far.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// What it complained so far.
    pub fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.ended.is_none() && self.child.try_wait().expect("wait").is_none()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("signal");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Exit {
        if let Some(exit) = &self.ended {
            return exit.clone();
        }
        let status = wait_for("the end of the process", || self.child.try_wait().expect("wait"));
        // The collectors end with the pipes.
        wait_for("its last output", || {
            (Arc::strong_count(&self.stdout) == 1 && Arc::strong_count(&self.stderr) == 1)
                .then_some(())
        });
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let exit = Exit { status: status.code(), signal: status.signal(), stdout, stderr };
        self.ended = Some(exit.clone());
        exit
    }
}

impl Drop for Vmm {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            eprintln!("--- stdout\n{}--- stderr\n{}---", self.stdout(), self.stderr());
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.lock().expect("output")).into_owned()
}

fn collect(mut from: impl Read + Send + 'static) -> Output {
    let output = Output::default();
    let to = output.clone();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            to.lock().expect("output").extend_from_slice(&buffer[..count]);
        }
    });
    output
}
