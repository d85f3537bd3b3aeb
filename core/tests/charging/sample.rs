//! Owns what the tests build estates from: dates, notes, spaces and fee items in few words.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{Bounds, CardBill, CreditNote, Retention, Terms, repair, run_card};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::{Card, CardState, Holding, StateChange};
use tollhouse_core::charging::estate::{Attributes, Grade, Layout, Location, Space, SpaceClass, Tenure};
use tollhouse_core::charging::fees::{
    Alignment, FeeItem, FeeKind, FeeList, PeriodicTerms, PricePer, Selector, TaxPoint, TaxTerms, Timing,
};
use tollhouse_core::charging::label::{CardNumber, Charge, FeeItemId, HolderId, SpaceNumber, UseId};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::{AreaId, IdKey};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::Words;

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn span(from: &str, until: &str) -> Span {
    Span::new(day(from), day(until)).expect("not empty")
}

pub(crate) fn note() -> Note {
    Note::new(DateTime::UNIX_EPOCH, day("2020-01-01"), "anna", "as agreed")
}

pub(crate) fn usage(text: &str) -> UseId {
    UseId::new(text).expect("a use")
}

pub(crate) fn class(tenure: Tenure) -> SpaceClass {
    SpaceClass { location: Location::Underground, tenure, usage: usage("residential"), grade: Grade::Ordinary }
}

pub(crate) fn attributes(tenure: Tenure) -> Attributes {
    let (location, layout) = (Location::Underground, Layout::Ordinary);
    Attributes { location, tenure, usage: usage("residential"), layout, size: "12.50".parse().expect("a size") }
}

pub(crate) fn number(text: &str) -> SpaceNumber {
    SpaceNumber::new(text).expect("a number")
}

pub(crate) fn space(name: &str, attributes: Attributes) -> Space {
    let area = AreaId::new("B1").expect("an area");
    Space { number: number(name), area, room: None, attributes: Timeline::new(day("1990-01-01"), attributes, note()) }
}

pub(crate) fn item_id(text: &str) -> FeeItemId {
    FeeItemId::new(text).expect("an id")
}

pub(crate) fn monthly() -> PeriodicTerms {
    PeriodicTerms {
        per: PricePer::Space { months: 1 },
        months: 1,
        alignment: Alignment::Calendar,
        timing: Timing::InAdvance { lead_days: 0 },
        due_days: 15,
    }
}

/// An item of the charge `id` begins with up to a dot: `fee.a` and `fee.b` compete.
pub(crate) fn item(id: &str, kind: FeeKind, price: &str) -> FeeItem {
    let charge = id.split('.').next().expect("a first part");
    FeeItem {
        id: item_id(id),
        name: Words::new("费用", id),
        charge: Charge::new(charge).expect("a charge"),
        selector: Selector::default(),
        kind,
        price: Timeline::new(day("1990-01-01"), price.parse().expect("a price"), note()),
        until: None,
        tax: TaxTerms {
            rate: Decimal::new(6, 2),
            point: TaxPoint::OnReceipt,
            payee: Payee::Firm,
            invoice_category: String::new(),
        },
        late_fee: None,
    }
}

pub(crate) fn key() -> IdKey {
    IdKey::new([7; 32])
}

pub(crate) fn yuan(text: &str) -> Money {
    Money::parse(text, Currency::Cny).expect("an amount")
}

pub(crate) fn held(name: &str, from: &str, until: Option<&str>) -> Holding {
    Holding { place: Place::Space(number(name)), from: day(from), until: until.map(day), note: note() }
}

pub(crate) fn card(holdings: Vec<Holding>) -> Card {
    Card {
        number: CardNumber::new("C1").expect("a number"),
        holder: HolderId::new("H1").expect("an id"),
        payer: None,
        room: None,
        opened_on: holdings.first().map_or(day("2020-01-01"), |holding| holding.from),
        states: vec![StateChange { state: CardState::Active, note: note() }],
        holdings,
        vehicles: vec![],
        terms: vec![],
        ahead_until: None,
        rests: vec![],
        billed: vec![],
    }
}

/// A card with the bills that runs have drawn for it.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(crate) card: Card,
    pub(crate) spaces: Vec<Space>,
    pub(crate) fees: FeeList,
    pub(crate) bills: Vec<CardBill>,
    pub(crate) notes: Vec<CreditNote>,
}

impl Books {
    pub(crate) fn new(card: Card, spaces: Vec<Space>, items: Vec<FeeItem>) -> Self {
        Self { card, spaces, fees: FeeList::new(items).expect("no fault"), bills: vec![], notes: vec![] }
    }

    /// Runs as of a day, takes back what is too much, and gives the bills that are new.
    pub(crate) fn run(&mut self, as_of: &str) -> Vec<CardBill> {
        self.run_on(day(as_of))
    }

    pub(crate) fn run_on(&mut self, as_of: NaiveDate) -> Vec<CardBill> {
        let spaces = &self.spaces;
        let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
        let bounds = Bounds { most_bills: 1_000, ..Bounds::default() };
        let outcome = run_card(&self.card, &estate, &self.fees, as_of, Currency::Cny, bounds, &key());
        let outcome = outcome.expect("not parked");
        self.card = outcome.card;
        self.bills.extend(outcome.bills.clone());
        let terms = Terms { on: as_of, retention: Retention::NONE, currency: Currency::Cny, key: &key(), note: note() };
        let repaired = repair(&mut self.card, &mut self.bills, &outcome.surplus, &terms);
        self.notes.extend(repaired.notes);
        outcome.bills
    }

    /// What was drawn, as amounts.
    pub(crate) fn amounts(bills: &[CardBill]) -> Vec<String> {
        bills.iter().flat_map(|bill| &bill.lines).map(|line| line.amount.amount()).collect()
    }
}
