//! Which package would have cost a holder least over the days that they look back upon, and why.
//!
//! Every package on sale that is for their places is priced over the horizon, and so is none at all. A term that outlasts
//! the horizon counts by day. Ranked by cost; ties go to the shorter term. The same question gives the same answer.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ask::{Asker, Holds, PastStay, StayPricer};
use super::package::Package;
use super::price::{daily_fees, offer};
use crate::charging::bills::to_minor;
use crate::charging::calendar::Span;
use crate::charging::cards::{Cover, CoverChange, MorePolicy};
use crate::charging::fees::FeeList;
use crate::charging::label::{CardNumber, Charge, PackageId};
use crate::id::StayId;
use crate::money::{Currency, Money};
use crate::plate::Plate;
use crate::stay::Charged;
use crate::words::Words;

/// A package, or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// None: what they pay without one.
    NoPackage,
    /// This one.
    Package(PackageId),
}

/// What a choice would have cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub choice: Choice,
    /// In all, over the horizon.
    pub cost: Money,
    /// Of it, for the package.
    pub for_package: Money,
    /// Of it, for fees that it does not bundle.
    pub for_fees: Money,
    /// Of it, for stays and parts of stays that it does not cover.
    pub for_stays: Money,
    /// What no package would have cost, less this; negative when it costs more.
    pub saves: Money,
    /// The full price of one term, where it outlasts the horizon.
    pub full_price: Option<Money>,
    /// Days of one term; 0 without a package.
    pub term_days: i64,
    /// Why, in a sentence.
    pub reason: Words,
}

/// What each choice would have cost, the cheapest first.
pub fn recommend(
    asker: &Asker,
    packages: &[Package],
    fees: &FeeList,
    stays: &impl StayPricer,
    on: NaiveDate,
    currency: Currency,
) -> Vec<Candidate> {
    let none = without_package(asker, fees, stays, on, currency);
    let mut all: Vec<Candidate> = packages
        .iter()
        .filter_map(|package| with_package(asker, package, fees, stays, on, (currency, none.cost)))
        .collect();
    all.push(none);
    all.sort_by(|a, b| (a.cost.minor(), a.term_days, &a.choice).cmp(&(b.cost.minor(), b.term_days, &b.choice)));
    all
}

fn fees_of(asker: &Asker, fees: &FeeList, on: NaiveDate, bundled: &[Charge], currency: Currency) -> Money {
    let one = |place| to_minor(daily_fees(place, asker.horizon, on, fees, bundled), currency).minor();
    Money::new(asker.places.iter().map(one).sum(), currency)
}

fn without_package(
    asker: &Asker,
    fees: &FeeList,
    pricer: &impl StayPricer,
    on: NaiveDate,
    currency: Currency,
) -> Candidate {
    let (for_fees, for_stays) = match asker.holds {
        Holds::Places => (fees_of(asker, fees, on, &[], currency), uncovered_cost(asker, |_| true, pricer, currency)),
        Holds::Nothing => (Money::zero(currency), uncovered_cost(asker, |_| false, pricer, currency)),
    };
    let cost = Money::new(for_fees.minor() + for_stays.minor(), currency);
    let days = asker.horizon.days();
    let (zh, en) = (cost.amount(), cost.amount());
    Candidate {
        choice: Choice::NoPackage,
        cost,
        for_package: Money::zero(currency),
        for_fees,
        for_stays,
        saves: Money::zero(currency),
        full_price: None,
        term_days: 0,
        reason: Words::new(
            format!("最近{days}天不买套餐的费用为{zh}元"),
            format!("your last {days} days would have cost {en} without a package"),
        ),
    }
}

fn with_package(
    asker: &Asker,
    package: &Package,
    fees: &FeeList,
    pricer: &impl StayPricer,
    on: NaiveDate,
    (currency, without): (Currency, Money),
) -> Option<Candidate> {
    let (for_package, full_price, term_days) = package_cost(asker, package, fees, on, currency)?;
    let for_fees = fees_of(asker, fees, on, &package.bundles, currency);
    let for_stays = uncovered_cost(asker, |stay| package.takes(stay.kind), pricer, currency);
    let cost = Money::new(for_package.minor() + for_fees.minor() + for_stays.minor(), currency);
    let saves = Money::new(without.minor() - cost.minor(), currency);
    let (days, name) = (asker.horizon.days(), &package.name);
    let (was, is, less) = (without.amount(), cost.amount(), Money::new(saves.minor().abs(), currency).amount());
    let reason = if saves.is_positive() {
        Words::new(
            format!("最近{days}天本需{was}元，{}为{is}元：节省{less}元", name.zh),
            format!("your last {days} days would have cost {was}, {} {is}: you save {less}", name.en),
        )
    } else {
        Words::new(
            format!("最近{days}天本需{was}元，{}为{is}元：多付{less}元", name.zh),
            format!("your last {days} days would have cost {was}, {} {is}: {less} more", name.en),
        )
    };
    let choice = Choice::Package(package.id.clone());
    Some(Candidate { choice, cost, for_package, for_fees, for_stays, saves, full_price, term_days, reason })
}

/// The terms of a package laid over the horizon: their cost, the full price of one that outlasts it, and its days. The
/// last term counts by day. `None` when it cannot be bought for these places.
fn package_cost(
    asker: &Asker,
    package: &Package,
    fees: &FeeList,
    on: NaiveDate,
    currency: Currency,
) -> Option<(Money, Option<Money>, i64)> {
    let mut cost = 0;
    let mut full_price = None;
    let mut term_days = 0;
    let mut from = asker.horizon.from;
    while from < asker.horizon.until {
        let offered = offer(package, &asker.places, from, on, fees, currency).ok()?;
        let inside = offered.span.and(asker.horizon).map_or(0, Span::days);
        let share = Decimal::from(inside) / Decimal::from(offered.span.days());
        let in_full = inside == offered.span.days();
        for place in &offered.places {
            let full = to_minor(place.price, currency);
            cost += if in_full { full.minor() } else { to_minor(full.decimal() * share, currency).minor() };
        }
        if !in_full && from == asker.horizon.from {
            let full = offered.places.iter().map(|place| to_minor(place.price, currency).minor()).sum();
            full_price = Some(Money::new(full, currency));
        }
        if term_days == 0 {
            term_days = offered.span.days();
        }
        from = offered.span.until;
    }
    Some((Money::new(cost, currency), full_price, term_days))
}

type Spans = Vec<(DateTime<Utc>, DateTime<Utc>)>;

/// What the stays cost that no place covers, and the parts in which none did. `covers` says which stays may be covered.
fn uncovered_cost(
    asker: &Asker,
    covers: impl Fn(&PastStay) -> bool,
    pricer: &impl StayPricer,
    currency: Currency,
) -> Money {
    let mut total = 0;
    let mut covered = Vec::new();
    for stay in &asker.stays {
        if covers(stay) {
            covered.push(stay);
        } else {
            total += pricer.price(stay, &[(stay.entered_at, stay.left_at)]).minor();
        }
    }
    let capacity = asker.places.iter().map(|place| place.capacity).sum();
    for (stay, spans) in covered.iter().zip(uncovered_spans(&covered, capacity)) {
        if !spans.is_empty() {
            total += pricer.price(stay, &spans).minor();
        }
    }
    Money::new(total, currency)
}

/// The spans of each stay in which no place was left for it, by the same rule as at the gate.
fn uncovered_spans(stays: &[&PastStay], capacity: u32) -> Vec<Spans> {
    // Exits before entries of the same moment, so that a place that comes free is taken.
    let mut events: Vec<(DateTime<Utc>, u8, usize)> = Vec::with_capacity(stays.len() * 2);
    for (number, stay) in stays.iter().enumerate() {
        events.push((stay.entered_at, 1, number));
        events.push((stay.left_at.max(stay.entered_at), if stay.left_at > stay.entered_at { 0 } else { 2 }, number));
    }
    events.sort_unstable();
    let card = CardNumber::new("asker").expect("a plain name");
    let mut cover = Cover::new(card, capacity);
    // Each stay under a name of its own: two stays of one plate may overlap in what was recorded.
    let name = |number: usize| Plate::new(&format!("S{number}")).expect("letters and digits");
    let mut spans: Vec<Spans> = vec![Vec::new(); stays.len()];
    let mut waits: BTreeMap<usize, DateTime<Utc>> = BTreeMap::new();
    for (at, kind, number) in events {
        if kind == 1 {
            let entered = cover.enter(&name(number), StayId::from_bytes([0; 16]), at, MorePolicy::ChargeAsTemporary);
            if entered != crate::charging::cards::Entered::Covered {
                waits.insert(number, at);
            }
            continue;
        }
        if let Some(since) = waits.remove(&number) {
            spans[number].push((since, at));
        }
        let moved = cover.leave(&name(number), at);
        let Some(CoverChange::Covered { from, until, charged: Charged::Yes }) = moved.as_ref().map(|moved| moved.to)
        else {
            continue;
        };
        let who = moved.and_then(|moved| moved.plate.as_str()[1..].parse::<usize>().ok());
        if let Some(who) = who.filter(|who| waits.remove(who).is_some()).filter(|_| until > from) {
            spans[who].push((from, until));
        }
    }
    spans
}
