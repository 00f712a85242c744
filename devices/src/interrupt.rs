//! Interrupt lines, from a device's pin to whatever controller the machine has.
//!
//! A line is shared by any number of sources and is high while one of them is (wired OR), as PCI
//! and level-triggered ISA interrupts are. One small lock per line orders the changes that reach
//! the controller; it is held while the controller is told, and nothing else is locked below it.

use crate::lock::{Mutex, Rank};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::trace;
use crate::trace::points::GSI_INTERRUPT;

/// A set of interrupt controllers that accepts level changes of global system interrupts.
pub trait InterruptSink: Send + Sync {
    /// The line `gsi` (0 to 23 on `pc`) is now high or low. Called from any thread; must not block.
    fn set(&self, gsi: u32, high: bool);
}

/// All interrupt lines of a machine in front of its controllers.
#[derive(Clone)]
pub struct Interrupts {
    lines: Arc<[Line]>,
    sink: Arc<dyn InterruptSink>,
}

/// How many sources hold the line high.
struct Line(Mutex<u32>);

impl Interrupts {
    /// Lines 0 to `count - 1` in front of `sink`.
    pub fn new(count: u32, sink: Arc<dyn InterruptSink>) -> Self {
        Self { lines: (0..count).map(|_| Line(Mutex::new(Rank::Line, 0))).collect(), sink }
    }

    /// A new source on line `gsi`, low at first. Returns `None` if there is no such line.
    pub fn source(&self, gsi: u32) -> Option<IrqLine> {
        self.lines.get(gsi as usize)?;
        let high = AtomicBool::new(false);
        Some(IrqLine(Arc::new(Wire { lines: self.clone(), gsi, high })))
    }

    /// A source goes `high` or low; `current` is how it was.
    fn change(&self, gsi: u32, current: &AtomicBool, high: bool) {
        let mut holders = self.lines[gsi as usize].0.lock();
        // Below the lock: else of two threads with one source the later could count first.
        if current.swap(high, Ordering::Relaxed) == high {
            return;
        }
        let was = *holders > 0;
        *holders = if high { *holders + 1 } else { *holders - 1 };
        let is = *holders > 0;
        if was != is {
            trace!(GSI_INTERRUPT, "GSI interrupt #{gsi} level:{}", u8::from(is));
            self.sink.set(gsi, is);
        }
    }
}

/// One source of interrupts on a line. Clones are the same source; the last one dropped leaves the
/// line low.
#[derive(Clone)]
pub struct IrqLine(Arc<Wire>);

/// What the clones of a source share.
struct Wire {
    lines: Interrupts,
    gsi: u32,
    /// Changed with the line's lock held only.
    high: AtomicBool,
}

impl IrqLine {
    /// The global system interrupt this source is wired to.
    pub fn gsi(&self) -> u32 {
        self.0.gsi
    }

    /// Drives this source high or low; nothing happens when it already is.
    pub fn set(&self, high: bool) {
        self.0.set(high);
    }

    /// A short pulse: one edge for an edge-triggered input.
    pub fn pulse(&self) {
        self.set(true);
        self.set(false);
    }
}

impl Wire {
    fn set(&self, high: bool) {
        self.lines.change(self.gsi, &self.high, high);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Record(Mutex<Vec<(u32, bool)>>);

    impl InterruptSink for Record {
        fn set(&self, gsi: u32, high: bool) {
            self.0.lock().unwrap().push((gsi, high));
        }
    }

    fn lines() -> (Interrupts, Arc<Record>) {
        let record = Arc::new(Record(Mutex::default()));
        (Interrupts::new(24, record.clone()), record)
    }

    #[test]
    fn a_shared_line_is_high_while_any_source_is() {
        let (lines, record) = lines();
        let (a, b) = (lines.source(9).unwrap(), lines.source(9).unwrap());
        a.set(true);
        b.set(true);
        a.set(false);
        b.set(false);
        assert_eq!(*record.0.lock().unwrap(), [(9, true), (9, false)]);
    }

    #[test]
    fn repeated_levels_do_not_count_twice() {
        let (lines, record) = lines();
        let a = lines.source(4).unwrap();
        a.set(true);
        a.set(true);
        a.set(false);
        assert_eq!(*record.0.lock().unwrap(), [(4, true), (4, false)]);
    }

    #[test]
    fn a_dropped_source_lets_go() {
        let (lines, record) = lines();
        let a = lines.source(4).unwrap();
        let same = a.clone();
        a.set(true);
        drop(a);
        assert_eq!(record.0.lock().unwrap().len(), 1);
        drop(same);
        assert_eq!(*record.0.lock().unwrap(), [(4, true), (4, false)]);
    }

    #[test]
    fn threads_with_one_source_keep_the_count() {
        let (lines, record) = lines();
        let (a, other) = (lines.source(9).unwrap(), lines.source(9).unwrap());
        other.set(true);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50_000).for_each(|_| a.pulse()));
            }
        });
        a.set(false);
        assert_eq!(*record.0.lock().unwrap(), [(9, true)], "held by the other source");
        other.set(false);
        assert_eq!(record.0.lock().unwrap().last(), Some(&(9, false)));
    }

    #[test]
    fn there_is_no_line_beyond_the_last() {
        assert!(lines().0.source(24).is_none());
    }
}
