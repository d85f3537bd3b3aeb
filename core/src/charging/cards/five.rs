//! A card's five parts together: holder, spaces, fees, package, bills; and what the gate needs of them as a pass.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::card::{Card, CardState, Term, TermKind};
use crate::charging::bills::{CardBill, Estate, Standing};
use crate::charging::calendar::{Span, days_after};
use crate::charging::estate::{Attributes, SpaceClass};
use crate::charging::fees::FeeList;
use crate::charging::label::{FeeItemId, HolderId};
use crate::charging::place::Place;
use crate::id::BillId;
use crate::money::{Currency, Money};
use crate::pass::{Grants, OverduePolicy};

/// The five parts of a card on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiveParts {
    /// Who uses it, and who pays.
    pub holder: (HolderId, HolderId),
    /// Its places, with the class of each numbered space.
    pub places: Vec<(Place, Option<SpaceClass>)>,
    /// The fee items that are charged for them.
    pub fees: Vec<(Place, FeeItemId)>,
    /// Its terms in force.
    pub terms: Vec<u32>,
    /// Its bills: all that are due, with what is due of each.
    pub bills: Vec<(BillId, Money)>,
    /// What is due in all.
    pub due: Money,
    /// For how many cars it has places.
    pub capacity: u32,
}

/// Brings the parts together. The bills are the card's, in any order.
pub fn five_parts(
    card: &Card,
    bills: &[CardBill],
    estate: &impl Estate,
    fees: &FeeList,
    on: NaiveDate,
    currency: Currency,
) -> FiveParts {
    let mut places = Vec::new();
    let mut charged = Vec::new();
    let mut capacity = 0;
    for place in card.places_on(on) {
        let attributes: Option<Attributes> = match place {
            Place::Space(number) => estate.space(number).and_then(|space| space.attributes.on(on).cloned()),
            _ => None,
        };
        capacity += attributes.as_ref().map_or(1, |is| u32::from(is.layout.capacity()));
        let class = attributes.as_ref().map(Attributes::class);
        let today = Span { from: on, until: days_after(on, 1) };
        let items = class.iter().flat_map(|class| fees.charged(class, today));
        charged.extend(items.map(|chosen| (place.clone(), chosen.item.id.clone())));
        places.push((place.clone(), class));
    }
    let mut due: Vec<&CardBill> = bills.iter().filter(|bill| bill.due().is_positive()).collect();
    due.sort_by_key(|bill| (bill.due_on, bill.issued_on, bill.id));
    let in_force = card.terms.iter().filter(|term| term.live().is_some_and(|live| live.has(on)));
    FiveParts {
        holder: (card.holder.clone(), card.payer().clone()),
        places,
        fees: charged,
        terms: in_force.map(|term| term.number).collect(),
        due: Money::new(due.iter().map(|bill| bill.due().minor()).sum(), currency),
        bills: due.iter().map(|bill| (bill.id, bill.due())).collect(),
        capacity,
    }
}

/// What the lot decided about passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassPolicy {
    /// The lot's time zone.
    pub zone: Tz,
    /// Days of grace after a bill is due, or a term over.
    pub grace_days: u16,
    /// What an overdue bill means.
    pub overdue: OverduePolicy,
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
    let local = local.or_else(|| zone.from_local_datetime(&(midnight + chrono::TimeDelta::hours(1))).earliest());
    local.map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

/// What the gate grants the card's vehicles; `None`: no pass. Pending, suspended, expired and closed give none; lost
/// blocks the physical card and not its plates.
pub fn grants(card: &Card, bills: &[CardBill], policy: PassPolicy) -> Option<Grants> {
    if !matches!(card.state(), CardState::Active | CardState::Lost) {
        return None;
    }
    let name = card.number.to_string();
    let lettings: Vec<&Term> = card.terms.iter().filter(|term| term.kind == TermKind::Letting).collect();
    if lettings.is_empty() {
        let unpaid = bills.iter().filter(|bill| bill.standing == Standing::Issued && bill.due().is_positive());
        let late_from = unpaid.map(|bill| days_after(bill.due_on, 1)).min().unwrap_or_else(far_future);
        let paid_until = begins(late_from, policy.zone);
        return Some(Grants::Owned { card: name, paid_until, grace_days: policy.grace_days, overdue: policy.overdue });
    }
    let settled = |term: &&&Term| bills.iter().any(|bill| bill.id == term.bill && !bill.due().is_positive());
    let mut spans: Vec<Span> = lettings.iter().filter(settled).filter_map(|term| term.live()).collect();
    spans = crate::charging::calendar::joined(spans);
    let last = spans.last()?;
    let (from, until) = (begins(last.from, policy.zone), begins(last.until, policy.zone));
    Some(Grants::Rented { card: name, from, until, grace_days: policy.grace_days })
}
