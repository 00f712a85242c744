//! Seconds since 1970 and the proleptic Gregorian calendar.

/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

/// A date and time of day without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The year, e.g. 2026.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Days since Sunday, 0 to 6.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl DateTime {
    /// The date and time `seconds` after 1970-01-01 00:00:00.
    pub fn from_seconds(seconds: i64) -> Self {
        let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7) as u8,
            hour: (time / 3600) as u8,
            minute: (time / 60 % 60) as u8,
            second: (time % 60) as u8,
        }
    }
}

/// Days from 1970-01-01 to a date. Months and days beyond their ends carry over, as any value may
/// be in the registers.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // The year begins in March, so that a leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 0000-03-01 is 719468 days before 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

/// Year, month and day, `days` after 1970-01-01.
fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((1969, 12, 31), -1),
            ((2038, 1, 19), 24_855),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
            let back = civil(expected);
            assert_eq!((back.0, i64::from(back.1), i64::from(back.2)), date);
        }
        assert_eq!(days(2001, 13, 1), days(2002, 1, 1));
        assert_eq!(days(2002, 0, 31), days(2001, 12, 31));
        assert_eq!(days(2001, 2, 29), days(2001, 3, 1));
    }

    #[test]
    fn every_day_of_nine_centuries_comes_back() {
        let mut before = civil(days(1599, 12, 31));
        for day in days(1600, 1, 1)..days(2500, 1, 1) {
            let date = civil(day);
            assert_eq!(days(date.0, date.1.into(), date.2.into()), day);
            assert!(date > before);
            before = date;
        }
    }

    #[test]
    fn parts_of_a_moment() {
        let moment = DateTime::from_seconds(1_330_473_599);
        let expected = DateTime {
            year: 2012,
            month: 2,
            day: 28,
            weekday: 2,
            hour: 23,
            minute: 59,
            second: 59,
        };
        assert_eq!(moment, expected);
        assert_eq!(DateTime::from_seconds(-1).second, 59);
    }
}
