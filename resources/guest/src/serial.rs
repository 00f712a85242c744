//! COM1 (16550 at 0x3f8). A port access may cost 25 us: output reads the line status once per FIFO load.

use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use crate::hardware::{inb, outb, pause};

const BASE: u16 = 0x3f8;
const LINE_STATUS: u16 = BASE + 5;
const DATA_READY: u8 = 1;
const TRANSMITTER_EMPTY: u8 = 0x20;
/// ISA interrupt of COM1.
pub const IRQ: u32 = 4;

/// Bytes that fit in the transmitter at once; 0: there is no UART.
static BURST: AtomicU8 = AtomicU8::new(0);
/// Bytes that still fit since the line status was last read.
static ROOM: AtomicUsize = AtomicUsize::new(0);

/// 115200 8N1, FIFOs on, receive interrupt on (it reaches a CPU only once the IOAPIC entry is unmasked).
pub fn init() {
    outb(BASE + 3, 0x83);
    outb(BASE, 1);
    outb(BASE + 1, 0);
    outb(BASE + 3, 0x03);
    outb(BASE + 2, 0x07);
    outb(BASE + 4, 0x0b);
    outb(BASE + 1, 0x01);
    ROOM.store(0, Relaxed);
    let burst = match inb(BASE + 2) {
        0xff => 0,
        id if id & 0xc0 == 0xc0 => 16,
        _ => 1,
    };
    BURST.store(burst, Relaxed);
}

fn put(byte: u8) {
    let burst = BURST.load(Relaxed);
    if burst == 0 {
        return;
    }
    let mut room = ROOM.load(Relaxed);
    if room == 0 {
        while inb(LINE_STATUS) & TRANSMITTER_EMPTY == 0 {
            pause();
        }
        room = usize::from(burst);
    }
    outb(BASE, byte);
    ROOM.store(room - 1, Relaxed);
}

/// The next received byte, if there is one.
pub fn receive() -> Option<u8> {
    if BURST.load(Relaxed) == 0 || inb(LINE_STATUS) & DATA_READY == 0 {
        return None;
    }
    Some(inb(BASE))
}

/// Output with LF as written (no CR).
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(put);
        Ok(())
    }
}

/// Writes one line.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => {{
        use core::fmt::Write as _;
        let _ = writeln!($crate::serial::Console, $($part)*);
    }};
}
