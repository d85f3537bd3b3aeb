//! Which scheme prices a part of a stay, area by area, and what that comes to.
//! It must not know returns, passes or payments: they have made parts of the stay before.

use super::PriceError;
use super::axis::{Axis, Course, Holding};
use super::days::Days;
use super::plan::{Plan, SchemePlan};
use super::skip::Alike;
use super::visit::{Asked, Priced, price_visit, running};
use super::walk::{Bounds, is_free};
use super::zone::DAY;
use crate::tariff::model::{Choose, Clock, Free, FreeAreas, Measured, TimeWindow};

/// Whether a part of a stay has free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FreeTime {
    /// As its scheme says.
    AsGiven,
    /// None: it continues, or returns.
    Without,
}

/// A part of a stay that is priced by itself.
#[derive(Debug, Clone)]
pub(super) struct Part<'p> {
    pub(super) plan: &'p Plan,
    pub(super) days: &'p Days,
    pub(super) kind: u16,
    /// Where the car was, without gaps; a stopped clock where it was away.
    pub(super) courses: Vec<Course>,
    pub(super) free: FreeTime,
    /// How long the whole stay is, to which free time is compared.
    pub(super) measured: i64,
    pub(super) shared_anchor: i64,
    pub(super) alike: Alike,
}

impl<'p> Part<'p> {
    fn from(&self) -> i64 {
        self.courses.first().map_or(0, |course| course.from)
    }

    fn to(&self) -> i64 {
        self.courses.last().map_or(0, |course| course.to)
    }

    /// The schemes that may price the time in an area.
    fn candidates(&self, area: Option<u16>) -> Result<Vec<usize>, PriceError> {
        let schemes = &self.plan.schemes;
        let holding: Vec<usize> = (0..schemes.len()).filter(|place| self.holds(&schemes[*place], area)).collect();
        let breadth = |place: usize| {
            let (all, by_car) = schemes[place].conditions.breadth;
            if self.plan.file.choose == Choose::Cheapest { by_car } else { all }
        };
        let broadest = holding.iter().map(|place| breadth(*place)).max();
        let mut best: Vec<usize> = holding.into_iter().filter(|place| Some(breadth(*place)) == broadest).collect();
        if self.plan.file.choose == Choose::MostSpecific {
            best.truncate(1);
        }
        if best.is_empty() { Err(PriceError::NoScheme) } else { Ok(best) }
    }

    fn holds(&self, scheme: &SchemePlan, area: Option<u16>) -> bool {
        let given = &self.plan.file.schemes[scheme.place].conditions;
        let conditions = &scheme.conditions;
        let length = self.measured;
        let entry = self.plan.zone.wall(self.from());
        let today = self.days.key(entry.div_euclid(DAY));
        (conditions.vehicles.is_empty() || conditions.vehicles.contains(&self.kind))
            && (conditions.areas.is_empty() || area.is_some_and(|area| conditions.areas.contains(&area)))
            && (conditions.days.is_empty() || conditions.days.iter().any(|class| class.rank(today).is_some()))
            && (conditions.seasons == 0 || conditions.seasons & today.seasons() != 0)
            && self.within(&given.entered, self.from())
            && self.within(&given.left, self.to())
            && given.at_least.is_none_or(|least| length >= least.seconds())
            && given.at_most.is_none_or(|most| length <= most.seconds())
    }

    fn within(&self, windows: &[TimeWindow], moment: i64) -> bool {
        let second = self.plan.zone.wall(moment).rem_euclid(DAY);
        let second = u32::try_from(second).expect("a second of a day");
        windows.is_empty() || windows.iter().any(|window| window.holds_at(second))
    }

    /// Prices the part: one result for each group of areas that share their schemes.
    pub(super) fn price(&self) -> Result<Vec<Priced<'p>>, PriceError> {
        if self.to() <= self.from() {
            return Ok(Vec::new());
        }
        let mut groups: Vec<(Vec<usize>, Vec<Option<u16>>)> = Vec::new();
        for course in self.courses.iter().filter(|course| course.clock == Clock::Runs) {
            if groups.iter().any(|(_, areas)| areas.contains(&course.area)) {
                continue;
            }
            let candidates = self.candidates(course.area)?;
            match groups.iter_mut().find(|(held, _)| *held == candidates) {
                Some((_, areas)) => areas.push(course.area),
                None => groups.push((candidates, vec![course.area])),
            }
        }
        let mut all = Vec::new();
        for (number, (candidates, areas)) in groups.iter().enumerate() {
            let Some((anchor, courses)) = self.courses_of(areas) else { continue };
            let mut best: Option<Priced<'p>> = None;
            for place in candidates {
                let scheme = &self.plan.schemes[*place];
                let free = scheme
                    .free
                    .filter(|free| self.free == FreeTime::AsGiven && (number == 0 || free.areas == FreeAreas::Each));
                let bounds =
                    Bounds { anchor, shared_anchor: self.shared_anchor, end: self.to(), stay_end: self.to(), free };
                match self.freedom(scheme, &courses, free)? {
                    Freedom::Visit if number == 0 => return Ok(Vec::new()),
                    Freedom::Visit | Freedom::Area => {
                        best = None;
                        break;
                    }
                    Freedom::None => {}
                }
                let asked = Asked { days: self.days, kind: self.kind, courses: &courses, bounds, alike: self.alike };
                let priced = price_visit(self.plan, scheme, asked)?;
                let cheaper = match &best {
                    Some(held) => priced.total.minus(held.total)?.is_negative(),
                    None => true,
                };
                if cheaper {
                    best = Some(priced);
                }
            }
            all.extend(best);
        }
        Ok(all)
    }

    /// The time axis of the areas: elsewhere the clock stops. It begins where the car first came there.
    fn courses_of(&self, areas: &[Option<u16>]) -> Option<(i64, Vec<Course>)> {
        let mine = |course: &Course| course.clock == Clock::Runs && areas.contains(&course.area);
        let first = self.courses.iter().position(mine)?;
        let clock = |course: &Course| if mine(course) { Clock::Runs } else { Clock::Stops };
        let courses = self.courses[first..].iter().map(|course| Course { clock: clock(course), ..*course });
        Some((self.courses[first].from, courses.collect()))
    }

    /// Whether free time covers it all.
    fn freedom(&self, scheme: &SchemePlan, courses: &[Course], free: Option<Free>) -> Result<Freedom, PriceError> {
        let Some(free) = free else { return Ok(Freedom::None) };
        let length = match (free.areas, free.measured) {
            (FreeAreas::Entry, Measured::Stay) => self.measured,
            (FreeAreas::Each, Measured::Stay) => running(courses),
            (_, Measured::ChargedTime) => self.charged(scheme, courses)?,
        };
        Ok(match free.areas {
            _ if !is_free(&free, length) => Freedom::None,
            FreeAreas::Entry => Freedom::Visit,
            FreeAreas::Each => Freedom::Area,
        })
    }

    fn charged(&self, scheme: &'p SchemePlan, courses: &[Course]) -> Result<i64, PriceError> {
        let mut axis = Axis::new(self.plan, scheme, self.days, self.kind, courses);
        let enough = scheme.free.map_or(0, |free| free.time.seconds());
        let (mut at, mut charged) = (courses[0].from, 0);
        while at < self.to() && charged <= enough {
            let piece = axis.piece(at)?;
            let until = piece.until.min(self.to());
            if piece.holding != Holding::Stopped {
                charged += until - at;
            }
            at = until;
        }
        Ok(charged)
    }
}

/// What free time covers.
enum Freedom {
    /// The whole visit.
    Visit,
    /// The time in this area.
    Area,
    /// Not all.
    None,
}
