//! Dates as people write them, and the days that they stand for: those since 1 January 1970, with a fraction for the time of day.
//!
//! Days are counted in the Gregorian calendar, also before it was in use.

use serde::{Deserialize, Serialize};

/// A way to write a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateForm {
    /// In which order its parts come, and what is between them.
    pub order: DateOrder,
    /// Whether the time of day is written behind it.
    pub time: bool,
}

/// In which order the parts of a date come, and what is between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// 2024-03-31
    YearDash,
    /// 2024/03/31
    YearSlash,
    /// 31.03.2024
    DayDot,
    /// 03/31/2024
    MonthSlash,
    /// 31/03/2024
    DaySlash,
}

const SECONDS: f64 = 86_400.0;

impl DateForm {
    /// All of them; where one text fits several, the first counts.
    pub(in super::super) const ALL: [DateForm; 10] = {
        use DateOrder::{DayDot, DaySlash, MonthSlash, YearDash, YearSlash};
        const fn both(order: DateOrder) -> [DateForm; 2] {
            [DateForm { order, time: false }, DateForm { order, time: true }]
        }
        let [a, b] = both(YearDash);
        let [c, d] = both(YearSlash);
        let [e, f] = both(DayDot);
        let [g, h] = both(MonthSlash);
        let [i, j] = both(DaySlash);
        [a, b, c, d, e, f, g, h, i, j]
    };

    /// The days that a text stands for; `None` if it is no date of this form.
    pub fn parse(self, text: &str) -> Option<f64> {
        let (date, time) = match text.split_once(['T', ' ']) {
            Some((date, time)) if self.time => (date, seconds(time.trim())?),
            None if !self.time => (text, 0.0),
            _ => return None,
        };
        let (separator, places) = self.order.parts();
        let mut parts = date.split(separator);
        let texts = [parts.next()?, parts.next()?, parts.next()?];
        if parts.next().is_some() || texts[places[0]].len() != 4 || [1, 2].iter().any(|&i| texts[places[i]].len() > 2) {
            return None;
        }
        let number = |i: usize| {
            texts[places[i]].bytes().all(|b| b.is_ascii_digit()).then(|| texts[places[i]].parse::<i64>().ok())?
        };
        let (year, month, day) = (number(0)?, number(1)?, number(2)?);
        let days = days_of(year, month, day);
        ((1..=12).contains(&month) && date_of(days) == (year, month, day)).then_some(days as f64 + time / SECONDS)
    }

    /// The text that stands for some days: the nearest one, or the nearest second where the time is written.
    pub fn write(self, days: f64) -> String {
        // Years of four digits.
        let days = days.clamp(-719_528.0, 2_932_896.0);
        let seconds = if self.time { (days * SECONDS).round() as i64 } else { days.round() as i64 * SECONDS as i64 };
        let (whole, rest) = (seconds.div_euclid(SECONDS as i64), seconds.rem_euclid(SECONDS as i64));
        let (year, month, day) = date_of(whole);
        let date = match self.order {
            DateOrder::YearDash => format!("{year:04}-{month:02}-{day:02}"),
            DateOrder::YearSlash => format!("{year:04}/{month:02}/{day:02}"),
            DateOrder::DayDot => format!("{day:02}.{month:02}.{year:04}"),
            DateOrder::MonthSlash => format!("{month:02}/{day:02}/{year:04}"),
            DateOrder::DaySlash => format!("{day:02}/{month:02}/{year:04}"),
        };
        match self.time {
            true => format!("{date} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60),
            false => date,
        }
    }

    /// For people.
    pub fn spoken(self) -> String {
        let date = match self.order {
            DateOrder::YearDash => "year-month-day",
            DateOrder::YearSlash => "year/month/day",
            DateOrder::DayDot => "day.month.year",
            DateOrder::MonthSlash => "month/day/year",
            DateOrder::DaySlash => "day/month/year",
        };
        if self.time { format!("{date} with the time") } else { date.to_owned() }
    }
}

impl DateOrder {
    /// What is between the parts, and the places of year, month and day.
    fn parts(self) -> (char, [usize; 3]) {
        match self {
            DateOrder::YearDash => ('-', [0, 1, 2]),
            DateOrder::YearSlash => ('/', [0, 1, 2]),
            DateOrder::DayDot => ('.', [2, 1, 0]),
            DateOrder::MonthSlash => ('/', [2, 0, 1]),
            DateOrder::DaySlash => ('/', [2, 1, 0]),
        }
    }
}

/// The seconds of a time of day: hours and minutes, perhaps seconds with a fraction, perhaps Z.
fn seconds(time: &str) -> Option<f64> {
    let mut parts = time.strip_suffix('Z').unwrap_or(time).split(':');
    let mut next = |most: f64| {
        let part = parts.next()?;
        let is_plain = part.len() >= 2 && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        part.parse::<f64>().ok().filter(|&value| is_plain && value < most)
    };
    let (hours, minutes) = (next(24.0)?, next(60.0)?);
    let rest = next(60.0);
    let is_whole = hours.fract() == 0.0 && minutes.fract() == 0.0;
    let has_rest = time.matches(':').count() == 2;
    (is_whole && has_rest == rest.is_some() && parts.next().is_none())
        .then(|| 3600.0 * hours + 60.0 * minutes + rest.unwrap_or(0.0))
}

/// The days from 1 January 1970 to a date, counted in years that begin in March, so that a leap day is the last of its year.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// Year, month and day of some days.
fn date_of(days: i64) -> (i64, i64, i64) {
    // 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, rest) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let years = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * years + years / 4 - years / 100);
    let march = (5 * of_year + 2) / 153;
    let (month, day) = (if march < 10 { march + 3 } else { march - 9 }, of_year - (153 * march + 2) / 5 + 1);
    (era * 400 + years + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: DateForm = DateForm { order: DateOrder::YearDash, time: false };

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        for (text, days) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -1.0),
            ("2000-02-29", 11_016.0),
            ("2000-03-01", 11_017.0),
            // As `date -d 2024-03-31 +%s` has it, 1711843200 seconds.
            ("2024-03-31", 19_813.0),
            ("1900-03-01", -25_508.0),
        ] {
            assert_eq!(DAY.parse(text), Some(days), "{text}");
            assert_eq!(DAY.write(days), text);
        }
        for text in [
            "1900-02-29",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "24-04-01",
            "2024-4",
            "2024-04-01-1",
            "x-1-1",
            "+024-04-01",
            "",
        ] {
            assert_eq!(DAY.parse(text), None, "{text}");
        }
        assert_eq!((DAY.write(1e300), DAY.write(-1e300)), ("9999-12-31".to_owned(), "0000-01-01".to_owned()));
    }

    #[test]
    fn every_form_reads_what_it_writes() {
        for form in DateForm::ALL {
            let days = if form.time { 19_813.75 } else { 19_813.0 };
            let text = form.write(days);
            assert_eq!(form.parse(&text), Some(days), "{text}");
        }
        let time = DateForm { time: true, ..DAY };
        assert_eq!(time.parse("1970-01-02T06:30:36Z"), Some(1.0 + 23_436.0 / 86_400.0));
        assert_eq!(time.parse("1970-01-02 06:30"), Some(1.0 + 23_400.0 / 86_400.0));
        for text in ["1970-01-02", "1970-01-02 24:00", "1970-01-02 6:30", "1970-01-02 06:30:", "1970-01-02 06:61"] {
            assert_eq!(time.parse(text), None, "{text}");
        }
        // 0.4 of a second past midnight is the nearest second.
        assert_eq!(time.write(1.0 + 0.4 / 86_400.0), "1970-01-02 00:00:00");
        let us = DateForm { order: DateOrder::MonthSlash, time: false };
        assert_eq!((us.write(19_813.0), us.parse("31/03/2024")), ("03/31/2024".to_owned(), None));
    }
}
