//! How long a bill run takes for an estate of 100,000 cards, and how much memory: from the cards as they are stored, to
//! the cards and bills as they will be. What the disk adds is the appliance's to measure.
//!
//! `cargo bench -p tollhouse-core --bench bill_run`; docs/benchmarks.md has the figures and the goals.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate};
use divan::{Bencher, black_box};
use rust_decimal::Decimal;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{Bounds, Move, postings, run_card};
use tollhouse_core::charging::cards::{Card, CardState, Holding, StateChange};
use tollhouse_core::charging::estate::{Attributes, Layout, Location, Space, Tenure};
use tollhouse_core::charging::fees::{
    Alignment, FeeItem, FeeKind, FeeList, PeriodicTerms, PricePer, Selector, TaxPoint, TaxTerms, Timing,
};
use tollhouse_core::charging::label::{CardNumber, Charge, FeeItemId, HolderId, SpaceNumber, UseId};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::{AreaId, IdKey};
use tollhouse_core::money::Currency;
use tollhouse_core::record::Record;
use tollhouse_core::words::Words;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const CARDS: u32 = 100_000;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn note() -> Note {
    Note::new(DateTime::UNIX_EPOCH, day("2024-01-01"), "import", "moved in")
}

fn item(id: &str, per: PricePer, price: i64, selector: Selector) -> FeeItem {
    let timing = Timing::InAdvance { lead_days: 5 };
    let terms = PeriodicTerms { per, months: 1, alignment: Alignment::Calendar, timing, due_days: 15 };
    let (rate, point) = (Decimal::new(6, 2), TaxPoint::OnReceipt);
    FeeItem {
        id: FeeItemId::new(id).expect("an id"),
        name: Words::new("车位管理费", "Space management"),
        charge: Charge::new(id.split('.').next().expect("a part")).expect("a charge"),
        selector,
        kind: FeeKind::Periodic(terms),
        price: Timeline::new(day("2020-01-01"), Decimal::new(price, 2), note()),
        until: None,
        tax: TaxTerms { rate, point, payee: Payee::Firm, invoice_category: String::new() },
        late_fee: None,
    }
}

static FEES: LazyLock<FeeList> = LazyLock::new(|| {
    let at = |location| Selector { location: Some(location), ..Selector::default() };
    let month = PricePer::Space { months: 1 };
    FeeList::new(vec![
        item("care.any", month, 80_00, Selector::default()),
        item("care.deep", PricePer::SquareMetre, 6_50, at(Location::Underground)),
        item("care.tower", month, 95_00, at(Location::Structure)),
        item("light.any", month, 4_33, Selector::default()),
    ])
    .expect("no fault")
});

fn space(number: u32) -> Space {
    let location = Location::ALL[number as usize % 3];
    let layout = [Layout::Ordinary, Layout::Tandem][number as usize % 2];
    let usage = UseId::new("residential").expect("a use");
    let size = "12.80".parse().expect("a size");
    let is = Attributes { location, tenure: Tenure::Owned, usage, layout, size };
    Space {
        number: SpaceNumber::new(&format!("B1-{number:06}")).expect("a number"),
        area: AreaId::new("B1").expect("an area"),
        room: "3-2-1201".parse().ok(),
        attributes: Timeline::new(day("2024-01-01"), is, note()),
    }
}

fn card(number: u32) -> Card {
    let place = Place::Space(SpaceNumber::new(&format!("B1-{number:06}")).expect("a number"));
    Card {
        number: CardNumber::new(&format!("C{number:06}")).expect("a number"),
        holder: HolderId::new(&format!("H{number:06}")).expect("an id"),
        payer: None,
        room: "3-2-1201".parse().ok(),
        opened_on: day("2024-01-01"),
        states: vec![StateChange { state: CardState::Active, note: note() }],
        holdings: vec![Holding { place, from: day("2024-01-01"), until: None, note: note() }],
        vehicles: vec![],
        terms: vec![],
        ahead_until: None,
        rests: vec![],
        billed: vec![],
    }
}

/// Cards and spaces as they are stored, billed up to the end of 2025.
struct Stored {
    cards: Vec<String>,
    spaces: Vec<String>,
}

fn stored() -> Stored {
    let key = IdKey::new([7; 32]);
    let mut all = Stored { cards: vec![], spaces: vec![] };
    for number in 0..CARDS {
        let (mut card, space) = (card(number), space(number));
        let estate = |_: &SpaceNumber| Some(space.clone());
        let as_of = day("2025-12-20");
        let outcome = run_card(&card, &estate, &FEES, as_of, Currency::Cny, Bounds::default(), &key);
        card = outcome.expect("not parked").card;
        all.cards.push(serde_json::to_string(&card).expect("a record"));
        all.spaces.push(serde_json::to_string(&space).expect("a record"));
    }
    all
}

static YEARS_BILLED: LazyLock<Stored> = LazyLock::new(stored);

/// The run: reads each card, draws what is missing, and writes card, bills and postings as JSON, one card at a time.
fn run(stored: &Stored, as_of: NaiveDate) -> (usize, usize) {
    let key = IdKey::new([7; 32]);
    let (mut bills, mut bytes) = (0, 0);
    for (card, space) in stored.cards.iter().zip(&stored.spaces) {
        let card: Card = serde_json::from_str(card).expect("a card");
        let estate = |_: &SpaceNumber| serde_json::from_str::<Space>(space).ok();
        let outcome = run_card(&card, &estate, &FEES, as_of, Currency::Cny, Bounds::default(), &key);
        let outcome = outcome.expect("not parked");
        assert!(outcome.surplus.is_empty());
        if outcome.bills.is_empty() {
            continue;
        }
        bytes += serde_json::to_vec(&outcome.card).expect("a record").len() + card.key().len();
        for bill in &outcome.bills {
            bytes += serde_json::to_vec(bill).expect("a record").len() + bill.key().len();
        }
        let moves: Vec<Move<'_>> = outcome.bills.iter().map(|after| Move { before: None, after }).collect();
        black_box(postings(&moves, as_of, &tollhouse_core::books::Account::Suspense));
        bills += outcome.bills.len();
    }
    (bills, bytes)
}

/// A month's run after two years: 200,000 bills (two items each).
#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_month_of_100_000_cards(bencher: Bencher<'_, '_>) {
    LazyLock::force(&YEARS_BILLED);
    bencher.bench(|| assert_eq!(run(&YEARS_BILLED, day("2026-01-01")).0, 200_000));
}

/// The same run again: it compares, and draws nothing.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn nothing_to_draw_for_100_000_cards(bencher: Bencher<'_, '_>) {
    LazyLock::force(&YEARS_BILLED);
    bencher.bench(|| assert_eq!(run(&YEARS_BILLED, day("2025-12-21")).0, 0));
}

/// Three months caught up at once: 600,000 bills.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn three_months_off_for_100_000_cards(bencher: Bencher<'_, '_>) {
    LazyLock::force(&YEARS_BILLED);
    bencher.bench(|| assert_eq!(run(&YEARS_BILLED, day("2026-03-01")).0, 600_000));
}

fn main() {
    let (bills, bytes) = run(&YEARS_BILLED, day("2026-01-01"));
    println!("a month: {bills} bills, {} MB of records to write", bytes / 1_000_000);
    divan::main();
}
