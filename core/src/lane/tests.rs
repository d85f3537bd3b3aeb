//! The lane on a virtual clock over records in memory: each test tells a story at one or two lanes.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::*;
use crate::bill::Bill;
use crate::id::{AreaId, BillId, DeviceId, EventId, IdKey, LaneId, OrderId, StayId};
use crate::money::{Currency, Money};
use crate::pass::{GatePass, Grants, OverduePolicy};
use crate::pay::{self, Captured, Evidence, FreshOrder, Made, Order, Payment, Wanted};
use crate::plate::{Colour, Plate};
use crate::record::{Balance, Cause, Change, Counter, Memory, Table};
use crate::stay::{Basis, Inside, Stay, StayState};
use crate::tariff::Hourly;

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn key() -> IdKey {
    IdKey::new([1; 32])
}

fn tariff() -> Hourly {
    Hourly {
        version: "demo-1".into(),
        free: TimeDelta::minutes(15),
        per_hour: yuan(500),
        daily_cap: yuan(4_000),
        exit_grace: TimeDelta::minutes(15),
    }
}

fn rules(lane: &str, direction: Direction) -> LaneRules {
    LaneRules {
        lane: LaneId::new(lane).expect("a name"),
        direction,
        area: AreaId::new("main").expect("a name"),
        capacity: 2,
        barrier: DeviceId::new(format!("gate-{lane}")).expect("a name"),
        display: Some(DeviceId::new(format!("display-{lane}")).expect("a name")),
        passed_by: PassedBy::Event,
        stale_after: TimeDelta::seconds(60),
        command_ttl: TimeDelta::seconds(10),
        passed_after: TimeDelta::seconds(10),
        same_car_within: TimeDelta::seconds(10),
        exit_without_entry: ExitWithoutEntry::Open,
        tariff: Arc::new(tariff()),
        tax_rate: Decimal::new(9, 2),
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
        let mut step = lane.step(self.now, input, &self.records).expect("steps");
        let mut effects = vec![];
        loop {
            effects.append(&mut step.effects);
            let Some(change) = step.commit else { return effects };
            let answer = match self.records.take(&change) {
                Ok(revision) => Input::Durable(revision),
                Err(refusal) => Input::Refused(refusal),
            };
            step = lane.step(self.now, answer, &self.records).expect("steps");
        }
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
            bill,
            provider: "sandbox".into(),
            merchant: "m".into(),
            idempotency_key: None,
            life: TimeDelta::minutes(5),
        };
        let made = pay::make_order(&wanted, fresh, self.now, &tariff(), Decimal::new(9, 2), &key(), &self.records);
        let Ok(Made::Now(order, change)) = made else { panic!("no order: {made:?}") };
        self.records.take(&change).expect("taken");
        order
    }

    fn pay(&mut self, order: &Order) -> Option<Payment> {
        let kept = self.records.get::<Order>(&order.id.to_string()).expect("readable").expect("there");
        let evidence = Evidence {
            merchant: order.merchant.clone(),
            transaction: format!("T{}", order.number),
            amount: order.amount,
            paid_at: self.now,
        };
        let today = NaiveDate::default();
        let grace = TimeDelta::minutes(15);
        match pay::capture(&kept, &evidence, grace, self.now, today, &key(), &self.records).expect("captures") {
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

#[test]
fn a_fresh_entry_opens_and_the_same_event_again_does_nothing() {
    let mut lot = Lot::new();
    let effects = lot.read(Direction::Entry, "e1", CAR);
    assert_eq!(opens(&effects).len(), 1);
    assert_eq!(codes(&effects), ["entry_temporary"]);
    let before = lot.records.clone();
    assert!(lot.read(Direction::Entry, "e1", CAR).is_empty());
    assert_eq!(lot.records, before);
}

#[test]
fn the_same_event_id_with_another_content_is_counted_and_changes_nothing() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    let before = lot.records.clone();
    let mark = Mark { fingerprint: "other".into(), ..lot.mark("e1", TimeDelta::zero()) };
    let read = Read { mark, plate: plate_of("粤C99999"), colour: Colour::Blue };
    let effects = lot.tell(Direction::Entry, Input::Read(read));
    assert!(matches!(effects.as_slice(), [Effect::CountConflict(_)]));
    assert_eq!(lot.records, before);
}

#[test]
fn reads_of_one_plate_until_it_has_passed_are_one_passage() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    assert!(opens(&lot.read(Direction::Entry, "e2", CAR)).is_empty());
    assert_eq!(lot.inside(), 1);
}

#[test]
fn a_late_entry_opens_nothing_but_begins_the_stay_at_its_captured_time() {
    let mut lot = Lot::new();
    let effects = lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(2));
    assert!(opens(&effects).is_empty());
    let stay = lot.stay_of(CAR).expect("inside");
    assert_eq!(stay.entered_at, lot.now - TimeDelta::hours(2));
    assert_eq!(lot.inside(), 1);
}

#[test]
fn a_car_that_owes_waits_at_the_exit_and_opens_once_when_it_has_paid() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(2) - TimeDelta::seconds(30));
    let waiting = lot.read(Direction::Exit, "x1", CAR);
    assert!(opens(&waiting).is_empty());
    assert_eq!(codes(&waiting), ["exit_payment_due"]);
    let shown = commands(&waiting, "display");
    assert_eq!(shown[0].args["lines"][1], "请扫码缴费10.00元");
    assert!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).is_empty(), "nothing is paid yet");

    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    let (first, second) = (lot.order(bill), lot.order(bill));
    assert_eq!(lot.pay(&first).expect("captured").to_bill, yuan(1_000));
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
    assert!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).is_empty(), "an authorisation opens once");

    let again = lot.pay(&second).expect("captured");
    assert_eq!((again.to_bill, again.excess), (yuan(0), yuan(1_000)), "the second payment goes back");
    assert!(lot.pay(&second).is_none(), "and is captured once");
    assert!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).is_empty());

    lot.passed(Direction::Exit, "p1", Way::Through);
    assert!(lot.stay_of(CAR).is_none());
    assert_eq!(lot.inside(), 0);
    assert_eq!(lot.balance("receivable"), 0);
    assert_eq!(lot.balance("clearing:sandbox"), 2_000);
    assert_eq!(lot.balance("refund_due"), -1_000);
    assert_eq!(lot.balance("revenue") + lot.balance("tax_due"), -1_000);
}

#[test]
fn the_fee_clock_stops_while_the_car_holds_the_lane_and_runs_on_when_it_backs_out() {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(59));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    lot.wait(TimeDelta::minutes(30));
    lot.read(Direction::Exit, "x2", CAR);
    assert_eq!(lot.bill(bill).total, yuan(500), "an hour, however long it stands there");
    lot.passed(Direction::Exit, "p1", Way::Back);
    lot.read(Direction::Exit, "x3", CAR);
    assert_eq!(lot.bill(bill).total, yuan(1_000), "from entry, the same bill");
}

#[test]
fn paid_early_it_leaves_in_time_and_owes_the_rest_when_late() {
    for (minutes, code, total) in [(15, "exit_paid", 500), (16, "exit_payment_due", 1_000)] {
        let mut lot = Lot::new();
        lot.car_inside(CAR);
        lot.wait(TimeDelta::minutes(50));
        let plate = plate_of(CAR);
        let looked = pay::look_early(&plate, lot.now, &tariff(), Decimal::ZERO, &key(), &lot.records);
        let pay::Early::Owes { bill, change: Some(change), .. } = looked.expect("looks") else { panic!("owes") };
        lot.records.take(&change).expect("taken");
        let order = lot.order(bill.id);
        lot.pay(&order).expect("captured");
        lot.wait(TimeDelta::minutes(minutes));
        assert_eq!(codes(&lot.read(Direction::Exit, "x1", CAR)), [code], "{minutes} min");
        assert_eq!(lot.bill(bill.id).total, yuan(total), "{minutes} min");
        assert_eq!(lot.bill(bill.id).paid, yuan(500), "{minutes} min");
    }
}

#[test]
fn within_the_free_time_it_leaves_without_a_bill() {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(15));
    let effects = lot.read(Direction::Exit, "x1", CAR);
    assert_eq!(codes(&effects), ["exit_nothing_due"]);
    assert_eq!(opens(&effects).len(), 1);
}

#[test]
fn only_as_many_temporary_cars_come_in_as_there_is_room() {
    let mut lot = Lot::new();
    lot.car_inside("粤C00001");
    lot.car_inside("粤C00002");
    let effects = lot.read(Direction::Entry, "e3", "粤C00003");
    assert_eq!(codes(&effects), ["entry_full"]);
    assert!(opens(&effects).is_empty());
    lot.read(Direction::Exit, "x1", "粤C00001");
    lot.passed(Direction::Exit, "p1", Way::Through);
    assert_eq!(opens(&lot.read(Direction::Entry, "e4", "粤C00003")).len(), 1, "read again when there is room");
}

#[test]
fn two_lanes_that_decide_at_once_on_the_last_space_are_not_both_right() {
    let mut lot = Lot::new();
    lot.car_inside("粤C00001");
    let mut other = Lane::load(rules("in-2", Direction::Entry), &lot.records).expect("readable");
    let read = |lot: &Lot, event: &str, plate: &str| {
        Input::Read(Read { mark: lot.mark(event, TimeDelta::zero()), plate: plate_of(plate), colour: Colour::Blue })
    };
    let inputs = [read(&lot, "e2", "粤C00002"), read(&lot, "e3", "粤C00003")];
    let seen = lot.records.clone();
    let [first, second] = inputs;
    let one = lot.entry.step(lot.now, first, &seen).expect("steps").commit.expect("commits");
    let two = other.step(lot.now, second, &seen).expect("steps").commit.expect("commits");
    lot.records.take(&one).expect("the first is right");
    let refusal = lot.records.take(&two).expect_err("the second is not");
    let again = other.step(lot.now, Input::Refused(refusal), &lot.records).expect("decides again");
    let revision = lot.records.take(&again.commit.expect("commits")).expect("taken");
    let effects = other.step(lot.now, Input::Durable(revision), &lot.records).expect("steps").effects;
    assert_eq!(codes(&effects), ["entry_full"]);
}

#[test]
fn a_car_that_is_inside_by_the_books_comes_in_and_the_old_stay_ends_as_a_case() {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    let old = lot.stay_of(CAR).expect("inside").id;
    lot.wait(TimeDelta::hours(1));
    let effects = lot.read(Direction::Entry, "e2", CAR);
    assert_eq!(codes(&effects), ["entry_already_inside"]);
    assert_eq!(opens(&effects).len(), 1);
    assert_eq!(lot.stay(old).state, StayState::ExitMissed);
    assert_ne!(lot.stay_of(CAR).expect("inside").id, old);
    assert_eq!(lot.inside(), 1);
    assert_eq!(lot.records.list::<Case>("", 10).expect("readable").len(), 1);
}

#[test]
fn an_entry_that_backs_out_voids_its_stay() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    let stay = lot.stay_of(CAR).expect("inside").id;
    lot.passed(Direction::Entry, "p1", Way::Back);
    assert_eq!(lot.stay(stay).state, StayState::Voided);
    assert_eq!(lot.inside(), 0);
}

#[test]
fn a_rejected_opening_is_tried_again_and_then_a_person_is_called() {
    let mut lot = Lot::new();
    let mut effects = lot.read(Direction::Entry, "e1", CAR);
    let mut sent = vec![];
    for attempt in 1..=3 {
        let open = opens(&effects).remove(0);
        assert!(!sent.contains(&open.cmd_id), "a further attempt is a further command");
        sent.push(open.cmd_id);
        effects = lot.answer(Direction::Entry, &open.cmd_id.to_string(), Answer::Rejected);
        if attempt < 3 {
            let [Effect::Arm(timer, at)] = effects.as_slice() else { panic!("a retry is armed: {effects:?}") };
            let (timer, at) = (*timer, *at);
            lot.now = at;
            effects = lot.tell(Direction::Entry, Input::Timer(timer));
        }
    }
    assert_eq!(codes(&effects), ["barrier_fault"]);
}

#[test]
fn an_unknown_outcome_opens_again_only_for_the_same_car_with_the_arm_not_up() {
    for (arm, again) in [(Arm::Down, 1), (Arm::Unknown, 1), (Arm::Up, 0)] {
        let mut lot = Lot::new();
        let effects = lot.read(Direction::Entry, "e1", CAR);
        let cmd_id = opens(&effects)[0].cmd_id.to_string();
        assert!(opens(&lot.answer(Direction::Entry, &cmd_id, Answer::Unknown)).is_empty());
        lot.tell(Direction::Entry, Input::Arm(arm));
        assert_eq!(opens(&lot.read(Direction::Entry, "e2", CAR)).len(), again, "{arm:?}");
    }
}

#[test]
fn without_a_loop_the_confirmed_opening_counts_as_passed_and_a_further_read_is_the_same_car() {
    let mut lot = Lot::with(|rules| rules.passed_by = PassedBy::Opening);
    let effects = lot.read(Direction::Entry, "e1", CAR);
    let cmd_id = opens(&effects)[0].cmd_id.to_string();
    assert_eq!(codes(&lot.answer(Direction::Entry, &cmd_id, Answer::Confirmed)), ["passed"]);
    lot.wait(TimeDelta::seconds(3));
    assert!(opens(&lot.read(Direction::Entry, "e2", CAR)).is_empty());
    assert_eq!(lot.inside(), 1);
    let out = lot.read(Direction::Exit, "x1", CAR);
    lot.answer(Direction::Exit, &opens(&out)[0].cmd_id.to_string(), Answer::Confirmed);
    assert_eq!(opens(&lot.read(Direction::Entry, "e3", CAR)).len(), 1, "it left meanwhile, so this is another visit");
}

#[test]
fn after_a_restart_the_lane_goes_on_where_it_was() {
    let mut lot = Lot::new();
    let effects = lot.read(Direction::Entry, "e1", CAR);
    let sent = opens(&effects).remove(0);
    lot.entry = Lane::load(rules("in-1", Direction::Entry), &lot.records).expect("readable");
    lot.wait(TimeDelta::seconds(2));
    let resumed = lot.entry.resume(lot.now);
    assert_eq!(opens(&resumed), [sent], "the same command, under the same id");
    lot.wait(TimeDelta::seconds(20));
    assert!(opens(&lot.entry.resume(lot.now)).is_empty(), "never after it has expired");
    assert!(opens(&lot.read(Direction::Entry, "e1", CAR)).is_empty(), "nor by the same event");
}

#[test]
fn a_car_that_waits_for_its_bill_opens_after_a_restart_when_it_was_paid_meanwhile() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    lot.exit = Lane::load(rules("out-1", Direction::Exit), &lot.records).expect("readable");
    let resumed = lot.exit.resume(lot.now);
    let timer = resumed.iter().find_map(|effect| match effect {
        Effect::Arm(timer, _) => Some(*timer),
        _ => None,
    });
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::Timer(timer.expect("armed")))).len(), 1);
}

#[test]
fn a_person_opens_once_for_a_car_that_waits_and_its_debt_stays() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    let person = || {
        let request = EventId::new("r1").expect("a name");
        Input::OpenedBy(Person { name: "admin".into(), reason: "barrier test".into(), request })
    };
    assert_eq!(opens(&lot.tell(Direction::Exit, person())).len(), 1);
    assert!(opens(&lot.tell(Direction::Exit, person())).is_empty(), "the same request again");
    lot.passed(Direction::Exit, "p1", Way::Through);
    assert_eq!(lot.balance("receivable"), 500, "an hour is still owed");
}

#[test]
fn cards_and_lists_decide_before_the_tariff_does() {
    let day = TimeDelta::days(1);
    let start = Lot::new().now;
    let overdue = |overdue| Grants::Owned { card: "C1".into(), paid_until: start - day, grace_days: 0, overdue };
    let cases = [
        (Grants::Blocked { reason: "debts".into() }, "entry_blocked", None),
        (Grants::Free { until: None }, "entry_free", Some("exit_pass")),
        (overdue(OverduePolicy::OpenAndWarn), "entry_pass_overdue", Some("exit_pass")),
        (overdue(OverduePolicy::RefuseEntry), "entry_overdue", None),
        (overdue(OverduePolicy::ChargeAsTemporary), "entry_temporary", Some("exit_payment_due")),
    ];
    for (grants, at_entry, at_exit) in cases {
        let mut lot = Lot::new();
        let mut change = Change::new(ChangeKind::PassWritten, lot.now, Cause::Time);
        change.put(&GatePass { plate: plate_of(CAR), grants });
        lot.records.take(&change).expect("taken");
        assert_eq!(codes(&lot.read(Direction::Entry, "e1", CAR)), [at_entry]);
        lot.passed(Direction::Entry, "p1", Way::Through);
        lot.wait(TimeDelta::hours(3));
        if let Some(code) = at_exit {
            assert_eq!(codes(&lot.read(Direction::Exit, "x1", CAR)), [code], "{at_entry}");
        }
    }
}

#[test]
fn a_car_without_an_entry_is_let_out_or_waits_as_the_lot_says() {
    for (policy, code, opened) in
        [(ExitWithoutEntry::Open, "exit_without_entry", 1), (ExitWithoutEntry::Attend, "exit_without_entry_attend", 0)]
    {
        let mut lot = Lot::with(|rules| rules.exit_without_entry = policy);
        let effects = lot.read(Direction::Exit, "x1", CAR);
        assert_eq!((codes(&effects), opens(&effects).len()), (vec![code], opened));
    }
}

#[test]
fn the_next_car_ends_the_passage_of_the_one_before() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::minutes(1));
    let effects = lot.read(Direction::Exit, "x2", "粤C00002");
    assert_eq!(codes(&effects)[0], "lapsed");
    assert_eq!(lot.stay_of(CAR).expect("still inside").basis, Basis::Temporary);
    assert!(lot.stay_of(CAR).expect("still inside").clock_stopped_at.is_none());
}

#[test]
fn a_lane_that_waits_for_its_commit_takes_nothing_else() {
    let mut lot = Lot::new();
    let read = Read { mark: lot.mark("e1", TimeDelta::zero()), plate: plate_of(CAR), colour: Colour::Blue };
    assert!(lot.entry.step(lot.now, Input::Read(read.clone()), &lot.records).expect("steps").commit.is_some());
    let second = lot.entry.step(lot.now, Input::Read(read), &lot.records);
    assert!(matches!(second, Err(LaneFault::CommitOpen)));
    assert!(lot.entry.waits_for_commit());
}
