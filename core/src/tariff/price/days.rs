//! What a date is to a tariff: its weekday, its kind, its events and its seasons, found without searching the calendar.
//!
//! Dates are days since 1970-01-01 on the clock on the wall. It must not know windows or rates.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::PriceError;
use crate::tariff::model::{Calendar, DateRange, DayClass, DayKind, Season};

/// All that a tariff can ask of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DayKey {
    weekday: u8,
    kind: u8,
    events: u64,
    seasons: u32,
}

/// One class of days that a rule selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DaySelector {
    Workday,
    Weekend,
    Holiday,
    MakeUp,
    Weekday(u8),
    Event(u64),
}

const WORKDAY: u8 = 0;
const WEEKEND: u8 = 1;
const HOLIDAY: u8 = 2;
const MAKE_UP: u8 = 3;

/// The day of a date.
pub(super) fn day_of(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce()) - 719_163
}

fn date_of(day: i64) -> NaiveDate {
    let since_ce = i32::try_from(day + 719_163).expect("a date of these centuries");
    NaiveDate::from_num_days_from_ce_opt(since_ce).expect("a date of these centuries")
}

/// The calendar and the seasons, turned into a list of changes.
#[derive(Debug, Clone)]
pub(super) struct Days {
    weekend: [bool; 7],
    /// From which day on: what the lists say, and which events.
    changes: Vec<(i64, Option<u8>, u64)>,
    /// By month and day.
    seasons: Option<Box<[[u32; 31]; 12]>>,
    events: Vec<String>,
}

impl Days {
    pub(super) fn of(calendar: &Calendar, seasons: &[Season]) -> Result<Self, PriceError> {
        let events: Vec<String> = calendar.events.keys().cloned().collect();
        if events.len() > 64 || seasons.len() > 32 {
            return Err(PriceError::TooManyRules);
        }
        let mut weekend = [false; 7];
        for day in &calendar.weekend {
            weekend[usize::from(*day) % 7] = true;
        }
        let in_season = (!seasons.is_empty()).then(|| Box::new(season_table(seasons)));
        Ok(Self { weekend, changes: changes(calendar, &events), seasons: in_season, events })
    }

    pub(super) fn key(&self, day: i64) -> DayKey {
        let weekday = u8::try_from((day + 3).rem_euclid(7)).expect("seven days");
        let place = self.changes.partition_point(|(from, _, _)| *from <= day);
        let (listed, events) =
            if place == 0 { (None, 0) } else { (self.changes[place - 1].1, self.changes[place - 1].2) };
        let by_weekday = if self.weekend[usize::from(weekday)] { WEEKEND } else { WORKDAY };
        let seasons = self.seasons.as_ref().map_or(0, |table| {
            let date = date_of(day);
            table[date.month0() as usize][date.day0() as usize]
        });
        DayKey { weekday, kind: listed.unwrap_or(by_weekday), events, seasons }
    }

    pub(super) fn selector(&self, class: &DayClass) -> DaySelector {
        match class {
            DayClass::Workday => DaySelector::Workday,
            DayClass::Weekend => DaySelector::Weekend,
            DayClass::Holiday => DaySelector::Holiday,
            DayClass::MakeUpWorkday => DaySelector::MakeUp,
            DayClass::Weekday(day) => DaySelector::Weekday(*day),
            DayClass::Event(name) => {
                let place = self.events.iter().position(|event| event == name);
                DaySelector::Event(place.map_or(0, |place| 1 << place))
            }
        }
    }
}

fn season_table(seasons: &[Season]) -> [[u32; 31]; 12] {
    let mut table = [[0; 31]; 12];
    // A leap year has every day that any year has.
    let mut date = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");
    while date.year() == 2024 {
        let holding = seasons.iter().enumerate().filter(|(_, season)| season.contains(date));
        table[date.month0() as usize][date.day0() as usize] = holding.fold(0, |mask, (place, _)| mask | 1 << place);
        date = date.succ_opt().expect("a date");
    }
    table
}

fn changes(calendar: &Calendar, events: &[String]) -> Vec<(i64, Option<u8>, u64)> {
    let mut bounds = BTreeSet::new();
    let mut bound = |range: &DateRange| {
        bounds.insert(day_of(range.from));
        bounds.insert(day_of(range.to) + 1);
    };
    calendar.holidays.iter().chain(&calendar.workdays).for_each(&mut bound);
    calendar.events.values().flatten().for_each(&mut bound);
    let listed = |ranges: &[DateRange], date| ranges.iter().any(|range| range.contains(date));
    bounds
        .into_iter()
        .map(|day| {
            let date = date_of(day);
            let kind = match calendar.kind_of(date) {
                DayKind::Holiday => Some(HOLIDAY),
                DayKind::MakeUpWorkday => Some(MAKE_UP),
                DayKind::Workday | DayKind::Weekend => None,
            };
            let on = events.iter().enumerate().filter(|(_, name)| listed(&calendar.events[*name], date));
            (day, kind, on.fold(0, |mask, (place, _)| mask | 1 << place))
        })
        .collect()
}

impl DaySelector {
    /// How specifically it holds on such a day; the scale is that of `Calendar::specificity`.
    pub(super) fn rank(self, key: DayKey) -> Option<u8> {
        let (holds, rank) = match self {
            Self::Event(mask) => (key.events & mask != 0, 5),
            Self::MakeUp => (key.kind == MAKE_UP, 4),
            Self::Holiday => (key.kind == HOLIDAY, 3),
            Self::Workday if key.kind == MAKE_UP => (true, 3),
            Self::Weekday(day) => (key.weekday == day, 2),
            Self::Workday => (key.kind == WORKDAY, 1),
            Self::Weekend => (key.kind == WEEKEND, 1),
        };
        holds.then_some(rank)
    }
}

impl DayKey {
    /// Which seasons hold, as bits in the order of the file.
    pub(super) fn seasons(self) -> u32 {
        self.seasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: (i32, u32, u32), to: (i32, u32, u32)) -> DateRange {
        let date = |(y, m, d)| NaiveDate::from_ymd_opt(y, m, d).expect("a date");
        DateRange { from: date(from), to: date(to) }
    }

    #[test]
    fn every_day_of_three_years_is_what_the_calendar_says() {
        let calendar = Calendar {
            holidays: vec![range((2026, 10, 1), (2026, 10, 8)), range((2027, 1, 1), (2027, 1, 1))],
            workdays: vec![range((2026, 10, 10), (2026, 10, 10)), range((2026, 10, 8), (2026, 10, 9))],
            events: [("fair".to_owned(), vec![range((2026, 10, 7), (2026, 10, 12))])].into(),
            ..Calendar::default()
        };
        let days = Days::of(&calendar, &[]).expect("few");
        let classes = [
            DayClass::Workday,
            DayClass::Weekend,
            DayClass::Holiday,
            DayClass::MakeUpWorkday,
            DayClass::Weekday(2),
            DayClass::Event("fair".into()),
            DayClass::Event("unheard of".into()),
        ];
        let mut date = NaiveDate::from_ymd_opt(2025, 6, 1).expect("a date");
        for _ in 0..1_000 {
            for class in &classes {
                let found = days.selector(class).rank(days.key(day_of(date)));
                assert_eq!(found, calendar.specificity(class, date), "{date} {class}");
            }
            date = date.succ_opt().expect("a date");
        }
    }
}
