//! Coming back soon: which visits are one stay, and what was paid for those before.
//! It must not know what a stay costs.

use super::PriceError;
use super::choose::FreeTime;
use super::stay::{Terms, assess, cut};
use crate::money::Money;
use crate::tariff::StayFacts;
use crate::tariff::model::{ComingBack, Counts, EarlierVisit, Since};

/// What the visits before make of this one.
#[derive(Debug)]
pub(super) enum Return {
    /// One stay from there on; the clock stops while it was away, if the tariff says so.
    Joined { from: i64, away: Vec<(i64, i64)>, paid: Money },
    /// A stay of its own.
    Alone(FreeTime),
    /// It costs nothing.
    Free,
}

/// A time that is priced as one stay.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) free: FreeTime,
    /// When it was away, if the clock stops then.
    pub(super) away: Vec<(i64, i64)>,
}

/// What `[return]` makes of a visit.
pub(super) fn returned(terms: Terms<'_>, entered: i64, until: i64) -> Result<Return, PriceError> {
    let Some(rule) = terms.plan.file.coming_back else { return Ok(Return::Alone(FreeTime::AsGiven)) };
    let visits = visits_before(terms, entered)?;
    let times: Vec<_> = visits.iter().map(|(enter, exit, _)| (*enter, *exit)).chain([(entered, until)]).collect();
    let first = firsts(&rule, &times)[visits.len()];
    if first == visits.len() {
        return Ok(Return::Alone(FreeTime::AsGiven));
    }
    Ok(match rule.counts {
        Counts::WithoutFreeTime => Return::Alone(FreeTime::Without),
        Counts::Free { at_most } if until - entered <= at_most.seconds() => Return::Free,
        Counts::Free { .. } => Return::Alone(FreeTime::AsGiven),
        Counts::FromFirstEntry | Counts::WithoutTheTimeAway => {
            let away = away(rule.counts, &times[first..]);
            Return::Joined { from: times[first].0, away, paid: paid(terms, &visits, first)? }
        }
    })
}

/// The visits before an entry as the stays that they were, for the caps that visits share.
pub(super) fn stays_before(terms: Terms<'_>, entered: i64) -> Result<Vec<Stretch>, PriceError> {
    let times: Vec<_> = visits_before(terms, entered)?.into_iter().map(|(enter, exit, _)| (enter, exit)).collect();
    let alone = |(from, until), free| Stretch { from, until, free, away: vec![] };
    let Some(rule) = terms.plan.file.coming_back else {
        return Ok(times.into_iter().map(|time| alone(time, FreeTime::AsGiven)).collect());
    };
    let mut stays: Vec<Stretch> = Vec::new();
    for (place, first) in firsts(&rule, &times).into_iter().enumerate() {
        let (enter, exit) = times[place];
        match rule.counts {
            Counts::Free { at_most } if place > first && exit - enter <= at_most.seconds() => {}
            Counts::WithoutFreeTime if place > first => stays.push(alone(times[place], FreeTime::Without)),
            Counts::FromFirstEntry | Counts::WithoutTheTimeAway if place > first => {
                let away = away(rule.counts, &times[first..=place]);
                if let Some(stay) = stays.last_mut() {
                    (stay.until, stay.away) = (exit, away);
                }
            }
            _ => stays.push(alone(times[place], FreeTime::AsGiven)),
        }
    }
    Ok(stays)
}

/// Visits that ended before an entry, as the tariff measures time, the oldest first.
fn visits_before(terms: Terms<'_>, entered: i64) -> Result<Vec<(i64, i64, &EarlierVisit)>, PriceError> {
    let mut visits = Vec::new();
    for visit in &terms.facts.earlier {
        let (enter, exit) = (cut(terms.plan, visit.enter)?, cut(terms.plan, visit.exit)?);
        if enter <= exit && exit <= entered {
            visits.push((enter, exit, visit));
        }
    }
    visits.sort_by_key(|(enter, ..)| *enter);
    Ok(visits)
}

/// For each visit the first of the chain that it belongs to: its own place if it returns to none.
fn firsts(rule: &ComingBack, visits: &[(i64, i64)]) -> Vec<usize> {
    let mut firsts: Vec<usize> = Vec::with_capacity(visits.len());
    for (place, (enter, _)) in visits.iter().enumerate() {
        let returns = firsts.last().copied().filter(|first| {
            let since = match rule.since {
                Since::Exit => visits[place - 1].1,
                Since::FirstEntry => visits[*first].0,
            };
            enter - since <= rule.within.seconds()
        });
        firsts.push(returns.unwrap_or(place));
    }
    firsts
}

/// When the car was away between visits, if that is left out.
fn away(counts: Counts, visits: &[(i64, i64)]) -> Vec<(i64, i64)> {
    if counts != Counts::WithoutTheTimeAway {
        return Vec::new();
    }
    visits.windows(2).map(|pair| (pair[0].1, pair[1].0)).filter(|(from, to)| from < to).collect()
}

/// What was paid for the visits of the chain; where nobody says, the fee of each.
fn paid(terms: Terms<'_>, visits: &[(i64, i64, &EarlierVisit)], first: usize) -> Result<Money, PriceError> {
    let mut sum = Money::zero(terms.plan.file.currency);
    let mut known: Vec<EarlierVisit> = Vec::new();
    for (place, (.., visit)) in visits.iter().enumerate() {
        let paid = match visit.paid {
            Some(paid) => paid,
            None if place < first => Money::zero(terms.plan.file.currency),
            None => {
                let facts = alone(terms.facts, visit, &known);
                assess(terms.book, &facts, terms.alike)?.total
            }
        };
        known.push(EarlierVisit { paid: Some(paid), ..**visit });
        if place >= first {
            sum = sum.plus(paid)?;
        }
    }
    Ok(sum)
}

/// An earlier visit as a stay, with the visits before it.
fn alone(facts: &StayFacts, visit: &EarlierVisit, before: &[EarlierVisit]) -> StayFacts {
    StayFacts {
        earlier: before.to_vec(),
        vehicle: facts.vehicle.clone(),
        covered: facts.covered.clone(),
        calendar: facts.calendar.clone(),
        ..StayFacts::new(visit.enter, visit.exit, facts.colour)
    }
}
