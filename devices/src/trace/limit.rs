//! Log lines that a guest can cause, which must not fill the host's disk.

use std::fmt::Arguments;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Lines that one place writes in a row before the others are counted instead.
const BURST: u32 = 10;
/// How long until it may write again.
const PERIOD: Duration = Duration::from_secs(1);

/// Lets through at most 10 lines in a second, and counts the others. One lock of its own, held for
/// the counting only.
#[derive(Debug)]
pub struct RateLimit(Mutex<State>);

#[derive(Debug)]
struct State {
    /// When the current second began, and how many lines it has seen.
    window: Option<(Instant, u32)>,
    suppressed: u64,
}

/// Whether a line may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Yes; so many before it were not.
    Yes {
        /// The lines left out since the last one that was let through.
        suppressed: u64,
    },
    /// No.
    No,
}

impl RateLimit {
    /// A limit that nothing has used yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { window: None, suppressed: 0 }))
    }

    /// Asks for one line at the time `now`.
    pub fn pass(&self, now: Instant) -> Pass {
        let mut state = self.0.lock().expect("rate limit lock");
        let (start, seen) = match state.window {
            Some((start, seen)) if now.saturating_duration_since(start) < PERIOD => (start, seen),
            _ => (now, 0),
        };
        if seen == BURST {
            state.suppressed = state.suppressed.saturating_add(1);
            return Pass::No;
        }
        state.window = Some((start, seen + 1));
        Pass::Yes { suppressed: std::mem::take(&mut state.suppressed) }
    }

    /// Writes a line with `target` as far as the limit allows, after a line that says how many were
    /// left out.
    #[cold]
    pub fn emit(&self, target: &str, text: Arguments<'_>) {
        let level = log::Level::Debug;
        if !log::logger().enabled(&log::Metadata::builder().target(target).level(level).build()) {
            return;
        }
        if let Pass::Yes { suppressed } = self.pass(Instant::now()) {
            if suppressed > 0 {
                super::send(target, level, format_args!("{suppressed} more like this suppressed"));
            }
            super::send(target, level, text);
        }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes a line that a guest can cause at will: at most 10 a second from each place that uses
/// this, then how many were left out once there may be more. The target says which item of `-d`
/// shows it: [`GUEST_ERRORS`](crate::trace::GUEST_ERRORS) or
/// [`UNIMPLEMENTED`](crate::trace::UNIMPLEMENTED).
///
/// `limited!(GUEST_ERRORS, "pvpanic: unknown event bits {bits:#x}")`
#[macro_export]
macro_rules! limited {
    ($target:expr, $($text:tt)+) => {{
        static LIMIT: $crate::trace::RateLimit = $crate::trace::RateLimit::new();
        LIMIT.emit($target, ::core::format_args!($($text)+));
    }};
}
