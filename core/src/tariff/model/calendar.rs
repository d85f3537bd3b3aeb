//! Days: their classes by an editable calendar, and seasons.
//! It must not know time zones: a date is the tariff's local one already.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{Datelike, NaiveDate, Weekday};

/// What a rate, cap or surcharge may select days by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayClass {
    /// Neither weekend nor holiday, make-up workdays among them.
    Workday,
    /// A weekend's day that is neither holiday nor make-up workday.
    Weekend,
    /// 法定节假日: listed in the calendar.
    Holiday,
    /// 调休上班日: a workday because the calendar lists it.
    MakeUpWorkday,
    /// A day of the week, whatever else the date is; 0 is Monday.
    Weekday(u8),
    /// A day of the event of this name.
    Event(String),
}

impl DayClass {
    /// Of a day of the week.
    pub fn weekday(day: Weekday) -> Self {
        Self::Weekday(u8::try_from(day.num_days_from_monday()).expect("seven days"))
    }
}

impl fmt::Display for DayClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        match self {
            Self::Workday => f.write_str("workday"),
            Self::Weekend => f.write_str("weekend"),
            Self::Holiday => f.write_str("holiday"),
            Self::MakeUpWorkday => f.write_str("make_up_workday"),
            Self::Weekday(day) => f.write_str(DAYS[usize::from(*day) % 7]),
            Self::Event(name) => write!(f, "event:{name}"),
        }
    }
}

/// What a date is, apart from events; and whether the calendar's list or its weekday says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Listed as a holiday.
    Holiday,
    /// Listed as a make-up workday.
    MakeUpWorkday,
    /// By its weekday.
    Workday,
    /// By its weekday.
    Weekend,
}

/// Dates in a row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateRange {
    /// The first.
    pub from: NaiveDate,
    /// The last: not before the first.
    pub to: NaiveDate,
}

impl DateRange {
    /// Whether the date is among them.
    pub fn contains(self, date: NaiveDate) -> bool {
        self.from <= date && date <= self.to
    }
}

/// Which date is of which class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Days of the week that are no workdays; 0 is Monday.
    pub weekend: Vec<u8>,
    /// Public holidays.
    pub holidays: Vec<DateRange>,
    /// Make-up workdays; a date that is listed in both is a holiday.
    pub workdays: Vec<DateRange>,
    /// Named dates that stand beside the classes.
    pub events: BTreeMap<String, Vec<DateRange>>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { weekend: vec![5, 6], holidays: Vec::new(), workdays: Vec::new(), events: BTreeMap::new() }
    }
}

impl Calendar {
    /// What a date is, apart from events.
    pub fn kind_of(&self, date: NaiveDate) -> DayKind {
        let listed = |ranges: &[DateRange]| ranges.iter().any(|range| range.contains(date));
        if listed(&self.holidays) {
            DayKind::Holiday
        } else if listed(&self.workdays) {
            DayKind::MakeUpWorkday
        } else if self.weekend.iter().any(|day| u32::from(*day) == date.weekday().num_days_from_monday()) {
            DayKind::Weekend
        } else {
            DayKind::Workday
        }
    }

    /// How specifically `class` holds on the date: `None` when it does not, else 1 (workday or weekend by the weekday),
    /// 2 (the weekday's name), 3 (holiday or workday by the calendar's list), 4 (make-up workday), 5 (event). 0 is left
    /// for a rule that selects no days.
    pub fn specificity(&self, class: &DayClass, date: NaiveDate) -> Option<u8> {
        let kind = self.kind_of(date);
        match class {
            DayClass::Event(name) => {
                let days = self.events.get(name)?;
                days.iter().any(|range| range.contains(date)).then_some(5)
            }
            DayClass::MakeUpWorkday => (kind == DayKind::MakeUpWorkday).then_some(4),
            DayClass::Holiday => (kind == DayKind::Holiday).then_some(3),
            DayClass::Workday if kind == DayKind::MakeUpWorkday => Some(3),
            DayClass::Weekday(day) => (u32::from(*day) == date.weekday().num_days_from_monday()).then_some(2),
            DayClass::Workday => (kind == DayKind::Workday).then_some(1),
            DayClass::Weekend => (kind == DayKind::Weekend).then_some(1),
        }
    }

    /// How specifically any of `classes` holds on the date; no classes at all hold always, at 0.
    pub fn specificity_of_any(&self, classes: &[DayClass], date: NaiveDate) -> Option<u8> {
        if classes.is_empty() {
            return Some(0);
        }
        classes.iter().filter_map(|class| self.specificity(class, date)).max()
    }

    /// This calendar with the dates of another laid over it: what the other lists counts, the rest stays.
    pub fn overlaid_with(&self, other: &Self) -> Self {
        let mut whole = self.clone();
        let listed = |ranges: &[DateRange], date| ranges.iter().any(|range| range.contains(date));
        let said = |date| listed(&other.holidays, date) || listed(&other.workdays, date);
        let kept = |ranges: &[DateRange]| -> Vec<DateRange> {
            let dates = ranges.iter().flat_map(|range| range.from.iter_days().take_while(|date| *date <= range.to));
            dates.filter(|date| !said(*date)).map(|date| DateRange { from: date, to: date }).collect()
        };
        whole.holidays = kept(&self.holidays);
        whole.workdays = kept(&self.workdays);
        whole.holidays.extend(&other.holidays);
        whole.workdays.extend(&other.workdays);
        for (name, days) in &other.events {
            whole.events.insert(name.clone(), days.clone());
        }
        whole
    }
}

/// A day of the year, without the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A named part of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// How the file names it.
    pub name: String,
    /// From day to day, both included; over the turn of the year when the last is before the first.
    pub parts: Vec<(MonthDay, MonthDay)>,
}

impl Season {
    /// Whether the date is in the season.
    pub fn contains(&self, date: NaiveDate) -> bool {
        let today = MonthDay {
            month: u8::try_from(date.month()).expect("twelve months"),
            day: u8::try_from(date.day()).expect("31 days"),
        };
        self.parts.iter().any(
            |(from, to)| {
                if from <= to { *from <= today && today <= *to } else { *from <= today || today <= *to }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> DateRange {
        let date = text.parse().expect("a date");
        DateRange { from: date, to: date }
    }

    #[test]
    fn a_make_up_saturday_is_a_workday_by_the_calendar_and_beats_its_weekday() {
        let calendar = Calendar { workdays: vec![day("2026-10-10")], ..Calendar::default() };
        let date = day("2026-10-10").from;
        assert_eq!(calendar.kind_of(date), DayKind::MakeUpWorkday);
        assert_eq!(calendar.specificity(&DayClass::Workday, date), Some(3));
        assert_eq!(calendar.specificity(&DayClass::weekday(Weekday::Sat), date), Some(2));
        assert_eq!(calendar.specificity(&DayClass::Weekend, date), None);
    }

    #[test]
    fn a_calendar_laid_over_another_counts_where_it_says_something() {
        let file = Calendar { holidays: vec![day("2026-05-01"), day("2026-05-04")], ..Calendar::default() };
        let lot = Calendar { workdays: vec![day("2026-05-04")], ..Calendar::default() };
        let whole = file.overlaid_with(&lot);
        assert_eq!(whole.kind_of(day("2026-05-01").from), DayKind::Holiday);
        assert_eq!(whole.kind_of(day("2026-05-04").from), DayKind::MakeUpWorkday);
    }

    #[test]
    fn a_season_may_run_over_the_turn_of_the_year() {
        let (from, to) = (MonthDay { month: 11, day: 15 }, MonthDay { month: 3, day: 15 });
        let winter = Season { name: "winter".to_owned(), parts: vec![(from, to)] };
        for (date, inside) in [("2026-11-14", false), ("2026-11-15", true), ("2027-03-15", true), ("2027-03-16", false)]
        {
            assert_eq!(winter.contains(day(date).from), inside, "{date}");
        }
    }
}
