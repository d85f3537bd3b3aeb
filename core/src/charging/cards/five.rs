//! A card's five parts together: holder, spaces, fees, package, bills.

use chrono::NaiveDate;

use super::card::Card;
use crate::charging::bills::{CardBill, Estate};
use crate::charging::calendar::{Span, days_after};
use crate::charging::estate::{Attributes, SpaceClass};
use crate::charging::fees::FeeList;
use crate::charging::label::{FeeItemId, HolderId};
use crate::charging::place::Place;
use crate::id::BillId;
use crate::money::{Currency, Money};

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
