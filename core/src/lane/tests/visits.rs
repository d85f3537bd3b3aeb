//! A car that leaves and soon comes back, where the tariff joins its visits.

use super::*;

fn with_tariff(file: &str) -> Lot {
    let file = Arc::new(crate::tariff::parse::parse(file).expect("a tariff"));
    let book = Arc::new(TariffBook::of(Plan::new(file).expect("a plan")));
    Lot::with(move |rules| rules.tariff = Arc::clone(&book))
}

/// The car comes in now, and stands at the exit after so many minutes; pays what is due there. What was it?
fn visit(lot: &mut Lot, number: u8, minutes: i64) -> i64 {
    assert_eq!(opens(&lot.read(Direction::Entry, &format!("e{number}"), CAR)).len(), 1);
    lot.passed(Direction::Entry, &format!("i{number}"), Way::Through);
    lot.wait(TimeDelta::minutes(minutes));
    let effects = lot.read(Direction::Exit, &format!("x{number}"), CAR);
    let mut due = 0;
    if opens(&effects).is_empty() {
        let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
        due = lot.bill(bill).due().minor();
        let order = lot.order(bill);
        lot.pay(&order).expect("captured");
        assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
    }
    lot.passed(Direction::Exit, &format!("o{number}"), Way::Through);
    due
}

#[test]
fn who_drives_out_and_in_again_has_no_free_minutes_twice() {
    let mut lot = with_tariff(include_str!("../../../../appliance/tariffs/market-return.toml"));
    let mut paid = vec![];
    for (number, (minutes, away)) in [(14, 6), (14, 7), (14, 31), (10, 0)].into_iter().enumerate() {
        paid.push(visit(&mut lot, u8::try_from(number).expect("few"), minutes));
        lot.wait(TimeDelta::minutes(away));
    }
    assert_eq!(paid, [0, 400, 0, 0], "free; one stay of 34 minutes; of 55 minutes; a stay of its own, free again");
}

#[test]
fn where_the_tariff_joins_no_visits_none_are_remembered() {
    let mut lot = Lot::new();
    visit(&mut lot, 1, 10);
    assert_eq!(lot.records.list::<crate::stay::LastStay>("", 1).expect("readable").len(), 0);
    visit(&mut lot, 2, 10);
}
