//! Patterns, switching, and what reaches the logger.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::limited;
use crate::memory::{Access, Action, AddressSpace, Mapping, Region, Target};

/// A logger for the whole test binary: keeps what has the targets of this module.
struct Record(Mutex<Vec<(String, String)>>);

static RECORD: Record = Record(Mutex::new(Vec::new()));

impl log::Log for Record {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        [TRACE, GUEST_ERRORS].contains(&metadata.target())
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = (record.target().to_owned(), record.args().to_string());
            self.0.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// The recorded lines that contain `text`; other tests may log at the same time.
fn recorded(text: &str) -> Vec<(String, String)> {
    let lines = RECORD.0.lock().unwrap();
    lines.iter().filter(|(_, line)| line.contains(text)).cloned().collect()
}

fn start_recording() {
    let _ = log::set_logger(&RECORD);
}

#[test]
fn names_are_unique_and_listed_in_order() {
    let mut names: Vec<_> = all().map(Point::name).collect();
    assert_eq!(names[0], "flatview_new");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn patterns_select_and_unknown_names_are_errors() {
    let names =
        |pattern| get(pattern).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("serial_*"), ["serial_read", "serial_write"]);
    assert_eq!(names("serial_r?ad*"), ["serial_read"]);
    assert_eq!(names("p*_cfg_*"), ["pci_cfg_read", "pci_cfg_write"]);
    assert_eq!(names("nothing*"), [""; 0]);
    assert_eq!(names("pci_cfg_read"), ["pci_cfg_read"]);
    // As QEMU, which takes only what has a `*` for a pattern.
    for name in ["nothing", "", "?", "Serial_read", "serial_re?d"] {
        let text = format!("unknown event \"{name}\"");
        assert_eq!(get(name).unwrap_err().to_string(), text);
        assert_eq!(set(name, true).unwrap_err().to_string(), text);
    }
}

#[test]
fn single_cpus_have_no_points() {
    assert!(refuse_single_cpu("serial_*").is_ok());
    let text = |name| refuse_single_cpu(name).unwrap_err().to_string();
    assert_eq!(text("serial_read"), "event \"serial_read\" is not vCPU-specific");
    assert_eq!(text("nothing"), "unknown event \"nothing\"");
}

struct Answer;

impl Region for Answer {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        0x5a
    }

    fn write(&self, _offset: u64, _size: usize, _value: u64) -> Action {
        Action::None
    }
}

#[test]
fn a_point_writes_while_it_is_on() {
    start_recording();
    let space = AddressSpace::new("trace test", 0xff);
    let mapping = Mapping {
        name: "answer".into(),
        base: Some(0xabc0),
        size: 4,
        offset: 0,
        priority: 0,
        access: Access::ReadWrite,
        target: Target::Io(std::sync::Arc::new(Answer)),
    };
    let _mapped = space.add(mapping).unwrap();
    space.read(0xabc0, &mut [0]);
    set("memory_region_ops_*", true).unwrap();
    assert_eq!(get("memory_region_ops_read").unwrap(), [("memory_region_ops_read", true)]);
    space.read(0xabc1, &mut [0]);
    space.write(0xabc2, &[1, 2], |_| {});
    set("memory_region_ops_*", false).unwrap();
    space.read(0xabc3, &mut [0]);
    let line = |text: &str| (TRACE.to_owned(), format!("memory_region_ops_{text}"));
    assert_eq!(
        recorded("'trace test'"),
        [
            line("read addr 0xabc1 value 0x5a size 1 name 'trace test'"),
            line("write addr 0xabc2 value 0x201 size 2 name 'trace test'"),
        ]
    );
}

#[test]
fn accesses_that_lead_nowhere_are_guest_errors() {
    start_recording();
    let space = AddressSpace::new("empty test", 0xff);
    // Other tests share the limit, and may have used it up for a second.
    let line_after = |access: &dyn Fn(), text: &str| {
        (0..100).any(|_| {
            access();
            let found = recorded("'empty test'").iter().any(|(_, line)| line == text);
            if !found {
                std::thread::sleep(Duration::from_millis(100));
            }
            found
        })
    };
    assert!(line_after(
        &|| space.read(0xabc0, &mut [0; 4]),
        "Invalid read at addr 0xabc0, size 4, region 'empty test'"
    ));
    assert!(line_after(
        &|| space.write(0xabc2, &[1], |_| {}),
        "Invalid write at addr 0xabc2, size 1, region 'empty test'"
    ));
}

#[test]
fn arguments_are_evaluated_only_while_on() {
    start_recording();
    static POINT: Point = Point::new("lazy_test");
    let count = std::cell::Cell::new(0);
    let next = || {
        count.set(count.get() + 1);
        count.get()
    };
    trace!(POINT, "{}", next());
    assert_eq!(count.get(), 0);
    POINT.set(true);
    trace!(POINT, "{}", next());
    assert_eq!(recorded("lazy_test"), [(TRACE.to_owned(), "lazy_test 1".to_owned())]);
}

#[test]
fn ten_lines_a_second_then_their_number() {
    let (limit, start) = (RateLimit::new(), Instant::now());
    for _ in 0..10 {
        assert_eq!(limit.pass(start), Pass::Yes { suppressed: 0 });
    }
    for milliseconds in [0, 500, 999] {
        assert_eq!(limit.pass(start + Duration::from_millis(milliseconds)), Pass::No);
    }
    let later = start + Duration::from_secs(1);
    assert_eq!(limit.pass(later), Pass::Yes { suppressed: 3 });
    for _ in 1..10 {
        assert_eq!(limit.pass(later), Pass::Yes { suppressed: 0 });
    }
    assert_eq!(limit.pass(later), Pass::No);
    // A time before the current second is taken as within it.
    assert_eq!(limit.pass(start), Pass::No);
}

#[test]
fn each_place_has_its_own_limit() {
    start_recording();
    let mistake = |n: u32| limited!(GUEST_ERRORS, "limit test {n} of one");
    limited!(GUEST_ERRORS, "limit test 0 of another");
    (0..10).for_each(mistake);
    limited!(UNIMPLEMENTED, "limit test that nobody asked for");
    let lines = recorded("limit test");
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[10], (GUEST_ERRORS.to_owned(), "limit test 9 of one".to_owned()));
}

/// What a pattern means, word for word.
fn model(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((b'*', after)), rest) => {
            model(after, name) || rest.is_some_and(|(_, rest)| model(pattern, rest))
        }
        (Some((byte, after)), Some((first, rest))) => {
            (*byte == b'?' || byte == first) && model(after, rest)
        }
        (Some(_), None) => false,
    }
}

proptest! {
    #[test]
    fn patterns_match_as_they_read(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
        prop_assert_eq!(matches(&pattern, &name), model(pattern.as_bytes(), name.as_bytes()));
    }
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    assert!(!matches(&"*a".repeat(2000), &format!("{}b", "a".repeat(2000))));
}
