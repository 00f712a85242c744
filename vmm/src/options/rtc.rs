//! `-rtc`: what the real-time clock shows and what drives it.

use super::error::{Error, Location};
use super::groups::RTC;
use super::keyval::Pairs;
use super::parser::Parser;
use super::types::{RtcBase, RtcClock};

pub(super) fn apply(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = RTC.read(&pairs, location, &mut parser.options.warnings)?;
    let rtc = &mut parser.options.rtc;
    let invalid = |value: &str| location.error(format!("invalid option value '{value}'"));
    for (key, value) in dict.iter() {
        let value = value.as_str().unwrap_or_default();
        match (key, value) {
            ("base", "utc") => rtc.base = RtcBase::Utc,
            ("base", "localtime") => rtc.base = RtcBase::LocalTime,
            ("base", date) => {
                let date = seconds(date).ok_or_else(|| {
                    let error = location.error("invalid datetime format");
                    error.with_hint("valid formats: '2006-06-17T16:01:21' or '2006-06-17'")
                })?;
                rtc.base = RtcBase::Date(date);
            }
            ("clock", "host") => rtc.clock = RtcClock::Host,
            ("clock", "rt") => rtc.clock = RtcClock::Rt,
            ("clock", "vm") => rtc.clock = RtcClock::Vm,
            ("driftfix", "slew") => rtc.slew = true,
            ("driftfix", "none") => rtc.slew = false,
            (_, value) => return Err(invalid(value)),
        }
    }
    Ok(())
}

/// A date, with a time of day or at midnight, in seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = fields(date, '-')?;
    let [hour, minute, second] = match time {
        Some(time) => fields(time, ':')?,
        None => [0; 3],
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days in the proleptic Gregorian calendar, with years that start in March.
    let shifted = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + day_of_year
        - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Three numbers of up to four digits.
fn fields(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut fields = text.split(separator).map(|field| {
        let digits = field.bytes().all(|byte| byte.is_ascii_digit()) && field.len() <= 4;
        field.parse().ok().filter(|_| digits)
    });
    let all = [fields.next()??, fields.next()??, fields.next()??];
    fields.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn dates() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("1969-12-31T23:59:59"), Some(-1));
        assert_eq!(seconds("2000-02-29T12:00:00"), Some(951_825_600));
        assert_eq!(seconds("2006-06-17T16:01:21"), Some(1_150_560_081));
        assert_eq!(seconds("2020-1-1"), Some(1_577_836_800));
        assert_eq!(seconds("0-1-1"), Some(-62_167_219_200));
    }

    #[test]
    fn no_dates() {
        for text in [
            "",
            "foo",
            "2020",
            "2020-01",
            "2020-13-01",
            "2020-02-30",
            "1900-02-29",
            "2020-01-01T",
            "2020-01-01T10:00",
            "2020-01-01T24:00:00",
            "2020-01-01x",
            "2020-01-01T10:00:00Z",
            "2020-01-01-01",
            "+2020-01-01",
            "20200-01-01",
            "2020-00-01",
            "2020-01-00",
        ] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
