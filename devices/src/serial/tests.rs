use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use qapi::Value;

use super::IsaSerial;
use crate::bench::IsaBench;
use crate::request::{Request, WakeupReason};

const DATA: u16 = 0x3f8;
const IER: u16 = 0x3f9;
const IIR: u16 = 0x3fa;
const FCR: u16 = 0x3fa;
const LCR: u16 = 0x3fb;
const MCR: u16 = 0x3fc;
const LSR: u16 = 0x3fd;
const MSR: u16 = 0x3fe;
const SCR: u16 = 0x3ff;

/// COM1 with the other end of its line.
fn com1() -> (IsaBench, UnixStream) {
    let mut bench = IsaBench::new();
    let wire = bench.wire("line");
    bench.plug("isa-serial", &[("chardev", "line")]).unwrap();
    (bench, wire)
}

impl IsaBench {
    fn irq(&self) -> bool {
        self.line(4)
    }

    /// Sends `data` to the guest and waits until the receiver has some of it.
    fn type_in(&mut self, wire: &mut UnixStream, data: &[u8]) {
        wire.write_all(data).unwrap();
        self.turn_until(|bench| bench.inb(LSR) & 1 != 0);
        self.settle();
    }
}

#[test]
fn registers_are_those_of_a_fresh_16550() {
    let (bench, _wire) = com1();
    let fresh: Vec<u8> = (DATA..=SCR).map(|port| bench.inb(port)).collect();
    assert_eq!(fresh, [0, 0, 1, 0, 8, 0x60, 0xb0, 0]);
    assert!(!bench.irq());
    for (port, mask) in [(IER, 0xf), (LCR, 0xff), (MCR, 0x1f), (SCR, 0xff)] {
        bench.outb(port, 0xff);
        assert_eq!(bench.inb(port), mask);
        bench.outb(port, 0);
        assert_eq!(bench.inb(port), 0);
    }
    bench.inb(MSR);
    for port in [LSR, MSR] {
        let before = bench.inb(port);
        bench.outb(port, !before);
        assert_eq!(bench.inb(port), before);
    }
}

#[test]
fn the_divisor_hides_behind_its_latch() {
    let (bench, mut wire) = com1();
    bench.outb(IER, 1);
    bench.outb(LCR, 0x83);
    assert_eq!((bench.inb(DATA), bench.inb(IER)), (12, 0));
    bench.outb(DATA, 0x34);
    bench.outb(IER, 0x12);
    assert_eq!((bench.inb(DATA), bench.inb(IER)), (0x34, 0x12));
    bench.outb(LCR, 3);
    assert_eq!((bench.inb(DATA), bench.inb(IER)), (0, 1));
    assert!(wire.read(&mut [0]).is_err(), "the divisor is not sent");
}

#[test]
fn bytes_leave_at_once_and_the_interrupt_says_so() {
    let (bench, mut wire) = com1();
    bench.outb(DATA, b'a');
    let mut got = [0; 4];
    assert_eq!(wire.read(&mut got).unwrap(), 1);
    assert_eq!((got[0], bench.inb(LSR)), (b'a', 0x60));
    assert!(!bench.irq(), "not enabled");
    bench.outb(IER, 2);
    assert!(bench.irq(), "enabling it with an empty transmitter tells at once");
    assert_eq!((bench.inb(IIR), bench.inb(IIR), bench.irq()), (2, 1, false));
    bench.outb(DATA, b'b');
    assert!(bench.irq());
    bench.outb(IER, 0);
    assert!(!bench.irq());
    bench.outb(IER, 2);
    assert_eq!((bench.inb(IIR), bench.irq()), (2, false));
    bench.outb(IER, 2);
    assert!(!bench.irq(), "it was enabled already");
}

#[test]
fn a_full_line_holds_bytes_back_and_loses_none() {
    let (mut bench, mut wire) = com1();
    bench.outb(FCR, 1);
    bench.outb(IER, 2);
    bench.inb(IIR);
    // A guest that heeds the line status: it fills the line, and then the FIFO once.
    let mut sent = Vec::new();
    let mut dice = crate::bench::Dice::new(5);
    while bench.inb(LSR) & 0x20 != 0 {
        for _ in 0..16 {
            sent.push(dice.roll() as u8);
            bench.outb(DATA, *sent.last().unwrap());
        }
        assert!(sent.len() < 1 << 24, "the line is never full");
    }
    assert_eq!((bench.inb(LSR), bench.irq()), (0, false));
    let mut got = Vec::new();
    let mut buffer = vec![0; 65536];
    bench.turn_until(|bench| {
        if let Ok(count) = wire.read(&mut buffer) {
            got.extend_from_slice(&buffer[..count]);
        }
        bench.inb(LSR) == 0x60
    });
    assert!(bench.irq());
    assert_eq!(bench.inb(IIR), 0xc2);
    while let Ok(count) = wire.read(&mut buffer) {
        got.extend_from_slice(&buffer[..count]);
    }
    assert!(got == sent);
}

#[test]
fn a_guest_that_ignores_the_line_status_overwrites_its_last_byte() {
    let (bench, _wire) = com1();
    bench.outb(FCR, 1);
    while bench.inb(LSR) & 0x20 != 0 {
        bench.outb(DATA, 0);
    }
    for byte in 0..200 {
        bench.outb(DATA, byte);
    }
    assert_eq!(bench.inb(LSR), 0);
    bench.outb(FCR, 5);
    assert_eq!(bench.inb(LSR), 0x60, "clearing the FIFO drops what waited");
}

#[test]
fn a_port_without_a_character_device_sends_into_the_void() {
    let mut bench = IsaBench::new();
    bench.plug("isa-serial", &[]).unwrap();
    for byte in 0..100 {
        bench.outb(DATA, byte);
        assert_eq!(bench.inb(LSR), 0x60);
    }
}

#[test]
fn without_fifos_one_byte_at_a_time_is_taken_and_the_rest_waits() {
    let (mut bench, mut wire) = com1();
    bench.outb(IER, 1);
    bench.type_in(&mut wire, b"xyz");
    for expected in b"xyz" {
        bench.turn_until(IsaBench::irq);
        assert_eq!((bench.inb(IIR), bench.inb(LSR)), (4, 0x61));
        assert_eq!(bench.inb(DATA), *expected);
        assert!(!bench.irq());
    }
    bench.settle();
    assert_eq!((bench.inb(LSR), bench.inb(DATA)), (0x60, 0));
}

#[test]
fn any_amount_of_input_arrives_in_order() {
    let (mut bench, mut wire) = com1();
    bench.outb(FCR, 0x81);
    let data: Vec<u8> = (0..3000u32).map(|n| (n * 7 + n / 256) as u8).collect();
    wire.write_all(&data).unwrap();
    let mut got = Vec::new();
    bench.turn_until(|bench| {
        while bench.inb(LSR) & 1 != 0 {
            assert_eq!(bench.inb(LSR) & 2, 0, "overrun");
            got.push(bench.inb(DATA));
        }
        got.len() >= data.len()
    });
    assert!(got == data);
}

#[test]
fn the_fifo_interrupts_at_its_trigger_level() {
    for (setting, level) in [(0x01, 1), (0x41, 4), (0x81, 8), (0xc1, 14)] {
        let (mut bench, mut wire) = com1();
        bench.outb(FCR, setting);
        bench.outb(IER, 1);
        let data = [0x55; 14];
        if level > 1 {
            bench.type_in(&mut wire, &data[..level - 1]);
            assert!(!bench.irq(), "one less than {level}");
        }
        wire.write_all(&[1]).unwrap();
        bench.turn_until(IsaBench::irq);
        assert_eq!(bench.inb(IIR), 0xc4);
        bench.inb(DATA);
        assert!(!bench.irq(), "below {level} again");
    }
}

#[test]
fn a_byte_left_in_the_fifo_interrupts_after_four_characters_time() {
    let (mut bench, mut wire) = com1();
    bench.outb(LCR, 0x80);
    bench.outb(DATA, 1); // 115200 bits per second,
    bench.outb(IER, 0);
    bench.outb(LCR, 3); // 10 bits per character.
    let four = 4 * 10 * 1_000_000_000 / 115_200;
    bench.outb(FCR, 0x81);
    bench.outb(IER, 1);
    bench.type_in(&mut wire, b"ab");
    bench.pass(four - 1);
    assert!(!bench.irq());
    bench.pass(1);
    assert_eq!((bench.irq(), bench.inb(IIR)), (true, 0xcc));
    bench.type_in(&mut wire, b"c");
    assert_eq!(bench.inb(IIR), 0xcc, "another byte does not take it back");
    bench.inb(DATA);
    assert_eq!((bench.irq(), bench.inb(IIR)), (false, 0xc1));
    bench.pass(four);
    assert_eq!(bench.inb(IIR), 0xcc, "it counts anew after a read");
    bench.inb(DATA);
    bench.inb(DATA);
    bench.pass(10 * four);
    assert_eq!(bench.inb(IIR), 0xc1, "nothing is left");
}

#[test]
fn clearing_the_receiver_makes_room_for_what_waits() {
    let (mut bench, mut wire) = com1();
    bench.outb(FCR, 0xc1);
    bench.type_in(&mut wire, b"0123456789abcdefXY");
    bench.outb(FCR, 0xc3);
    assert_eq!(bench.inb(LSR), 0x60);
    bench.turn_until(|bench| bench.inb(LSR) & 1 != 0);
    assert_eq!((bench.inb(DATA), bench.inb(DATA)), (b'X', b'Y'));
    bench.outb(FCR, 0xc0);
    assert_eq!(bench.inb(IIR), 1, "without bit 0 the FIFOs are off, whatever else is written");
    bench.outb(FCR, 1);
    bench.outb(IER, 1);
    wire.write_all(b"Z").unwrap();
    bench.turn_until(IsaBench::irq);
}

#[test]
fn loop_back_returns_bytes_and_modem_lines() {
    let (mut bench, mut wire) = com1();
    bench.outb(MCR, 0x10);
    assert_eq!(bench.inb(MSR), 0x0b, "three lines fell");
    assert_eq!(bench.inb(MSR), 0);
    for (output, input) in [(1, 0x22), (2, 0x11), (8, 0x88)] {
        bench.outb(MCR, 0x10 | output);
        assert_eq!(bench.inb(MSR), input);
        bench.outb(MCR, 0x10);
        assert_eq!(bench.inb(MSR), input & 0xf);
    }
    bench.outb(MCR, 0x14);
    assert_eq!(bench.inb(MSR), 0x40, "ringing begins silently");
    bench.outb(MCR, 0x10);
    assert_eq!(bench.inb(MSR), 0x04, "its end is noted");
    bench.outb(DATA, 0x5a);
    assert_eq!((bench.inb(LSR), bench.inb(DATA)), (0x61, 0x5a));
    assert!(wire.read(&mut [0]).is_err(), "nothing leaves");
    wire.write_all(b"w").unwrap();
    bench.settle();
    assert_eq!(bench.inb(LSR), 0x60, "nothing enters");
    bench.outb(MCR, 8);
    bench.turn_until(|bench| bench.inb(LSR) & 1 != 0);
    assert_eq!(bench.inb(DATA), b'w', "until the line is back");
}

#[test]
fn an_overrun_loses_the_newest_with_a_fifo_and_the_oldest_without() {
    let (bench, _wire) = com1();
    bench.outb(MCR, 0x10);
    bench.outb(DATA, 1);
    bench.outb(DATA, 2);
    assert_eq!((bench.inb(LSR), bench.inb(LSR), bench.inb(DATA)), (0x63, 0x61, 2));
    bench.outb(FCR, 1);
    (0..17).for_each(|byte| bench.outb(DATA, byte));
    assert_eq!(bench.inb(LSR), 0x63);
    (0..16).for_each(|byte| assert_eq!(bench.inb(DATA), byte));
    assert_eq!(bench.inb(LSR), 0x60);
}

#[test]
fn interrupts_come_by_priority() {
    let (bench, _wire) = com1();
    bench.outb(MCR, 0x10);
    bench.outb(IER, 0xf);
    bench.outb(DATA, 1);
    bench.outb(DATA, 2);
    assert_eq!(bench.inb(IIR), 6, "line status");
    bench.inb(LSR);
    assert_eq!(bench.inb(IIR), 4, "received data");
    bench.inb(DATA);
    assert_eq!(bench.inb(IIR), 2, "transmitter empty");
    assert_eq!((bench.inb(IIR), bench.irq()), (0, true), "modem status");
    bench.inb(MSR);
    assert_eq!((bench.inb(IIR), bench.irq()), (1, false));
}

#[test]
fn a_break_comes_with_its_character() {
    let (mut bench, mut wire) = com1();
    bench.outb(FCR, 1);
    bench.outb(IER, 4);
    bench.type_in(&mut wire, b"a");
    let chardev = bench.tree.chardev("line").unwrap().clone();
    chardev.send_break();
    bench.settle();
    wire.write_all(b"b").unwrap();
    bench.settle();
    assert_eq!((bench.inb(LSR), bench.irq()), (0xe1, false), "only further back in the FIFO");
    assert_eq!(bench.inb(DATA), b'a');
    assert_eq!((bench.irq(), bench.inb(IIR)), (true, 0xc6));
    assert_eq!((bench.inb(LSR), bench.inb(LSR), bench.irq()), (0xf1, 0x61, false));
    assert_eq!((bench.inb(DATA), bench.inb(DATA)), (0, b'b'));
    bench.outb(FCR, 0);
    chardev.send_break();
    bench.settle();
    assert_eq!((bench.inb(LSR), bench.inb(DATA)), (0x71, 0), "without FIFOs bit 7 stays 0");
}

#[test]
fn input_wakes_the_machine_where_asked() {
    let mut bench = IsaBench::new();
    let mut wire = bench.wire("line");
    bench.plug("isa-serial", &[("chardev", "line"), ("wakeup", "on")]).unwrap();
    bench.type_in(&mut wire, b"a");
    assert_eq!(bench.posted(), [Request::Wakeup(WakeupReason::Other)]);
    let (mut bench, mut wire) = com1();
    bench.type_in(&mut wire, b"a");
    assert_eq!(bench.posted(), []);
}

#[test]
fn ports_take_the_next_free_place() {
    let mut bench = IsaBench::new();
    let class = bench.class("isa-serial");
    for name in ["a", "b", "c"] {
        bench.board(class, name, &[]);
    }
    drop(bench.tree.remove("/machine/b").unwrap());
    bench.plug("isa-serial", &[]).unwrap();
    let places: Vec<_> = bench.tree.objects::<IsaSerial>().iter().map(|o| o.1.place()).collect();
    assert_eq!(places, [(1, 0x2f8, 3), (0, 0x3f8, 4), (2, 0x3e8, 4)]);
    assert_eq!(bench.get("iobase"), Value::Int(0x2f8));
    bench.board(class, "d", &[("iobase", "0x1000"), ("irq", "9")]);
    assert_eq!((bench.inb(0x2fd), bench.inb(0x1005)), (0x60, 0x60));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut bench = IsaBench::new();
    bench.ringbuf("c");
    for (set, text) in [
        (&[("index", "4")][..], "Max. supported number of ISA serial ports is 4."),
        (&[("irq", "24")], "there is no interrupt line 24"),
        (&[("iobase", "0xfff9")], "I/O ports 0xfff9 of 'serial' do not exist"),
        (&[("chardev", "x")], "Property 'isa-serial.chardev' can't find value 'x'"),
        (&[("baudbase", "0")], "Parameter 'baudbase' expects a value other than 0"),
        (&[("speed", "1")], "Property 'isa-serial.speed' not found"),
    ] {
        assert_eq!(bench.refusal("isa-serial", set), text);
    }
    bench.plug("isa-serial", &[("chardev", "c")]).unwrap();
    let class = bench.class("isa-serial");
    let error = bench.device(class, "other", &[("chardev", "c")]).unwrap_err().to_string();
    assert_eq!(error, "Device 'c' is in use");
}

#[test]
fn a_failure_at_any_step_leaves_nothing_and_unplugging_lets_go() {
    let mut bench = IsaBench::new();
    let chardev = bench.ringbuf("log");
    let class = bench.class("isa-serial");
    assert_eq!(bench.fail_everywhere(class, &[("chardev", "log")]), 3);
    assert!(!chardev.is_busy());
    assert_eq!(std::sync::Arc::strong_count(&chardev), 2, "ours and the tree's");
}

#[test]
fn a_reset_keeps_the_line_and_forgets_the_rest() {
    let (mut bench, mut wire) = com1();
    bench.outb(FCR, 0xc1);
    bench.outb(IER, 0xf);
    bench.outb(SCR, 0x77);
    bench.type_in(&mut wire, b"0123456789abcdefgh");
    bench.tree.reset();
    let fresh: Vec<u8> = (IER..=SCR).map(|port| bench.inb(port)).collect();
    assert_eq!(fresh, [0, 1, 0, 8, 0x60, 0xb0, 0]);
    assert!(!bench.irq());
    bench.turn_until(|bench| bench.inb(LSR) & 1 != 0);
    assert_eq!(bench.inb(DATA), b'g', "input that the host still holds comes after");
    bench.outb(DATA, b'!');
    let mut got = [0; 1];
    wire.read_exact(&mut got).unwrap();
    assert_eq!(got, *b"!");
}

#[test]
fn no_access_breaks_anything_and_reset_makes_all_fresh() {
    let mut bench = IsaBench::new();
    bench.ringbuf("log");
    bench.plug("isa-serial", &[("chardev", "log")]).unwrap();
    bench.assert_reset_is_fresh(&[(DATA, 8)], |bench| {
        let registers: Vec<u8> = (DATA..=SCR).map(|port| bench.inb(port)).collect();
        (registers, bench.irq())
    });
}
