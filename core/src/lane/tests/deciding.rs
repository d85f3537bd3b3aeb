//! Which car may pass.

use super::*;

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
fn cards_and_lists_decide_before_the_tariff_does() {
    let day = TimeDelta::days(1);
    let start = Lot::new().now;
    let overdue = |overdue| Grants::Owned { card: "C1".into(), paid_until: start - day, grace_days: 0, overdue };
    let cases = [
        (Grants::Blocked { reason: "debts".into() }, "entry_blocked", None),
        (Grants::Free { until: None }, "entry_free", Some("exit_pass")),
        (overdue(OverduePolicy::OpenAndWarn), "entry_pass_overdue", Some("exit_pass")),
        (overdue(OverduePolicy::RefuseEntry), "entry_overdue", None),
        (overdue(OverduePolicy::ChargeAsTemporary), "entry_overdue_temporary", Some("exit_payment_due")),
    ];
    for (grants, at_entry, at_exit) in cases {
        let mut lot = Lot::new();
        let mut change = Change::new(ChangeKind::PassWritten, lot.now, Cause::Time);
        change.put(&GatePass::new(plate_of(CAR), grants));
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
fn what_a_lane_committed_as_it_died_is_carried_out_by_its_successor_when_the_event_comes_again() {
    let mut lot = Lot::new();
    let mark = lot.mark("e1", TimeDelta::zero());
    let read = Input::Read(Read { mark, plate: plate_of("粤C12345"), colour: Colour::Blue });
    let step = lot.entry.step(lot.now, read, &lot.records).expect("steps");
    // It dies with its commit open; the successor is loaded before the commit has landed.
    lot.entry = Lane::load(lot.entry.rules().clone(), &lot.records).expect("readable");
    lot.records.take(&step.commit.expect("a decision")).expect("taken");
    let opened =
        |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Command(c) if c.name == "open")).count();
    assert_eq!(opened(&lot.read(Direction::Entry, "e1", "粤C12345")), 1, "nobody has sent the command yet");
    assert_eq!(opened(&lot.read(Direction::Entry, "e1", "粤C12345")), 0, "and it is sent once");
}

#[test]
fn what_a_lane_committed_as_it_died_is_carried_out_when_its_successor_finds_its_own_view_stale() {
    let mut lot = Lot::new();
    let mark = lot.mark("e1", TimeDelta::zero());
    let read = Input::Read(Read { mark, plate: plate_of("粤C12345"), colour: Colour::Blue });
    let first = lot.entry.step(lot.now, read.clone(), &lot.records).expect("steps").commit.expect("a decision");
    lot.entry = Lane::load(lot.entry.rules().clone(), &lot.records).expect("readable");
    // The event comes again before the predecessor's commit has landed, and the two meet in the store.
    let second = lot.entry.step(lot.now, read, &lot.records).expect("steps").commit.expect("a decision");
    lot.records.take(&first).expect("taken");
    let refusal = lot.records.take(&second).expect_err("somebody was faster");
    let step = lot.entry.step(lot.now, Input::Refused(refusal), &lot.records).expect("steps");
    let opened = step.effects.iter().filter(|e| matches!(e, Effect::Command(c) if c.name == "open")).count();
    assert!(opened == 1 && step.commit.is_none(), "{step:?}");
}
