//! Dates of the lot: spans that include their first day and not their last, sets of them, and the grid of billing periods.
//!
//! A grid has a day of the month; a month that is too short has its boundary on its last day, and the next one is
//! reckoned from the day again, not from there (31 January, 28 February, 31 March).

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// A span of days that is not empty: from the first, up to but without `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredSpan")]
pub struct Span {
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
}

/// A span as it is written, before it is known to have days.
#[derive(Deserialize)]
struct StoredSpan {
    from: NaiveDate,
    until: NaiveDate,
}

/// A span without days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a span from {0} ends after that day")]
pub struct EmptySpan(NaiveDate);

impl TryFrom<StoredSpan> for Span {
    type Error = EmptySpan;
    fn try_from(stored: StoredSpan) -> Result<Self, EmptySpan> {
        Self::new(stored.from, stored.until).ok_or(EmptySpan(stored.from))
    }
}

impl Span {
    /// The span, unless it were empty.
    pub fn new(from: NaiveDate, until: NaiveDate) -> Option<Self> {
        (from < until).then_some(Self { from, until })
    }

    /// How many days it has; at least one.
    pub fn days(self) -> i64 {
        (self.until - self.from).num_days()
    }

    /// The days that both have.
    pub fn and(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.until.min(other.until))
    }

    /// Whether the day lies in it.
    pub fn has(self, day: NaiveDate) -> bool {
        self.from <= day && day < self.until
    }

    /// How many of its days lie before `day`.
    pub fn days_before(self, day: NaiveDate) -> i64 {
        (day.min(self.until) - self.from).num_days().max(0)
    }
}

/// What of `whole` none of `taken` covers, in order. `taken` may overlap and come in any order.
pub fn without(whole: Span, taken: &[Span]) -> Vec<Span> {
    let mut taken: Vec<Span> = taken.iter().filter_map(|span| span.and(whole)).collect();
    taken.sort_unstable();
    let mut left = Vec::new();
    let mut from = whole.from;
    for span in taken {
        left.extend(Span::new(from, span.from));
        from = from.max(span.until);
    }
    left.extend(Span::new(from, whole.until));
    left
}

/// The spans joined where they touch or overlap, in order.
pub fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match all.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => all.push(span),
        }
    }
    all
}

/// The day before which a date of the box's calendar never lies, and after which it never does: 1900 to 2399.
pub fn in_bounds(day: NaiveDate) -> bool {
    (1900..2400).contains(&day.year())
}

/// The grid of billing periods: boundaries every so many months on one day of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cycle {
    /// Months from one boundary to the next: 1, 3, 6 or 12.
    pub months: u8,
    /// The day of the month, 1 to 31; a shorter month has its boundary on its last day.
    pub day: u8,
    /// A month in which there is a boundary, counted from year 0.
    pub month: i32,
}

impl Cycle {
    /// By the calendar: months from the 1st, quarters from January, April, July, October, years from January.
    pub fn calendar(months: u8) -> Self {
        Self { months: months.max(1), day: 1, month: 0 }
    }

    /// From the day on which something began.
    pub fn anniversary(months: u8, began: NaiveDate) -> Self {
        Self::on_day(months, began, began.day())
    }

    /// On a day of the month, counted from the month in which something began.
    pub fn on_day(months: u8, began: NaiveDate, day: u32) -> Self {
        let day = u8::try_from(day.clamp(1, 31)).expect("1 to 31 fits");
        Self { months: months.max(1), day, month: month_of(began) }
    }

    fn boundary(self, number: i32) -> NaiveDate {
        day_in_month(self.month + number * i32::from(self.months), self.day)
    }

    /// The period in which the day lies.
    pub fn period_of(self, day: NaiveDate) -> Span {
        let months = i32::from(self.months);
        let mut number = (month_of(day) - self.month).div_euclid(months);
        if self.boundary(number) > day {
            number -= 1;
        }
        Span { from: self.boundary(number), until: self.boundary(number + 1) }
    }

    /// The periods that have a day in common with the span, in order.
    pub fn periods(self, span: Span) -> impl Iterator<Item = Span> {
        let first = self.period_of(span.from);
        std::iter::successors(Some(first), move |period| Some(self.period_of(period.until)))
            .take_while(move |period| period.from < span.until)
    }
}

fn month_of(day: NaiveDate) -> i32 {
    day.year() * 12 + i32::try_from(day.month0()).expect("a month is at most 11")
}

fn day_in_month(month: i32, day: u8) -> NaiveDate {
    let (year, month0) = (month.div_euclid(12), month.rem_euclid(12));
    let month = u32::try_from(month0 + 1).expect("1 to 12");
    (28..=u32::from(day).max(28))
        .rev()
        .map(|day_of_month| day_of_month.min(u32::from(day)))
        .find_map(|day_of_month| NaiveDate::from_ymd_opt(year, month, day_of_month))
        .expect("every month has a 28th, and years stay within chrono's range")
}

/// So many months after a date, by its day of the month; the last day where the month is too short.
pub fn months_after(date: NaiveDate, months: i32) -> NaiveDate {
    day_in_month(month_of(date) + months, u8::try_from(date.day()).expect("1 to 31"))
}

/// So many days after a date.
pub fn days_after(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days))).expect("dates stay within chrono's range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn span(from: &str, until: &str) -> Span {
        Span::new(day(from), day(until)).expect("not empty")
    }

    #[test]
    fn short_months_have_their_boundary_on_their_last_day_and_do_not_shift_the_next() {
        let cases = [
            (31, "2026-01-31", "2026-02-10", "2026-01-31", "2026-02-28"),
            (31, "2026-01-31", "2026-03-01", "2026-02-28", "2026-03-31"),
            (31, "2026-01-31", "2024-02-29", "2024-02-29", "2024-03-31"),
            (30, "2026-01-30", "2026-02-27", "2026-01-30", "2026-02-28"),
            (29, "2026-01-29", "2026-02-28", "2026-02-28", "2026-03-29"),
            (29, "2026-01-29", "2028-02-28", "2028-01-29", "2028-02-29"),
            (1, "2026-01-01", "2026-12-31", "2026-12-01", "2027-01-01"),
        ];
        for (on, began, asked, from, until) in cases {
            let cycle = Cycle::on_day(1, day(began), on);
            assert_eq!(cycle.period_of(day(asked)), span(from, until), "day {on}, {asked}");
        }
    }

    #[test]
    fn quarters_and_years_of_the_calendar_begin_in_january() {
        let cases = [
            (3, "2026-05-20", "2026-04-01", "2026-07-01"),
            (3, "2026-12-31", "2026-10-01", "2027-01-01"),
            (6, "2026-07-01", "2026-07-01", "2027-01-01"),
            (12, "2026-02-28", "2026-01-01", "2027-01-01"),
        ];
        for (months, asked, from, until) in cases {
            assert_eq!(Cycle::calendar(months).period_of(day(asked)), span(from, until), "{asked}");
        }
    }

    #[test]
    fn what_is_taken_is_left_out() {
        let whole = span("2026-01-01", "2026-02-01");
        let taken =
            [span("2026-01-20", "2026-03-01"), span("2025-12-01", "2026-01-05"), span("2026-01-04", "2026-01-06")];
        assert_eq!(without(whole, &taken), [span("2026-01-06", "2026-01-20")]);
        assert_eq!(without(whole, &[]), [whole]);
        assert_eq!(without(whole, &[whole]), []);
        assert_eq!(joined(taken.to_vec()), [span("2025-12-01", "2026-01-06"), span("2026-01-20", "2026-03-01")]);
    }

    proptest! {
        /// Invariant 9: periods tile without gap or overlap, for every day of the month and every length.
        #[test]
        fn periods_tile(months in prop::sample::select(vec![1u8, 3, 6, 12]), on in 1u32..32, start in 0u32..20_000, length in 1u32..3_000) {
            let from = days_after(day("1990-01-01"), start);
            let whole = Span::new(from, days_after(from, length)).expect("not empty");
            let periods: Vec<Span> = Cycle::on_day(months, from, on).periods(whole).collect();
            prop_assert!(periods[0].has(from));
            prop_assert!(periods.windows(2).all(|pair| pair[0].until == pair[1].from));
            prop_assert!(periods.iter().all(|period| period.days() >= 28));
            prop_assert!(periods[periods.len() - 1].until >= whole.until);
        }

        #[test]
        fn what_is_left_and_what_is_taken_make_up_the_whole(cuts in prop::collection::vec((0u32..60, 1u32..20), 0..6)) {
            let whole = span("2026-01-10", "2026-02-20");
            let base = day("2026-01-01");
            let taken: Vec<Span> = cuts.iter()
                .map(|(from, days)| Span::new(days_after(base, *from), days_after(base, from + days)).expect("not empty"))
                .collect();
            let left = without(whole, &taken);
            for offset in 0..60 {
                let date = days_after(base, offset);
                let is_left = left.iter().filter(|span| span.has(date)).count();
                let is_taken = taken.iter().any(|span| span.has(date));
                prop_assert_eq!(is_left, usize::from(whole.has(date) && !is_taken));
            }
        }
    }
}
