//! A machine with nothing but an ISA bus, for the tests of the devices on it: the bench of the PCI
//! devices with an event loop that tests can turn, a record of events, and clocks that move
//! together.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use qapi::Value;

use crate::chardev::{self, Address, Chardev, Config, Kind, Role, Socket};
use crate::clock::Clock;
use crate::error::Result;
use crate::event_loop::EventLoop;
use crate::object::{Bus, BusKind, Class, Object, PlugContext};
use crate::pci::bench::Bench;
use crate::request::EventSink;

/// Any random numbers, the same ones in every run (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

static SOCKET: Class = Class {
    make: Some(|_| Box::new(IsaSocket)),
    bus: Some(BusKind::System),
    ..Class::base("isa-socket", "device")
};
static CHARDEV: Class = Class::base("chardev-test", "chardev");

struct IsaSocket;

impl Object for IsaSocket {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        context.offer_bus("isa.0", Bus::Isa)
    }
}

pub(crate) struct IsaBench {
    bench: Bench,
    events: Arc<Mutex<Vec<qapi::Event>>>,
    event_loop: EventLoop,
}

impl Deref for IsaBench {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl DerefMut for IsaBench {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.bench
    }
}

impl IsaBench {
    pub(crate) fn new() -> Self {
        let tables = [
            crate::object::BASES,
            crate::serial::CLASSES,
            crate::debug::CLASSES,
            crate::rtc::CLASSES,
            crate::i8042::CLASSES,
            crate::fw_cfg::CLASSES,
            crate::backend::CLASSES,
            &[&SOCKET],
        ];
        let mut bench = Bench::new(Vec::leak(tables.concat()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let record = events.clone();
        bench.platform.events = EventSink::new(move |event| record.lock().unwrap().push(event));
        let event_loop = EventLoop::new().unwrap();
        bench.platform.io = event_loop.handle();
        bench.board(&SOCKET, "socket", &[]);
        Self { bench, events, event_loop }
    }

    /// The class of this name.
    pub(crate) fn class(&self, name: &str) -> &'static Class {
        self.tree.registry().find(name).expect("a class of that name")
    }

    /// Makes a user's device, called `dut`.
    pub(crate) fn plug(&mut self, class: &str, set: &[(&str, &str)]) -> Result<String> {
        let class = self.class(class);
        self.bench.device(class, "dut", set)
    }

    /// The text of the error when a device is refused.
    pub(crate) fn refusal(&mut self, class: &str, set: &[(&str, &str)]) -> String {
        self.plug(class, set).expect_err("a refusal").to_string()
    }

    pub(crate) fn get(&self, name: &str) -> Value {
        self.tree.get("dut", name).unwrap()
    }

    pub(crate) fn inb(&self, port: u16) -> u8 {
        self.inp(port, 1) as u8
    }

    /// Writes a register that asks for nothing.
    pub(crate) fn outb(&self, port: u16, value: u8) {
        assert_eq!(self.out(port, 1, value.into()), None);
    }

    /// Events reported since the last call.
    pub(crate) fn reported(&self) -> Vec<qapi::Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Lets all clocks go on by `nanoseconds`, in step.
    pub(crate) fn pass(&self, nanoseconds: u64) {
        let clocks: [&Clock; 3] =
            [&self.platform.host_clock, &self.platform.real_clock, &self.platform.virtual_clock];
        let mut left = nanoseconds;
        while left > 0 {
            let next = |clock: &&Clock| Some(clock.next_deadline()?.saturating_sub(clock.now()));
            let step = clocks.iter().filter_map(next).min().unwrap_or(left).clamp(1, left);
            clocks.iter().for_each(|clock| clock.advance(step));
            left -= step;
        }
    }

    /// Turns the event loop until `done`.
    pub(crate) fn turn_until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        for _ in 0..10_000 {
            if done(self) {
                return;
            }
            self.event_loop.run_once(1).unwrap();
        }
        panic!("it never happens");
    }

    /// Turns the event loop until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20 {
            self.event_loop.run_once(0).unwrap();
        }
    }

    /// A character device that keeps what is written to it.
    pub(crate) fn ringbuf(&mut self, label: &str) -> Arc<Chardev> {
        self.chardev(label, Kind::Ringbuf { size: 4096, memory: false }, |context| context)
    }

    /// A character device whose other end is returned.
    pub(crate) fn wire(&mut self, label: &str) -> std::os::unix::net::UnixStream {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let socket = Socket {
            address: Address::Fd("end".into()),
            role: Role::Client { reconnect: None },
            nodelay: false,
        };
        let theirs = Mutex::new(Some(std::os::fd::OwnedFd::from(theirs)));
        self.chardev(label, Kind::Socket(socket), |context| chardev::Context {
            named_fd: Arc::new(move |_| Ok(theirs.lock().unwrap().take().expect("asked once"))),
            ..context
        });
        ours
    }

    fn chardev(
        &mut self,
        label: &str,
        kind: Kind,
        adapt: impl FnOnce(chardev::Context) -> chardev::Context,
    ) -> Arc<Chardev> {
        let context = adapt(chardev::Context::new(self.event_loop.handle()));
        let chardev = chardev::open(label, &Config::new(kind), &context).unwrap();
        self.tree.add_chardev(&CHARDEV, chardev.clone()).unwrap();
        chardev
    }

    /// Reads and writes anything at ports `base` to `base + size - 1` and beyond both ends, in
    /// every width. Requests are dropped: what counts is that nothing panics or hangs.
    pub(crate) fn pound(&self, base: u16, size: u16, seed: u64) {
        let mut dice = Dice::new(seed);
        for _ in 0..3000 {
            let port =
                base.wrapping_sub(3).wrapping_add((dice.roll() % u64::from(size + 6)) as u16);
            let mut bytes = dice.roll().to_le_bytes();
            let width = [1, 1, 2, 4, 8][(dice.roll() % 5) as usize];
            if dice.roll().is_multiple_of(3) {
                self.cpu.read_port(port, &mut bytes[..width]);
            } else {
                self.cpu.write_port(port, &bytes[..width]);
            }
            if dice.roll().is_multiple_of(16) {
                self.pass(dice.roll() % 2_000_000_000);
            }
        }
    }

    /// What reading each register of `ports` gives after a reset of a machine that ran, and what it
    /// gave when the machine was new: `look` reads them.
    pub(crate) fn assert_reset_is_fresh<T: PartialEq + std::fmt::Debug>(
        &mut self,
        ports: &[(u16, u16)],
        look: impl Fn(&Self) -> T,
    ) {
        let fresh = look(self);
        for seed in 1..20 {
            ports.iter().for_each(|(base, size)| self.pound(*base, *size, seed * 77));
            self.tree.reset();
            assert_eq!(look(self), fresh, "seed {seed}");
        }
    }
}
