//! Which scheme prices a part of a stay, area by area, and what that comes to.
//! It must not know returns, passes or payments: they have made parts of the stay before.

use super::PriceError;
use super::axis::{Axis, Course, Presence};
use super::days::Days;
use super::plan::{Plan, SchemePlan};
use super::shared::UsedUp;
use super::skip::Alike;
use super::visit::{Asked, Priced, price_visit};
use super::walk::{Bounds, is_free};
use super::zone::DAY;
use crate::tariff::model::{Choose, Free, FreeAreas, TimeWindow};

/// Whether a part of a stay has free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FreeTime {
    /// As its scheme says.
    AsGiven,
    /// None: it continues, or returns.
    Without,
}

/// A part of a stay that is priced by itself.
#[derive(Debug)]
pub(super) struct Part<'p, 'u> {
    pub(super) plan: &'p Plan,
    pub(super) days: &'p Days,
    pub(super) kind: u16,
    /// Where the car was, without gaps; a stopped clock where it was away.
    pub(super) courses: Vec<Course>,
    pub(super) free: FreeTime,
    /// The whole stay, to which free time is compared, where this is only its first part.
    pub(super) whole: Option<Vec<Course>>,
    pub(super) shared_anchor: i64,
    /// What the visits before used up of the caps that visits share.
    pub(super) used: &'u UsedUp,
    pub(super) alike: Alike,
}

impl<'p> Part<'p, '_> {
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
        let length = self.courses.iter().filter(|course| course.presence != Presence::Away);
        let length: i64 = length.map(|course| course.to - course.from).sum();
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

    /// Prices the part: one result for each group of areas that share their schemes. None: free time covers the whole visit.
    pub(super) fn price(&self) -> Result<Option<Vec<Priced<'p>>>, PriceError> {
        if self.to() <= self.from() {
            return Ok(Some(Vec::new()));
        }
        let mut groups: Vec<(Vec<usize>, Vec<Option<u16>>)> = Vec::new();
        for course in self.courses.iter().filter(|course| course.presence == Presence::Here) {
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
            let Some((anchor, courses)) = courses_of(&self.courses, areas) else { continue };
            let mut best: Option<Priced<'p>> = None;
            for place in candidates {
                let scheme = &self.plan.schemes[*place];
                let free = scheme
                    .free
                    .filter(|free| self.free == FreeTime::AsGiven && (number == 0 || free.areas == FreeAreas::Each));
                let bounds =
                    Bounds { anchor, shared_anchor: self.shared_anchor, end: self.to(), stay_end: self.to(), free };
                match self.freedom(scheme, areas, free)? {
                    Freedom::Visit => return Ok(None),
                    Freedom::Area => {
                        best = None;
                        break;
                    }
                    Freedom::None => {}
                }
                let (days, kind, used, alike) = (self.days, self.kind, self.used, self.alike);
                let asked = Asked { days, kind, courses: &courses, bounds, used, alike };
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
        Ok(Some(all))
    }

    /// Whether free time covers it all.
    fn freedom(
        &self,
        scheme: &'p SchemePlan,
        areas: &[Option<u16>],
        free: Option<Free>,
    ) -> Result<Freedom, PriceError> {
        let Some(free) = free else { return Ok(Freedom::None) };
        let all = self.whole.as_ref().unwrap_or(&self.courses);
        let Some((from, courses)) = courses_of(all, areas) else { return Ok(Freedom::None) };
        let to = all.last().map_or(from, |course| course.to);
        let mut axis = Axis::new(self.plan, scheme, self.days, self.kind, &courses);
        let (_, counted) = axis.free_time(&free, free.time.seconds() + 1, (from, to))?;
        Ok(match free.areas {
            _ if !is_free(&free, counted) => Freedom::None,
            FreeAreas::Entry => Freedom::Visit,
            FreeAreas::Each => Freedom::Area,
        })
    }
}

/// The time axis of areas that one scheme prices: the rest is elsewhere. It begins where the car first came there.
fn courses_of(all: &[Course], areas: &[Option<u16>]) -> Option<(i64, Vec<Course>)> {
    let mine = |course: &Course| course.presence == Presence::Here && areas.contains(&course.area);
    let first = all.iter().position(mine)?;
    let seen = |course: &Course| match course.presence {
        Presence::Here if !mine(course) => Presence::Elsewhere,
        presence => presence,
    };
    let courses = all[first..].iter().map(|course| Course { presence: seen(course), ..*course });
    Some((all[first].from, courses.collect()))
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
