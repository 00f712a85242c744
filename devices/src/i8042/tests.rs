use crate::bench::IsaBench;
use crate::request::Request;

fn controller() -> IsaBench {
    let mut bench = IsaBench::new();
    bench.plug("i8042", &[]).unwrap();
    bench
}

impl IsaBench {
    /// The answer to a command of the keyboard controller.
    fn ask(&self, command: u8) -> u8 {
        self.outb(0x64, command);
        assert_eq!(self.inb(0x64) & 0x21, 1, "an answer to {command:#x}");
        let answer = self.inb(0x60);
        assert_eq!(self.inb(0x64) & 1, 0);
        answer
    }
}

#[test]
fn it_introduces_itself_like_any_8042() {
    let bench = controller();
    assert_eq!((bench.inb(0x64), bench.inb(0x60)), (0x18, 0));
    assert_eq!(bench.ask(0xaa), 0x55);
    assert_eq!(bench.inb(0x64), 0x1c, "the system flag tells that the self test ran");
    assert_eq!((bench.ask(0xab), bench.ask(0xa9)), (0, 0));
    assert_eq!((bench.ask(0x20), bench.ask(0xc0), bench.ask(0xd0)), (3, 0x80, 0xcf));
}

#[test]
fn the_command_byte_is_kept_and_its_bits_have_commands() {
    let bench = controller();
    bench.outb(0x64, 0x60);
    bench.outb(0x60, 0x44);
    assert_eq!((bench.inb(0x64), bench.ask(0x20)), (0x14, 0x44));
    for (command, expected) in [(0xad, 0x54), (0xa7, 0x74), (0xae, 0x64), (0xa8, 0x44)] {
        bench.outb(0x64, command);
        assert_eq!(bench.ask(0x20), expected, "{command:#x}");
    }
}

#[test]
fn answers_interrupt_where_enabled() {
    let bench = controller();
    bench.outb(0x64, 0xaa);
    assert!(bench.line(1));
    bench.inb(0x60);
    assert!(!bench.line(1));
    bench.outb(0x64, 0xd3);
    bench.outb(0x60, 0x5a);
    assert_eq!((bench.line(1), bench.line(12), bench.inb(0x64) & 0x21), (false, true, 0x21));
    assert_eq!((bench.inb(0x60), bench.line(12)), (0x5a, false));
    bench.outb(0x64, 0x60);
    bench.outb(0x60, 0);
    for command in [0xd2, 0xd3] {
        bench.outb(0x64, command);
        bench.outb(0x60, 1);
        assert!(!bench.line(1) && !bench.line(12));
    }
}

#[test]
fn nobody_is_at_the_connectors() {
    let bench = controller();
    bench.outb(0x64, 0xad);
    bench.outb(0x60, 0xff);
    assert_eq!((bench.inb(0x64), bench.inb(0x60)), (0x51, 0xfe));
    assert_eq!(bench.inb(0x64), 0x10, "the time-out bit goes with the byte");
    assert_eq!(bench.ask(0x20), 3, "the keyboard's interface is on again");
    bench.outb(0x64, 0xd4);
    bench.outb(0x60, 0xf2);
    assert_eq!((bench.inb(0x64), bench.line(12), bench.inb(0x60)), (0x71, true, 0xfe));
}

#[test]
fn the_reset_line_resets() {
    let bench = controller();
    assert_eq!(bench.out(0x64, 1, 0xfe), Some(Request::Reset));
    assert_eq!(bench.out(0x64, 1, 0xf0), Some(Request::Reset));
    assert_eq!(bench.out(0x64, 1, 0xff), None);
    bench.outb(0x64, 0xd1);
    assert_eq!(bench.out(0x60, 1, 0xfe), Some(Request::Reset));
    bench.outb(0x64, 0xd1);
    bench.outb(0x60, 0xdf);
    assert_eq!(bench.ask(0xd0), 0xcf, "the buffer bits are not latched");
    bench.outb(0x64, 0xdd);
    assert_eq!(bench.ask(0xd0), 0xcd);
    bench.outb(0x64, 0xdf);
    assert_eq!(bench.ask(0xd0), 0xcf);
    bench.outb(0x64, 0xd1);
    bench.outb(0x64, 0x20);
    bench.outb(0x60, 0);
    assert_eq!(bench.ask(0x20), 3, "another command forgets the one that waits for data");
}

#[test]
fn its_interrupts_can_be_elsewhere_but_must_exist() {
    let mut bench = IsaBench::new();
    assert_eq!(bench.refusal("i8042", &[("kbd-irq", "24")]), "there is no interrupt line 24");
    bench.plug("i8042", &[("kbd-irq", "5"), ("mouse-irq", "7")]).unwrap();
    bench.outb(0x64, 0xaa);
    assert_eq!((bench.line(5), bench.line(1)), (true, false));
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = IsaBench::new();
    let class = bench.class("i8042");
    assert_eq!(bench.fail_everywhere(class, &[]), 4);
}

#[test]
fn no_access_breaks_anything_and_reset_makes_all_fresh() {
    let mut bench = controller();
    bench.assert_reset_is_fresh(&[(0x60, 5)], |bench| {
        let lines = (bench.line(1), bench.line(12));
        (lines, bench.inb(0x64), bench.inb(0x60), bench.ask(0x20), bench.ask(0xd0))
    });
}
