//! What goes where, and in which form.

use std::fs;
use std::path::Path;

use log::Log;

use super::*;
use crate::options::Located;

fn options(directory: &Path) -> Options {
    let path = directory.join("log").to_str().unwrap().to_owned();
    let mut options = Options::default();
    options.log.file = Some(Located { value: path, location: Location::Nowhere });
    options
}

fn log(logger: &Logger, target: &str, level: Level, text: &str) {
    logger.log(&Record::builder().target(target).level(level).args(format_args!("{text}")).build());
    for sink in [&logger.file, &logger.traces].into_iter().flatten() {
        sink.flush(Duration::from_secs(60));
    }
}

#[test]
fn only_the_items_asked_for_are_logged() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    options.log.items = vec![LogItem::GuestErrors, LogItem::CpuReset];
    fs::write(directory.path().join("log"), "of an earlier run\n").unwrap();
    let logger = Logger::new(&options).unwrap();
    log(&logger, trace::GUEST_ERRORS, Level::Debug, "bad bits");
    log(&logger, trace::UNIMPLEMENTED, Level::Debug, "no such thing");
    log(&logger, trace::CPU_RESET, Level::Debug, "CPU Reset (CPU 0)\nEAX=00000000");
    log(&logger, "devices::memory", Level::Debug, "detail");
    log(&logger, "devices::memory", Level::Error, "for standard error");
    log(&logger, trace::TRACE, Level::Trace, "point text");
    assert_eq!(
        fs::read_to_string(directory.path().join("log")).unwrap(),
        "bad bits\nCPU Reset (CPU 0)\nEAX=00000000\npoint text\n"
    );
}

#[test]
fn traces_may_have_a_file_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    options.log.items = vec![LogItem::Unimplemented];
    for name in ["unused", "trace-%d"] {
        let file = Some(directory.path().join(name).to_str().unwrap().to_owned());
        options.trace.push(TraceOptions { file, ..TraceOptions::default() });
    }
    let logger = Logger::new(&options).unwrap();
    log(&logger, trace::TRACE, Level::Trace, "point text");
    log(&logger, trace::UNIMPLEMENTED, Level::Debug, "no such thing");
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read(&format!("trace-{}", std::process::id())), "point text\n");
    assert_eq!(read("log"), "no such thing\n");
    assert!(!directory.path().join("unused").exists());
}

#[test]
fn one_file_for_both_keeps_every_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    options.log.items = vec![LogItem::GuestErrors];
    let file = options.log.file.as_ref().map(|file| file.value.clone());
    options.trace.push(TraceOptions { file, ..TraceOptions::default() });
    let logger = Logger::new(&options).unwrap();
    for text in ["1", "2"] {
        log(&logger, trace::TRACE, Level::Trace, text);
        log(&logger, trace::GUEST_ERRORS, Level::Debug, text);
    }
    assert_eq!(fs::read_to_string(directory.path().join("log")).unwrap(), "1\n1\n2\n2\n");
}

#[test]
fn in_the_background_messages_go_to_the_file_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    options.daemonize = true;
    let logger = Logger::new(&options).unwrap();
    log(&logger, "vmm", Level::Error, "it broke");
    log(&logger, "vmm", Level::Warn, "it may break");
    log(&logger, "vmm", Level::Info, "it works");
    assert_eq!(
        fs::read_to_string(directory.path().join("log")).unwrap(),
        "vmm: it broke\nvmm: warning: it may break\nvmm: info: it works\n"
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let mut options = options(Path::new("/nonexistent"));
    let text = |options: &Options| Logger::new(options).err().unwrap().to_string();
    let expected = "vmm: Error opening logfile /nonexistent/log: No such file or directory";
    assert_eq!(text(&options), expected);
    options.trace.push(TraceOptions {
        file: options.log.file.take().map(|file| file.value),
        ..TraceOptions::default()
    });
    assert_eq!(text(&options), expected);
}

#[test]
fn prefixes() {
    let mut options = Options::default();
    options.name.guest = Some("a b".into());
    let now = Duration::new(1_795_173_983, 443_380_999);
    let prefixes = |options: &Options| {
        let logger = Logger::new(options).unwrap();
        (logger.prefix(now), logger.trace_prefix(77, now))
    };
    assert_eq!(prefixes(&options), (String::new(), String::new()));
    options.msg.guest_name = true;
    assert_eq!(prefixes(&options), ("a b ".into(), String::new()));
    options.msg.timestamp = true;
    let expected = ("2026-11-20T11:26:23.443380Z a b ", "77@1795173983.443380:");
    assert_eq!(prefixes(&options), (expected.0.into(), expected.1.into()));
    options.name.guest = None;
    assert_eq!(prefixes(&options).0, "2026-11-20T11:26:23.443380Z ");
}

/// As `date -u -d @SECONDS` shows them.
#[test]
fn dates() {
    for (seconds, expected) in [
        (0, "1970-01-01T00:00:00.000000Z"),
        (68_169_599, "1972-02-28T23:59:59.000000Z"),
        (68_169_600, "1972-02-29T00:00:00.000000Z"),
        (68_256_000, "1972-03-01T00:00:00.000000Z"),
        (951_782_400, "2000-02-29T00:00:00.000000Z"),
        (978_307_199, "2000-12-31T23:59:59.000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
    ] {
        assert_eq!(iso8601(Duration::from_secs(seconds)), expected);
    }
    assert!(!iso8601(Duration::MAX).is_empty());
}

fn on(name: &str) -> bool {
    trace::get(name).unwrap()[0].1
}

#[test]
fn points_are_switched_by_pattern_then_by_file() {
    register_points();
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events").to_str().unwrap().to_owned();
    fs::write(&events, "# of mine\n\nhandle_qmp_*\r\nbogus\n-runstate_set\n-bogus_too\nno*such")
        .unwrap();
    let location = Location::Option { name: "-trace".into(), argument: Some("x".into()) };
    let option = |enable: Option<&str>, events: Option<&str>| TraceOptions {
        enable: enable.map(str::to_owned),
        events: events.map(str::to_owned),
        file: None,
        location: location.clone(),
    };
    let mut warnings = Vec::new();
    let mut warn = |line: &str| warnings.push(line.to_owned());
    switch_points(&[option(Some("runstate_*"), None), option(Some("nosuch"), None)], &mut warn)
        .unwrap();
    assert!(on("runstate_set"));
    switch_points(&[option(Some("-handle_qmp_command"), Some(&events))], &mut warn).unwrap();
    assert!(on("handle_qmp_command"));
    assert!(!on("runstate_set"));
    switch_points(&[option(Some("-handle_qmp_command"), None)], &mut warn).unwrap();
    assert!(!on("handle_qmp_command"));
    assert_eq!(
        warnings,
        [
            "vmm: -trace x: warning: trace event 'nosuch' does not exist".to_owned(),
            format!("vmm:{events}:4: warning: trace event 'bogus' does not exist"),
            format!("vmm:{events}:6: warning: trace event 'bogus_too' does not exist"),
        ]
    );
    let error = switch_points(&[option(None, Some("/nonexistent"))], &mut |_| {}).unwrap_err();
    let expected = "vmm: -trace x: cannot read /nonexistent: No such file or directory";
    assert_eq!(error.to_string(), expected);
    fs::write(&events, "a\n".repeat(MAX_EVENTS as usize)).unwrap();
    assert!(switch_points(&[option(None, Some(&events))], &mut |_| {}).is_err());
}
