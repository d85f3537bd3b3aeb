//! The forms that single values are written in: dates, moments, days, seasons, day numbers.
//! Owns their reading alone; it must not know where in a file they stand.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::tariff::model::{DateRange, DayClass, DayNumbers, MonthDay, Price};

pub(super) const MONEY: &str = "\"2.50\"";
pub(super) const SPAN: &str = "\"15min\", \"1h30min\", \"24h\" or \"2d\"";
pub(super) const WINDOW: &str =
    "\"19:00-07:00\" (it ends at another time than it starts; \"00:00-24:00\" is the whole day)";
pub(super) const DATES: &str = "\"2026-10-01\" or \"2026-10-01..2026-10-08\", the later date last";
pub(super) const SEASON: &str = "\"06-01..08-31\"";
pub(super) const DAYS: &str =
    "[\"workday\", \"weekend\", \"holiday\", \"make_up_workday\", \"mon\" to \"sun\", \"event:NAME\"]";

/// A price that is not negative.
pub(super) fn price(text: &str) -> Option<Price> {
    Price::parse(text).filter(|price| price.micros() >= 0)
}

/// A price that is more than nothing.
pub(super) fn positive_price(text: &str) -> Option<Price> {
    price(text).filter(|price| !price.is_zero())
}

pub(super) fn weekday(text: &str) -> Option<u8> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    DAYS.iter().position(|day| *day == text).and_then(|day| u8::try_from(day).ok())
}

/// An event's name is not looked up here.
pub(super) fn day_class(text: &str) -> Option<DayClass> {
    Some(match text {
        "workday" => DayClass::Workday,
        "weekend" => DayClass::Weekend,
        "holiday" => DayClass::Holiday,
        "make_up_workday" => DayClass::MakeUpWorkday,
        _ => match text.strip_prefix("event:") {
            Some(name) => DayClass::Event(name.to_owned()),
            None => DayClass::Weekday(weekday(text)?),
        },
    })
}

/// More years than a tariff is looked up for would only make a calendar slow.
const MOST_DAYS_IN_A_RANGE: i64 = 3_660;

pub(super) fn date_range(text: &str) -> Option<DateRange> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let range = DateRange { from: date(from)?, to: date(to)? };
    let days = (range.to - range.from).num_days();
    (0..=MOST_DAYS_IN_A_RANGE).contains(&days).then_some(range)
}

fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| (i == 4 || i == 7) == (b == b'-'));
    shaped.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

pub(super) fn season(text: &str) -> Option<(MonthDay, MonthDay)> {
    let (from, to) = text.split_once("..")?;
    Some((month_day(from)?, month_day(to)?))
}

fn month_day(text: &str) -> Option<MonthDay> {
    // A leap year, so that the 29th of February may begin or end a season.
    let date = date(&format!("2024-{text}"))?;
    let number = |text: &str| text.parse::<u8>().ok();
    let shaped = date.format("%m-%d").to_string() == text;
    let (month, day) = text.split_once('-')?;
    shaped.then_some(MonthDay { month: number(month)?, day: number(day)? })
}

/// `1`, `2-3`, `4-`.
pub(super) fn day_numbers(text: &str) -> Option<DayNumbers> {
    let number = |text: &str| {
        let plain = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten().filter(|number| *number > 0)
    };
    let (first, last) = match text.split_once('-') {
        None => (number(text)?, Some(number(text)?)),
        Some((first, "")) => (number(first)?, None),
        Some((first, last)) => (number(first)?, Some(number(last)?)),
    };
    last.is_none_or(|last| last >= first).then_some(DayNumbers { first, last })
}

/// Why a moment cannot be taken.
pub(super) enum NoMoment {
    /// Not written as one.
    Form,
    /// The clock on the wall jumped over it.
    Skipped,
}

/// RFC 3339, or the local time of the zone; of a local time that comes twice the first.
pub(super) fn moment(text: &str, zone: Tz) -> Result<DateTime<Utc>, NoMoment> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return in_range(moment.with_timezone(&Utc)).ok_or(NoMoment::Form);
    }
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).ok_or(NoMoment::Form)?;
    let found = match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => moment,
        LocalResult::None => return Err(NoMoment::Skipped),
    };
    in_range(found.with_timezone(&Utc)).ok_or(NoMoment::Form)
}

/// Years that a car park has to do with: 1970 to 9999.
fn in_range(moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (0..253_402_300_800).contains(&moment.timestamp()).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_that_comes_twice_is_its_first_coming() {
        let zone = chrono_tz::Europe::London;
        let twice = moment("2026-10-25 01:30", zone).ok();
        assert_eq!(twice.map(|at| at.to_rfc3339()).as_deref(), Some("2026-10-25T00:30:00+00:00"));
        assert!(matches!(moment("2026-03-29 01:30", zone), Err(NoMoment::Skipped)));
        assert!(matches!(moment("2026-3-9 01:30 pm", zone), Err(NoMoment::Form)));
    }

    #[test]
    fn days_of_a_visit_are_written_as_one_number_or_from_to() {
        assert_eq!(day_numbers("1"), Some(DayNumbers { first: 1, last: Some(1) }));
        assert_eq!(day_numbers("2-3"), Some(DayNumbers { first: 2, last: Some(3) }));
        assert_eq!(day_numbers("4-"), Some(DayNumbers { first: 4, last: None }));
        for wrong in ["0", "", "-", "3-2", "-3", "1-2-3", "999999"] {
            assert_eq!(day_numbers(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_and_seasons_that_do_not_exist_are_refused() {
        for wrong in ["2026-02-30", "2026-10-08..2026-10-01", "2026-1-1", "26-01-01", "2026-01-01.."] {
            assert_eq!(date_range(wrong), None, "{wrong}");
        }
        for wrong in ["02-30..03-01", "6-1..8-31", "06-01", "13-01..14-01"] {
            assert_eq!(season(wrong), None, "{wrong}");
        }
        assert!(season("02-29..03-01").is_some());
    }
}
