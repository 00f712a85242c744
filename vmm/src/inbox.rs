//! What control has to do, by priority: run-state requests before everything else, so that a
//! guest's shutdown wins over a queued `cont`.
//!
//! One mutex around two queues; senders never wait. Control sleeps here when there is nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};

use devices::lock::assert_none_held;

/// Messages for one receiver: `R` are requests, which overtake the `W`s.
pub(crate) struct Inbox<R, W> {
    queues: Mutex<(VecDeque<R>, VecDeque<W>)>,
    filled: Condvar,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<R, W> {
    Request(R),
    Work(W),
}

impl<R, W> Inbox<R, W> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { queues: Mutex::default(), filled: Condvar::new() })
    }

    /// Queues a request.
    pub(crate) fn request(&self, request: R) {
        self.queues.lock().expect("inbox lock").0.push_back(request);
        self.filled.notify_one();
    }

    /// Queues a command or the end of some work.
    pub(crate) fn work(&self, work: W) {
        self.queues.lock().expect("inbox lock").1.push_back(work);
        self.filled.notify_one();
    }

    /// The next message; waits for one.
    pub(crate) fn next(&self) -> Message<R, W> {
        assert_none_held();
        let mut queues = self.queues.lock().expect("inbox lock");
        loop {
            if let Some(request) = queues.0.pop_front() {
                return Message::Request(request);
            }
            if let Some(work) = queues.1.pop_front() {
                return Message::Work(work);
            }
            queues = self.filled.wait(queues).expect("inbox lock");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_overtake_work() {
        let inbox = Inbox::new();
        inbox.work("cont");
        inbox.work("query");
        inbox.request("shutdown");
        let order: Vec<_> = (0..3).map(|_| inbox.next()).collect();
        let expected =
            [Message::Request("shutdown"), Message::Work("cont"), Message::Work("query")];
        assert_eq!(order, expected);
    }
}
