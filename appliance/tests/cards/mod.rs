//! Owns what tests of cards at the gate build estates from: spaces, cards and bills in few words.

#![allow(dead_code)] // each test uses its part

use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use tollhouse_core::bill::BillKind;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{
    BilledDays, CardBill, CardLine, Heading, Late, Nature, Reached, Source, Standing,
};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::{
    BilledSpan, Billing, Card, CardState, HeldVehicle, Holding, StateChange, Term, TermKind, TermPlace,
};
use tollhouse_core::charging::estate::{Attributes, Layout, Location, Space, SpaceClass, Tenure};
use tollhouse_core::charging::fees::{TaxPoint, TaxTerms};
use tollhouse_core::charging::label::{CardNumber, Charge, FeeItemId, HolderId, PoolId, SpaceNumber, UseId};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::{AreaId, BillId, IdKey};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::{Plate, VehicleKind};
use tollhouse_core::words::Words;

#[derive(Clone, Copy)]
pub(crate) enum Grade {
    Ordinary,
    Tandem,
    /// For more cars than any test has.
    Multi,
}

pub(crate) fn plate(number: u32) -> Plate {
    Plate::new(&format!("粤C{number:05}")).expect("a plate")
}

/// A day so many days from another.
pub(crate) fn day(from: NaiveDate, days: i64) -> NaiveDate {
    from + TimeDelta::days(days)
}

pub(crate) fn note() -> Note {
    Note::new(DateTime::UNIX_EPOCH, NaiveDate::default(), "anna", "as agreed")
}

pub(crate) fn space(number: &str, grade: Grade, tenure: &str) -> Space {
    let attributes = Attributes {
        location: Location::Underground,
        tenure: Tenure::by_word(tenure).expect("a tenure"),
        usage: usage(),
        layout: match grade {
            Grade::Ordinary => Layout::Ordinary,
            Grade::Tandem => Layout::Tandem,
            Grade::Multi => Layout::Multi(99),
        },
        size: "12.50".parse().expect("a size"),
    };
    Space {
        number: SpaceNumber::new(number).expect("a number"),
        area: AreaId::new("main").expect("an area"),
        room: None,
        attributes: Timeline::new(day(NaiveDate::default(), 1), attributes, note()),
    }
}

fn usage() -> UseId {
    UseId::new("residential").expect("a use")
}

fn card(number: &str, places: Vec<Place>, cars: &[u32], today: NaiveDate) -> Card {
    let from = day(today, -100);
    let vehicle =
        |number: &u32| HeldVehicle { plate: plate(*number), kind: VehicleKind::Small, from, until: None, note: note() };
    Card {
        number: CardNumber::new(number).expect("a number"),
        holder: HolderId::new("H1").expect("an id"),
        payer: None,
        room: None,
        opened_on: from,
        states: vec![StateChange { state: CardState::Active, note: note() }],
        holdings: places.into_iter().map(|place| Holding { place, from, until: None, note: note() }).collect(),
        vehicles: cars.iter().map(vehicle).collect(),
        terms: vec![],
        ahead_until: None,
        rests: vec![],
        billed: vec![],
    }
}

/// A card of owned spaces with an open bill that is due in ten days.
pub(crate) fn owned_card(number: &str, spaces: &[&str], plates: &[u32], today: NaiveDate) -> (Card, CardBill) {
    let place = |number: &&str| Place::Space(SpaceNumber::new(number).expect("a number"));
    let mut card = card(number, spaces.iter().map(place).collect(), plates, today);
    let place = card.holdings[0].place.clone();
    let span = Span::new(today, day(today, 30)).expect("days");
    let item = FeeItemId::new("care").expect("an id");
    let bill = bill(&card, "period", (&place, Source::Item(item.clone())), span, day(today, 10));
    let class = SpaceClass {
        location: Location::Underground,
        tenure: Tenure::Owned,
        usage: usage(),
        grade: tollhouse_core::charging::estate::Grade::Ordinary,
    };
    let of = Billing::Fee { charge: Charge::new("care").expect("a charge"), item, class };
    card.billed.push(BilledSpan { place, of, spans: vec![span], credits: 0 });
    (card, bill)
}

/// A card of a pool place with a term of 30 days from ten days ago, whose bill is open.
pub(crate) fn rented_card(number: &str, pool: &str, plates: &[u32], today: NaiveDate) -> (Card, CardBill) {
    let place = Place::Pool(PoolId::new(pool).expect("an id"), 1);
    let mut card = card(number, vec![place.clone()], plates, today);
    let bill = add_term(&mut card, &place, day(today, -10), 30);
    (card, bill)
}

/// Sells a card one more term: its bill.
pub(crate) fn add_term(card: &mut Card, place: &Place, from: NaiveDate, days: i64) -> CardBill {
    let span = Span::new(from, day(from, days)).expect("days");
    let source = Source::Item(FeeItemId::new("rent").expect("an id"));
    let number = u32::try_from(card.terms.len()).expect("few") + 1;
    let bill = bill(card, &format!("term{number}"), (place, source.clone()), span, from);
    card.billed.retain(|billed| billed.place != *place);
    let spans = card.terms.iter().map(|term| term.span).chain([span]).collect();
    let spans = tollhouse_core::charging::calendar::joined(spans);
    card.billed.push(BilledSpan {
        place: place.clone(),
        of: Billing::Term { source: source.clone() },
        spans,
        credits: 0,
    });
    card.terms.push(Term {
        number,
        kind: TermKind::Letting,
        source,
        span,
        places: vec![TermPlace { place: place.clone(), price: Decimal::from(300) }],
        replaces: vec![],
        given_up: None,
        bill: bill.id,
        note: note(),
    });
    bill
}

fn bill(card: &Card, what: &str, (place, source): (&Place, Source), span: Span, due_on: NaiveDate) -> CardBill {
    let zero = Money::zero(Currency::Cny);
    let tax = TaxTerms {
        rate: Decimal::new(9, 2),
        point: TaxPoint::OnReceipt,
        payee: Payee::Firm,
        invoice_category: String::new(),
    };
    let line = CardLine {
        text: Words::new("费用", "fee"),
        place: place.clone(),
        source: source.clone(),
        days: Some(BilledDays { period: span, span }),
        price: Decimal::from(300),
        amount: Money::new(30_000, Currency::Cny),
        nature: Nature::Service,
        tax,
        credited: vec![],
        paid: zero,
        returned: zero,
        written_off: zero,
    };
    let heading = Heading { card: card.number.clone(), payer: card.holder.clone(), room: None };
    CardBill {
        id: BillId::derive(&IdKey::new([7; 32]), &[card.number.as_str(), what]),
        kind: if what == "period" { BillKind::Periodic } else { BillKind::Independent },
        heading,
        source: Some(source),
        period: Some(span),
        issued_on: span.from,
        due_on,
        lines: vec![line],
        late: Late::new(None, due_on, zero),
        standing: Standing::Issued,
        reached: Reached::default(),
    }
}
