//! Character devices as objects of the tree, and how a description becomes one.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use devices::chardev::{
    self, Address, Chardev, Config, Context, FromOptions, Kind, MuxRequest, Socket,
};
use devices::error::Result;
use devices::event_loop::LoopHandle;
use devices::object::{Class, Tree};
use qapi::Dict;

use crate::fd_sets::FdSets;

macro_rules! classes {
    ($($constant:ident = $name:literal;)*) => {
        $(static $constant: Class = Class::owned($name, "chardev");)*
        /// The classes of character devices. Their objects are made from a description that
        /// `chardev-add` or `-chardev` gives, not by class name.
        pub(crate) static CLASSES: &[&Class] = &[&BASE, $(&$constant),*];
    };
}

static BASE: Class = Class::base("chardev", "object");
classes! {
    NULL = "chardev-null";
    STDIO = "chardev-stdio";
    PTY = "chardev-pty";
    FILE = "chardev-file";
    PIPE = "chardev-pipe";
    SOCKET = "chardev-socket";
    RINGBUF = "chardev-ringbuf";
    MUX = "chardev-mux";
}

fn class_of(kind: &Kind) -> &'static Class {
    match kind {
        Kind::Null => &NULL,
        Kind::Stdio { .. } => &STDIO,
        Kind::Pty => &PTY,
        Kind::File { .. } => &FILE,
        Kind::Pipe { .. } => &PIPE,
        Kind::Socket(_) => &SOCKET,
        Kind::Ringbuf { .. } => &RINGBUF,
        Kind::Mux { .. } => &MUX,
    }
}

/// What makes character devices. Cheap to clone: a worker takes one along.
#[derive(Clone)]
pub(crate) struct Opener {
    context: Context,
}

impl Opener {
    /// Character devices are driven by `io`; `/dev/fdset/N` is looked up in `fd_sets`; `quit` is
    /// called when somebody asks for the end in a multiplexer's menu.
    pub(crate) fn new(
        io: &LoopHandle,
        fd_sets: &Arc<FdSets>,
        quit: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let mut context = Context::new(io.clone());
        let fd_sets = fd_sets.clone();
        context.fd_set = Arc::new(move |set, flags| fd_sets.open(set, flags));
        context.on_mux = Arc::new(move |request| match request {
            MuxRequest::Quit => quit(),
            MuxRequest::Commit => log::debug!("no disk has a temporary snapshot"),
        });
        Self { context }
    }

    /// The same opener, in which the descriptor called `name` is `fd`.
    pub(crate) fn with_fd(mut self, name: String, fd: OwnedFd) -> Self {
        let numbered = self.context.named_fd.clone();
        self.context.named_fd = Arc::new(move |wanted| {
            if wanted != name {
                return numbered(wanted);
            }
            fd.try_clone().map_err(|source| chardev::Error::Io {
                what: format!("descriptor '{wanted}'"),
                source,
            })
        });
        self
    }

    /// The same opener, with the device that a multiplexer shares, if `config` is one.
    pub(crate) fn over(mut self, config: &Config, tree: &Tree) -> Self {
        if let Kind::Mux { base } = &config.kind {
            self.context.base = tree.chardev(base).ok().cloned();
        }
        self
    }

    /// Makes a character device. Blocks where the user named a path or host.
    ///
    /// # Errors
    /// The host refuses something, in QEMU's words.
    pub(crate) fn open(
        &self,
        label: &str,
        config: &Config,
    ) -> std::result::Result<Arc<Chardev>, chardev::Error> {
        chardev::open(label, config, &self.context)
    }

    /// Puts another back end under a character device. Blocks as [`Opener::open`].
    ///
    /// # Errors
    /// As [`Chardev::replace`].
    pub(crate) fn replace(
        &self,
        chardev: &Chardev,
        config: &Config,
    ) -> std::result::Result<(), chardev::Error> {
        chardev.replace(config, &self.context)
    }

    /// Makes the character devices of one `-chardev` (a back end, and with `mux=on` a multiplexer
    /// over it) while the program starts, and adds them to the tree.
    ///
    /// # Errors
    /// The description is wrong, the label taken, or the host refuses.
    pub(crate) fn add_from_options(&self, tree: &mut Tree, options: &Dict) -> Result<()> {
        self.add_described(tree, options, Config::from_options(options)?)
    }

    /// As [`Opener::add_from_options`], for the serial port that nobody asked for: standard input
    /// is left alone unless `input`.
    ///
    /// # Errors
    /// As [`Opener::add_from_options`].
    pub(crate) fn add_default_serial(
        &self,
        tree: &mut Tree,
        options: &Dict,
        listen: bool,
    ) -> Result<()> {
        let mut described = Config::from_options(options)?;
        if let Kind::Stdio { input, .. } = &mut described.config.kind {
            *input = listen;
        }
        self.add_described(tree, options, described)
    }

    fn add_described(&self, tree: &mut Tree, options: &Dict, described: FromOptions) -> Result<()> {
        let label = options.get("id").and_then(|id| id.as_str()).unwrap_or_default();
        let FromOptions { config, mux } = described;
        let starting = Self { context: Context { wait: true, ..self.context.clone() } };
        if !mux {
            return starting.add(tree, label, &config);
        }
        let base = format!("{label}-base");
        starting.add(tree, &base, &config)?;
        starting.add(tree, label, &Config::new(Kind::Mux { base }))
    }

    fn add(&self, tree: &mut Tree, label: &str, config: &Config) -> Result<()> {
        let opened = self.clone().over(config, tree).open(label, config)?;
        if config.kind == Kind::Pty {
            let filename = opened.filename();
            let path = filename.trim_start_matches("pty:");
            // Scripts look for exactly this line.
            println!("char device redirected to {path} (label {label})");
        }
        add(tree, config, opened)
    }
}

/// Adds an open character device to the tree.
///
/// # Errors
/// The label is taken.
pub(crate) fn add(tree: &mut Tree, config: &Config, chardev: Arc<Chardev>) -> Result<()> {
    tree.add_chardev(class_of(&config.kind), chardev)
}

/// Whether a new character device may be called `label`.
///
/// # Errors
/// It is taken, or cannot be the name of an object.
pub(crate) fn check_new(tree: &Tree, label: &str) -> std::result::Result<(), qapi::Error> {
    if label.is_empty() || label.contains('/') {
        return Err(qapi::Error::expects("id", "an identifier"));
    }
    match tree.chardev(label) {
        Ok(_) => Err(qapi::Error::generic(format!("Chardev with id '{label}' already exists"))),
        Err(_) => Ok(()),
    }
}

/// The name of the descriptor that `config` wants from the monitor's client; numbers are those of
/// descriptors that the process inherited.
pub(crate) fn named_fd(config: &Config) -> Option<&str> {
    match &config.kind {
        Kind::Socket(Socket { address: Address::Fd(name), .. }) => {
            Some(name.as_str()).filter(|name| !name.starts_with(|c: char| c.is_ascii_digit()))
        }
        _ => None,
    }
}

/// Gives the object of `chardev` the class of its new back end.
pub(crate) fn reclassify(tree: &mut Tree, config: &Config, chardev: &Arc<Chardev>) {
    // It is gone already if somebody removed it meanwhile.
    if tree.remove(&path(chardev.label())).is_some() {
        add(tree, config, chardev.clone()).expect("the label has just become free");
    }
}

/// Removes a character device that nothing uses.
///
/// # Errors
/// There is none of that label, or it is busy.
pub(crate) fn remove(tree: &mut Tree, label: &str) -> Result<()> {
    tree.chardev(label)?.remove()?;
    tree.remove(&path(label));
    Ok(())
}

fn path(label: &str) -> String {
    format!("/chardevs/{label}")
}
