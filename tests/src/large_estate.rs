//! Owns a large estate: a data folder with as many cards as asked for, each with one owned space that is billed monthly.
//! Made by writing to the store directly, as importing it by HTTP would measure something else.

use std::path::Path;
use std::sync::mpsc;

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use tollhouse::store::{Store, StoreOptions, Told};
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{CardBill, Reached};
use tollhouse_core::charging::cards::{Card, CardState, HeldVehicle, Holding, StateChange};
use tollhouse_core::charging::earned::Earned;
use tollhouse_core::charging::estate::{Attributes, Layout, Location, Space, Tenure};
use tollhouse_core::charging::fees::{
    Alignment, FeeItem, FeeKind, LateFeeRule, PeriodicTerms, PricePer, Selector, TaxPoint, TaxTerms, Timing,
};
use tollhouse_core::charging::label::{CardNumber, Charge, FeeItemId, HolderId, SpaceNumber, UseId};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::AreaId;
use tollhouse_core::lot::Lot;
use tollhouse_core::plate::{Plate, VehicleKind};
use tollhouse_core::record::{Cause, Change, ChangeKind, Record, Records};
use tollhouse_core::words::Words;

use crate::device::LOT;

/// Cards of one change.
const AT_ONCE: u32 = 500;

/// The day on which all cards begin.
pub const BEGINS: &str = "2026-01-01";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn note() -> Note {
    Note::new(DateTime::UNIX_EPOCH, day("2025-12-01"), "import", "moved in")
}

fn item(id: &str, price: i64, selector: Selector, payee: Payee) -> FeeItem {
    let per = PricePer::Space { months: 1 };
    let timing = Timing::InAdvance { lead_days: 5 };
    let terms = PeriodicTerms { per, months: 1, alignment: Alignment::Calendar, timing, due_days: 15 };
    let tax = TaxTerms { rate: Decimal::new(6, 2), point: TaxPoint::OnReceipt, payee, invoice_category: String::new() };
    FeeItem {
        id: FeeItemId::new(id).expect("an id"),
        name: Words::new("车位管理费", "Space management"),
        charge: Charge::new("care").expect("a charge"),
        selector,
        kind: FeeKind::Periodic(terms),
        price: Timeline::new(day("2020-01-01"), Decimal::new(price, 2), note()),
        until: None,
        tax,
        late_fee: Some(LateFeeRule { rate_per_day: Decimal::new(5, 4), grace_days: 0, cap: Some(Decimal::new(2, 1)) }),
    }
}

fn items() -> Vec<FeeItem> {
    let at = |location| Selector { location: Some(location), ..Selector::default() };
    vec![
        item("care.any", 8_000, Selector::default(), Payee::Firm),
        item("care.deep", 11_050, at(Location::Underground), Payee::Firm),
        item("care.tower", 9_533, at(Location::Structure), Payee::Owners),
    ]
}

fn space(number: u32) -> Space {
    let location = Location::ALL[number as usize % 3];
    let layout = [Layout::Ordinary, Layout::Tandem][number as usize % 2];
    let usage = UseId::new("residential").expect("a use");
    let size = "12.80".parse().expect("a size");
    let is = Attributes { location, tenure: Tenure::Owned, usage, layout, size };
    Space {
        number: SpaceNumber::new(&format!("B1-{number:06}")).expect("a number"),
        area: AreaId::new("main").expect("an area"),
        room: room(number).parse().ok(),
        attributes: Timeline::new(day("2024-01-01"), is, note()),
    }
}

/// 40 rooms to a building, four to a floor.
fn room(number: u32) -> String {
    format!("{}-{}-{}0{}", number / 80 + 1, number / 40 % 2 + 1, number / 4 % 10 + 1, number % 4 + 1)
}

/// Of another province than the cars that tests drive.
fn plate(number: u32) -> Plate {
    let letter = char::from(b"ABCDEFGH"[number as usize / 100_000 % 8]);
    Plate::new(&format!("桂{letter}{:05}", number % 100_000)).expect("a plate")
}

fn card(number: u32) -> Card {
    let place = Place::Space(SpaceNumber::new(&format!("B1-{number:06}")).expect("a number"));
    Card {
        number: CardNumber::new(&format!("C{number:06}")).expect("a number"),
        holder: HolderId::new(&format!("H{number:06}")).expect("an id"),
        payer: None,
        room: room(number).parse().ok(),
        opened_on: day(BEGINS),
        states: vec![StateChange { state: CardState::Active, note: note() }],
        holdings: vec![Holding { place, from: day(BEGINS), until: None, note: note() }],
        vehicles: vec![HeldVehicle {
            plate: plate(number),
            kind: VehicleKind::Small,
            from: day(BEGINS),
            until: None,
            note: note(),
        }],
        terms: vec![],
        ahead_until: None,
        rests: vec![],
        billed: vec![],
    }
}

fn lot() -> Lot {
    let lot = serde_json::json!({
        "id": LOT, "name": "Test Estate", "zone": "Asia/Shanghai", "currency": "CNY", "tax_rate": "0.09",
        "capacity": 1_000_000
    });
    serde_json::from_value(lot).expect("a lot")
}

fn change(kind: ChangeKind) -> Change {
    Change::new(kind, day(BEGINS).and_hms_opt(0, 0, 0).expect("a time").and_utc(), Cause::Box("a large estate".into()))
}

fn take(store: &Store, change: Change) {
    let (tell, told) = mpsc::channel();
    store.submit(change, move |outcome| drop(tell.send(outcome))).expect("the store takes it");
    assert!(matches!(told.recv().expect("an answer"), Told::Durable { .. }), "an estate is taken whole");
}

/// Makes the data folder of a lot with so many cards.
///
/// # Panics
/// When it cannot be written.
pub fn make(data: &Path, cards: u32) {
    let store = Store::open(data, StoreOptions::default()).expect("a new folder");
    let mut first = change(ChangeKind::PricesChanged);
    first.put(&lot());
    first.put(&Earned { through: day(BEGINS) });
    for item in items() {
        first.put(&item);
    }
    take(&store, first);
    for from in (0..cards).step_by(AT_ONCE as usize) {
        let mut some = change(ChangeKind::CardChanged);
        for number in from..(from + AT_ONCE).min(cards) {
            some.put(&space(number));
            card(number).write(&mut some);
        }
        take(&store, some);
    }
    store.close();
}

/// All bills in a data folder, without the moments at which they arrived: what two runs have in common.
///
/// # Panics
/// When it cannot be read.
pub fn bills(data: &Path) -> Vec<CardBill> {
    all::<CardBill>(data).into_iter().map(|bill| CardBill { reached: Reached::default(), ..bill }).collect()
}

/// All cards in a data folder.
///
/// # Panics
/// When it cannot be read.
pub fn cards(data: &Path) -> Vec<Card> {
    all(data)
}

fn all<T: Record>(data: &Path) -> Vec<T> {
    const PAGE: usize = 1_000;
    let store = Store::open(data, StoreOptions::default()).expect("the folder of a stopped box");
    let records = store.snapshot();
    let (mut all, mut from) = (Vec::new(), String::new());
    loop {
        let page = records.list::<T>(&from, PAGE).expect("readable");
        let full = page.len() == PAGE;
        if let Some(last) = page.last() {
            from = format!("{}\u{0}", last.record.key());
        }
        all.extend(page.into_iter().map(|kept| kept.record));
        if !full {
            break;
        }
    }
    drop(records);
    store.close();
    all
}
