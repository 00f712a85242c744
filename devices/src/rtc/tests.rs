use qapi::{Event, RtcChangeEvent};

use super::*;
use crate::bench::IsaBench;
use crate::clock::SECOND;
use crate::request::{Request, WakeupReason};

/// 2012-02-28 23:59:50, a Tuesday.
const START: u64 = 1_330_473_590;

const PERIODIC: u8 = 0x40;
const ALARM: u8 = 0x20;
const UPDATE: u8 = 0x10;
const H24: u8 = 2;
const BINARY: u8 = 4;
const SET: u8 = 0x80;

/// An RTC as the board makes it, with the host's clock at [`START`].
fn rtc_with(set: &[(&str, &str)]) -> IsaBench {
    let mut bench = IsaBench::new();
    bench.platform.host_clock.advance(START * SECOND);
    let set: Vec<_> = [("base_year", "0")].iter().chain(set).copied().collect();
    bench.plug("mc146818rtc", &set).unwrap();
    bench
}

fn rtc() -> IsaBench {
    rtc_with(&[])
}

impl IsaBench {
    fn cmos(&self, index: u8) -> u8 {
        self.outb(0x70, index);
        self.inb(0x71)
    }

    fn set_cmos(&self, index: u8, value: u8) {
        self.outb(0x70, index);
        self.outb(0x71, value);
    }

    /// Hours, minutes and seconds as bytes.
    fn time(&self) -> [u8; 3] {
        [4, 2, 0].map(|index| self.cmos(index))
    }

    /// Century, year, month, day and weekday as bytes.
    fn date(&self) -> [u8; 5] {
        [0x32, 9, 8, 7, 6].map(|index| self.cmos(index))
    }

    fn set_alarm(&self, bytes: [u8; 3]) {
        for (index, byte) in [5, 3, 1].into_iter().zip(bytes) {
            self.set_cmos(index, byte);
        }
    }

    fn irq8(&self) -> bool {
        self.line(8)
    }
}

#[test]
fn it_tells_the_hosts_time_in_bcd_and_24_hours() {
    let bench = rtc();
    assert_eq!(bench.date(), [0x20, 0x12, 0x02, 0x28, 3]);
    assert_eq!(bench.time(), [0x23, 0x59, 0x50]);
    assert_eq!([0xa, 0xb, 0xc, 0xd].map(|index| bench.cmos(index)), [0x26, 2, 0, 0x80]);
    bench.pass(10 * SECOND);
    assert_eq!(bench.date(), [0x20, 0x12, 0x02, 0x29, 4]);
    assert_eq!(bench.time(), [0, 0, 0]);
    bench.pass(86_400 * SECOND);
    assert_eq!(bench.date(), [0x20, 0x12, 0x03, 0x01, 5]);
    assert_eq!(bench.cmos(0x37), 0x20, "the century has two places");
    assert_eq!(bench.inb(0x70), 0xff, "the index cannot be read");
}

#[test]
fn binary_and_12_hours_are_other_ways_to_say_the_same() {
    let bench = rtc();
    bench.set_cmos(0xb, H24 | BINARY);
    assert_eq!(bench.time(), [23, 59, 50]);
    assert_eq!(bench.date(), [20, 12, 2, 28, 3]);
    bench.set_cmos(0xb, BINARY);
    assert_eq!(bench.time(), [0x80 | 11, 59, 50]);
    bench.set_cmos(0xb, 0);
    assert_eq!(bench.time(), [0x91, 0x59, 0x50]);
    for (hours, expected) in [(1, 0x12), (1, 0x01), (10, 0x11), (1, 0x92), (1, 0x81)] {
        bench.pass(hours * 3600 * SECOND);
        assert_eq!(bench.cmos(4), expected);
    }
    assert_eq!(bench.reported(), [], "the time was not set");
}

#[test]
fn the_index_ignores_its_highest_bit() {
    let bench = rtc();
    bench.set_cmos(0x90, 0x5a);
    assert_eq!(bench.cmos(0x10), 0x5a);
    bench.outb(0x70, 0x8b);
    assert_eq!(bench.inb(0x71), 2);
}

#[test]
fn the_update_flag_is_up_before_the_time_changes_and_only_then() {
    let bench = rtc();
    let before = 8 * SECOND / 32_768;
    bench.pass(SECOND - before - 1_000);
    assert_eq!(bench.cmos(0xa), 0x26);
    bench.pass(1_500);
    assert_eq!((bench.cmos(0xa), bench.cmos(0)), (0xa6, 0x50));
    bench.pass(before);
    assert_eq!((bench.cmos(0xa), bench.cmos(0)), (0x26, 0x51));
    bench.pass(SECOND - 1_000);
    assert_eq!(bench.cmos(0xa), 0xa6);
    bench.set_cmos(0xb, SET | H24);
    assert_eq!(bench.cmos(0xa), 0x26, "no update comes while SET is set");
    bench.set_cmos(0xa, 0xff);
    assert_eq!(bench.cmos(0xa), 0x7f, "the flag cannot be written");
}

#[test]
fn set_stops_the_time_and_setting_it_is_reported() {
    let bench = rtc();
    bench.pass(SECOND / 4);
    bench.set_cmos(0xb, SET | UPDATE | H24);
    assert_eq!(bench.cmos(0xb), SET | H24, "SET takes the update interrupt away");
    bench.pass(5 * SECOND);
    assert_eq!(bench.time(), [0x23, 0x59, 0x50]);
    for (index, value) in [(0, 0x30), (2, 0x20), (4, 0x10), (7, 0x31), (8, 0x12), (9, 0x99)] {
        bench.set_cmos(index, value);
        assert_eq!(bench.cmos(index), value);
    }
    bench.set_cmos(0x37, 0x19);
    assert_eq!(bench.reported(), []);
    bench.set_cmos(0xb, H24);
    assert_eq!((bench.date(), bench.time()), ([0x19, 0x99, 0x12, 0x31, 6], [0x10, 0x20, 0x30]));
    let set: i64 = 946_635_630; // 1999-12-31 10:20:30
    let offset = set - START as i64 - 5;
    let qom_path = "/machine/peripheral/dut".to_owned();
    assert_eq!(bench.reported(), [Event::RtcChange(RtcChangeEvent { offset, qom_path })]);
    bench.pass(SECOND * 3 / 4 - 1);
    assert_eq!(bench.cmos(0), 0x30, "the divider went on");
    bench.pass(1);
    assert_eq!(bench.cmos(0), 0x31);
    let now = bench.object::<Rtc>().current_time();
    let expected = DateTime::from_seconds(set + 1);
    assert_eq!((now, now.year, now.weekday), (expected, 1999, 5));
}

#[test]
fn one_byte_of_the_running_time_can_be_set() {
    let bench = rtc();
    bench.set_cmos(0, 0x05);
    assert_eq!(bench.time(), [0x23, 0x59, 0x05]);
    let offsets: Vec<i64> = bench
        .reported()
        .into_iter()
        .map(|event| match event {
            Event::RtcChange(change) => change.offset,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(offsets, [-45]);
    bench.set_cmos(7, 0x31);
    assert_eq!(bench.date(), [0x20, 0x12, 0x03, 0x02, 6], "31 February is 2 March");
    bench.set_cmos(6, 1);
    assert_eq!(bench.cmos(6), 6, "the weekday follows from the date");
}

#[test]
fn the_first_update_after_a_divider_reset_comes_half_a_second_later() {
    let bench = rtc();
    bench.pass(SECOND / 10);
    bench.set_cmos(0xb, SET | H24);
    bench.set_cmos(0xa, 0x76);
    bench.set_cmos(0, 0x10);
    bench.set_cmos(0xb, H24);
    bench.pass(3 * SECOND);
    assert_eq!((bench.cmos(0), bench.cmos(0xa)), (0x10, 0x76), "the divider stands");
    assert_eq!(bench.reported().len(), 0);
    bench.set_cmos(0xa, 0x26);
    assert_eq!(bench.reported().len(), 1);
    bench.pass(SECOND / 2 - 1);
    assert_eq!(bench.cmos(0), 0x10);
    bench.pass(1);
    assert_eq!(bench.cmos(0), 0x11);
}

#[test]
fn any_bytes_make_some_time() {
    let bench = rtc();
    for mode in [0, H24, BINARY, H24 | BINARY] {
        bench.set_cmos(0xb, SET | mode);
        for index in [0, 2, 4, 6, 7, 8, 9, 0x32] {
            bench.set_cmos(index, 0xff);
        }
        bench.set_cmos(0xb, mode);
        bench.pass(SECOND);
        let now = bench.object::<Rtc>().current_time();
        assert!(now.month >= 1 && now.month <= 12 && now.second < 60, "{now:?}");
        bench.set_cmos(0xb, SET | mode);
        for index in [0, 2, 4, 6, 7, 8, 9, 0x32] {
            bench.set_cmos(index, 0);
        }
        bench.set_cmos(0xb, mode);
        assert_eq!(bench.object::<Rtc>().current_time().day, 30, "-1-11-30");
    }
}

#[test]
fn the_update_interrupt_comes_each_second() {
    let bench = rtc();
    bench.set_cmos(0xb, UPDATE | H24);
    assert!(!bench.irq8());
    for _ in 0..3 {
        bench.pass(SECOND - 1);
        assert!(!bench.irq8());
        bench.pass(1);
        assert!(bench.irq8());
        assert_eq!((bench.cmos(0xc) & !PERIODIC, bench.cmos(0xc)), (0x90, 0));
        assert!(!bench.irq8());
    }
    bench.pass(SECOND);
    bench.set_cmos(0xb, H24);
    assert!(!bench.irq8(), "no longer enabled");
    bench.set_cmos(0xb, UPDATE | H24);
    assert!(bench.irq8(), "still pending");
}

#[test]
fn flags_come_without_their_interrupts_too() {
    let bench = rtc();
    bench.set_alarm([0xff, 0xff, 0x55]);
    bench.pass(SECOND);
    assert_eq!((bench.cmos(0xc), bench.cmos(0xc)), (0x50, 0));
    bench.pass(4 * SECOND);
    assert_eq!(bench.cmos(0xc), 0x70);
    bench.pass(60 * SECOND);
    assert_eq!(bench.cmos(0xc), 0x70, "it went off while nobody looked");
    assert!(!bench.irq8());
    assert_eq!(bench.posted(), [], "an alarm that is off wakes nobody");
}

#[test]
fn the_alarm_compares_what_it_is_told_to() {
    // At 23:59:50; how many seconds until the alarm.
    for (mode, alarm, delay) in [
        (H24, [0x23, 0x59, 0x55], 5),
        (H24, [0x00, 0x00, 0x00], 10),
        (H24, [0x23, 0x59, 0x50], 86_400),
        (H24, [0xc0, 0xff, 0x51], 1),
        (H24, [0xff, 0xc0, 0xff], 1),
        (H24, [0xff, 0x30, 0x00], 10 + 30 * 60),
        (H24, [0x01, 0xff, 0x00], 10 + 3600),
        (H24 | BINARY, [23, 59, 55], 5),
        (H24 | BINARY, [0xff, 0, 10], 20),
        (0, [0x91, 0x59, 0x55], 5),
        (0, [0x12, 0x00, 0x00], 10),
        (0, [0x92, 0x00, 0x00], 10 + 43_200),
        (BINARY, [0x80 | 11, 59, 51], 1),
        (BINARY, [1, 0xff, 0xff], 10 + 3600),
    ] {
        let bench = rtc();
        bench.set_alarm(alarm);
        bench.set_cmos(0xb, ALARM | mode);
        bench.pass(delay * SECOND - 1);
        assert!(!bench.irq8(), "{mode:#x} {alarm:x?}");
        assert_eq!(bench.posted(), []);
        bench.pass(1);
        assert!(bench.irq8(), "{mode:#x} {alarm:x?}");
        assert_eq!(bench.posted(), [Request::Wakeup(WakeupReason::Rtc)]);
        assert_eq!(bench.cmos(0xc) & 0xa0, 0xa0);
        assert!(!bench.irq8());
    }
}

#[test]
fn an_alarm_at_a_time_that_does_not_exist_never_comes() {
    let bench = rtc();
    bench.set_alarm([0x24, 0xff, 0xff]);
    bench.set_cmos(0xb, ALARM | H24);
    bench.pass(3 * 86_400 * SECOND);
    assert!(!bench.irq8());
    assert_eq!(bench.cmos(0xc) & ALARM, 0);
}

#[test]
fn the_alarm_comes_when_the_time_is_set_just_before_it() {
    let bench = rtc();
    bench.set_alarm([0x07, 0x00, 0x00]);
    bench.set_cmos(0xb, SET | ALARM | H24);
    for (index, value) in [(4, 0x06), (2, 0x59), (0, 0x58)] {
        bench.set_cmos(index, value);
    }
    bench.pass(10 * SECOND);
    assert!(!bench.irq8(), "the time stands");
    bench.set_cmos(0xb, ALARM | H24);
    bench.pass(2 * SECOND - 1);
    assert!(!bench.irq8());
    bench.pass(1);
    assert!(bench.irq8());
}

#[test]
fn the_alarm_follows_a_host_whose_time_is_set() {
    let bench = rtc();
    bench.set_alarm([0xff, 0x05, 0x00]);
    bench.set_cmos(0xb, ALARM | H24);
    bench.platform.host_clock.advance(3600 * SECOND);
    bench.pass(60 * SECOND);
    assert!(bench.irq8());
}

#[test]
fn every_periodic_rate_is_right() {
    let crystal = |periods: u64| (periods * SECOND).div_ceil(32_768);
    for (rate, periods) in (3..16).map(|rate| (rate, 1 << (rate - 1))).chain([(1, 128), (2, 256)]) {
        let bench = rtc();
        bench.set_cmos(0xa, 0x20 | rate);
        bench.set_cmos(0xb, PERIODIC | H24);
        for tick in 1..4 {
            let due = crystal(tick * periods);
            bench.pass(due - bench.platform.virtual_clock.now() - 1);
            assert!(!bench.irq8(), "rate {rate} tick {tick}");
            bench.pass(1);
            assert!(bench.irq8(), "rate {rate} tick {tick}");
            assert_eq!(bench.cmos(0xc) & 0xe0, 0xc0);
        }
    }
}

#[test]
fn the_periodic_interrupt_can_be_off() {
    let bench = rtc();
    bench.set_cmos(0xa, 0x20);
    bench.set_cmos(0xb, PERIODIC | H24);
    bench.pass(SECOND);
    assert_eq!((bench.irq8(), bench.cmos(0xc) & PERIODIC), (false, 0), "rate 0");
    bench.set_cmos(0xa, 0x66);
    bench.pass(SECOND);
    assert!(!bench.irq8(), "no ticks from a divider that stands");
    bench.set_cmos(0xa, 0x26);
    bench.set_cmos(0xb, PERIODIC | SET | H24);
    bench.pass(SECOND);
    assert!(bench.irq8(), "SET does not stop it");
}

#[test]
fn late_ticks_are_lost_or_made_up_for() {
    for (policy, extra) in [("discard", 0), ("slew", 9)] {
        let bench = rtc_with(&[("lost_tick_policy", policy)]);
        bench.set_cmos(0xa, 0x2f); // 2 Hz
        bench.set_cmos(0xb, PERIODIC | H24);
        bench.pass(5 * SECOND);
        let mut ticks = 0;
        while bench.irq8() {
            assert_eq!(bench.cmos(0xc) & 0xc0, 0xc0);
            ticks += 1;
        }
        assert_eq!(ticks, 1 + extra, "{policy}");
        bench.pass(SECOND / 2);
        assert!(bench.irq8());
        bench.pass(5 * SECOND);
        bench.object::<Rtc>().reset_reinjection();
        bench.cmos(0xc);
        let owed = bench.irq8();
        bench.set_cmos(0xb, H24);
        bench.set_cmos(0xb, PERIODIC | H24);
        bench.cmos(0xc);
        bench.cmos(0xc);
        assert!(!bench.irq8(), "disabling it forgets them");
        assert_eq!(owed, extra > 0, "ticks since the last look are not forgotten");
    }
}

#[test]
fn the_time_follows_the_clock_and_the_offset_that_were_chosen() {
    let advance = |bench: &IsaBench| {
        bench.platform.host_clock.advance(SECOND);
        bench.platform.real_clock.advance(3 * SECOND);
        bench.platform.virtual_clock.advance(5 * SECOND);
        bench.cmos(0)
    };
    for (clock, second) in [("host", 0x51), ("rt", 0x53), ("vm", 0x55)] {
        assert_eq!(advance(&rtc_with(&[("x-clock", clock)])), second, "{clock}");
        let ahead = rtc_with(&[("x-clock", clock), ("x-offset", "-3600")]);
        assert_eq!(ahead.time(), [0x22, 0x59, 0x50]);
        ahead.set_cmos(0xb, SET | H24);
        ahead.set_cmos(0xb, H24);
        let change = ahead.reported().pop();
        assert!(matches!(change, Some(Event::RtcChange(RtcChangeEvent { offset: 0, .. }))));
        ahead.set_cmos(0xb, UPDATE | H24);
        ahead.pass(SECOND);
        assert!(ahead.irq8(), "{clock}");
    }
}

#[test]
fn years_are_relative_to_the_base() {
    let bench = rtc_with(&[("base_year", "1980")]);
    assert_eq!(bench.date()[..2], [0x00, 0x32]);
    bench.set_cmos(9, 0x40);
    assert_eq!(bench.object::<Rtc>().current_time().year, 2020);
}

#[test]
fn memory_is_kept_and_the_boards_bytes_are_its_own() {
    let mut bench = rtc();
    let device = bench.object::<Rtc>();
    (0..=0xff).for_each(|index| device.set_cmos(index, 0x77));
    assert_eq!(bench.time(), [0x23, 0x59, 0x50]);
    assert_eq!([1, 3, 5].map(|index| bench.cmos(index)), [0; 3]);
    assert_eq!((bench.cmos(0xb), bench.cmos(0x32)), (2, 0x20));
    for index in (0xe..0x80).filter(|index| ![0x32, 0x37].contains(index)) {
        assert_eq!(bench.cmos(index), 0x77, "{index:#x}");
    }
    bench.set_cmos(0x40, 0x12);
    bench.tree.reset();
    assert_eq!((bench.cmos(0x40), bench.cmos(0x41)), (0x12, 0x77));
}

#[test]
fn a_reset_keeps_time_and_memory_and_quiets_the_rest() {
    let mut bench = rtc();
    bench.set_alarm([0xff, 0xff, 0xff]);
    bench.set_cmos(0xb, PERIODIC | ALARM | UPDATE | BINARY);
    bench.pass(2 * SECOND);
    assert!(bench.irq8());
    bench.set_cmos(0xb, SET | BINARY);
    bench.set_cmos(0, 58);
    bench.tree.reset();
    assert!(!bench.irq8());
    assert_eq!([0xa, 0xb, 0xc].map(|index| bench.cmos(index)), [0x26, 2, 0]);
    assert_eq!(bench.time(), [0x23, 0x59, 0x58], "time that was stopped goes on");
    assert_eq!(bench.reported().len(), 1);
    bench.pass(SECOND);
    assert_eq!((bench.cmos(0), bench.irq8()), (0x59, false));
    assert_eq!(bench.platform.real_clock.next_deadline(), None, "no timer is left");
    assert_eq!(bench.platform.virtual_clock.next_deadline(), None);
}

#[test]
fn an_idle_clock_needs_no_timer() {
    let bench = rtc();
    bench.pass(SECOND);
    let deadlines = || {
        let platform = &bench.platform;
        (platform.real_clock.next_deadline(), platform.virtual_clock.next_deadline())
    };
    assert_eq!(deadlines(), (None, None));
    bench.set_cmos(0xb, PERIODIC | UPDATE | H24);
    bench.cmos(0xc);
    assert!(matches!(deadlines(), (Some(_), Some(_))));
    bench.pass(SECOND);
    assert_eq!(deadlines(), (None, None), "nothing more can come before the guest looks");
    bench.cmos(0xc);
    bench.set_cmos(0xb, H24);
    assert_eq!(deadlines(), (None, None));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut bench = IsaBench::new();
    for (set, text) in [
        (
            &[("lost_tick_policy", "x")][..],
            "Parameter 'lost_tick_policy' does not accept value 'x'",
        ),
        (&[("x-clock", "sun")], "Parameter 'x-clock' does not accept value 'sun'"),
        (&[("base_year", "10000")], "Parameter 'base_year' expects a year up to 9999"),
        (
            &[("x-offset", "9223372036854775807")],
            "Parameter 'x-offset' expects seconds within 10000 years",
        ),
        (&[("irq", "24")], "there is no interrupt line 24"),
        (&[("iobase", "0xffff")], "I/O ports 0xffff of 'rtc' do not exist"),
    ] {
        assert_eq!(bench.refusal("mc146818rtc", set), text);
    }
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = IsaBench::new();
    let class = bench.class("mc146818rtc");
    assert_eq!(bench.fail_everywhere(class, &[]), 2);
}

#[test]
fn no_access_breaks_anything_and_reset_makes_all_but_the_battery_fresh() {
    let mut bench = rtc_with(&[("lost_tick_policy", "slew")]);
    bench.assert_reset_is_fresh(&[(0x70, 2)], |bench| {
        let selected_is_fresh = bench.inb(0x71) == bench.cmos(0);
        let control = [0xa, 0xb, 0xc, 0xd].map(|index| bench.cmos(index) & 0x7f);
        let rest = (selected_is_fresh, bench.irq8(), control);
        bench.outb(0x70, 0);
        rest
    });
}
