//! The time of a stay as a scheme sees it: at each moment the rate that holds and until when, or a clock that stops.
//!
//! Looking is cheap forwards and repeats nothing for a day that it has just looked at. It must not know units or money.

use std::rc::Rc;

use super::PriceError;
use super::days::{DayKey, Days};
use super::pattern::{Around, Owner, Stretch, pattern};
use super::plan::{Marks, Plan, SchemePlan};
use super::zone::DAY;
use crate::tariff::model::{Clock, Free, FreeAreas, Measured};

/// A part of the time to be priced, and where the car was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) area: Option<u16>,
    pub(super) presence: Presence,
}

/// Where the car was, as a scheme sees it. Its clock runs only where the scheme prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Where this scheme prices.
    Here,
    /// In an area that another scheme prices.
    Elsewhere,
    /// Outside, between two visits that are one stay.
    Away,
}

/// What holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holding {
    /// This rate, with these marks.
    Rate(u16, Marks),
    /// The clock stops.
    Stopped,
}

/// What holds, and until when at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) holding: Holding,
    /// Which coming of the rate's window, as far as windows of its own tell; 0: it has none.
    pub(super) coming: i64,
    pub(super) until: i64,
}

/// More than a rate has windows.
pub(super) const COMINGS_A_DAY: i64 = 1_024;

/// Which pattern a day has: equal numbers, equal patterns.
pub(super) type PatternNumber = u32;

struct Known {
    around: Around,
    stretches: Rc<Vec<Stretch>>,
}

#[derive(Default)]
struct Loaded {
    day: i64,
    area: Option<u16>,
    starts: i64,
    ends: i64,
    /// From which moment which stretch of the pattern holds.
    from: Vec<i64>,
    stretches: Rc<Vec<Stretch>>,
}

/// The time axis of one scheme.
pub(super) struct Axis<'p> {
    pub(super) plan: &'p Plan,
    pub(super) scheme: &'p SchemePlan,
    days: &'p Days,
    kind: u16,
    courses: &'p [Course],
    known: Vec<Known>,
    loaded: [Loaded; 2],
    /// Up to where anything was asked.
    pub(super) seen_to: i64,
}

impl<'p> Axis<'p> {
    /// `courses` follow each other without gaps; the last goes on for ever.
    pub(super) fn new(
        plan: &'p Plan,
        scheme: &'p SchemePlan,
        days: &'p Days,
        kind: u16,
        courses: &'p [Course],
    ) -> Self {
        Self { plan, scheme, days, kind, courses, known: Vec::new(), loaded: Default::default(), seen_to: i64::MIN }
    }

    /// Where the car is, and until when.
    fn course(&self, moment: i64) -> (Course, i64) {
        let place = self.courses.partition_point(|course| course.to <= moment);
        match self.courses.get(place) {
            Some(course) if place + 1 < self.courses.len() => (*course, course.to),
            _ => (*self.courses.last().expect("a stay has a course"), i64::MAX),
        }
    }

    /// Until when the car stays where it is, if the clock runs.
    pub(super) fn same_course_until(&self, moment: i64) -> i64 {
        let (course, until) = self.course(moment);
        if course.presence == Presence::Here { until } else { moment }
    }

    /// What holds at a moment.
    pub(super) fn piece(&mut self, moment: i64) -> Result<Piece, PriceError> {
        let (course, course_ends) = self.course(moment);
        if course.presence != Presence::Here {
            self.seen_to = self.seen_to.max(course_ends.min(moment + DAY));
            return Ok(Piece { holding: Holding::Stopped, coming: 0, until: course_ends });
        }
        let loaded = self.load(moment, course.area);
        let place = loaded.from.partition_point(|from| *from <= moment) - 1;
        let until = loaded.from.get(place + 1).copied().unwrap_or(loaded.ends).min(course_ends);
        let (stretch, day) = (loaded.stretches[place], loaded.day);
        self.seen_to = self.seen_to.max(until);
        let rate = stretch.rate.ok_or(PriceError::Unpriced { at: moment })?;
        let holding = match self.scheme.rates[usize::from(rate)].clock {
            Clock::Stops => Holding::Stopped,
            Clock::Runs => Holding::Rate(rate, stretch.marks),
        };
        let coming = stretch.window.map_or(0, |(window, began)| {
            COMINGS_A_DAY * if began == Owner::Today { day } else { day - 1 } + i64::from(window) + 1
        });
        Ok(Piece { holding, coming, until })
    }

    /// Goes on until so much time has gone by that counts as free time, or to `bound`: to where, and how much that was.
    pub(super) fn free_time(
        &mut self,
        free: &Free,
        most: i64,
        (since, bound): (i64, i64),
    ) -> Result<(i64, i64), PriceError> {
        let (mut at, mut counted) = (since, 0);
        while at < bound && counted < most {
            let (course, mut until) = self.course(at);
            let counts = match (course.presence, free.areas, free.measured) {
                (Presence::Away, ..) | (Presence::Elsewhere, FreeAreas::Each, _) => false,
                (Presence::Elsewhere, FreeAreas::Entry, _) | (Presence::Here, _, Measured::Stay) => true,
                (Presence::Here, _, Measured::ChargedTime) => {
                    let piece = self.piece(at)?;
                    until = piece.until;
                    piece.holding != Holding::Stopped
                }
            };
            until = until.min(bound);
            if counts {
                until = until.min(at + (most - counted));
                counted += until - at;
            }
            at = until;
        }
        Ok((at, counted))
    }

    /// Which selectors of caps and adjustments hold at a moment, whether or not a rate does.
    pub(super) fn marks(&mut self, moment: i64) -> Marks {
        let (course, _) = self.course(moment);
        let loaded = self.load(moment, course.area);
        let place = loaded.from.partition_point(|from| *from <= moment) - 1;
        loaded.stretches[place].marks
    }

    /// The day of a moment, with its stretches as moments.
    fn load(&mut self, moment: i64, area: Option<u16>) -> &Loaded {
        let holds = |loaded: &Loaded| loaded.area == area && loaded.starts <= moment && moment < loaded.ends;
        if let Some(slot) = self.loaded.iter().position(holds) {
            return &self.loaded[slot];
        }
        let zone = &self.plan.zone;
        let mut day = zone.wall(moment).div_euclid(DAY);
        // A change of the clock at midnight may show a date that has not begun, or has ended.
        while zone.moment(day * DAY) > moment {
            day -= 1;
        }
        while zone.moment((day + 1) * DAY) <= moment {
            day += 1;
        }
        let number = self.pattern_number(day, area);
        let stretches = Rc::clone(&self.known[number as usize].stretches);
        let slot = usize::try_from(day.rem_euclid(2)).expect("two");
        let loaded = &mut self.loaded[slot];
        (loaded.day, loaded.area) = (day, area);
        loaded.starts = zone.moment(day * DAY);
        loaded.ends = zone.moment((day + 1) * DAY);
        loaded.from.clear();
        if zone.next_change(loaded.starts) >= loaded.ends && loaded.ends - loaded.starts == DAY {
            loaded.from.extend(stretches.iter().map(|stretch| loaded.starts + i64::from(stretch.starts)));
        } else {
            loaded.from.extend(stretches.iter().map(|stretch| zone.moment(day * DAY + i64::from(stretch.starts))));
        }
        loaded.stretches = stretches;
        loaded
    }

    /// The number of the pattern of a day where the car stands in that area.
    pub(super) fn pattern_number(&mut self, day: i64, area: Option<u16>) -> PatternNumber {
        let around = self.around(self.days.key(day - 1), self.days.key(day), area);
        if let Some(place) = self.known.iter().position(|known| known.around == around) {
            return PatternNumber::try_from(place).expect("few patterns");
        }
        let stretches = pattern(self.scheme, &around);
        let same = self.known.iter().find(|known| *known.stretches == stretches);
        let stretches = same.map_or_else(|| Rc::new(stretches), |known| Rc::clone(&known.stretches));
        self.known.push(Known { around, stretches });
        PatternNumber::try_from(self.known.len() - 1).expect("few patterns")
    }

    /// A number that days share whose patterns are equal, though their classes may differ.
    pub(super) fn look(&mut self, day: i64, moment: i64) -> PatternNumber {
        let area = self.course(moment).0.area;
        let number = self.pattern_number(day, area) as usize;
        let stretches = Rc::clone(&self.known[number].stretches);
        let first = self.known.iter().position(|known| Rc::ptr_eq(&known.stretches, &stretches));
        PatternNumber::try_from(first.unwrap_or(number)).expect("few patterns")
    }

    fn around(&self, before: DayKey, today: DayKey, area: Option<u16>) -> Around {
        Around { kind: self.kind, area, before, today }
    }
}
