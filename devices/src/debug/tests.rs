use qapi::Value;

use super::*;
use crate::bench::IsaBench;
use crate::request::Request;

#[test]
fn the_debug_console_passes_bytes_on_and_answers_its_own_number() {
    let mut bench = IsaBench::new();
    let chardev = bench.ringbuf("log");
    bench.plug("isa-debugcon", &[("chardev", "log")]).unwrap();
    for byte in b"Hi" {
        bench.outb(0xe9, *byte);
    }
    // Only the byte at the port itself is for the console.
    assert_eq!(bench.out(0xe8, 4, 0x3322_2101), None);
    assert_eq!(chardev.ringbuf_read(10).unwrap(), b"Hi!");
    assert_eq!(bench.inb(0xe9), 0xe9);
    assert_eq!(bench.inp(0xe9, 2), 0xffe9);
}

#[test]
fn the_debug_console_can_be_elsewhere_and_needs_a_listener() {
    let mut bench = IsaBench::new();
    let chardev = bench.ringbuf("log");
    assert_eq!(
        bench.refusal("isa-debugcon", &[]),
        "Can't create debugcon device, empty char device"
    );
    let text = "Property 'isa-debugcon.chardev' can't find value 'x'";
    assert_eq!(bench.refusal("isa-debugcon", &[("chardev", "x")]), text);
    let error = bench.refusal("isa-debugcon", &[("chardev", "log"), ("iobase", "0x10000")]);
    assert_eq!(error, "I/O ports 0x10000 of 'isa-debugcon' do not exist");
    assert!(!chardev.is_busy(), "a refused device lets go of its character device");
    let set = [("chardev", "log"), ("iobase", "0x402"), ("readback", "0x1234")];
    let path = bench.plug("isa-debugcon", &set).unwrap();
    assert_eq!((bench.inb(0x402), bench.inb(0xe9)), (0x34, 0xff));
    assert!(chardev.is_busy());
    drop(bench.tree.remove(&path).unwrap());
    assert!(!chardev.is_busy());
}

#[test]
fn a_write_to_the_exit_port_ends_with_an_odd_status() {
    let mut bench = IsaBench::new();
    let set = [("iobase", "0xf4"), ("iosize", "4")];
    bench.plug("isa-debug-exit", &set).unwrap();
    assert_eq!(bench.out(0xf4, 1, 0), Some(Request::Exit(1)));
    assert_eq!(bench.out(0xf4, 4, 0x1000), Some(Request::Exit(0x2001)));
    assert_eq!(bench.out(0xf6, 2, 21), Some(Request::Exit(43)));
    assert_eq!(bench.out(0xf4, 4, u32::MAX), Some(Request::Exit(-1)));
    assert_eq!(bench.inp(0xf4, 4), 0);
    assert_eq!(bench.out(0xf8, 1, 1), None);
}

#[test]
fn the_exit_port_has_a_default_place_and_a_size() {
    let mut bench = IsaBench::new();
    let error = bench.refusal("isa-debug-exit", &[("iosize", "0")]);
    assert_eq!(error, "Parameter 'iosize' expects at least 1");
    let error = bench.refusal("isa-debug-exit", &[("iosize", "0x20000")]);
    assert_eq!(error, "I/O ports 0x501 of 'isa-debug-exit' do not exist");
    bench.plug("isa-debug-exit", &[]).unwrap();
    assert_eq!(bench.out(0x502, 1, 2), Some(Request::Exit(5)));
    assert_eq!(bench.out(0x503, 1, 2), None);
}

#[test]
fn pvpanic_reports_what_it_offers() {
    let mut bench = IsaBench::new();
    let path = bench.plug("pvpanic", &[]).unwrap();
    assert_eq!(bench.inb(0x505), 3);
    assert_eq!(bench.out(0x505, 1, 1), Some(Request::Panicked));
    assert_eq!(bench.out(0x505, 1, 3), Some(Request::Panicked));
    assert_eq!(bench.out(0x505, 1, 2), Some(Request::CrashLoaded));
    assert_eq!(bench.out(0x505, 1, 0xfc), None);
    assert_eq!(bench.object::<PvPanic>().port(), 0x505);
    drop(bench.tree.remove(&path).unwrap());
    bench.plug("pvpanic", &[("ioport", "0x600"), ("events", "2")]).unwrap();
    assert_eq!((bench.inb(0x600), bench.inb(0x505)), (2, 0xff));
    assert_eq!(bench.out(0x600, 1, 1), None);
    assert_eq!(bench.out(0x600, 1, 3), Some(Request::CrashLoaded));
    assert_eq!(bench.get("events"), Value::Int(2));
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = IsaBench::new();
    let chardev = bench.ringbuf("log");
    for (name, set, steps) in [
        ("isa-debugcon", &[("chardev", "log")][..], 2),
        ("isa-debug-exit", &[], 1),
        ("pvpanic", &[], 1),
    ] {
        let class = bench.class(name);
        assert_eq!(bench.fail_everywhere(class, set), steps, "{name}");
        assert!(!chardev.is_busy());
    }
}

#[test]
fn no_access_breaks_anything() {
    let mut bench = IsaBench::new();
    bench.ringbuf("log");
    let (exit, panic) = (bench.class("isa-debug-exit"), bench.class("pvpanic"));
    bench.board(exit, "exit", &[]);
    bench.board(panic, "panic", &[]);
    bench.plug("isa-debugcon", &[("chardev", "log")]).unwrap();
    bench.assert_reset_is_fresh(&[(0x501, 5), (0xe9, 1)], |bench| {
        [bench.inb(0x501), bench.inb(0x505), bench.inb(0xe9)]
    });
}
