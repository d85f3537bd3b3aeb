//! Caps that all visits of one vehicle share: what the visits before used of them, and what that leaves for this one.
//! It must not know returns: a visit that is joined to this one is no visit before it.

use std::collections::HashMap;

use super::PriceError;
use super::axis::Course;
use super::choose::{FreeTime, Part};
use super::exact::Exact;
use super::plan::SchemePlan;
use super::stay::{Terms, cut, days_of};
use super::visit::Priced;
use super::zone::DAY;
use crate::tariff::model::{CapPer, Clock};

/// How much of a cap was used: by scheme, cap and period.
type Used = HashMap<(usize, usize, i64), Exact>;

fn before(terms: Terms<'_>, from: i64) -> Result<Vec<(i64, i64)>, PriceError> {
    let mut visits = Vec::new();
    for visit in &terms.facts.earlier {
        let (enter, exit) = (cut(terms.plan, visit.enter)?, cut(terms.plan, visit.exit)?);
        if enter <= exit && exit <= from {
            visits.push((enter, exit));
        }
    }
    visits.sort_unstable();
    Ok(visits)
}

/// From where the 24 hours count that visits share: a visit that comes after them all begins new ones.
pub(super) fn anchor(terms: Terms<'_>, from: i64) -> Result<i64, PriceError> {
    if !terms.plan.schemes.iter().any(SchemePlan::has_shared_caps) {
        return Ok(from);
    }
    let visits = before(terms, from)?;
    let mut held: Option<(i64, i64)> = None;
    for (enter, exit) in visits.into_iter().chain([(from, from)]) {
        let anchor = match held {
            Some((anchor, ends)) if enter < ends => anchor,
            _ => enter,
        };
        let whole_days = (exit.max(anchor + 1) - 1 - anchor).div_euclid(DAY) + 1;
        held = Some((anchor, anchor + whole_days * DAY));
    }
    Ok(held.map_or(from, |(anchor, _)| anchor))
}

/// Takes from this visit what the visits before its first entry left nothing of.
pub(super) fn cut_by_shared_caps(
    terms: Terms<'_>,
    entered: i64,
    anchor: i64,
    priced: &mut [Priced<'_>],
) -> Result<(), PriceError> {
    if priced.iter().all(|priced| priced.shared.is_empty()) {
        return Ok(());
    }
    let plan = priced[0].plan;
    let days = days_of(plan, terms.facts)?;
    let mut used = Used::new();
    for (enter, exit) in before(terms, entered)? {
        let course = Course { from: enter, to: exit, area: None, clock: Clock::Runs };
        let part = Part {
            plan,
            days: &days,
            kind: terms.kind,
            courses: vec![course],
            free: FreeTime::AsGiven,
            measured: exit - enter,
            shared_anchor: anchor,
            alike: terms.alike,
        };
        for priced in &part.price()? {
            use_up(priced, &mut used)?;
        }
    }
    for priced in priced {
        for (cap, from, to, cut) in use_up(priced, &mut used)? {
            priced.cut_shared(cap, from, to, cut)?;
        }
    }
    Ok(())
}

/// Uses up caps by what a visit came to, and says what was too much: cap, from, to, how much.
fn use_up(priced: &Priced<'_>, used: &mut Used) -> Result<Vec<(usize, i64, i64, Exact)>, PriceError> {
    let mut cuts: Vec<(usize, i64, i64, Exact)> = Vec::new();
    for (number, period, amount, from, to) in &priced.shared {
        let plan = &priced.scheme.caps[*number];
        let period = if plan.per == CapPer::CalendarDay { period + priced.first_day } else { *period };
        let held = used.entry((priced.scheme.place, *number, period)).or_insert(Exact::ZERO);
        let room = plan.max.minus(*held)?;
        let room = if room.is_negative() { Exact::ZERO } else { room };
        let passing = amount.least(room)?;
        *held = held.plus(passing)?;
        let cut = amount.minus(passing)?;
        if cut.is_positive() {
            match cuts.iter_mut().find(|(cap, ..)| *cap == plan.place) {
                Some((_, _, until, sum)) => (*until, *sum) = (*to, sum.plus(cut)?),
                None => cuts.push((plan.place, *from, *to, cut)),
            }
        }
    }
    Ok(cuts)
}
