//! What should be billed, held against what was: the heart of the bill run.
//!
//! Days that are billed for a charge are not billed again, whatever became of the price list since: a change of prices
//! never touches a bill. Days that are billed and no longer held, or of another class now, are too much.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::line::Source;
use crate::charging::calendar::{Span, days_after, joined, without};
use crate::charging::cards::{BilledSpan, Billing, Card, Holding, TermKind};
use crate::charging::estate::{Attributes, Space, SpaceClass, Tenure};
use crate::charging::fees::{FeeItem, FeeKind, FeeList, PeriodicTerms, Timing};
use crate::charging::label::{Charge, PoolId, SpaceNumber};
use crate::charging::place::Place;
use crate::charging::timeline::Dated;
use crate::id::AreaId;

/// Where the comparison finds spaces.
pub trait Estate {
    /// The space of that number.
    fn space(&self, number: &SpaceNumber) -> Option<Space>;

    /// In which area a pool is, where that is known.
    fn pool_area(&self, _: &PoolId) -> Option<AreaId> {
        None
    }
}

impl<F: Fn(&SpaceNumber) -> Option<Space>> Estate for F {
    fn space(&self, number: &SpaceNumber) -> Option<Space> {
        self(number)
    }
}

/// Days of one period at one price that should be billed and are not.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece<'f> {
    /// For which place.
    pub place: Place,
    /// Of which class it is on these days.
    pub class: SpaceClass,
    /// By which item.
    pub item: &'f FeeItem,
    /// The period.
    pub period: Span,
    /// The days.
    pub span: Span,
    /// The price of the whole period, exact.
    pub price: Decimal,
    /// When the box learned of what makes it owed: it is not due as if it had always known.
    pub known_on: NaiveDate,
}

/// Days that are billed and should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surplus {
    /// For which place.
    pub place: Place,
    /// From which source.
    pub source: Source,
    /// Which days.
    pub span: Span,
}

/// What is missing, and what is too much.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison<'f> {
    /// By place, in order of days.
    pub missing: Vec<Piece<'f>>,
    /// By place.
    pub surplus: Vec<Surplus>,
}

/// A holding with the class that it has on some days.
struct Held<'c> {
    place: &'c Place,
    span: Span,
    is: Dated<Attributes>,
    began: NaiveDate,
    known_on: NaiveDate,
}

/// Compares what a card should be billed for as of a day with what it was.
/// `Err` names a space that the card holds and the estate does not have.
pub fn compare<'f>(
    card: &Card,
    estate: &impl Estate,
    fees: &'f FeeList,
    as_of: NaiveDate,
) -> Result<Comparison<'f>, SpaceNumber> {
    let held = held(card, estate)?;
    let mut valid: Vec<Vec<Span>> = vec![Vec::new(); card.billed.len()];
    let mut missing = Vec::new();
    for held in held.iter().filter(|held| held.is.value.tenure == Tenure::Owned) {
        let class = held.is.value.class();
        for chosen in fees.charged(&class, held.span) {
            let FeeKind::Periodic(terms) = chosen.item.kind else { continue };
            let charge = &chosen.item.charge;
            let days = without(chosen.span, &replaced(card, held.place, charge));
            let mut taken = Vec::new();
            for (billed, valid) in card.billed.iter().zip(&mut valid) {
                let Billing::Fee { charge: of, item, class: was } = &billed.of else { continue };
                if billed.place == *held.place && of == charge && (*was == class || *item == chosen.item.id) {
                    let stays = days.iter().flat_map(|day| billed.spans.iter().filter_map(|span| span.and(*day)));
                    let stays: Vec<Span> = stays.collect();
                    valid.extend_from_slice(&stays);
                    taken.extend(stays);
                }
            }
            let horizon = horizon(&terms, held.began, as_of, card.ahead_until);
            let open = days.iter().flat_map(|days| without(*days, &taken));
            let open: Vec<Span> = open.filter_map(|days| Span::new(days.from, days.until.min(horizon))).collect();
            missing.extend(open.into_iter().flat_map(|days| pieces(held, &class, chosen.item, &terms, days)));
        }
    }
    let surplus = surplus(card, &held, &valid);
    Ok(Comparison { missing: merged(missing), surplus })
}

/// The parts of the card's holdings in which a space is one thing.
fn held<'c>(card: &'c Card, estate: &impl Estate) -> Result<Vec<Held<'c>>, SpaceNumber> {
    let mut all = Vec::new();
    for holding in &card.holdings {
        let Place::Space(number) = &holding.place else { continue };
        let Some(span) = holding.span() else { continue };
        let space = estate.space(number).ok_or_else(|| number.clone())?;
        for (span, is) in space.attributes.dated_parts(span) {
            let known_on = holding.note.on.max(is.note.on);
            all.push(Held { place: &holding.place, span, is: is.clone(), began: holding.from, known_on });
        }
    }
    Ok(all)
}

/// Days on which a charge is not billed by period: a package bundles it, or billing rests.
fn replaced(card: &Card, place: &Place, charge: &Charge) -> Vec<Span> {
    let packages = card.terms.iter().filter(|term| term.replaces.contains(charge));
    let packages = packages.filter(|term| term.places.iter().any(|one| one.place == *place));
    packages
        .filter_map(crate::charging::cards::Term::live)
        .chain(card.rests.iter().filter_map(Holding::span_of))
        .collect()
}

/// The first day that is not to be billed yet.
fn horizon(terms: &PeriodicTerms, began: NaiveDate, as_of: NaiveDate, ahead: Option<NaiveDate>) -> NaiveDate {
    let cycle = terms.cycle(began);
    let by_run = match terms.timing {
        Timing::InAdvance { lead_days } => cycle.period_of(days_after(as_of, u32::from(lead_days))).until,
        Timing::InArrears => cycle.period_of(as_of).from,
    };
    let by_holder = ahead.and_then(|ahead| ahead.pred_opt()).map(|last| cycle.period_of(last).until);
    by_holder.map_or(by_run, |by_holder| by_holder.max(by_run))
}

/// Cuts days into periods, and those where the price changes.
fn pieces<'f>(
    held: &Held<'_>,
    class: &SpaceClass,
    item: &'f FeeItem,
    terms: &PeriodicTerms,
    days: Span,
) -> Vec<Piece<'f>> {
    let mut all = Vec::new();
    for period in terms.cycle(held.began).periods(days) {
        let Some(within) = period.and(days) else { continue };
        for (span, price) in item.price.parts(within) {
            all.push(Piece {
                place: held.place.clone(),
                class: class.clone(),
                item,
                period,
                span,
                price: terms.per.for_months(*price, terms.months, held.is.value.size),
                known_on: held.known_on,
            });
        }
    }
    all
}

/// Neighbours of one place, item, class, period and price are one piece, so that they are one line.
fn merged(mut pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    pieces.sort_by(|a, b| (&a.place, &a.item.id, a.span).cmp(&(&b.place, &b.item.id, b.span)));
    let mut all: Vec<Piece<'_>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match all.last_mut() {
            Some(last)
                if last.span.until == piece.span.from
                    && (&last.place, &last.item.id, last.period, last.price, &last.class)
                        == (&piece.place, &piece.item.id, piece.period, piece.price, &piece.class) =>
            {
                last.span.until = piece.span.until;
                last.known_on = last.known_on.max(piece.known_on);
            }
            _ => all.push(piece),
        }
    }
    all
}

/// What is billed beyond what should be.
fn surplus(card: &Card, held: &[Held<'_>], valid: &[Vec<Span>]) -> Vec<Surplus> {
    let mut all = Vec::new();
    for (billed, valid) in card.billed.iter().zip(valid) {
        let (source, stays) = match &billed.of {
            Billing::Fee { item, charge, class } => {
                let mut stays = valid.clone();
                // The price list may have lost the item or its charge: what is held in the same class stays billed.
                let same = held.iter().filter(|held| held.place == &billed.place && held.is.value.class() == *class);
                stays.extend(same.flat_map(|held| without(held.span, &replaced(card, held.place, charge))));
                (Source::Item(item.clone()), stays)
            }
            Billing::Term { source } => (source.clone(), term_days(card, billed, held)),
        };
        let too_much = billed.spans.iter().flat_map(|span| without(*span, &stays));
        all.extend(joined(too_much.collect()).into_iter().map(|span| Surplus {
            place: billed.place.clone(),
            source: source.clone(),
            span,
        }));
    }
    all
}

/// The days for which a place is held under terms of this source.
fn term_days(card: &Card, billed: &BilledSpan, held: &[Held<'_>]) -> Vec<Span> {
    let Billing::Term { source } = &billed.of else { return vec![] };
    let mut days = Vec::new();
    let terms = card.terms.iter().filter(|term| term.source == *source);
    for term in terms.filter(|term| term.places.iter().any(|one| one.place == billed.place)) {
        let Some(live) = term.live() else { continue };
        for holding in card.holdings.iter().filter(|holding| holding.place == billed.place) {
            let Some(both) = holding.span().and_then(|span| span.and(live)) else { continue };
            if matches!(billed.place, Place::Space(_)) && term.kind == TermKind::Letting {
                // Let out: only while the space is one to let.
                let rented =
                    held.iter().filter(|held| held.place == &billed.place && held.is.value.tenure == Tenure::Rented);
                days.extend(rented.filter_map(|held| held.span.and(both)));
            } else {
                days.push(both);
            }
        }
    }
    days
}
