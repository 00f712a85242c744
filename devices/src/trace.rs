//! Trace points: places in the program that write a line to the log while they are switched on,
//! and rate-limited lines about what the guest does wrong.
//!
//! A point that is off costs one relaxed load. The points of this crate are in [`points`]; the
//! program adds its own at its start ([`register`]). Names are QEMU's where it has such a point.
//! Lines go to the logger with the target [`TRACE`], whatever its level; nothing is written while
//! there is no logger.
//!
//! Points are hit and switched from any thread; there are no locks.

mod limit;

use std::fmt::Arguments;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

pub use limit::{Pass, RateLimit};

/// The target of trace lines.
pub const TRACE: &str = "trace";
/// The target of lines about what the guest does wrong; see [`limited!`](crate::limited).
pub const GUEST_ERRORS: &str = "guest_errors";
/// The target of lines about what is not modelled; see [`limited!`](crate::limited).
pub const UNIMPLEMENTED: &str = "unimp";
/// The target of the CPUs' registers at a reset.
pub const CPU_RESET: &str = "cpu_reset";

/// A trace point. It is off at first.
#[derive(Debug)]
pub struct Point {
    name: &'static str,
    on: AtomicBool,
}

impl Point {
    /// A point; its name should be unique.
    pub const fn new(name: &'static str) -> Self {
        Self { name, on: AtomicBool::new(false) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it writes.
    #[inline]
    pub fn enabled(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Switches it on or off.
    pub fn set(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// Writes `NAME text`, switched on or not; [`trace!`](crate::trace!) asks first.
    #[cold]
    pub fn emit(&self, text: Arguments<'_>) {
        send(TRACE, log::Level::Trace, format_args!("{} {text}", self.name));
    }
}

/// Passes a line to the logger, which decides by the target.
fn send(target: &str, level: log::Level, text: Arguments<'_>) {
    log::logger().log(&log::Record::builder().target(target).level(level).args(text).build());
}

/// Writes a line at a trace point while that is on; the arguments are evaluated only then.
///
/// `trace!(points::SERIAL_READ, "read addr {offset:#04x} val {value:#04x}")`
#[macro_export]
macro_rules! trace {
    ($point:expr, $($text:tt)+) => {
        if $point.enabled() {
            $point.emit(::core::format_args!($($text)+));
        }
    };
}

/// Declares trace points and the table of them:
///
/// `points! { POINTS: RUNSTATE_SET = "runstate_set", "the run state changes"; }`
#[macro_export]
macro_rules! points {
    ($table:ident: $($point:ident = $name:literal, $text:literal;)+) => {
        $(
            #[doc = $text]
            pub static $point: $crate::trace::Point = $crate::trace::Point::new($name);
        )+
        /// All of them.
        pub static $table: &[&$crate::trace::Point] = &[$(&$point),+];
    };
}

/// The trace points of this crate.
pub mod points {
    crate::points! {
        POINTS:
        FLATVIEW_NEW = "flatview_new", "An address space has a new map.";
        MEMORY_REGION_OPS_READ = "memory_region_ops_read", "A register or an I/O port is read.";
        MEMORY_REGION_OPS_WRITE = "memory_region_ops_write", "A register or an I/O port is written.";
        PCI_CFG_READ = "pci_cfg_read", "Configuration space of a PCI function is read.";
        PCI_CFG_WRITE = "pci_cfg_write", "Configuration space of a PCI function is written.";
        ACPI_PM_READ = "acpi_pm_read", "A power management register is read.";
        ACPI_PM_WRITE = "acpi_pm_write", "A power management register is written.";
        SERIAL_READ = "serial_read", "A register of a serial port is read.";
        SERIAL_WRITE = "serial_write", "A register of a serial port is written.";
        FW_CFG_SELECT = "fw_cfg_select", "An item of firmware configuration is selected.";
        PCKBD_READ_DATA = "pckbd_kbd_read_data", "The keyboard controller's data port is read.";
        PCKBD_WRITE_DATA = "pckbd_kbd_write_data", "The keyboard controller's data port is written.";
        PCKBD_READ_STATUS = "pckbd_kbd_read_status", "The keyboard controller's status is read.";
        PCKBD_WRITE_COMMAND = "pckbd_kbd_write_command", "The keyboard controller gets a command.";
        RTC_READ = "rtc_read", "A register of the real-time clock is read.";
        RTC_WRITE = "rtc_write", "A register of the real-time clock is written.";
        GSI_INTERRUPT = "x86_gsi_interrupt", "An interrupt line goes high or low.";
    }
}

/// The points of the program.
static MORE: OnceLock<&'static [&'static Point]> = OnceLock::new();

/// Adds the points of the program, which follow those of this crate in every list. Only the first
/// call has an effect.
pub fn register(points: &'static [&'static Point]) {
    let _ = MORE.set(points);
}

/// All trace points.
pub fn all() -> impl Iterator<Item = &'static Point> {
    points::POINTS.iter().chain(MORE.get().copied().unwrap_or_default()).copied()
}

/// The points that match `pattern`, with whether each is on. A pattern has a `*` for any text and
/// may then have `?` for any character; without a `*` it is a name.
///
/// # Errors
/// There is no point of that name.
pub fn get(pattern: &str) -> Result<Vec<(&'static str, bool)>> {
    Ok(select(pattern)?.map(|point| (point.name, point.enabled())).collect())
}

/// Switches the points that match `pattern` on or off; see [`get`].
///
/// # Errors
/// There is no point of that name.
pub fn set(pattern: &str, on: bool) -> Result<()> {
    select(pattern)?.for_each(|point| point.set(on));
    Ok(())
}

/// What a request about `pattern` for a single CPU comes to: no point can be switched so, hence a
/// pattern selects nothing.
///
/// # Errors
/// There is no point of that name, or there is one but not for a single CPU.
pub fn refuse_single_cpu(pattern: &str) -> Result<()> {
    if is_pattern(pattern) {
        return Ok(());
    }
    get(pattern)?;
    Err(Error::message(format!("event \"{pattern}\" is not vCPU-specific")))
}

fn select(pattern: &str) -> Result<impl Iterator<Item = &'static Point>> {
    if !is_pattern(pattern) && all().all(|point| point.name != pattern) {
        return Err(Error::message(format!("unknown event \"{pattern}\"")));
    }
    let is_pattern = is_pattern(pattern);
    Ok(all().filter(
        move |point| {
            if is_pattern { matches(pattern, point.name) } else { point.name == pattern }
        },
    ))
}

fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Whether all of `name` fits `pattern`. Takes at most the product of the lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: with the `*` taking one byte more.
    let mut retry = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((after, taken)) = retry else { return false };
                retry = Some((after, taken + 1));
                (p, n) = (after, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests;
