//! What a card comes to at the gate on a day: a pass for each of its vehicles, and for how many there are places.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::areas::GateAreas;
use crate::charging::bills::{CardBill, Estate, Standing};
use crate::charging::calendar::{Span, days_after, joined};
use crate::charging::cards::{Card, CardState, Term, TermKind};
use crate::charging::estate::Tenure;
use crate::charging::place::Place;
use crate::id::{AreaId, BillId};
use crate::pass::{Coverage, GatePass, Grants, MorePolicy, OverduePolicy, Places};
use crate::plate::Plate;

/// What the lot decided about passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassPolicy {
    /// The lot's time zone.
    pub zone: Tz,
    /// Days of grace after a bill is due, or a term over.
    pub grace_days: u16,
    /// What an overdue bill means.
    pub overdue: OverduePolicy,
    /// What is done with a car of a card whose places are taken.
    pub more: MorePolicy,
    /// The areas that passes are limited to; empty: they cover everywhere.
    pub areas: GateAreas,
}

impl PassPolicy {
    /// The policy in a word, as it is noted beside what was written by it.
    pub fn mark(&self) -> String {
        let Self { zone, grace_days, overdue, more, areas } = self;
        format!("{zone}/{grace_days}/{}/{}{}", overdue.as_str(), more.as_str(), areas.mark())
    }
}

/// The open bills of a card, each with the last day on which it can be paid without being late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owed(BTreeMap<BillId, NaiveDate>);

impl Owed {
    /// Of all bills of a card.
    pub fn of(bills: &[CardBill]) -> Self {
        let mut owed = Self::default();
        for bill in bills {
            owed.note(bill);
        }
        owed
    }

    /// A bill is new, or has changed.
    pub fn note(&mut self, bill: &CardBill) {
        if bill.standing == Standing::Issued && bill.due().is_positive() {
            self.0.insert(bill.id, bill.due_on);
        } else {
            self.0.remove(&bill.id);
        }
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, bill: BillId) -> bool {
        self.0.contains_key(&bill)
    }

    /// The earliest due date, bills of lettings left aside.
    fn due_first(&self, lettings: &[&Term]) -> Option<NaiveDate> {
        let others = self.0.iter().filter(|(id, _)| !lettings.iter().any(|term| term.bill == **id));
        others.map(|(_, due_on)| *due_on).min()
    }
}

/// What a card comes to at the gate on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtGate {
    /// A pass for each of its vehicles; none while it gives none.
    pub passes: Vec<GatePass>,
    /// For how many cars it has places.
    pub places: Places,
    /// The next day on which time alone may change any of this.
    pub next: Option<NaiveDate>,
}

/// A day that no bill is due on, and that a pass can add its grace to.
fn far_future() -> NaiveDate {
    NaiveDate::from_ymd_opt(2399, 12, 31).expect("a date")
}

/// The first moment of a day in the lot.
fn begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight).earliest();
    // Where the clocks go forward at midnight the day begins an hour later.
    let local = local.or_else(|| zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
    local.map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

/// What the card comes to at the gate on a day.
///
/// Pending, suspended, expired and closed cards give no pass; lost blocks the physical card and not its plates. With an
/// owned space the pass is good until the card's oldest bill is overdue; a letting beside it adds its places while it is
/// settled. With lettings alone it is good for the days of the term that is settled, or was last.
pub fn at_gate(card: &Card, owed: &Owed, estate: &impl Estate, on: NaiveDate, policy: &PassPolicy) -> AtGate {
    let lettings: Vec<&Term> = card.terms.iter().filter(|term| term.kind == TermKind::Letting).collect();
    let held = Held::on(card, estate, on);
    let settled: Vec<(Span, &Term)> =
        lettings.iter().filter(|term| !owed.has(term.bill)).filter_map(|term| Some((term.live()?, *term))).collect();
    let spans = joined(settled.iter().map(|(span, _)| *span).collect());
    let governing = spans.iter().rev().find(|span| span.from <= on).or_else(|| spans.first()).copied();
    let counts = |place: &Place, grace: u16, day: NaiveDate| {
        let named = lettings.iter().any(|term| names(term, place));
        let holds = |(span, term): &(Span, &Term)| {
            names(term, place) && span.from <= day && day < days_after(span.until, u32::from(grace))
        };
        // Of a place that no letting names the card was moved there from another.
        !named || settled.iter().any(holds)
    };
    let name = card.number.to_string();
    let (grants, rented) = if held.owned > 0 {
        let late_from = owed.due_first(&lettings).map_or_else(far_future, |due_on| days_after(due_on, 1));
        let (grace_days, overdue) = (policy.grace_days, policy.overdue);
        let paid_until = begins(late_from, policy.zone);
        let beside = |place: &&Place| governing.is_some() && counts(place, policy.grace_days, on);
        let rented: u32 = held.rented.iter().filter(beside).map(|place| held.capacity(place)).sum();
        (Some(Grants::Owned { card: name, paid_until, grace_days, overdue }), rented)
    } else if let Some(span) = governing {
        let (from, until) = (begins(span.from, policy.zone), begins(span.until, policy.zone));
        // A term that is over keeps its places: what becomes of them then, its dates say.
        let day = on.clamp(span.from, span.until.pred_opt().unwrap_or(span.from));
        let rented = held.rented.iter().filter(|place| counts(place, 0, day)).map(|place| held.capacity(place)).sum();
        (Some(Grants::Rented { card: name, from, until, grace_days: policy.grace_days }), rented)
    } else {
        (None, 0)
    };
    let count = held.owned.saturating_add(rented);
    let places = Places { count, more: policy.more };
    let areas = policy.areas.covered(held.areas.iter().map(Option::as_ref));
    let gives = matches!(card.state(), CardState::Active | CardState::Lost) && count > 0;
    let vehicles: BTreeSet<&Plate> = card.vehicles_on(on).map(|vehicle| &vehicle.plate).collect();
    let pass = |plate: &&Plate| {
        let grants = grants.clone()?;
        let coverage = Coverage { areas: areas.clone(), hours: vec![] };
        Some(GatePass { coverage, places: Some(places), ..GatePass::new((*plate).clone(), grants) })
    };
    let passes = vehicles.iter().filter(|_| gives).filter_map(pass).collect();
    AtGate { passes, places, next: next_day(card, &held, &lettings, on, policy) }
}

fn names(term: &Term, place: &Place) -> bool {
    term.places.iter().any(|one| one.place == *place)
}

/// The places of a card on a day.
struct Held {
    /// For how many cars there is room on its owned spaces.
    owned: u32,
    /// Its rented spaces and places of pools.
    rented: Vec<Place>,
    capacities: BTreeMap<Place, u32>,
    /// In which areas they are.
    areas: BTreeSet<Option<AreaId>>,
    /// Days on which one of its spaces becomes something else.
    changes: Vec<NaiveDate>,
}

impl Held {
    fn on(card: &Card, estate: &impl Estate, on: NaiveDate) -> Self {
        let mut held =
            Self { owned: 0, rented: vec![], capacities: BTreeMap::new(), areas: BTreeSet::new(), changes: vec![] };
        let places: BTreeSet<&Place> = card.places_on(on).collect();
        for place in places {
            let Place::Space(number) = place else {
                if let Place::Pool(pool, _) = place {
                    held.rented.push(place.clone());
                    held.areas.insert(estate.pool_area(pool));
                }
                continue;
            };
            let Some(space) = estate.space(number) else { continue };
            held.changes.extend(space.attributes.changes().iter().map(|change| change.from));
            let Some(is) = space.attributes.on(on) else { continue };
            let capacity = u32::from(is.layout.capacity());
            held.capacities.insert(place.clone(), capacity);
            if is.tenure != Tenure::Temporary {
                held.areas.insert(Some(space.area.clone()));
            }
            match is.tenure {
                Tenure::Owned => held.owned = held.owned.saturating_add(capacity),
                Tenure::Rented => held.rented.push(place.clone()),
                Tenure::Temporary => {}
            }
        }
        held
    }

    fn capacity(&self, place: &Place) -> u32 {
        self.capacities.get(place).copied().unwrap_or(1)
    }
}

/// The next day after `on` on which something of the card has a date.
fn next_day(card: &Card, held: &Held, lettings: &[&Term], on: NaiveDate, policy: &PassPolicy) -> Option<NaiveDate> {
    let holdings = card.holdings.iter().flat_map(|holding| [Some(holding.from), holding.until]);
    let vehicles = card.vehicles.iter().flat_map(|vehicle| [Some(vehicle.from), vehicle.until]);
    let terms = lettings.iter().filter_map(|term| term.live()).flat_map(|span| {
        [Some(span.from), Some(span.until), Some(days_after(span.until, u32::from(policy.grace_days)))]
    });
    let spaces = held.changes.iter().map(|day| Some(*day));
    let all = holdings.chain(vehicles).chain(terms).chain(spaces);
    all.flatten().filter(|day| *day > on).min()
}
