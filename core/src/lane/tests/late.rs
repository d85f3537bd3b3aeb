//! What is heard of late or twice, and authorisations that grow old: found by the lot under seeded faults.

use super::*;
use crate::record::Refusal;

impl Lot {
    fn read_at(&mut self, direction: Direction, event: &str, plate: &str, seconds_ago: i64) -> Vec<Effect> {
        self.read_aged(direction, event, plate, TimeDelta::seconds(seconds_ago))
    }

    /// A car that came in an hour ago and waits at the exit for its fee; its bill.
    fn waits_at_exit(&mut self) -> BillId {
        self.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
        self.read(Direction::Exit, "x1", CAR);
        self.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill")
    }
}

#[test]
fn what_a_loop_saw_before_the_car_in_hand_came_does_not_end_its_passage() {
    let mut lot = Lot::new();
    lot.waits_at_exit();
    let mark = lot.mark("p1", TimeDelta::seconds(5));
    lot.tell(Direction::Exit, Input::Passed(Passed { mark, way: Way::Through }));
    assert!(matches!(lot.exit.standing(), Standing::Waiting(_)));
    assert!(lot.stay_of(CAR).is_some(), "it still stands there and owes");
}

#[test]
fn a_late_read_of_a_car_that_has_passed_opens_nothing() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    let stay = lot.stay_of(CAR).expect("inside").id;
    lot.wait(TimeDelta::seconds(5));
    lot.passed(Direction::Entry, "p1", Way::Through);
    lot.wait(TimeDelta::seconds(5));
    assert!(opens(&lot.read_at(Direction::Entry, "e2", CAR, 7)).is_empty());
    assert_eq!(lot.stay_of(CAR).expect("inside").id, stay);
}

#[test]
fn a_late_read_of_an_earlier_car_leaves_the_car_in_hand_alone() {
    let mut lot = Lot::new();
    lot.wait(TimeDelta::seconds(5));
    lot.waits_at_exit();
    lot.wait(TimeDelta::seconds(5));
    let effects = lot.read_at(Direction::Exit, "x2", "粤C00002", 8);
    assert!(opens(&effects).is_empty());
    assert!(matches!(lot.exit.standing(), Standing::Waiting(hand) if hand.plate == Some(plate_of(CAR))));
}

#[test]
fn a_late_read_at_the_exit_from_before_the_car_came_in_again_opens_nothing() {
    let mut lot = Lot::new();
    lot.wait(TimeDelta::seconds(30));
    lot.car_inside(CAR);
    assert!(opens(&lot.read_at(Direction::Exit, "x1", CAR, 20)).is_empty());
    assert!(lot.records.list::<Case>("", 1).expect("readable").is_empty());
}

#[test]
fn a_backlog_read_of_the_passage_in_hand_is_one_more_read_of_it() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    let stay = lot.stay_of(CAR).expect("inside").id;
    lot.wait(TimeDelta::minutes(5));
    lot.read_at(Direction::Entry, "e2", CAR, 290);
    assert_eq!(lot.stay_of(CAR).expect("inside").id, stay);
    assert!(lot.records.list::<Case>("", 1).expect("readable").is_empty());
}

#[test]
fn a_car_that_left_the_loop_has_backed_out_also_when_the_commit_is_refused_at_first() {
    let mut lot = Lot::new();
    lot.waits_at_exit();
    lot.tell(Direction::Exit, Input::Loop(OnLoop::Occupied));
    let step = lot.exit.step(lot.now, Input::Loop(OnLoop::Clear), &lot.records).expect("steps");
    assert!(step.commit.is_some());
    let refusal = Refusal::Stale { table: Table::Bills, key: "b".into() };
    let again = lot.exit.step(lot.now, Input::Refused(refusal), &lot.records).expect("steps");
    assert!(again.commit.is_some(), "it is gone, whoever was faster");
}

#[test]
fn one_payment_opens_the_exit_where_the_car_stands_and_no_other() {
    let mut lot = Lot::new();
    let bill = lot.waits_at_exit();
    lot.wait(TimeDelta::minutes(1));
    let second = Lane::load(rules("out-2", Direction::Exit), &lot.records).expect("readable");
    let first = std::mem::replace(&mut lot.exit, second);
    lot.read(Direction::Exit, "x2", CAR);
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
    lot.exit = first;
    assert!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).is_empty(), "the car has left this lane");
}

#[test]
fn a_car_that_comes_back_to_the_exit_where_it_waited_is_decided_anew() {
    let mut lot = Lot::new();
    let bill = lot.waits_at_exit();
    lot.wait(TimeDelta::minutes(1));
    let second = Lane::load(rules("out-2", Direction::Exit), &lot.records).expect("readable");
    let first = std::mem::replace(&mut lot.exit, second);
    lot.read(Direction::Exit, "x2", CAR);
    lot.exit = first;
    lot.wait(TimeDelta::minutes(1));
    lot.read(Direction::Exit, "x3", CAR);
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
}

#[test]
fn an_authorisation_holds_from_when_it_was_given_however_long_the_car_had_waited() {
    let mut lot = Lot::new();
    let bill = lot.waits_at_exit();
    lot.wait(TimeDelta::minutes(11));
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
    lot.wait(TimeDelta::seconds(1));
    assert!(opens(&lot.read(Direction::Exit, "x2", CAR)).is_empty(), "the same car, and the command is on its way");
    assert!(lot.stay_of(CAR).is_some(), "it has not passed");
}

#[test]
fn a_car_that_stands_at_the_exit_beyond_its_authorisation_keeps_its_stay() {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::minutes(20));
    let effects = lot.read(Direction::Exit, "x2", CAR);
    assert_eq!(codes(&effects), ["lapsed", "exit_payment_due"]);
    assert_eq!(lot.stay_of(CAR).map(|stay| stay.state), Some(StayState::Open));
    assert_eq!(lot.inside(), 1);
}

#[test]
fn an_entry_that_never_opened_and_is_read_again_much_later_counts_its_car_once() {
    let mut lot = Lot::new();
    let sent = opens(&lot.read(Direction::Entry, "e1", CAR)).remove(0);
    lot.answer(Direction::Entry, &sent.cmd_id.to_string(), Answer::Rejected);
    lot.wait(TimeDelta::minutes(20));
    let effects = lot.read(Direction::Entry, "e2", CAR);
    assert_eq!((codes(&effects), opens(&effects).len()), (vec!["lapsed", "entry_temporary"], 1));
    assert_eq!(lot.inside(), 1);
}

#[test]
fn an_exit_that_opens_again_after_a_guess_is_still_the_same_passage() {
    let mut lot = Lot::with(|rules| rules.passed_by = PassedBy::Opening);
    let timer = |effects: &[Effect], kind| {
        let armed = |effect: &Effect| match effect {
            Effect::Arm(timer, _) if timer.kind == kind => Some(*timer),
            _ => None,
        };
        Input::Timer(effects.iter().find_map(armed).expect("armed"))
    };
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::minutes(5));
    let effects = lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::seconds(10));
    lot.tell(Direction::Exit, timer(&effects, TimerKind::CommandExpiry));
    lot.tell(Direction::Exit, timer(&effects, TimerKind::CountAsPassed));
    assert_eq!(opens(&lot.read(Direction::Exit, "x2", CAR)).len(), 1, "nobody knows whether it opened");
    assert!(opens(&lot.read(Direction::Exit, "x3", CAR)).is_empty(), "that command is on its way");
}

#[test]
fn what_is_paid_of_a_bill_that_has_grown_is_in_the_books() {
    let mut lot = Lot::new();
    let bill = lot.waits_at_exit();
    let (first, second) = (lot.order(bill), lot.order(bill));
    lot.wait(TimeDelta::minutes(1));
    lot.passed(Direction::Exit, "p1", Way::Back);
    lot.read(Direction::Exit, "x2", CAR);
    lot.pay(&first).expect("captured");
    lot.pay(&second).expect("captured");
    assert_eq!((lot.bill(bill).paid, lot.bill(bill).posted), (yuan(1_000), yuan(1_000)));
    assert_eq!(lot.balance("receivable"), 0);
}

#[test]
fn a_refund_that_is_done_stays_done_whatever_is_said_later() {
    let mut lot = Lot::new();
    let bill = lot.waits_at_exit();
    let (first, second) = (lot.order(bill), lot.order(bill));
    lot.pay(&first).expect("captured");
    lot.pay(&second).expect("captured");
    let refund = |lot: &Lot| lot.records.list::<pay::Refund>("", 1).expect("readable").remove(0);
    let done = pay::refund_done(&refund(&lot), lot.now, &lot.records).expect("readable").expect("not done before");
    lot.records.take(&done).expect("taken");
    assert!(pay::refund_failed(&refund(&lot), lot.now).is_none());
}

#[test]
fn a_read_from_before_a_person_opened_opens_no_more() {
    let mut lot = Lot::new();
    lot.read(Direction::Entry, "e1", CAR);
    lot.wait(TimeDelta::seconds(3));
    lot.passed(Direction::Entry, "p1", Way::Through);
    lot.wait(TimeDelta::milliseconds(100));
    let request = EventId::new("r1").expect("a name");
    let person = Person { name: "admin".into(), reason: "the driver asked".into(), request };
    assert_eq!(opens(&lot.tell(Direction::Entry, Input::OpenedBy(person))).len(), 1, "a person is obeyed");
    let effects = lot.read_aged(Direction::Entry, "e2", CAR, TimeDelta::milliseconds(200));
    assert!(opens(&effects).is_empty(), "the car is in already");
    assert_eq!(lot.inside(), 1);
}

#[test]
fn a_car_that_a_camera_let_in_by_itself_is_booked_and_marked_and_one_that_it_only_saw_is_not() {
    let mut lot = Lot::with(|rules| rules.self_opening = vec![DeviceId::new("cam").expect("a name")]);
    let mut change = Change::new(crate::record::ChangeKind::PassWritten, lot.now, Cause::Time);
    let grants = Grants::Free { until: Some(lot.now - TimeDelta::minutes(30)) };
    change.put(&GatePass::new(plate_of(CAR), grants));
    lot.records.take(&change).expect("taken");
    let passage_of = |lot: &Lot, event: &str| {
        let id = PassageId::derive(&key(), &["cam", event]).to_string();
        lot.records.get::<Passage>(&id).expect("readable").expect("booked").record
    };
    // An hour ago its pass was in force, and it is over by now.
    let effects = lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    assert!(opens(&effects).is_empty(), "it has long passed");
    assert_eq!(lot.stay_of(CAR).map(|stay| stay.basis), Some(Basis::Free));
    assert_eq!(passage_of(&lot, "e1").opened_by.map(|device| device.to_string()).as_deref(), Some("cam"));
    lot.read_aged(Direction::Entry, "e2", "粤C00002", TimeDelta::hours(1));
    assert_eq!(passage_of(&lot, "e2").opened_by, None, "it stood on no list");
    lot.read_aged(Direction::Exit, "x1", CAR, TimeDelta::minutes(10));
    assert_eq!(passage_of(&lot, "x1").opened_by, None, "its pass was over");
}
