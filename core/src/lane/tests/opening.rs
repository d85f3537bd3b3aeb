//! Opening, passing, backing out, and going on after a restart.

use super::*;

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
fn the_next_car_ends_the_passage_of_the_one_before() {
    let mut lot = Lot::new();
    lot.read_aged(Direction::Entry, "e1", CAR, TimeDelta::hours(1));
    lot.read(Direction::Exit, "x1", CAR);
    lot.wait(TimeDelta::minutes(1));
    let effects = lot.read(Direction::Exit, "x2", "粤C00002");
    assert_eq!(codes(&effects), ["exit_without_entry", "lapsed"]);
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
