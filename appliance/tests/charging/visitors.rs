//! Visitors whom holders invite: each has a way in of its own, beside whatever else is known of the plate.

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse::charging::holders::{InvitationView, NewInvitation};
use tollhouse_core::coupons::{FreeEntry, FreeReason};
use tollhouse_core::pass::{Passes, Says, Verdict};
use tollhouse_core::plate::Plate;

use crate::office::{Office, by};

const VISITOR: &str = "粤B77777";

fn office() -> Office {
    let office = Office::small();
    for (card, space) in [("C1", "R-1"), ("C2", "R-2")] {
        let opened = office.open(card, space, &format!("粤C{card}000"));
        let due = opened.drew_total.expect("it has a bill").replace('.', "");
        office.pay(card, due.parse().expect("fen"));
    }
    office
}

fn invite(office: &Office, card: &str, from: TimeDelta, until: TimeDelta) -> InvitationView {
    let now = office.charging().cards.parts().now();
    let body = NewInvitation { plate: VISITOR.into(), from: Some(now + from), until: now + until };
    office.run(office.charging().holders.invite(&by("a visitor"), card, &body)).expect("invited")
}

/// Whether the gate lets the visitor in free of charge at a moment.
fn is_let_in(office: &Office, at: DateTime<Utc>) -> bool {
    let plate = Plate::new(VISITOR).expect("a plate");
    let passes = Passes::of(&plate, &office.desks.store.snapshot()).expect("readable");
    passes.verdict(at) == Verdict::Says(Says::Free)
}

#[test]
fn an_invitation_leaves_the_free_list_and_other_invitations_of_the_plate_alone() {
    let office = office();
    let now = office.charging().cards.parts().now();
    let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
    let listed = FreeEntry {
        plate: Plate::new(VISITOR).expect("a plate"),
        reason: FreeReason::Mover,
        note: "flat 3-1-101".into(),
        until: now + day * 9,
        since: now,
        by: String::new(),
    };
    office.run(office.desks.coupons.list_free(&listed, &by("movers"))).expect("listed");
    let one = invite(&office, "C1", -hour, hour);
    office.run(office.charging().holders.withdraw_invitation(&by("not today"), &one.id)).expect("taken back");
    assert!(is_let_in(&office, now + day * 8), "the list is as it was");

    let two = invite(&office, "C1", -hour, hour);
    let other = invite(&office, "C2", hour * 2, day);
    office.run(office.desks.coupons.drop_free(&listed.plate, "moved", &by("done"))).expect("dropped");
    assert!(is_let_in(&office, now) && !is_let_in(&office, now + day * 8));
    assert!(!is_let_in(&office, now + hour * 3), "the other one's time has not come: the gate has no pass yet");
    assert_eq!(office.run(office.charging().holders.admit_invited()).expect("looked at"), 0);
    for id in [&two.id, &other.id] {
        office.run(office.charging().holders.withdraw_invitation(&by("ill"), id)).expect("taken back");
    }
    assert!(!is_let_in(&office, now));
    office.is_in_order();
}
