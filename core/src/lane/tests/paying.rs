//! What a car owes at the exit, and what paying does.

use super::*;

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
fn a_car_that_waits_for_its_bill_opens_after_a_restart_when_it_was_paid_meanwhile() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    lot.exit = Lane::load(rules("out-1", Direction::Exit), &lot.records).expect("readable");
    let resumed = lot.exit.resume(lot.now);
    let armed = resumed.iter().find_map(|effect| match effect {
        Effect::Arm(timer, at) => Some((*timer, *at)),
        _ => None,
    });
    let (timer, at) = armed.expect("armed");
    assert_eq!(at, lot.now, "at once: a box that is killed again every second never gets to a later look");
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::Timer(timer))).len(), 1);
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
