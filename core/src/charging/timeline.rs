//! A value that changes on dates, with its history: who changed it, when and why.
//! Owns the order of the changes; it must not know what the value is.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::Span;

/// Who did something, when, and why; on every dated change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When it was recorded, by the box's clock.
    pub at: DateTime<Utc>,
    /// The lot's date at that moment.
    pub on: NaiveDate,
    /// Who, by user name; `import` and `run` are the box itself.
    pub by: String,
    /// Why, in their words.
    pub why: String,
}

/// The longest name and reason that are kept, in characters.
pub const MAX_NOTE_CHARS: usize = 200;

impl Note {
    /// Cuts both texts to what is kept.
    pub fn new(at: DateTime<Utc>, on: NaiveDate, by: &str, why: &str) -> Self {
        let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_NOTE_CHARS).collect();
        Self { at, on, by: cut(by), why: cut(why) }
    }
}

/// A value from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// The first day on which it holds.
    pub from: NaiveDate,
    /// The value.
    pub value: T,
    /// Who set it.
    pub note: Note,
}

/// A value over time: each holds until the next. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredTimeline<T>")]
pub struct Timeline<T> {
    changes: Vec<Dated<T>>,
}

/// A timeline as it is written, before it is known to be one.
#[derive(Deserialize)]
struct StoredTimeline<T> {
    changes: Vec<Dated<T>>,
}

impl<T> TryFrom<StoredTimeline<T>> for Timeline<T> {
    type Error = TimelineError;
    fn try_from(stored: StoredTimeline<T>) -> Result<Self, TimelineError> {
        let rises = stored.changes.windows(2).all(|pair| pair[0].from < pair[1].from);
        if stored.changes.is_empty() || !rises {
            return Err(TimelineError::NoTimeline);
        }
        Ok(Self { changes: stored.changes })
    }
}

/// Reads a list that is never empty.
pub(in crate::charging) fn at_least_one<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::<T>::deserialize(from)?;
    if all.is_empty() { Err(serde::de::Error::custom("this list is never empty")) } else { Ok(all) }
}

/// Why a change is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimelineError {
    /// What was stored has no change, or changes out of order.
    #[error("a history begins with a value, and its dates rise")]
    NoTimeline,
    /// There is no change on that day to take back, or it is the first.
    #[error("nothing changed on {0} that could be taken back")]
    NoSuchChange(NaiveDate),
}

impl<T> Timeline<T> {
    /// Begins with a value.
    pub fn new(from: NaiveDate, value: T, note: Note) -> Self {
        Self { changes: vec![Dated { from, value, note }] }
    }

    /// From a date on it is another value, up to the next change that is already there. A change on the same day gives way.
    /// What it was before, if something gave way.
    pub fn set(&mut self, from: NaiveDate, value: T, note: Note) -> Option<Dated<T>> {
        let place = self.changes.partition_point(|change| change.from < from);
        let dated = Dated { from, value, note };
        match self.changes.get_mut(place) {
            Some(there) if there.from == from => Some(std::mem::replace(there, dated)),
            _ => {
                self.changes.insert(place, dated);
                None
            }
        }
    }

    /// Takes a change back: the opposite of [`Timeline::set`] on a day without one.
    pub fn unset(&mut self, from: NaiveDate) -> Result<Dated<T>, TimelineError> {
        let place = self.changes.iter().position(|change| change.from == from);
        match place {
            Some(place) if self.changes.len() > 1 => Ok(self.changes.remove(place)),
            _ => Err(TimelineError::NoSuchChange(from)),
        }
    }

    /// What it is on a day; `None` before the first.
    pub fn on(&self, day: NaiveDate) -> Option<&T> {
        let begun = self.changes.partition_point(|change| change.from <= day);
        begun.checked_sub(1).map(|place| &self.changes[place].value)
    }

    /// Its parts within a span, in order: each with the days on which it holds.
    pub fn parts(&self, within: Span) -> impl Iterator<Item = (Span, &T)> {
        self.dated_parts(within).map(|(span, change)| (span, &change.value))
    }

    /// The same with who set each.
    pub fn dated_parts(&self, within: Span) -> impl Iterator<Item = (Span, &Dated<T>)> {
        let ends = self.changes.iter().skip(1).map(|next| next.from).chain(std::iter::once(within.until));
        let parts = self.changes.iter().zip(ends);
        parts.filter_map(move |(change, end)| Some((Span::new(change.from, end)?.and(within)?, change)))
    }

    /// All changes, the earliest first.
    pub fn changes(&self) -> &[Dated<T>] {
        &self.changes
    }

    /// The first day of all.
    pub fn begins(&self) -> NaiveDate {
        self.changes[0].from
    }

    /// The value after the last change.
    pub fn last(&self) -> &T {
        &self.changes[self.changes.len() - 1].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, number).expect("a date")
    }

    fn note() -> Note {
        Note::new(DateTime::UNIX_EPOCH, day(1), "anna", "because")
    }

    fn line() -> Timeline<char> {
        let mut line = Timeline::new(day(1), 'a', note());
        line.set(day(20), 'c', note());
        line.set(day(10), 'b', note());
        line
    }

    #[test]
    fn a_value_holds_until_the_next_however_they_were_entered() {
        let line = line();
        let cases =
            [(1, Some(&'a')), (9, Some(&'a')), (10, Some(&'b')), (19, Some(&'b')), (20, Some(&'c')), (31, Some(&'c'))];
        for (on, expected) in cases {
            assert_eq!(line.on(day(on)), expected, "day {on}");
        }
        assert_eq!(line.on(NaiveDate::from_ymd_opt(2025, 12, 31).expect("a date")), None);
    }

    #[test]
    fn its_parts_tile_the_span() {
        let line = line();
        let within = Span::new(day(5), day(25)).expect("not empty");
        let parts: Vec<(u32, u32, char)> = line
            .parts(within)
            .map(|(span, value)| (chrono::Datelike::day(&span.from), chrono::Datelike::day(&span.until), *value))
            .collect();
        assert_eq!(parts, [(5, 10, 'a'), (10, 20, 'b'), (20, 25, 'c')]);
    }

    #[test]
    fn a_change_is_undone_by_its_opposite() {
        let before = line();
        let mut after = before.clone();
        assert_eq!(after.set(day(15), 'x', note()), None);
        assert_eq!(after.unset(day(15)).map(|dated| dated.value), Ok('x'));
        assert_eq!(after, before);
        let gave_way = after.set(day(10), 'y', note()).expect("the one there");
        after.set(gave_way.from, gave_way.value, gave_way.note);
        assert_eq!(after, before);
        assert_eq!(Timeline::new(day(1), 'a', note()).unset(day(1)), Err(TimelineError::NoSuchChange(day(1))));
    }
}
