//! Two cars at one exit, the second read before the first has paid: whoever pays is let out.

use super::*;

const NEXT: &str = "粤C00002";

/// Two cars that owe, read one after the other at the exit; the bill of the first.
fn two_wait() -> (Lot, BillId) {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(2) - TimeDelta::seconds(30));
    lot.read_aged(Direction::Entry, "e2", NEXT, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    lot.wait(TimeDelta::seconds(20));
    assert_eq!(codes(&lot.read(Direction::Exit, "x2", NEXT)), ["exit_payment_due"]);
    lot.wait(TimeDelta::seconds(5));
    (lot, bill)
}

fn pays(lot: &mut Lot, bill: BillId) -> Vec<Effect> {
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    lot.tell(Direction::Exit, Input::LookAtBill)
}

fn shows(effects: &[Effect], plate: &str) -> bool {
    commands(effects, "display").iter().any(|command| command.args["lines"][0] == plate)
}

#[test]
fn a_car_that_pays_while_the_one_behind_it_has_been_read_is_let_out_and_the_other_waits_on() {
    let (mut lot, bill) = two_wait();
    let effects = pays(&mut lot, bill);
    assert_eq!(opens(&effects).len(), 1);
    assert!(shows(&effects, CAR));
    assert!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).is_empty(), "an authorisation opens once");
    let effects = lot.passed(Direction::Exit, "p1", Way::Through);
    assert!(lot.stay_of(CAR).is_none(), "the payer is out");
    assert!(shows(&effects, NEXT), "and what the next one owes is shown");
    let next = lot.stay_of(NEXT).and_then(|stay| stay.bill).expect("a bill");
    assert_eq!(opens(&pays(&mut lot, next)).len(), 1);
    lot.passed(Direction::Exit, "p2", Way::Through);
    assert_eq!((lot.inside(), lot.balance("receivable")), (0, 0));
}

#[test]
fn a_car_that_was_read_wrongly_once_more_is_let_out_when_it_pays() {
    let mut lot = Lot::with(|rules| rules.exit_without_entry = ExitWithoutEntry::Attend);
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    lot.read(Direction::Exit, "x2", "粤C1234S");
    assert_eq!(opens(&pays(&mut lot, bill)).len(), 1);
}

#[test]
fn the_message_that_it_paid_may_get_lost_and_the_box_may_start_again_meanwhile() {
    let (mut lot, bill) = two_wait();
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    lot.exit = Lane::load(rules("out-1", Direction::Exit), &lot.records).expect("readable");
    let resumed = lot.exit.resume(lot.now);
    let armed = resumed.iter().find_map(|effect| match effect {
        Effect::Arm(timer, _) => Some(*timer),
        _ => None,
    });
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::Timer(armed.expect("it looks by itself")))).len(), 1);
}

#[test]
fn when_the_second_pays_first_the_first_had_backed_out() {
    let (mut lot, _) = two_wait();
    let next = lot.stay_of(NEXT).and_then(|stay| stay.bill).expect("a bill");
    let effects = pays(&mut lot, next);
    assert_eq!((opens(&effects).len(), codes(&effects).contains(&"lapsed")), (1, true));
    assert_eq!(lot.stay_of(CAR).expect("inside").clock_stopped_at, None, "its fee clock runs on");
}

#[test]
fn read_again_the_first_is_in_hand_again_and_owes_no_more_than_before() {
    let (mut lot, bill) = two_wait();
    lot.wait(TimeDelta::minutes(5));
    let effects = lot.read(Direction::Exit, "x3", CAR);
    assert!(shows(&effects, CAR));
    assert_eq!(lot.bill(bill).total, yuan(1_000), "two hours, however long it stands there");
    assert_eq!(opens(&pays(&mut lot, bill)).len(), 1);
}

#[test]
fn after_ten_minutes_the_first_has_gone_and_its_payment_opens_nothing() {
    let (mut lot, bill) = two_wait();
    lot.wait(TimeDelta::minutes(11));
    assert_eq!(codes(&lot.tell(Direction::Exit, Input::LookAtBill)), ["lapsed"]);
    assert!(opens(&pays(&mut lot, bill)).is_empty());
}

#[test]
fn a_loop_that_both_have_left_holds_neither() {
    let (mut lot, bill) = two_wait();
    lot.tell(Direction::Exit, Input::Loop(OnLoop::Occupied));
    let effects = lot.tell(Direction::Exit, Input::Loop(OnLoop::Clear));
    assert_eq!(codes(&effects), ["lapsed", "lapsed"]);
    assert!(opens(&pays(&mut lot, bill)).is_empty());
}
