//! The alarm: a time of day in which any of hour, minute and second may be left open.

use super::date::DAY;

/// What one byte of the alarm asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// Any value (the two highest bits are set).
    Any,
    /// This value.
    Only(u8),
}

impl Match {
    fn fits(self, value: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Only(wanted) => value == i64::from(wanted),
        }
    }
}

/// An alarm as the registers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm {
    pub(super) hour: Match,
    pub(super) minute: Match,
    pub(super) second: Match,
}

impl Alarm {
    /// The first second after `after` at which it goes off; `None` if it never does.
    pub(super) fn next(self, after: i64) -> Option<i64> {
        let today = after.div_euclid(DAY) * DAY;
        [today, today + DAY].into_iter().find_map(|day| self.next_on(day, after))
    }

    fn next_on(self, day: i64, after: i64) -> Option<i64> {
        let hours = (0..24).filter(|hour| self.hour.fits(*hour)).map(|hour| day + hour * 3600);
        hours.filter(|start| start + 3599 > after).find_map(|hour| {
            let minutes = (0..60).filter(|minute| self.minute.fits(*minute));
            minutes.map(|minute| hour + minute * 60).filter(|start| start + 59 > after).find_map(
                |minute| {
                    let seconds = (0..60).filter(|second| self.second.fits(*second));
                    seconds.map(|second| minute + second).find(|time| *time > after)
                },
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Match::{Any, Only};
    use super::*;

    fn at(hour: Match, minute: Match, second: Match) -> Alarm {
        Alarm { hour, minute, second }
    }

    #[test]
    fn the_next_time_is_strictly_later() {
        let noon = 1_000 * DAY + 43_200;
        for (alarm, after, expected) in [
            (at(Any, Any, Any), noon, noon + 1),
            (at(Any, Any, Only(0)), noon, noon + 60),
            (at(Any, Any, Only(5)), noon, noon + 5),
            (at(Any, Only(0), Only(0)), noon, noon + 3600),
            (at(Any, Only(0), Any), noon + 59, noon + 3600),
            (at(Only(12), Only(0), Only(0)), noon, noon + DAY),
            (at(Only(12), Only(0), Only(0)), noon - 1, noon),
            (at(Only(11), Any, Any), noon, noon + 23 * 3600),
            (at(Only(23), Only(59), Only(59)), noon, noon + 43_199),
            (at(Only(0), Only(0), Only(0)), -1, 0),
        ] {
            assert_eq!(alarm.next(after), Some(expected), "{alarm:?} after {after}");
        }
    }

    #[test]
    fn times_that_do_not_exist_never_come() {
        assert_eq!(at(Only(24), Any, Any).next(0), None);
        assert_eq!(at(Any, Only(60), Any).next(0), None);
        assert_eq!(at(Any, Any, Only(99)).next(0), None);
    }
}
