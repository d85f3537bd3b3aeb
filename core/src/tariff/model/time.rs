//! Lengths of time and windows of the day.
//! It must not know time zones or dates: those meet a window in the engine.

use std::fmt;

/// A length of time in whole seconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u32);

impl Span {
    /// 24 hours.
    pub const DAY: Self = Self(86_400);
    /// The longest that a file may name: ten years of 366 days.
    pub const MOST: Self = Self(3_660 * 86_400);

    /// Of so many seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Its seconds.
    pub const fn seconds(self) -> i64 {
        self.0 as i64
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is a whole number of units of that length.
    pub const fn is_multiple_of(self, unit: Self) -> bool {
        unit.0 != 0 && self.0.is_multiple_of(unit.0)
    }

    /// Reads `1h30min`, `24h`, `2d`: each of `d`, `h`, `min`, `s` at most once, from the longest to the shortest.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut total: u64 = 0;
        let mut smaller_than = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
            let (unit, tail) = tail.split_at(letters);
            let scale = match unit {
                "d" => 86_400,
                "h" => 3_600,
                "min" => 60,
                "s" => 1,
                _ => return None,
            };
            if number.is_empty() || number.len() > 9 || scale >= smaller_than {
                return None;
            }
            smaller_than = scale;
            total += number.parse::<u64>().ok()? * scale;
            rest = tail;
        }
        let total = u32::try_from(total).ok().map(Self)?;
        (!text.is_empty() && total <= Self::MOST).then_some(total)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole_days = self.0 >= 2 * 86_400 && self.0.is_multiple_of(86_400);
        let days = if whole_days { self.0 / 86_400 } else { 0 };
        let rest = self.0 - days * 86_400;
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (count, unit) in [(days, "d"), (rest / 3_600, "h"), (rest / 60 % 60, "min"), (rest % 60, "s")] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// A window of the day on the clock on the wall: start included, end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeWindow {
    /// Seconds after midnight of the day on which it begins: 0 to 86,399.
    pub starts: u32,
    /// Seconds after the same midnight at which it ends: more than `starts`, beyond 86,400 when it crosses midnight.
    pub ends: u32,
}

impl TimeWindow {
    /// The whole day.
    pub const DAY: Self = Self { starts: 0, ends: 86_400 };

    /// Whether part of it lies behind midnight.
    pub const fn crosses_midnight(self) -> bool {
        self.ends > 86_400
    }

    /// Whether it holds at so many seconds after midnight, on whichever day it began.
    pub const fn holds_at(self, second_of_day: u32) -> bool {
        let (at, next) = (second_of_day, second_of_day + 86_400);
        (self.starts <= at && at < self.ends) || (self.starts <= next && next < self.ends)
    }

    /// Reads `19:00-07:00`; seconds may stand behind the minutes; `24:00` may only be an end. A window without length
    /// is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (starts, ends) = (time_of_day(from)?, time_of_day(to)?);
        if starts == 86_400 || starts == ends {
            return None;
        }
        let ends = if ends > starts { ends } else { ends + 86_400 };
        // "07:00-00:00" is 07:00 to the midnight that follows: 86,400, never beyond it.
        Some(Self { starts, ends })
    }
}

impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |second: u32, f: &mut fmt::Formatter<'_>| {
            write!(f, "{:02}:{:02}", second / 3_600, second / 60 % 60)?;
            if second.is_multiple_of(60) { Ok(()) } else { write!(f, ":{:02}", second % 60) }
        };
        write(self.starts, f)?;
        f.write_str("-")?;
        write(if self.crosses_midnight() { self.ends - 86_400 } else { self.ends }, f)
    }
}

/// Seconds after midnight of `07:00`, `7:00` or `07:00:30`; `24:00` is 86,400.
pub(in crate::tariff) fn time_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let number = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        let digits = lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (hour, minute) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 2..=2)?);
    let second = parts.next().map_or(Some(0), |part| number(part, 2..=2))?;
    let whole = parts.next().is_none() && hour <= 24 && minute < 60 && second < 60;
    let seconds = hour * 3_600 + minute * 60 + second;
    (whole && seconds <= 86_400).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_it_was_read() {
        for text in ["0s", "15min", "1h30min", "24h", "2d", "1h1s", "90s"] {
            let shown = Span::parse(text).map(|span| span.to_string());
            assert_eq!(shown.as_deref(), Some(if text == "90s" { "1min30s" } else { text }));
        }
        assert_eq!(Span::parse("1d2h"), Span::parse("26h"));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "15", "min", "15 min", "1h1h", "1min1h", "-1h", "1.5h", "9999d", "1H", "１h", "99999999999s"]
        {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_window_across_midnight_ends_on_the_next_day() {
        let night = TimeWindow::parse("19:00-07:00").expect("a window");
        assert_eq!((night.starts, night.ends), (68_400, 111_600));
        assert!(night.holds_at(68_400) && night.holds_at(0) && night.holds_at(25_199));
        assert!(!night.holds_at(25_200) && !night.holds_at(68_399));
        assert_eq!(night.to_string(), "19:00-07:00");
        assert_eq!(TimeWindow::parse("00:00-24:00"), Some(TimeWindow::DAY));
        assert_eq!(TimeWindow::parse("7:00-9:30"), TimeWindow::parse("07:00-09:30:00"));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "07:00",
            "7-19",
            "07:00-07:00",
            "24:00-07:00",
            "07:60-08:00",
            "07:00-24:01",
            "7:0-9:00",
            "007:00-09:00",
            "07:00:00:00-08:00",
        ] {
            assert_eq!(TimeWindow::parse(text), None, "{text}");
        }
    }
}
