//! Events and their rate limits: of some names at most one a second reaches the clients, for each device.

use crate::json::{Layout, Printer};
use qapi::{Dict, Value};
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An event with the time it happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    name: String,
    data: Option<Dict>,
    /// Since 1970.
    time: Duration,
}

impl Event {
    pub(crate) fn now(name: &str, data: Option<Dict>) -> Event {
        Event {
            name: name.to_owned(),
            data,
            time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    pub(crate) fn print(&self, out: &mut Vec<u8>, layout: Layout) {
        let mut printer = Printer::new(out, layout);
        printer.open(b'{');
        printer.key("timestamp");
        printer.open(b'{');
        printer.key("seconds");
        printer.integer(self.time.as_secs());
        printer.key("microseconds");
        printer.integer(self.time.subsec_micros());
        printer.close(b'}');
        printer.key("event");
        printer.string(&self.name);
        if let Some(data) = &self.data {
            printer.key("data");
            printer.dict(data);
        }
        printer.close(b'}');
        out.extend_from_slice(b"\r\n");
    }

    /// What shares a limit with this event; `None` if it is not limited.
    fn key(&self) -> Option<Key> {
        let member = match self.name.as_str() {
            "RTC_CHANGE" | "WATCHDOG" | "BALLOON_CHANGE" | "QUORUM_FAILURE"
            | "QUORUM_REPORT_BAD" => "",
            "VSERPORT_CHANGE" => "id",
            "MEMORY_DEVICE_SIZE_CHANGE" => "qom-path",
            _ => return None,
        };
        let which = self.data.as_ref().and_then(|data| data.get(member));
        let which = which.and_then(Value::as_str).unwrap_or_default();
        Some((self.name.clone(), which.to_owned()))
    }
}

/// An event's name, and which device or object it is about where that counts.
type Key = (String, String);

/// The time after an event during which those like it wait.
#[derive(Debug)]
struct Pause {
    until: Instant,
    /// The last event that came meanwhile.
    waiting: Option<Event>,
}

/// The rate limits. Times are given by the caller.
#[derive(Debug)]
pub(crate) struct Limiter {
    interval: Duration,
    pauses: HashMap<Key, Pause>,
}

impl Limiter {
    pub(crate) fn new(interval: Duration) -> Limiter {
        Limiter { interval, pauses: HashMap::new() }
    }

    /// Returns the event if it may go out now, otherwise keeps it in the place of an earlier one.
    pub(crate) fn offer(&mut self, event: Event, now: Instant) -> Option<Event> {
        let Some(key) = event.key() else {
            return Some(event);
        };
        match self.pauses.get_mut(&key) {
            Some(pause) if pause.until > now || pause.waiting.is_some() => {
                pause.waiting = Some(event);
                None
            }
            _ => {
                let until = now + self.interval;
                self.pauses.insert(key, Pause { until, waiting: None });
                Some(event)
            }
        }
    }

    /// The events whose wait is over, oldest first; each starts the next pause.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Event> {
        if self.pauses.is_empty() {
            return Vec::new();
        }
        let mut due = Vec::new();
        let next = now + self.interval;
        self.pauses.retain(|_, pause| {
            if pause.until > now {
                return true;
            }
            let waiting = pause.waiting.take();
            pause.until = next;
            let again = waiting.is_some();
            due.extend(waiting);
            again
        });
        due.sort_by_key(|event| event.time);
        due
    }

    /// When [`Limiter::due`] has something to do.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.pauses.values().map(|pause| pause.until).min()
    }

    /// Everything that waits, oldest first, without further delay.
    pub(crate) fn flush(&mut self) -> Vec<Event> {
        let mut waiting: Vec<_> =
            self.pauses.drain().filter_map(|(_, pause)| pause.waiting).collect();
        waiting.sort_by_key(|event| event.time);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, member: &str, value: &str, number: i64) -> Event {
        let data = Dict::from_iter([(member, Value::from(value)), ("n", Value::from(number))]);
        Event::now(name, Some(data))
    }

    #[test]
    fn the_last_of_a_burst_is_delayed_not_lost() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut limiter = Limiter::new(second);
        let burst: Vec<_> = (0..3).map(|n| event("RTC_CHANGE", "offset", "", n)).collect();
        assert_eq!(limiter.offer(burst[0].clone(), start), Some(burst[0].clone()));
        assert_eq!(limiter.offer(burst[1].clone(), start), None);
        assert_eq!(limiter.offer(burst[2].clone(), start + second / 2), None);
        assert_eq!(limiter.next(), Some(start + second));
        assert_eq!(limiter.due(start + second / 2), []);
        assert_eq!(limiter.due(start + second), [burst[2].clone()]);
        // The delayed one starts a pause of its own.
        assert_eq!(limiter.offer(burst[0].clone(), start + second * 3 / 2), None);
        assert_eq!(limiter.due(start + second * 2), [burst[0].clone()]);
        assert_eq!(limiter.due(start + second * 3), []);
        assert_eq!(limiter.next(), None);
        assert!(limiter.offer(burst[1].clone(), start + second * 3).is_some());
    }

    #[test]
    fn limits_are_for_each_device_and_some_names() {
        let now = Instant::now();
        let mut limiter = Limiter::new(Duration::from_secs(1));
        for port in ["a", "b"] {
            assert!(limiter.offer(event("VSERPORT_CHANGE", "id", port, 0), now).is_some());
            assert!(limiter.offer(event("VSERPORT_CHANGE", "id", port, 1), now).is_none());
        }
        let path = event("MEMORY_DEVICE_SIZE_CHANGE", "qom-path", "/x", 0);
        assert!(limiter.offer(path.clone(), now).is_some());
        assert!(limiter.offer(path, now).is_none());
        for _ in 0..3 {
            assert!(limiter.offer(event("STOP", "id", "a", 0), now).is_some());
        }
        assert_eq!(limiter.flush().len(), 3);
        assert_eq!(limiter.next(), None);
    }

    #[test]
    fn an_event_without_data_has_no_such_member() {
        let mut out = Vec::new();
        let mut event = Event::now("STOP", None);
        event.time = Duration::from_micros(5_000_007);
        event.print(&mut out, Layout::Compact);
        let shown = r#"{"timestamp": {"seconds": 5, "microseconds": 7}, "event": "STOP"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{shown}\r\n"));
    }
}
