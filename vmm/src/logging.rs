//! The program's log: messages for its user, and what `-d` and `-trace` ask for.
//!
//! - Errors, warnings and information go to standard error, as `vmm: text`, `vmm: warning: text`
//!   and `vmm: info: text`, with the time and the guest's name before them if `-msg` says so. A
//!   program in the background also writes them to the file of `-D`, as its standard error leads
//!   nowhere.
//! - Lines with the target of an item of `-d` (`guest_errors`, `unimp`, `cpu_reset`) go as they are
//!   to the file of `-D`, or to standard error.
//! - Lines of trace points go to the file of `-trace file=`, or where the items of `-d` go; with
//!   `-msg timestamp=on` after the thread and the time.
//!
//! Everything else below information is dropped. Any thread logs and none waits for it: each file and
//! standard error have a [`Sink`] with a queue and a thread that writes.

mod sink;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use devices::trace;
use log::{Level, LevelFilter, Metadata, Record};

use self::sink::Sink;
use crate::options::{Error, Location, LogItem, MsgOptions, Options, TraceOptions};

/// The trace points of this crate.
pub(crate) mod points {
    devices::points! {
        POINTS:
        RUNSTATE_SET = "runstate_set", "The machine's run state changes.";
        HANDLE_QMP_COMMAND = "handle_qmp_command", "A client gives a command.";
        MONITOR_QMP_RESPOND = "monitor_qmp_respond", "A command is answered.";
    }
}

/// The largest file of `-trace events=`, in bytes.
const MAX_EVENTS: u64 = 1 << 20;

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Starts logging as the command line asks, and switches on its trace points. Called once, in the
/// process that goes on; what is logged earlier is lost.
///
/// # Errors
/// A log file cannot be opened, or a list of trace points not be read.
pub(crate) fn start(options: &Options) -> Result<(), Error> {
    register_points();
    let logger = Logger::new(options)?;
    let level = if options.log.items.is_empty() { LevelFilter::Info } else { LevelFilter::Debug };
    let logger = LOGGER.get_or_init(|| logger);
    // There is no other logger in this program.
    let _ = log::set_logger(logger);
    log::set_max_level(level);
    switch_points(&options.trace, &mut report)
}

/// Makes the trace points of this crate known, for lists of them before [`start`].
pub(crate) fn register_points() {
    trace::register(points::POINTS);
}

/// Writes a line that is complete with `vmm: ` where messages go.
pub(crate) fn report(line: &str) {
    match LOGGER.get() {
        Some(logger) => logger.message(line),
        // There is nobody to tell that it cannot be written.
        None => drop(writeln!(io::stderr(), "{line}")),
    }
}

/// Waits until what was logged is written, but not for somebody who does not read.
pub(crate) fn flush() {
    if let Some(logger) = LOGGER.get() {
        log::Log::flush(logger);
    }
}

/// How long it may take to write the last lines.
const FAREWELL: Duration = Duration::from_secs(1);

struct Logger {
    msg: MsgOptions,
    guest: Option<String>,
    items: Vec<LogItem>,
    stderr: Sink,
    file: Option<Arc<Sink>>,
    traces: Option<Arc<Sink>>,
    /// Messages go to the file too.
    background: bool,
}

impl Logger {
    fn new(options: &Options) -> Result<Self, Error> {
        let path = options.log.file.as_ref().map(|path| path.value.as_str());
        let traces = options.trace.iter().filter_map(|option| option.file.as_deref()).next_back();
        let file = path.map(open).transpose()?;
        let traces = match traces {
            // Lines keep their order.
            Some(traces) if path == Some(traces) => file.clone(),
            traces => traces.map(open).transpose()?,
        };
        Ok(Self {
            msg: options.msg,
            guest: options.name.guest.clone(),
            items: options.log.items.clone(),
            stderr: Sink::new(io::stderr()).map_err(|error| Error::new(error.to_string()))?,
            file,
            traces,
            background: options.daemonize,
        })
    }

    /// Writes a message after its prefix.
    fn message(&self, line: &str) {
        let line = format!("{}{line}", self.prefix(now()));
        self.stderr.add(&line);
        if let Some(file) = self.file.as_ref().filter(|_| self.background) {
            file.add(&line);
        }
    }

    /// Writes a line of the log proper.
    fn line(&self, file: Option<&Arc<Sink>>, line: &str) {
        file.map_or(&self.stderr, |file| file).add(line);
    }

    /// What stands before a message at the time `now`.
    fn prefix(&self, now: Duration) -> String {
        let mut prefix = String::new();
        if self.msg.timestamp {
            prefix.push_str(&iso8601(now));
            prefix.push(' ');
        }
        if let Some(guest) = self.guest.as_ref().filter(|_| self.msg.guest_name) {
            // Writing to a string cannot fail.
            let _ = write!(prefix, "{guest} ");
        }
        prefix
    }

    fn trace_prefix(&self, thread: i32, now: Duration) -> String {
        if !self.msg.timestamp {
            return String::new();
        }
        format!("{thread}@{}.{:06}:", now.as_secs(), now.subsec_micros())
    }

    fn wants(&self, item: LogItem) -> bool {
        self.items.contains(&item)
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            trace::TRACE => true,
            trace::GUEST_ERRORS => self.wants(LogItem::GuestErrors),
            trace::UNIMPLEMENTED => self.wants(LogItem::Unimplemented),
            trace::CPU_RESET => self.wants(LogItem::CpuReset),
            _ => metadata.level() <= Level::Info,
        }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args();
        match (record.target(), record.level()) {
            (trace::TRACE, _) => {
                let thread = rustix::thread::gettid().as_raw_nonzero().get();
                let line = format!("{}{text}", self.trace_prefix(thread, now()));
                self.line(self.traces.as_ref().or(self.file.as_ref()), &line);
            }
            (trace::GUEST_ERRORS | trace::UNIMPLEMENTED | trace::CPU_RESET, _) => {
                self.line(self.file.as_ref(), &text.to_string());
            }
            (_, Level::Error) => self.message(&format!("vmm: {text}")),
            (_, Level::Warn) => self.message(&format!("vmm: warning: {text}")),
            _ => self.message(&format!("vmm: info: {text}")),
        }
    }

    fn flush(&self) {
        let sinks = [Some(&self.stderr), self.file.as_deref(), self.traces.as_deref()];
        sinks.into_iter().flatten().for_each(|sink| sink.flush(FAREWELL));
    }
}

/// Opens a log file anew; a `%d` in its path stands for the process's number. Each line is appended,
/// so that a file may be given twice, or be emptied meanwhile.
fn open(path: &str) -> Result<Arc<Sink>, Error> {
    let path = path.replacen("%d", &std::process::id().to_string(), 1);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).custom_flags(libc::O_APPEND);
    let sink = options.open(&path).and_then(Sink::new);
    let fail = |error| Error::new(format!("Error opening logfile {path}: {}", reason(&error)));
    sink.map(Arc::new).map_err(fail)
}

/// Does what each `-trace` says: first the pattern, then the file with patterns. A name that no
/// point has is a warning.
fn switch_points(options: &[TraceOptions], warn: &mut dyn FnMut(&str)) -> Result<(), Error> {
    for option in options {
        if let Some(pattern) = &option.enable {
            switch(pattern, &option.location, warn);
        }
        if let Some(path) = &option.events {
            let text = read_events(path).map_err(|error| {
                option.location.error(format!("cannot read {path}: {}", reason(&error)))
            })?;
            for (index, line) in text.lines().enumerate() {
                let line = line.trim_end();
                if !line.is_empty() && !line.starts_with('#') {
                    switch(line, &Location::File { path: path.clone(), line: index + 1 }, warn);
                }
            }
        }
    }
    Ok(())
}

/// Switches on what matches a pattern, or off if it has a leading `-`.
fn switch(pattern: &str, location: &Location, warn: &mut dyn FnMut(&str)) {
    let (name, on) = match pattern.strip_prefix('-') {
        Some(name) => (name, false),
        None => (pattern, true),
    };
    if trace::set(name, on).is_err() {
        warn(&location.warning(format_args!("trace event '{name}' does not exist")));
    }
}

fn read_events(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let size = File::open(path)?.take(MAX_EVENTS + 1).read_to_string(&mut text)?;
    if size as u64 > MAX_EVENTS {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// The system's words without their number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The time since 1970; a clock set earlier counts as 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time since 1970 as ISO 8601 writes it, in UTC with microseconds.
fn iso8601(time: Duration) -> String {
    let (days, second) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = time.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of the Gregorian calendar, so many days after 1 January 1970. The year is
/// taken to begin on 1 March, so that a leap day is its last one, and calendars repeat after 400.
fn date(days: u64) -> (u64, u64, u64) {
    /// Days of 400 years, and from 1 March 0000 to 1 January 1970.
    const ERA: u64 = 146_097;
    const EPOCH: u64 = 719_468;
    let days = days.saturating_add(EPOCH);
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let (month, day) = ((shifted + 2) % 12 + 1, day - (153 * shifted + 2) / 5 + 1);
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
