//! Owns what the tests build estates from: dates, notes, spaces and fee items in few words.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::estate::{Attributes, Grade, Layout, Location, Space, SpaceClass, Tenure};
use tollhouse_core::charging::fees::{
    Alignment, FeeItem, FeeKind, Payee, PeriodicTerms, PricePer, Selector, TaxPoint, TaxTerms, Timing,
};
use tollhouse_core::charging::label::{Charge, FeeItemId, SpaceNumber, UseId};
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::AreaId;
use tollhouse_core::words::Words;

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn span(from: &str, until: &str) -> Span {
    Span::new(day(from), day(until)).expect("not empty")
}

pub(crate) fn note() -> Note {
    Note::new(DateTime::UNIX_EPOCH, "anna", "as agreed")
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
    Space { number: number(name), area, room: None, attributes: Timeline::new(day("2020-01-01"), attributes, note()) }
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
        price: Timeline::new(day("2020-01-01"), price.parse().expect("a price"), note()),
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
