//! Where lines go: a file or standard error, written by a thread of its own, so that a slow disk or
//! a pipe that nobody reads delays nobody but that thread.
//!
//! Between it and everybody else is a queue with a bound. A line that finds no room is dropped and
//! counted, and the count is written once there is room again.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Bytes that may wait; as many may be on their way.
const LIMIT: usize = 4 << 20;

/// The near end of the queue.
pub(super) struct Sink(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    /// There is something to write.
    filled: Condvar,
    /// Everything is written.
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    writing: bool,
}

impl Sink {
    /// A sink in front of `to`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn new(to: impl AsFd + Send + 'static) -> io::Result<Self> {
        let state = Mutex::default();
        let queue = Arc::new(Queue { state, filled: Condvar::new(), emptied: Condvar::new() });
        let theirs = queue.clone();
        thread::Builder::new().name("log".into()).spawn(move || theirs.write_to(to.as_fd()))?;
        Ok(Self(queue))
    }

    /// Queues a line, given without its end.
    pub(super) fn add(&self, line: &str) {
        let mut state = self.0.state();
        let bytes = state.bytes + line.len() + 1;
        if bytes > LIMIT {
            state.dropped += 1;
            return;
        }
        state.bytes = bytes;
        state.lines.push_back(format!("{line}\n"));
        self.0.filled.notify_one();
    }

    /// Waits until everything is written, but not longer than `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut state = self.0.state();
        while !state.lines.is_empty() || state.writing {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.emptied.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Queue {
    /// A panic hook comes here too: better a half-done change than nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, to: BorrowedFd<'_>) {
        loop {
            let mut state = self.state();
            while state.lines.is_empty() {
                state.writing = false;
                self.emptied.notify_all();
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.writing = true;
            let State { lines, dropped, .. } =
                std::mem::replace(&mut *state, State { writing: true, ..State::default() });
            drop(state);
            lines.iter().for_each(|line| write(to, line.as_bytes()));
            if dropped > 0 {
                write(to, format!("vmm: warning: {dropped} lines dropped\n").as_bytes());
            }
        }
    }
}

/// There is nobody to tell that a line cannot be written.
fn write(to: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            // Whoever shares the descriptor made it non-blocking.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&to, PollFlags::OUT)], None);
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn nobody_waits_for_a_reader_and_drops_are_counted() {
        let (mut reader, writer) = io::pipe().unwrap();
        let sink = Sink::new(writer).unwrap();
        let line = "x".repeat(1 << 16);
        // More than the queue, what is on its way and the pipe hold together.
        let count = 4 * LIMIT / line.len();
        (0..count).for_each(|_| sink.add(&line));
        sink.flush(Duration::ZERO);

        let text = thread::spawn(move || {
            let mut text = String::new();
            let mut buffer = [0; 1 << 16];
            while !text.ends_with("last\n") {
                let got = reader.read(&mut buffer).unwrap();
                text.push_str(std::str::from_utf8(&buffer[..got]).unwrap());
            }
            text
        });
        sink.flush(LONG);
        sink.add("last");
        let text = text.join().unwrap();
        let whole = text.lines().filter(|found| *found == line).count();
        let dropped = count - whole;
        assert!(dropped > 0);
        let note = format!("vmm: warning: {dropped} lines dropped\nlast\n");
        assert!(text.ends_with(&note), "{whole} whole lines");
    }
}
