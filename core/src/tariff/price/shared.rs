//! Caps that all visits of one vehicle share: what the visits before have used up of them when another one begins.
//! It must not know how visits are joined, nor what a cap takes away.

use std::collections::HashMap;

use super::exact::Exact;
use super::plan::{Plan, SchemePlan};
use super::till::Used;
use super::visit::Priced;
use super::walk::Walk;
use super::zone::DAY;
use crate::tariff::model::{CapPer, Visits};

/// What is used up so far. The caps of another version are other caps.
#[derive(Debug, Default)]
pub(super) struct UsedUp(HashMap<Key, Exact>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    version: String,
    scheme: usize,
    cap: usize,
    /// A day of the calendar, or which 24 hours after those that the visits share began.
    period: i64,
}

impl UsedUp {
    /// What is used up of the periods in which a walk begins, as the walk counts them.
    pub(super) fn at_entry(&self, plan: &Plan, walk: &Walk<'_, '_>) -> Vec<Used> {
        let mut found = Vec::new();
        if self.0.is_empty() {
            return found;
        }
        for (cap, held) in walk.scheme.caps.iter().enumerate().filter(|(_, cap)| cap.visits == Visits::Together) {
            let period = match held.per {
                CapPer::CalendarDay => 0,
                _ => (walk.bounds.anchor - walk.bounds.shared_anchor).div_euclid(DAY),
            };
            let (version, scheme) = (plan.label.clone(), walk.scheme.place);
            let key = Key { version, scheme, cap, period: period + first_period(walk.scheme, cap, walk.first_day) };
            found.extend(self.0.get(&key).map(|used| (cap, period, *used)));
        }
        found
    }

    /// A visit was priced, part by part.
    pub(super) fn add(&mut self, priced: &Priced<'_>) {
        for (cap, period, used) in &priced.used {
            let (version, scheme) = (priced.plan.label.clone(), priced.scheme.place);
            self.0.insert(Key { version, scheme, cap: *cap, period: *period }, *used);
        }
    }
}

/// What a walk counts as nothing, of the periods of a cap.
pub(super) fn first_period(scheme: &SchemePlan, cap: usize, first_day: i64) -> i64 {
    if scheme.caps[cap].per == CapPer::CalendarDay { first_day } else { 0 }
}

/// From where the 24 hours count that visits share: a visit that comes after all that were begun begins new ones.
pub(super) fn anchor(before: impl Iterator<Item = (i64, i64)>, from: i64) -> i64 {
    let mut held: Option<(i64, i64)> = None;
    for (enter, exit) in before.chain([(from, from)]) {
        let anchor = match held {
            Some((anchor, ends)) if enter < ends => anchor,
            _ => enter,
        };
        let whole_days = (exit.max(anchor + 1) - 1 - anchor).div_euclid(DAY) + 1;
        held = Some((anchor, anchor + whole_days * DAY));
    }
    held.map_or(from, |(anchor, _)| anchor)
}
