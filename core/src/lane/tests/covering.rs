//! More cars than places, and cards whose bills or terms change while a car waits, at the two lanes.

use super::*;
use crate::charging::cards::Cover;
use crate::pass::{MorePolicy, Places};
use crate::stay::{Because, Charged};

const TANDEM: u32 = 2;
const CARS: [&str; 4] = ["粤C00001", "粤C00002", "粤C00003", "粤C00004"];

impl Lot {
    fn give(&mut self, plate: &str, grants: Grants, places: Option<Places>) {
        let mut change = Change::new(ChangeKind::PassWritten, self.now, Cause::Time);
        change.put(&GatePass { places, ..GatePass::new(plate_of(plate), grants) });
        self.records.take(&change).expect("taken");
    }

    fn owned(&self, paid_days: i64, overdue: OverduePolicy) -> Grants {
        let paid_until = self.now + TimeDelta::days(paid_days);
        Grants::Owned { card: "C1".into(), paid_until, grace_days: 0, overdue }
    }

    /// A tandem space with three cars, and so many that are inside already, ten minutes apart.
    fn tandem(more: MorePolicy, inside: usize) -> Self {
        let mut lot = Self::with(|rules| rules.holder_owes = HolderOwes::Pays);
        for plate in CARS {
            let grants = lot.owned(30, OverduePolicy::RefuseEntry);
            lot.give(plate, grants, Some(Places { count: TANDEM, more }));
        }
        for plate in &CARS[..inside] {
            lot.car_inside(plate);
            lot.wait(TimeDelta::minutes(10));
        }
        lot
    }

    fn enters(&mut self, plate: &str, event: &str) -> Vec<&'static str> {
        codes(&self.read(Direction::Entry, event, plate))
    }

    /// The car drives out, and nothing is in its way.
    fn goes_out(&mut self, plate: &str, event: &str) -> Vec<&'static str> {
        let codes = codes(&self.read(Direction::Exit, event, plate));
        self.passed(Direction::Exit, &format!("p{event}"), Way::Through);
        codes
    }

    fn cover(&self) -> Option<Cover> {
        self.records.get::<Cover>("C1").expect("readable").map(|kept| kept.record)
    }
}

#[test]
fn two_cars_of_a_tandem_space_come_in_and_the_third_is_treated_as_the_lot_says() {
    let cases = [
        (MorePolicy::Refuse, "entry_places_taken"),
        (MorePolicy::ChargeAsTemporary, "entry_places_taken_temporary"),
        (MorePolicy::AdmitFree, "entry_places_taken_free"),
    ];
    for (more, code) in cases {
        let mut lot = Lot::tandem(more, 0);
        assert_eq!(lot.enters(CARS[0], "e1"), ["entry_pass"]);
        assert_eq!(lot.enters(CARS[1], "e2"), ["passed", "entry_pass"]);
        assert_eq!(lot.enters(CARS[2], "e3"), ["passed", code]);
        let inside = if more == MorePolicy::Refuse { (2, 2) } else { (3, 3) };
        assert_eq!((lot.inside(), lot.cover().expect("inside").cars.len()), inside);
    }
}

#[test]
fn when_one_leaves_the_third_is_covered_from_then_on_and_its_bill_says_so_line_by_line() {
    let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 3);
    lot.wait(TimeDelta::minutes(50));
    // The third came 60 minutes ago.
    assert_eq!(lot.goes_out(CARS[0], "x1"), ["exit_pass"]);
    lot.wait(TimeDelta::hours(5));
    assert_eq!(codes(&lot.read(Direction::Exit, "x3", CARS[2])), ["exit_payment_due"]);
    let stay = lot.stay_of(CARS[2]).expect("inside");
    let bill = lot.bill(stay.bill.expect("a bill"));
    assert_eq!(bill.total, yuan(500), "the one hour without a place, not six");
    assert_eq!(stay.unplaced.len(), 1);
    let part = &stay.unplaced[0];
    assert_eq!((part.charged, part.from), (Charged::Yes, stay.entered_at));
    assert_eq!(part.until, Some(stay.entered_at + TimeDelta::hours(1)));
    assert_eq!(part.because, Some(Because::Left(plate_of(CARS[0]))));
    let told: Vec<&str> =
        bill.lines.iter().filter(|line| line.rule == "card.places").map(|l| l.text.en.as_str()).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("charged as temporary parking; covered from"), "{told:?}");
    assert_eq!(bill.lines.iter().map(|line| line.amount.minor()).sum::<i64>(), 500);
}

#[test]
fn a_car_without_a_place_pays_until_the_exit_or_owes_it_as_the_lot_says() {
    for (owes, code) in [(HolderOwes::Pays, "exit_payment_due"), (HolderOwes::Arrears, "exit_pass_arrears")] {
        let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 3);
        let mut rules = lot.exit.rules().clone();
        rules.holder_owes = owes;
        lot.exit = Lane::load(rules, &lot.records).expect("readable");
        lot.wait(TimeDelta::minutes(90));
        assert_eq!(codes(&lot.read(Direction::Exit, "x3", CARS[2])), [code]);
    }
    let mut lot = Lot::tandem(MorePolicy::AdmitFree, 3);
    lot.wait(TimeDelta::minutes(90));
    assert_eq!(lot.goes_out(CARS[2], "x3"), ["exit_pass"], "admitted free of charge");
}

#[test]
fn who_backs_out_of_the_entry_never_had_a_place() {
    let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 1);
    assert_eq!(lot.enters(CARS[1], "e2"), ["entry_pass"]);
    lot.passed(Direction::Entry, "b2", Way::Back);
    assert_eq!(lot.enters(CARS[2], "e3"), ["entry_pass"]);
    assert_eq!(lot.cover().expect("inside").covered(), 2);
    // And read one after the other, the first of them rejected by the barrier.
    let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 1);
    let effects = lot.read(Direction::Entry, "e2", CARS[1]);
    for effect in effects {
        if let Effect::Command(command) = effect
            && command.name == "open"
        {
            lot.answer(Direction::Entry, &command.cmd_id.to_string(), Answer::Rejected);
        }
    }
    assert_eq!(lot.enters(CARS[2], "e3"), ["lapsed", "entry_pass"], "within one change");
    let cover = lot.cover().expect("inside");
    assert_eq!((cover.covered(), cover.cars.len()), (2, 2));
}

#[test]
fn a_car_that_comes_in_again_unseen_has_its_old_place_ended_first() {
    let mut lot = Lot::tandem(MorePolicy::Refuse, 2);
    assert_eq!(lot.enters(CARS[0], "again"), ["entry_already_inside"], "it is never refused for being inside");
    let cover = lot.cover().expect("inside");
    assert_eq!((cover.covered(), cover.cars.len()), (2, 2));
    assert!(cover.cars.iter().any(|car| car.stay == lot.stay_of(CARS[0]).expect("inside").id));
}

#[test]
fn what_a_camera_tells_late_counts_at_its_time() {
    let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 3);
    lot.wait(TimeDelta::hours(3));
    // It left two hours ago, and the third has had its place since.
    lot.read_aged(Direction::Exit, "late", CARS[0], TimeDelta::hours(2));
    let left_at = lot.now - TimeDelta::hours(2);
    let cover = lot.cover().expect("inside");
    let third = cover.cars.iter().find(|car| car.plate == plate_of(CARS[2])).expect("inside");
    assert_eq!(third.waited[0].until, Some(left_at));
    // One that came in unseen is charged, for nobody can refuse it any more.
    let mut lot = Lot::tandem(MorePolicy::Refuse, 2);
    lot.wait(TimeDelta::hours(1));
    lot.read_aged(Direction::Entry, "late", CARS[2], TimeDelta::minutes(30));
    assert_eq!((lot.inside(), lot.cover().expect("inside").covered()), (3, 2));
}

#[test]
fn the_last_car_out_leaves_no_record_behind() {
    let mut lot = Lot::tandem(MorePolicy::ChargeAsTemporary, 2);
    lot.goes_out(CARS[0], "x1");
    lot.goes_out(CARS[1], "x2");
    assert_eq!(lot.cover(), None);
}

#[test]
fn two_lanes_that_decide_at_once_on_the_last_place_are_not_both_right() {
    let mut lot = Lot::tandem(MorePolicy::Refuse, 1);
    let mut other = Lane::load(rules("in-2", Direction::Entry), &lot.records).expect("readable");
    let read = |lot: &Lot, plate: &str, event: &str| {
        let mark = lot.mark(event, TimeDelta::zero());
        Input::Read(Read { mark, plate: plate_of(plate), colour: Colour::Blue })
    };
    let first = lot.entry.step(lot.now, read(&lot, CARS[1], "e2"), &lot.records).expect("steps").commit.expect("one");
    let second = other.step(lot.now, read(&lot, CARS[2], "e3"), &lot.records).expect("steps").commit.expect("one");
    let durable = lot.records.take(&first).expect("the first");
    lot.entry.step(lot.now, Input::Durable(durable), &lot.records).expect("steps");
    let refusal = lot.records.take(&second).expect_err("it relied on the cars of the card");
    let step = other.step(lot.now, Input::Refused(refusal), &lot.records).expect("steps");
    let durable = lot.records.take(&step.commit.expect("decided again")).expect("taken");
    let step = other.step(lot.now, Input::Durable(durable), &lot.records).expect("steps");
    assert_eq!(codes(&step.effects), ["entry_places_taken"]);
}

#[test]
fn a_car_that_was_refused_drives_in_when_it_has_paid_or_a_place_is_free() {
    let mut lot = Lot::new();
    let grants = lot.owned(-3, OverduePolicy::RefuseEntry);
    lot.give(CAR, grants, None);
    assert_eq!(lot.enters(CAR, "e1"), ["entry_overdue"]);
    assert!(lot.tell(Direction::Entry, Input::LookAtPass).is_empty(), "nothing has changed");
    lot.wait(TimeDelta::minutes(4));
    let grants = lot.owned(30, OverduePolicy::RefuseEntry);
    lot.give(CAR, grants, None);
    let effects = lot.tell(Direction::Entry, Input::LookAtPass);
    assert_eq!((codes(&effects), opens(&effects).len()), (vec!["entry_pass"], 1));
    assert!(lot.tell(Direction::Entry, Input::LookAtPass).is_empty(), "it opens once");
    assert_eq!(lot.stay_of(CAR).map(|stay| stay.entered_at), Some(lot.now));

    let mut lot = Lot::tandem(MorePolicy::Refuse, 2);
    assert_eq!(lot.enters(CARS[2], "e3"), ["entry_places_taken"]);
    lot.wait(TimeDelta::minutes(1));
    lot.goes_out(CARS[0], "x1");
    assert_eq!(codes(&lot.tell(Direction::Entry, Input::LookAtPass)), ["entry_pass"]);
    assert_eq!(lot.cover().expect("inside").covered(), 2);
}

#[test]
fn a_car_without_a_place_that_a_person_lets_in_is_charged_until_one_is_free() {
    let mut lot = Lot::tandem(MorePolicy::Refuse, 2);
    assert_eq!(lot.enters(CARS[2], "e3"), ["entry_places_taken"]);
    let request = EventId::new("r1").expect("a name");
    let person = Person { name: "admin".into(), reason: "a guest".into(), request };
    assert_eq!(opens(&lot.tell(Direction::Entry, Input::OpenedBy(person))).len(), 1);
    lot.passed(Direction::Entry, "p3", Way::Through);
    lot.wait(TimeDelta::minutes(30));
    lot.goes_out(CARS[0], "x1");
    lot.wait(TimeDelta::hours(5));
    assert_eq!(codes(&lot.read(Direction::Exit, "x3", CARS[2])), ["exit_payment_due"]);
    let bill = lot.bill(lot.stay_of(CARS[2]).expect("inside").bill.expect("a bill"));
    assert_eq!(bill.total, yuan(500));
}

#[test]
fn nothing_opens_for_a_refused_car_that_is_gone() {
    let paid = |lot: &mut Lot| {
        let grants = lot.owned(30, OverduePolicy::RefuseEntry);
        lot.give(CAR, grants, None);
        opens(&lot.tell(Direction::Entry, Input::LookAtPass)).len()
    };
    let refused = || {
        let mut lot = Lot::new();
        let grants = lot.owned(-3, OverduePolicy::RefuseEntry);
        lot.give(CAR, grants, None);
        lot.tell(Direction::Entry, Input::Loop(OnLoop::Occupied));
        assert_eq!(lot.enters(CAR, "e1"), ["entry_overdue"]);
        lot
    };
    assert_eq!(paid(&mut refused()), 1);
    let mut lot = refused();
    lot.tell(Direction::Entry, Input::Loop(OnLoop::Clear));
    assert_eq!(paid(&mut lot), 0, "it left the loop");
    let mut lot = refused();
    lot.passed(Direction::Entry, "b1", Way::Back);
    assert_eq!(paid(&mut lot), 0, "it backed out");
    let mut lot = refused();
    lot.wait(TimeDelta::minutes(16));
    assert_eq!(paid(&mut lot), 0, "it was not seen for long");
    let mut lot = refused();
    lot.read(Direction::Entry, "e2", "粤C77777");
    assert_eq!(paid(&mut lot), 0, "another car stands there");
}

#[test]
fn a_letting_that_is_renewed_while_the_car_waits_at_the_exit_lets_it_out() {
    let rented = |lot: &Lot, from: i64, until: i64| Grants::Rented {
        card: "C1".into(),
        from: lot.now + TimeDelta::days(from),
        until: lot.now + TimeDelta::days(until),
        grace_days: 2,
    };
    // It came in while its card was good, or after it had run out: renewed from where it ended, it owes nothing.
    for (came_in, code) in [(-1, "entry_pass"), (-4, "entry_pass_ended")] {
        let mut lot = Lot::with(|rules| rules.holder_owes = HolderOwes::Pays);
        let grants = rented(&lot, -30, came_in + 2);
        lot.give(CAR, grants, None);
        assert_eq!(lot.enters(CAR, "e1"), [code]);
        lot.passed(Direction::Entry, "p1", Way::Through);
        lot.wait(TimeDelta::days(5));
        assert_eq!(codes(&lot.read(Direction::Exit, "x1", CAR)), ["exit_payment_due"]);
        assert!(lot.tell(Direction::Exit, Input::LookAtPass).is_empty());
        let grants = rented(&lot, -40, 20);
        lot.give(CAR, grants, None);
        let effects = lot.tell(Direction::Exit, Input::LookAtPass);
        assert_eq!((codes(&effects), opens(&effects).len()), (vec!["exit_pass"], 1), "{code}");
        lot.passed(Direction::Exit, "q1", Way::Through);
        assert_eq!((lot.inside(), lot.balance("receivable")), (0, 0));
    }
}

#[test]
fn a_card_that_is_bought_meanwhile_covers_from_its_first_day() {
    let mut lot = Lot::with(|rules| rules.holder_owes = HolderOwes::Pays);
    lot.car_inside(CAR);
    lot.wait(TimeDelta::hours(2));
    let grants = Grants::Rented {
        card: "C1".into(),
        from: lot.now - TimeDelta::minutes(30),
        until: lot.now + TimeDelta::days(30),
        grace_days: 0,
    };
    lot.give(CAR, grants, None);
    lot.wait(TimeDelta::hours(9));
    assert_eq!(codes(&lot.read(Direction::Exit, "x1", CAR)), ["exit_payment_due"]);
    let bill = lot.bill(lot.stay_of(CAR).expect("inside").bill.expect("a bill"));
    assert_eq!(bill.total, yuan(1000), "an hour and a half, not eleven");
}
