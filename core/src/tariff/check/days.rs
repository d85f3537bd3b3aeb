//! The days that a calendar may ever have, as far as the classes and seasons in use tell them apart.
//!
//! Not the dates of the file's own calendar alone: the box's may be laid over it, so that any weekday may be a holiday
//! or a make-up workday. It must not know times of day.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::super::model::{Calendar, DayClass, DayKind, Season, TariffFile};

/// Pairs of days that are compared at most: four seasons, every weekday and thirty events stay below.
const MOST_PAIRS: usize = 300_000;

/// A day of a kind that may come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    /// A date with this weekday, in these seasons.
    pub(super) date: NaiveDate,
    /// What the calendar may make of it.
    listed: Listed,
    /// Events that fall on it.
    events: Vec<String>,
}

/// What the calendar's lists say of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Listed {
    Nothing,
    Holiday,
    MakeUpWorkday,
}

const ALL_LISTED: [Listed; 3] = [Listed::Nothing, Listed::Holiday, Listed::MakeUpWorkday];

impl Day {
    fn kind(&self, calendar: &Calendar) -> DayKind {
        let weekend = calendar.weekend.iter().any(|day| u32::from(*day) == self.date.weekday().num_days_from_monday());
        match self.listed {
            Listed::Holiday => DayKind::Holiday,
            Listed::MakeUpWorkday => DayKind::MakeUpWorkday,
            Listed::Nothing if weekend => DayKind::Weekend,
            Listed::Nothing => DayKind::Workday,
        }
    }

    /// As [`Calendar::specificity_of_any`] of a date of this kind.
    pub(super) fn level(&self, classes: &[DayClass], calendar: &Calendar) -> Option<u8> {
        if classes.is_empty() {
            return Some(0);
        }
        classes.iter().filter_map(|class| self.level_of(class, calendar)).max()
    }

    fn level_of(&self, class: &DayClass, calendar: &Calendar) -> Option<u8> {
        let kind = self.kind(calendar);
        match class {
            DayClass::Event(name) => self.events.contains(name).then_some(5),
            DayClass::MakeUpWorkday => (kind == DayKind::MakeUpWorkday).then_some(4),
            DayClass::Holiday => (kind == DayKind::Holiday).then_some(3),
            DayClass::Workday if kind == DayKind::MakeUpWorkday => Some(3),
            DayClass::Weekday(day) => (u32::from(*day) == self.date.weekday().num_days_from_monday()).then_some(2),
            DayClass::Workday => (kind == DayKind::Workday).then_some(1),
            DayClass::Weekend => (kind == DayKind::Weekend).then_some(1),
        }
    }

    /// In words, with a date as an example.
    pub(super) fn words(&self) -> String {
        let mut words = self.date.format("%A %Y-%m-%d").to_string();
        match self.listed {
            Listed::Nothing => {}
            Listed::Holiday => words.push_str(" (if it is a holiday)"),
            Listed::MakeUpWorkday => words.push_str(" (if it is a make-up workday)"),
        }
        for event in &self.events {
            words.push_str(", on a day of event ");
            words.push_str(event);
        }
        words
    }
}

/// What something selects days by: the classes and seasons of all rates, say.
pub(super) struct Asked<'a> {
    classes: Vec<&'a DayClass>,
    seasons: Vec<&'a Season>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(
        tariff: &'a TariffFile,
        classes: impl Iterator<Item = &'a DayClass>,
        seasons: impl Iterator<Item = &'a String>,
    ) -> Self {
        let classes: BTreeSet<&DayClass> = classes.collect();
        let seasons: BTreeSet<&String> = seasons.collect();
        let seasons = seasons.into_iter().filter_map(|name| tariff.season(name)).collect();
        Self { classes: classes.into_iter().collect(), seasons }
    }

    /// Pairs of days in a row, a yesterday and its today, that differ in an answer to what is asked. `None`: there are
    /// too many to look at.
    pub(super) fn pairs(&self, calendar: &Calendar) -> Option<Vec<(Day, Day)>> {
        let mut seen = BTreeSet::new();
        let mut pairs = Vec::new();
        let (dates, event_pairs) = (self.dates(), self.event_pairs(calendar));
        if dates.len() * event_pairs.len() * ALL_LISTED.len() * ALL_LISTED.len() > MOST_PAIRS {
            return None;
        }
        for (before, date) in dates {
            for (was, is) in ALL_LISTED.into_iter().flat_map(|was| ALL_LISTED.map(|is| (was, is))) {
                for (events_before, events) in &event_pairs {
                    let yesterday = Day { date: before, listed: was, events: events_before.clone() };
                    let today = Day { date, listed: is, events: events.clone() };
                    if seen.insert((self.answers(&yesterday, calendar), self.answers(&today, calendar))) {
                        pairs.push((yesterday, today));
                    }
                }
            }
        }
        Some(pairs)
    }

    /// Single days that differ in an answer.
    pub(super) fn days(&self, calendar: &Calendar) -> Option<Vec<Day>> {
        let mut seen = BTreeSet::new();
        let todays = self.pairs(calendar)?.into_iter().map(|(_, today)| today);
        Some(todays.filter(|day| seen.insert(self.answers(day, calendar))).collect())
    }

    fn answers(&self, day: &Day, calendar: &Calendar) -> Vec<Option<u8>> {
        let classes = self.classes.iter().map(|class| day.level_of(class, calendar));
        let seasons = self.seasons.iter().map(|season| season.contains(day.date).then_some(1));
        classes.chain(seasons).collect()
    }

    /// Dates with the day before, one for each weekday in each combination of seasons: the weekdays of four years come
    /// round to every day of the year often enough.
    fn dates(&self) -> Vec<(NaiveDate, NaiveDate)> {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
        let in_seasons = |date| -> Vec<bool> { self.seasons.iter().map(|season| season.contains(date)).collect() };
        let mut seen = BTreeSet::new();
        let pairs = first.iter_days().zip(first.iter_days().skip(1)).take(7 * 366);
        let new = |(before, date): &(NaiveDate, NaiveDate)| {
            seen.insert((date.weekday().num_days_from_monday(), in_seasons(*before), in_seasons(*date)))
        };
        pairs.filter(new).collect()
    }

    /// No event, each event on its first, a middle and its last day, and two events that share a date.
    fn event_pairs(&self, calendar: &Calendar) -> Vec<(Vec<String>, Vec<String>)> {
        let named: Vec<&String> = self
            .classes
            .iter()
            .filter_map(|class| if let DayClass::Event(name) = class { Some(name) } else { None })
            .collect();
        let mut pairs = vec![(Vec::new(), Vec::new())];
        for name in &named {
            let only = vec![(*name).clone()];
            pairs.extend([(Vec::new(), only.clone()), (only.clone(), only.clone()), (only, Vec::new())]);
        }
        for (i, one) in named.iter().enumerate() {
            for other in named[..i].iter().filter(|other| share_a_date(calendar, one, other)) {
                let both = vec![(*one).clone(), (*other).clone()];
                pairs.push((both.clone(), both));
            }
        }
        pairs
    }
}

fn share_a_date(calendar: &Calendar, one: &str, other: &str) -> bool {
    let dates = |name: &str| calendar.events.get(name).map_or(&[][..], Vec::as_slice);
    dates(one).iter().any(|a| dates(other).iter().any(|b| a.from <= b.to && b.from <= a.to))
}

#[cfg(test)]
mod tests {
    use super::super::super::model::DateRange;
    use super::*;

    #[test]
    fn a_day_that_may_come_answers_as_the_calendar_does() {
        let date: NaiveDate = "2026-10-10".parse().expect("a Saturday");
        let range = vec![DateRange { from: date, to: date }];
        let classes = [
            DayClass::Workday,
            DayClass::Weekend,
            DayClass::Holiday,
            DayClass::MakeUpWorkday,
            DayClass::Weekday(5),
            DayClass::Weekday(4),
            DayClass::Event("fair".to_owned()),
        ];
        for listed in ALL_LISTED {
            for event in [false, true] {
                let mut calendar = Calendar::default();
                match listed {
                    Listed::Nothing => {}
                    Listed::Holiday => calendar.holidays = range.clone(),
                    Listed::MakeUpWorkday => calendar.workdays = range.clone(),
                }
                calendar.events.insert("fair".to_owned(), if event { range.clone() } else { Vec::new() });
                let events = if event { vec!["fair".to_owned()] } else { Vec::new() };
                let day = Day { date, listed, events };
                for class in &classes {
                    assert_eq!(day.level_of(class, &calendar), calendar.specificity(class, date), "{day:?} {class}");
                }
            }
        }
    }
}
