//! The gate is told exactly: whatever happens to cards, bills and spaces, and however many days pass, its passes are those
//! that the cards come to today, though each time only what was touched is looked at.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tollhouse_core::charging::bills::{CardBill, Source};
use tollhouse_core::charging::calendar::{Span, days_after};
use tollhouse_core::charging::cards::{Act, Card, CardState, MorePolicy, PassPolicy, Term, TermKind, TermPlace};
use tollhouse_core::charging::estate::{Attributes, Layout, Space, Tenure};
use tollhouse_core::charging::fees::FeeKind;
use tollhouse_core::charging::gate::{GateAreas, GateBill, GateDay, Owed, Touched, at_gate, tell};
use tollhouse_core::charging::label::{CardNumber, SpaceNumber};
use tollhouse_core::charging::place::Place;
use tollhouse_core::id::{AreaId, BillId};
use tollhouse_core::pass::{GatePass, OverduePolicy};
use tollhouse_core::plate::{Plate, VehicleKind};
use tollhouse_core::record::{Cause, Change, ChangeKind, Memory, Records};

use crate::sample::{Books, attributes, card, day, held, item, item_id, key, monthly, note, number, space, yuan};

const CARDS: [&str; 2] = ["C1", "C2"];
const SPACES: [&str; 3] = ["1", "2", "3"];

fn policy() -> PassPolicy {
    let (overdue, more) = (OverduePolicy::RefuseEntry, MorePolicy::Refuse);
    PassPolicy { zone: chrono_tz::Asia::Shanghai, grace_days: 3, overdue, more, areas: GateAreas::default() }
}

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    Vehicle { card: usize, plate: u32, days: Option<u32> },
    NoVehicle { card: usize, plate: u32 },
    Stand { card: usize, state: CardState },
    Hold { card: usize, space: usize, days: Option<u32> },
    Let { card: usize, space: usize, days: u32 },
    Bill { card: usize, due_in: u32 },
    Pay { card: usize, bill: usize },
    Becomes { space: usize, tenure: Tenure, layout: Layout, in_days: u32 },
    Days(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let days = || prop::option::of(1u32..20);
    let tenures = prop::sample::select(vec![Tenure::Owned, Tenure::Rented, Tenure::Temporary]);
    let layouts = prop::sample::select(vec![Layout::Ordinary, Layout::Tandem, Layout::Multi(5)]);
    let states = prop::sample::select(vec![CardState::Active, CardState::Suspended, CardState::Lost]);
    prop_oneof![
        3 => (0..2usize, 0..3u32, days()).prop_map(|(card, plate, days)| Step::Vehicle { card, plate, days }),
        1 => (0..2usize, 0..3u32).prop_map(|(card, plate)| Step::NoVehicle { card, plate }),
        1 => (0..2usize, states).prop_map(|(card, state)| Step::Stand { card, state }),
        2 => (0..2usize, 0..3usize, days()).prop_map(|(card, space, days)| Step::Hold { card, space, days }),
        2 => (0..2usize, 0..3usize, 1u32..15).prop_map(|(card, space, days)| Step::Let { card, space, days }),
        2 => (0..2usize, 0u32..10).prop_map(|(card, due_in)| Step::Bill { card, due_in }),
        4 => (0..2usize, 0..4usize).prop_map(|(card, bill)| Step::Pay { card, bill }),
        1 => (0..3usize, tenures, layouts, 0u32..9)
            .prop_map(|(space, tenure, layout, in_days)| Step::Becomes { space, tenure, layout, in_days }),
        3 => (1u32..6).prop_map(Step::Days),
    ]
}

/// The records, and the one who tells the gate of them.
struct World {
    records: Memory,
    now: DateTime<Utc>,
    touched: Touched,
    template: CardBill,
    bills: BTreeMap<&'static str, Vec<CardBill>>,
}

impl World {
    fn new() -> Self {
        let fee = item("care", FeeKind::Periodic(monthly()), "310");
        let owned = vec![space("1", attributes(Tenure::Owned))];
        let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), owned, vec![fee]);
        let template = books.run("2026-01-01").remove(0);
        let mut world = Self {
            records: Memory::new(),
            now: "2026-01-10T04:00:00Z".parse().expect("a moment"),
            touched: Touched::default(),
            template,
            bills: BTreeMap::new(),
        };
        world.write(|change| {
            for (name, tenure) in SPACES.iter().zip([Tenure::Owned, Tenure::Rented, Tenure::Owned]) {
                change.put(&space(name, attributes(tenure)));
            }
            for name in CARDS {
                change.put(&Card { number: CardNumber::new(name).expect("a number"), ..card(vec![]) });
            }
        });
        world
    }

    fn today(&self) -> NaiveDate {
        self.now.with_timezone(&policy().zone).date_naive()
    }

    fn write(&mut self, writes: impl FnOnce(&mut Change)) {
        let mut change = Change::new(ChangeKind::CardChanged, self.now, Cause::Time);
        writes(&mut change);
        self.touched.note(&change);
        self.records.take(&change).expect("taken");
    }

    fn card(&self, card: usize) -> Card {
        self.records.get::<Card>(CARDS[card]).expect("readable").expect("there").record
    }

    fn act(&mut self, card: usize, act: &Act) {
        if let Ok((after, _)) = self.card(card).apply(act, &note()) {
            self.write(|change| change.put(&after));
        }
    }

    fn new_bill(&mut self, card: usize, due_on: NaiveDate) -> CardBill {
        let own = self.bills.entry(CARDS[card]).or_default();
        let id = BillId::derive(&key(), &[CARDS[card], &own.len().to_string()]);
        let mut bill = CardBill { id, due_on, ..self.template.clone() };
        bill.heading.card = CardNumber::new(CARDS[card]).expect("a number");
        own.push(bill.clone());
        bill
    }

    fn happens(&mut self, step: &Step) {
        let today = self.today();
        match step.clone() {
            Step::Vehicle { card, plate, days } => {
                let until = days.map(|days| days_after(today, days));
                let plate = Plate::new(&format!("粤C{plate:05}")).expect("a plate");
                self.act(card, &Act::AddVehicle { plate, kind: VehicleKind::Small, from: today, until });
            }
            Step::NoVehicle { card, plate } => {
                let plate = Plate::new(&format!("粤C{plate:05}")).expect("a plate");
                let from = self.card(card).vehicles.iter().find(|one| one.plate == plate).map(|one| one.from);
                if let Some(from) = from {
                    self.act(card, &Act::DropVehicle { plate, from });
                }
            }
            Step::Stand { card, state } => self.act(card, &Act::Stand(state)),
            Step::Hold { card, space, days } => {
                let (place, until) = (Place::Space(number(SPACES[space])), days.map(|days| days_after(today, days)));
                self.act(card, &Act::HoldPlace { place, from: today, until });
            }
            Step::Let { card, space, days } => {
                let place = Place::Space(number(SPACES[space]));
                let bill = self.new_bill(card, today);
                let mut after = self.card(card);
                after.terms.push(Term {
                    number: u32::try_from(after.terms.len()).expect("few") + 1,
                    kind: TermKind::Letting,
                    source: Source::Item(item_id("rent")),
                    span: Span::new(today, days_after(today, days)).expect("days"),
                    places: vec![TermPlace { place, price: Decimal::from(300) }],
                    replaces: vec![],
                    given_up: None,
                    bill: bill.id,
                    note: note(),
                });
                self.write(|change| {
                    change.put(&after);
                    change.put(&bill);
                });
            }
            Step::Bill { card, due_in } => {
                let bill = self.new_bill(card, days_after(today, due_in));
                self.write(|change| change.put(&bill));
            }
            Step::Pay { card, bill } => {
                let own = self.bills.entry(CARDS[card]).or_default();
                if let Some(bill) = own.get_mut(bill) {
                    bill.accept(yuan("310"), today);
                    let paid = bill.clone();
                    self.write(|change| change.put(&paid));
                }
            }
            Step::Becomes { space, tenure, layout, in_days } => {
                let name = SPACES[space];
                let mut is = self.records.get::<Space>(name).expect("readable").expect("there").record;
                is.attributes.set(days_after(today, in_days), Attributes { layout, ..attributes(tenure) }, note());
                self.write(|change| change.put(&is));
            }
            Step::Days(days) => self.now += TimeDelta::days(i64::from(days)),
        }
    }

    /// Looks at what was touched and at whose day has come, and at nothing else.
    fn tell(&mut self) {
        self.touched.find_holders(&self.records).expect("readable");
        let due = self.records.list::<GateDay>("", 100).expect("readable").into_iter().map(|kept| kept.record);
        let today = self.today();
        for day in due.filter(|day| day.on <= today) {
            self.touched.card(day.card.as_str());
        }
        let touched = std::mem::take(&mut self.touched);
        let mut change = Change::new(ChangeKind::PassWritten, self.now, Cause::Time);
        tell(&mut change, &touched.cards, self.now, &policy(), &self.records).expect("readable");
        self.records.take(&change).expect("taken");
    }

    fn is_exact(&self) -> Result<(), TestCaseError> {
        let estate = |number: &SpaceNumber| {
            self.records.get::<Space>(number.as_str()).expect("readable").map(|kept| kept.record)
        };
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for (card, name) in CARDS.iter().enumerate() {
            let owed = Owed::of(self.bills.get(name).map(Vec::as_slice).unwrap_or_default());
            let is = at_gate(&self.card(card), &owed, &estate, self.today(), &policy());
            expected.extend(is.passes.iter().map(|pass| serde_json::to_string(pass).expect("JSON")));
        }
        let written = self.records.list::<GatePass>("", 100).expect("readable");
        let written: BTreeSet<String> =
            written.iter().map(|kept| serde_json::to_string(&kept.record).expect("JSON")).collect();
        prop_assert_eq!(written, expected, "on {}", self.today());
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_gate_is_told_exactly_what_cards_come_to(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.happens(&step);
            world.tell();
            world.is_exact()?;
        }
    }
}

#[test]
fn a_pass_covers_where_its_card_has_a_place_and_the_gate_says_which_bill_it_has() {
    let [main, court, north] = ["main", "B1", "north"].map(|name| AreaId::new(name).expect("an area"));
    let areas = GateAreas::of_lanes([(&main, None), (&court, Some(&main)), (&north, None)]);
    let mut world = World::new();
    for step in [Step::Hold { card: 0, space: 0, days: None }, Step::Vehicle { card: 0, plate: 1, days: None }] {
        world.happens(&step);
    }
    let estate =
        |number: &SpaceNumber| world.records.get::<Space>(number.as_str()).expect("readable").map(|kept| kept.record);
    let on = |policy: &PassPolicy| {
        let is = at_gate(&world.card(0), &Owed::default(), &estate, world.today(), policy);
        is.passes[0].coverage.areas.clone()
    };
    assert_eq!(on(&PassPolicy { areas, ..policy() }), [court, main]);
    assert!(on(&policy()).is_empty(), "nobody asks where it stands");

    let marks = |world: &World| world.records.list::<GateBill>("", 9).expect("readable");
    world.happens(&Step::Bill { card: 0, due_in: 3 });
    world.tell();
    let first = marks(&world).remove(0).record;
    world.now += TimeDelta::hours(1);
    world.happens(&Step::Bill { card: 0, due_in: 5 });
    world.tell();
    let both = marks(&world);
    assert_eq!(both.len(), 2);
    assert!(both.iter().any(|mark| mark.record == first), "what the gate has it has since then");
    for mark in &both {
        let key = format!("C1/{}", mark.record.bill);
        let bill = world.records.get::<CardBill>(&key).expect("readable").expect("there");
        assert_eq!(mark.record.of, bill.revision);
    }
    world.happens(&Step::Pay { card: 0, bill: 0 });
    let paid = world.records.get::<CardBill>(&format!("C1/{}", first.bill)).expect("readable").expect("there");
    assert_ne!(first.of, paid.revision, "as it now is the gate has it not yet");
}

#[test]
fn whoever_writes_a_card_keeps_its_plates_beside_the_chain() {
    let mut world = World::new();
    world.happens(&Step::Vehicle { card: 0, plate: 7, days: None });
    let mut change = Change::new(ChangeKind::BillsRun, world.now, Cause::Time);
    world.card(0).write(&mut change);
    assert_eq!(change.personal, ["粤C00007"]);
}

#[test]
fn a_card_that_is_gone_leaves_no_pass_behind() {
    let mut world = World::new();
    for step in [Step::Hold { card: 0, space: 0, days: None }, Step::Vehicle { card: 0, plate: 1, days: None }] {
        world.happens(&step);
    }
    world.tell();
    world.is_exact().expect("exact");
    assert_eq!(world.records.list::<GatePass>("", 9).expect("readable").len(), 1);
    world.write(|change| change.delete(tollhouse_core::record::Table::Cards, "C1"));
    world.tell();
    assert!(world.records.list::<GatePass>("", 9).expect("readable").is_empty());
    assert_eq!(day("2026-01-10"), world.today());
}
