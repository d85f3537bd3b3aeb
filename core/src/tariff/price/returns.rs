//! Coming back soon: which visits are one stay with the present one, and what was paid for them.
//! It must not know what the joined stay costs.

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

/// What `[return]` makes of a visit.
pub(super) fn returned(terms: Terms<'_>, entered: i64, until: i64) -> Result<Return, PriceError> {
    let plan = terms.plan;
    let Some(rule) = plan.file.coming_back else { return Ok(Return::Alone(FreeTime::AsGiven)) };
    let mut visits = Vec::new();
    for visit in &terms.facts.earlier {
        let (enter, exit) = (cut(plan, visit.enter)?, cut(plan, visit.exit)?);
        if enter <= exit && exit <= entered {
            visits.push((enter, exit, visit));
        }
    }
    visits.sort_by_key(|(enter, ..)| *enter);
    let first = chain(&rule, &visits, entered);
    let chained = &visits[first..];
    let Some((from, ..)) = chained.first() else { return Ok(Return::Alone(FreeTime::AsGiven)) };
    match rule.counts {
        Counts::WithoutFreeTime => Ok(Return::Alone(FreeTime::Without)),
        Counts::Free { at_most } if until - entered <= at_most.seconds() => Ok(Return::Free),
        Counts::Free { .. } => Ok(Return::Alone(FreeTime::AsGiven)),
        Counts::FromFirstEntry => Ok(Return::Joined { from: *from, away: vec![], paid: paid(terms, &visits, first)? }),
        Counts::WithoutTheTimeAway => {
            let ends = chained.iter().map(|(_, exit, _)| *exit);
            let begins = chained[1..].iter().map(|(enter, ..)| *enter).chain([entered]);
            let away = ends.zip(begins).filter(|(from, to)| from < to).collect();
            Ok(Return::Joined { from: *from, away, paid: paid(terms, &visits, first)? })
        }
    }
}

/// With which of the visits the chain begins that ends with this one; behind the last if it returns to none.
fn chain(rule: &ComingBack, visits: &[(i64, i64, &EarlierVisit)], entered: i64) -> usize {
    let mut first = 0;
    for place in 1..=visits.len() {
        let enter = visits.get(place).map_or(entered, |(enter, ..)| *enter);
        let since = match rule.since {
            Since::Exit => visits[place - 1].1,
            Since::FirstEntry => visits[first].0,
        };
        if enter - since > rule.within.seconds() {
            first = place;
        }
    }
    first
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
pub(super) fn alone(facts: &StayFacts, visit: &EarlierVisit, before: &[EarlierVisit]) -> StayFacts {
    StayFacts {
        earlier: before.to_vec(),
        vehicle: facts.vehicle.clone(),
        calendar: facts.calendar.clone(),
        ..StayFacts::new(visit.enter, visit.exit, facts.colour)
    }
}
