//! Free time: what of a visit counts as it, whether it covers everything, and which ticks it takes out.

use tollhouse_core::tariff::model::{Again, Exceeded, Free, FreeAreas, FreeEnds, Measured, Scheme};

use super::Reference;
use super::walk::{Ahead, Tick, TickState, Walk};
use super::wall::Second;

/// What free time covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// The whole visit, wherever the car was.
    FreeVisit,
    /// Everything where this scheme prices.
    FreeHere,
    Charged,
}

impl Reference<'_> {
    /// Whether a moment counts as free time of a scheme that prices at some places.
    fn counts_as_free(&self, free: Free, walk: &Walk<'_>, places: &[Option<&str>], at: Second) -> bool {
        if self.is_away(at) {
            return false;
        }
        if !places.contains(&self.area_at(at)) {
            return free.areas == FreeAreas::Entry;
        }
        free.measured == Measured::Stay || !walk.stands_at(at)
    }

    pub(super) fn covers_all(&self, free: Free, scheme: &Scheme, places: &[Option<&str>]) -> Whole {
        let ahead = |_: &Walk<'_>, _| Ahead::Runs;
        let walk = self.walk(scheme, self.whole, &|_| 0, &ahead);
        let whole = self.moments(self.whole.0, self.whole.1);
        let spent = whole.filter(|at| self.counts_as_free(free, &walk, places, *at)).count();
        match (self.covers(free, spent), free.areas) {
            (false, _) => Whole::Charged,
            (true, FreeAreas::Entry) => Whole::FreeVisit,
            (true, FreeAreas::Each) => Whole::FreeHere,
        }
    }

    fn covers(&self, free: Free, ticks: usize) -> bool {
        let spent = i64::try_from(ticks).expect("few") * self.tick_s;
        match free.ends {
            FreeEnds::Included => spent <= free.time.seconds(),
            FreeEnds::Excluded => spent < free.time.seconds(),
        }
    }

    /// Marks the ticks that free time takes out of a stay that is longer.
    pub(super) fn take_free_time(&self, free: Free, walk: &Walk<'_>, places: &[Option<&str>], ticks: &mut [Tick]) {
        let counts = |tick: &Tick| self.counts_as_free(free, walk, places, tick.at);
        let each = free.again == Again::EachCycle;
        let last = ticks.last().map_or(0, |tick| tick.cycle);
        for cycle in 0..=last {
            let from = ticks.partition_point(|tick| tick.cycle < cycle);
            let to = ticks.partition_point(|tick| tick.cycle <= cycle);
            let this = if each { &mut ticks[from..to] } else { &mut ticks[..] };
            let spent = this.iter().filter(|tick| counts(tick)).count();
            let ends_free = each && cycle > 0 && cycle == last && self.covers(free, spent);
            let mut left = match free.when_exceeded {
                Exceeded::Lost if ends_free => i64::MAX,
                Exceeded::Lost => 0,
                Exceeded::Deducted => free.time.seconds(),
            };
            for tick in this.iter_mut() {
                if left > 0 {
                    left -= if counts(tick) { self.tick_s } else { 0 };
                    tick.state = TickState::Stopped;
                }
            }
            if !each {
                break;
            }
        }
    }

    /// Whether the clock would stand at a moment behind the end: in another area, or in the free time of a new cycle.
    pub(super) fn ahead(&self, walk: &Walk<'_>, at: Second, places: &[Option<&str>], free: Option<Free>) -> Ahead {
        if !places.contains(&self.area_at(self.to - 1)) {
            return Ahead::Stands;
        }
        let deducted = |free: &Free| (free.again, free.when_exceeded) == (Again::EachCycle, Exceeded::Deducted);
        let Some(free) = free.filter(deducted) else { return Ahead::Runs };
        let cycle = (walk.cycle_of)(at);
        let before = self.moments(self.from, at).filter(|moment| (walk.cycle_of)(*moment) == cycle);
        let counts = |moment: Second| moment >= self.to || self.counts_as_free(free, walk, places, moment);
        let stands = |moment: Second| free.measured == Measured::ChargedTime && walk.stands_at(moment);
        let spent = before.filter(|moment| counts(*moment) && !stands(*moment)).count();
        let spent = i64::try_from(spent).expect("few") * self.tick_s;
        if spent < free.time.seconds() { Ahead::Stands } else { Ahead::Runs }
    }
}
