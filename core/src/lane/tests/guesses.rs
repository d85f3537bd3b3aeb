//! Where no loop tells for certain what became of a car: what the lane takes for true, and takes back.

use super::*;

const NEXT: &str = "粤C00002";

/// A car waits at the exit right behind one for which the barrier has just opened.
fn next_car_waits() -> (Lot, BillId) {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    lot.read_aged(Direction::Entry, "e2", NEXT, TimeDelta::hours(1));
    assert_eq!(opens(&lot.read(Direction::Exit, "x1", CAR)).len(), 1);
    lot.wait(TimeDelta::seconds(2));
    let effects = lot.read(Direction::Exit, "x2", NEXT);
    assert!(codes(&effects).contains(&"exit_payment_due"), "{effects:?}");
    let bill = lot.stay_of(NEXT).and_then(|stay| stay.bill).expect("a bill");
    lot.wait(TimeDelta::seconds(1));
    (lot, bill)
}

fn pays_and_is_let_out(lot: &mut Lot, bill: BillId) {
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
}

#[test]
fn the_car_before_passes_while_the_next_one_waits_and_ends_nothing_of_it() {
    let (mut lot, bill) = next_car_waits();
    lot.passed(Direction::Exit, "p1", Way::Through);
    assert_eq!(lot.stay_of(NEXT).expect("still inside").state, StayState::Open);
    pays_and_is_let_out(&mut lot, bill);
    lot.passed(Direction::Exit, "p2", Way::Through);
    assert!(lot.stay_of(NEXT).is_none());
}

#[test]
fn a_loop_that_the_car_before_leaves_is_not_left_by_the_next_one() {
    let (mut lot, bill) = next_car_waits();
    lot.tell(Direction::Exit, Input::Loop(OnLoop::Occupied));
    lot.tell(Direction::Exit, Input::Loop(OnLoop::Clear));
    pays_and_is_let_out(&mut lot, bill);
}

#[test]
fn a_car_that_waits_at_the_exit_and_came_in_anew_is_decided_by_its_new_stay() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::minutes(2));
    lot.read(Direction::Entry, "e2", CAR);
    lot.passed(Direction::Entry, "p2", Way::Through);
    lot.wait(TimeDelta::minutes(2));
    assert!(codes(&lot.read(Direction::Exit, "x2", CAR)).contains(&"exit_nothing_due"));
}

#[test]
fn a_car_that_waited_and_drove_back_unseen_pays_for_all_of_its_stay() {
    let mut lot = Lot::new();
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(30));
    lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::hours(5));
    lot.read(Direction::Exit, "x2", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    assert_eq!(lot.bill(bill).total, yuan(3_000), "five hours and a half");
}

#[test]
fn an_opening_that_was_taken_for_the_passing_is_taken_back_when_the_car_backs_out() {
    let mut lot = Lot::with(|rules| rules.passed_by = PassedBy::Opening);
    let confirm = |lot: &mut Lot, direction, effects: &[Effect]| {
        let cmd_id = opens(effects)[0].cmd_id.to_string();
        lot.answer(direction, &cmd_id, Answer::Confirmed);
        lot.wait(TimeDelta::seconds(1));
    };
    let effects = lot.read(Direction::Entry, "e1", CAR);
    confirm(&mut lot, Direction::Entry, &effects);
    lot.passed(Direction::Entry, "b1", Way::Back);
    assert!(lot.stay_of(CAR).is_none(), "it never came in");
    assert_eq!(lot.inside(), 0);

    lot.car_inside(CAR);
    let effects = lot.read(Direction::Exit, "x1", CAR);
    confirm(&mut lot, Direction::Exit, &effects);
    assert!(lot.stay_of(CAR).is_none());
    lot.passed(Direction::Exit, "b2", Way::Back);
    assert_eq!(lot.stay_of(CAR).expect("it never went out").state, StayState::Open);
    assert_eq!(lot.inside(), 1);
}

#[test]
fn without_a_loop_a_car_that_is_read_on_and_on_stays_the_same_car() {
    let mut lot = Lot::with(|rules| rules.passed_by = PassedBy::Opening);
    let effects = lot.read(Direction::Entry, "e1", CAR);
    lot.answer(Direction::Entry, &opens(&effects)[0].cmd_id.to_string(), Answer::Confirmed);
    for again in 0..5 {
        lot.wait(TimeDelta::seconds(6));
        assert!(opens(&lot.read(Direction::Entry, &format!("again-{again}"), CAR)).is_empty(), "read {again}");
    }
    assert_eq!(lot.records.list::<Case>("", 10).expect("readable").len(), 0);
}

#[test]
fn late_frames_of_one_car_are_one_stay() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::minutes(10));
    let stay = lot.stay_of(CAR).expect("inside").id;
    lot.read_aged(Direction::Entry, "e2", CAR, TimeDelta::minutes(10) - TimeDelta::seconds(2));
    assert_eq!(lot.stay_of(CAR).expect("inside").id, stay);
    assert_eq!(lot.records.list::<Case>("", 10).expect("readable").len(), 0);
}

#[test]
fn what_is_shown_after_paying_asks_for_nothing_more() {
    let (mut lot, bill) = next_car_waits();
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    let shown = commands(&lot.tell(Direction::Exit, Input::LookAtBill), "display");
    assert!(shown[0].args.get("qr").is_none() && shown[0].args.get("amount").is_none(), "{shown:?}");
}
