//! The lane on a virtual clock over records in memory: each test tells a story at one or two lanes.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::*;
use crate::bill::Bill;
use crate::id::{AreaId, BillId, DeviceId, EventId, IdKey, LaneId, OrderId, StayId};
use crate::money::{Currency, Money};
use crate::pass::{Coverage, GatePass, Grants, OverduePolicy};
use crate::pay::{self, Captured, Evidence, FreshOrder, Made, Order, Payment, Wanted};
use crate::plate::{Colour, Plate};
use crate::record::{Balance, Cause, Change, Counter, Memory, Table};
use crate::stay::{Basis, Inside, Stay, StayState};
use crate::tariff::{Plan, TariffBook};

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn key() -> IdKey {
    IdKey::new([1; 32])
}

fn tariff() -> TariffBook {
    let demo = include_str!("../../../../appliance/tariffs/demo.toml");
    let file = crate::tariff::parse::parse(demo).expect("a tariff");
    TariffBook::of(Plan::new(Arc::new(file)).expect("a plan"))
}

fn rules(lane: &str, direction: Direction) -> LaneRules {
    LaneRules {
        lane: LaneId::new(lane).expect("a name"),
        direction,
        area: AreaId::new("main").expect("a name"),
        within: None,
        capacity: 2,
        barrier: DeviceId::new(format!("gate-{lane}")).expect("a name"),
        display: Some(DeviceId::new(format!("display-{lane}")).expect("a name")),
        passed_by: PassedBy::Event,
        stale_after: TimeDelta::seconds(60),
        command_ttl: TimeDelta::seconds(10),
        passed_after: TimeDelta::seconds(10),
        same_car_within: TimeDelta::seconds(10),
        exit_without_entry: ExitWithoutEntry::Open,
        holder_owes: HolderOwes::Arrears,
        tariff: Arc::new(tariff()),
        tax_rate: Decimal::new(9, 2),
        self_opening: vec![],
        key: key(),
        pay_url: Some("http://box/pay/lanes/out-1".into()),
    }
}

/// Two lanes over one memory, and a clock that the test moves.
struct Lot {
    records: Memory,
    entry: Lane,
    exit: Lane,
    now: DateTime<Utc>,
    orders: u8,
}

impl Lot {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut LaneRules)) -> Self {
        let records = Memory::new();
        let lane = |name, direction| {
            let mut rules = rules(name, direction);
            change(&mut rules);
            Lane::load(rules, &records).expect("readable")
        };
        let (entry, exit) = (lane("in-1", Direction::Entry), lane("out-1", Direction::Exit));
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
        Self { records, entry, exit, now, orders: 0 }
    }

    fn wait(&mut self, by: TimeDelta) {
        self.now += by;
    }

    fn tell(&mut self, direction: Direction, input: Input) -> Vec<Effect> {
        let lane = match direction {
            Direction::Entry => &mut self.entry,
            Direction::Exit => &mut self.exit,
        };
        drive(lane, self.now, input, &mut self.records)
    }

    fn mark(&self, event: &str, age: TimeDelta) -> Mark {
        Mark {
            device: DeviceId::new("cam").expect("a name"),
            event_id: EventId::new(event).expect("a name"),
            fingerprint: event.to_owned(),
            captured_at: self.now - age,
            age,
        }
    }

    fn read(&mut self, direction: Direction, event: &str, plate: &str) -> Vec<Effect> {
        self.read_aged(direction, event, plate, TimeDelta::zero())
    }

    fn read_aged(&mut self, direction: Direction, event: &str, plate: &str, age: TimeDelta) -> Vec<Effect> {
        let mark = self.mark(event, age);
        self.tell(direction, Input::Read(Read { mark, plate: plate_of(plate), colour: Colour::Blue }))
    }

    fn passed(&mut self, direction: Direction, event: &str, way: Way) -> Vec<Effect> {
        let mark = self.mark(event, TimeDelta::zero());
        self.tell(direction, Input::Passed(Passed { mark, way }))
    }

    fn answer(&mut self, direction: Direction, cmd_id: &str, answer: Answer) -> Vec<Effect> {
        self.tell(direction, Input::Answered(Answered { cmd_id: cmd_id.to_owned(), answer, reason: None }))
    }

    /// A car comes in at the entry and is let in.
    fn car_inside(&mut self, plate: &str) {
        let event = format!("in-{plate}-{}", self.now.timestamp()).replace('粤', "Y");
        assert_eq!(opens(&self.read(Direction::Entry, &event, plate)).len(), 1);
        self.passed(Direction::Entry, &format!("p{event}"), Way::Through);
    }

    fn stay_of(&self, plate: &str) -> Option<Stay> {
        let inside = self.records.get::<Inside>(plate).expect("readable")?.record.stay;
        self.records.get::<Stay>(&inside.to_string()).expect("readable").map(|kept| kept.record)
    }

    fn stay(&self, id: StayId) -> Stay {
        self.records.get::<Stay>(&id.to_string()).expect("readable").expect("there").record
    }

    fn bill(&self, id: BillId) -> Bill {
        self.records.get::<Bill>(&id.to_string()).expect("readable").expect("there").record
    }

    fn inside(&self) -> i64 {
        let prefix = "inside/";
        let counters = self.records.list::<Counter>(prefix, 10).expect("readable");
        counters.iter().filter(|kept| kept.record.counter.starts_with(prefix)).map(|kept| kept.record.value).sum()
    }

    fn order(&mut self, bill: BillId) -> Order {
        self.orders += 1;
        let fresh = FreshOrder { id: OrderId::from_bytes([self.orders; 16]), number: format!("N{}", self.orders) };
        let wanted = Wanted {
            pays: pay::Payable::Bill(bill),
            provider: "sandbox".into(),
            merchant: "m".into(),
            way: pay::Way::Page,
            terms: pay::Terms::default(),
            idempotency: None,
            life: TimeDelta::minutes(5),
        };
        let made = pay::make_order(&wanted, fresh, self.now, &tariff(), Decimal::new(9, 2), &key(), &self.records);
        let Ok(Made::Now(order, change)) = made else { panic!("no order: {made:?}") };
        self.records.take(&change).expect("taken");
        order
    }

    fn pay(&mut self, order: &Order) -> Option<Payment> {
        let kept = self.records.get::<Order>(&order.id.to_string()).expect("readable").expect("there");
        let transaction = format!("T{}", order.number);
        let evidence = Evidence::plain(&order.merchant, &transaction, order.amount, self.now);
        let today = NaiveDate::default();
        match pay::capture(&kept, &evidence, &tariff(), self.now, today, &key(), &self.records).expect("captures") {
            Captured::Before => None,
            Captured::Now(change, payment) => {
                self.records.take(&change).expect("taken");
                Some(payment)
            }
        }
    }

    fn balance(&self, account: &str) -> i64 {
        let stored = self.records.stored(Table::Balances, &format!("{account}/CNY")).expect("readable");
        stored.map_or(0, |stored| serde_json::from_str::<Balance>(&stored.json).expect("a balance").sum.minor())
    }
}

/// Lets a lane take an input to its end, commits and all.
fn drive(lane: &mut Lane, now: DateTime<Utc>, input: Input, records: &mut Memory) -> Vec<Effect> {
    let mut step = lane.step(now, input, records).expect("steps");
    let mut effects = vec![];
    loop {
        effects.append(&mut step.effects);
        let Some(change) = step.commit else { return effects };
        let answer = match records.take(&change) {
            Ok(revision) => Input::Durable(revision),
            Err(refusal) => Input::Refused(refusal),
        };
        step = lane.step(now, answer, records).expect("steps");
    }
}

fn plate_of(text: &str) -> Plate {
    Plate::new(text).expect("a plate")
}

fn opens(effects: &[Effect]) -> Vec<Command> {
    commands(effects, "open")
}

fn commands(effects: &[Effect], name: &str) -> Vec<Command> {
    let named = |effect: &Effect| match effect {
        Effect::Command(command) if command.name == name => Some(command.clone()),
        _ => None,
    };
    effects.iter().filter_map(named).collect()
}

fn codes(effects: &[Effect]) -> Vec<&'static str> {
    let told = |effect: &Effect| match effect {
        Effect::Tell(tell) => Some(tell.code),
        _ => None,
    };
    effects.iter().filter_map(told).collect()
}

const CAR: &str = "粤C12345";

mod areas;
mod coupon_events;
mod coupons;
mod covering;
mod deciding;
mod guesses;
mod late;
mod opening;
mod paying;
mod queue;
mod visits;
