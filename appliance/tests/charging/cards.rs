//! Cards: opened with their first bill, changed, closed with refund of the rest; every act undone by its opposite.

use tollhouse::charging::ChargingFault;
use tollhouse::charging::cards::{
    Batch, BatchKind, NewCard, WantedClosing, WantedExtension, WantedPlace, WantedPlate, WantedRenewal, WantedState,
    WantedTransfer, WantedUndo,
};
use tollhouse_core::record::Once;

use crate::office::{Office, by, new_card};

#[test]
fn a_rented_space_has_one_bill_for_rent_and_deposit_and_waits_for_it() {
    let office = Office::small();
    let done = office.open("C1", "R-1", "粤C12345");
    assert_eq!((done.state.as_str(), done.bills.len(), done.drew_total.as_deref()), ("pending", 1, Some("800.00")));
    let card = office.charging().cards.card("C1").expect("there");
    assert_eq!(
        (card.due.as_str(), card.capacity, card.terms.len(), card.holder.name.as_str()),
        ("800.00", 1, 1, "张H1")
    );
    assert_eq!(card.fees.len(), 2);
    assert_eq!(office.balance("receivable"), 80_000);
    assert_eq!(office.balance("deposit_pending"), -50_000);
    office.is_in_order();
}

#[test]
fn an_owned_space_is_billed_from_the_day_on_which_it_is_held() {
    let office = Office::small();
    let done = office.open("C1", "O-1", "粤C12345");
    assert_eq!(done.bills.len(), 1);
    assert_eq!(done.bills[0].kind, "periodic");
    assert_eq!(
        done.bills[0].from.map(|day| day.to_string()[..7].to_owned()),
        Some(office.today().to_string()[..7].to_owned())
    );
    office.is_in_order();
}

#[test]
fn a_space_a_plate_and_the_last_place_of_a_pool_go_to_one_card() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    office.open("C2", "pool/monthly", "粤C22222");
    let cards = &office.charging().cards;
    let refused = [
        (new_card("C3", "R-1", "粤C33333"), "space R-1 is held by card C1"),
        (new_card("C3", "R-2", "粤C12345"), "粤C12345 is on card C1"),
        (new_card("C3", "pool/monthly", "粤C33333"), "pool monthly has no place left"),
        (new_card("C3", "T-1", "粤C33333"), "for temporary cars"),
        (new_card("C3", "X-1", "粤C33333"), "there is no space X-1"),
        (new_card("C1", "R-2", "粤C33333"), "there is a card C1 already"),
        (NewCard { holder: "H9".into(), ..new_card("C3", "R-2", "粤C33333") }, "there is no holder H9"),
    ];
    for (body, why) in refused {
        let told = office.run(cards.open(&by("new"), &body)).expect_err(why).to_string();
        assert!(told.contains(why), "{told}");
    }
    office.is_in_order();
}

/// Something that is done to a card.
type Act<'a> = Box<dyn Fn(&Office) + 'a>;

#[test]
fn every_act_is_undone_by_its_opposite() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    let cards = &office.charging().cards;
    let number = "C1";
    let shown = |office: &Office| {
        let card = office.charging().cards.card("C1").expect("there");
        let held: Vec<_> =
            card.places.iter().filter(|held| held.until.is_none()).map(|held| held.place.clone()).collect();
        let plates: Vec<_> =
            card.vehicles.iter().filter(|held| held.until.is_none()).map(|held| held.plate.clone()).collect();
        (card.state, card.holder.id, held, plates, card.due)
    };
    let undo = |office: &Office| {
        office.run(office.charging().cards.undo(&by("no"), "C1", &WantedUndo::default())).expect("undone")
    };
    let before = shown(&office);
    let other_car =
        WantedPlate { old: Some("粤C12345".into()), new: Some("粤C54321".into()), ..WantedPlate::default() };
    let place = WantedPlace { old: Some("R-1".into()), new: Some("R-2".into()), ..WantedPlace::default() };
    let transfer = WantedTransfer { holder: "H2".into(), payer: None, room: None };
    let acts: Vec<(&str, Act<'_>)> = vec![
        (
            "plate_changed",
            Box::new(|o| drop(o.run(cards.change_plate(&by("new car"), number, &other_car)).expect("done"))),
        ),
        (
            "renewed",
            Box::new(|o| drop(o.run(cards.renew(&by("on"), number, &WantedRenewal::default())).expect("done"))),
        ),
        ("transferred", Box::new(|o| drop(o.run(cards.transfer(&by("sold"), number, &transfer)).expect("done")))),
        ("place_changed", Box::new(|o| drop(o.run(cards.change_place(&by("nearer"), number, &place)).expect("done")))),
        (
            "closed",
            Box::new(|o| drop(o.run(cards.close(&by("left"), number, &WantedClosing::default())).expect("done"))),
        ),
    ];
    for (what, act) in acts {
        act(&office);
        let last = cards.acts(number).expect("there").pop().expect("an act");
        assert_eq!((last.what.as_str(), last.note.by.as_str()), (what, "anna"));
        assert_ne!(shown(&office), before, "{what}");
        undo(&office);
        assert_eq!(shown(&office), before, "{what} undone");
        office.is_in_order();
    }
    // What is left to be undone is the opening: the card is closed, and nothing is owed.
    let undone = undo(&office);
    assert_eq!(undone.state, "closed");
    assert_eq!(office.balance("receivable"), 0);
    office.open("C9", "R-1", "粤C12345");
    office.is_in_order();
}

#[test]
fn a_closed_card_gives_back_what_was_paid_for_days_after_and_its_deposit() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    office.pay("C1", 80_000);
    let done = office.run(office.charging().cards.close(&by("left"), "C1", &WantedClosing::default())).expect("closed");
    // Given up on its first day: all of the rent and the deposit.
    assert_eq!((done.act.freed.as_deref(), done.act.freed_to.as_deref()), (Some("800.00"), Some("refund_due")));
    assert_eq!((office.balance("refund_due"), office.balance("deposit"), office.balance("deferred")), (-80_000, 0, 0));
    office.run(office.charging().cards.undo(&by("stays"), "C1", &WantedUndo::default())).expect("undone");
    assert_eq!(
        (office.balance("refund_due"), office.balance("deposit"), office.balance("receivable")),
        (0, -50_000, 0)
    );
    assert_eq!(office.charging().cards.card("C1").expect("there").due, "0.00");
    office.is_in_order();
}

#[test]
fn an_extension_bills_ahead_and_a_batch_is_previewed_before_it_is_done() {
    let office = Office::small();
    office.open("C1", "O-1", "粤C11111");
    office.open("C2", "O-2", "粤C22222");
    let cards = &office.charging().cards;
    let done = office.run(cards.extend(&by("ahead"), "C1", &WantedExtension { months: 3 })).expect("extended");
    assert_eq!((done.bills.len(), done.drew_total.as_deref()), (3, Some("300.00")));
    let batch = |kind, preview| Batch {
        kind,
        cards: vec![],
        room: Some("3".into()),
        area: None,
        months: Some(2),
        from: Some(office.today()),
        preview,
    };
    for card in ["C1", "C2"] {
        office.pay(card, 1_000_000);
    }
    let position = *office.desks.store.durable().borrow();
    let would = office.run(cards.batch(&by("all"), &batch(BatchKind::Extend, true))).expect("previewed");
    assert_eq!((would.done, would.refused, would.cards[1].drew.as_deref()), (2, 0, Some("200.00")));
    assert_eq!(*office.desks.store.durable().borrow(), position, "nothing was written");
    let once = |by: tollhouse_core::record::By| by.once(Some(Once { key: "k".into(), request: "r".into() }));
    let done = office.run(cards.batch(&once(by("all")), &batch(BatchKind::Extend, false))).expect("done");
    assert_eq!(done.cards, would.cards);
    let position = *office.desks.store.durable().borrow();
    let again = office.run(cards.batch(&once(by("all")), &batch(BatchKind::Extend, false))).expect("answered");
    assert_eq!((again.cards, *office.desks.store.durable().borrow()), (would.cards, position), "once under its key");
    let suspended = office.run(cards.batch(&by("unpaid"), &batch(BatchKind::Suspend, false))).expect("done");
    assert_eq!(suspended.done, 2);
    let resumed = office.run(cards.batch(&by("paid"), &batch(BatchKind::Resume, false))).expect("done");
    assert_eq!(resumed.done, 2);
    office.is_in_order();
}

#[test]
fn repricing_credits_what_was_billed_and_bills_it_anew_at_the_new_price() {
    let office = Office::small();
    office.open("C1", "O-1", "粤C11111");
    let cards = &office.charging().cards;
    office.run(cards.extend(&by("ahead"), "C1", &WantedExtension { months: 1 })).expect("extended");
    let before: f64 = cards.card("C1").expect("there").due.parse().expect("an amount");
    let price = tollhouse::charging::prices::NewPrice { from: office.in_days(0), price: "200".into() };
    office.run(office.charging().prices.set_price(&by("dearer"), "management", &price)).expect("set");
    let batch = Batch {
        kind: BatchKind::Reprice,
        cards: vec!["C1".into()],
        room: None,
        area: None,
        months: None,
        from: Some(office.today()),
        preview: false,
    };
    let done = office.run(cards.batch(&by("dearer"), &batch)).expect("done");
    assert_eq!(done.done, 1, "{done:?}");
    let after: f64 = cards.card("C1").expect("there").due.parse().expect("an amount");
    assert!((after - 2.0 * before).abs() < 0.02, "{before} became {after}");
    office.is_in_order();
}

#[test]
fn states_follow_their_order_and_a_batch_needs_to_know_which_cards() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    let cards = &office.charging().cards;
    let stand = |state: &str| office.run(cards.stand(&by("why"), "C1", &WantedState { state: state.into() }));
    assert!(matches!(stand("suspended"), Err(ChargingFault::Conflict(_))), "a pending card is not suspended");
    office.pay("C1", 80_000);
    for state in ["lost", "active", "suspended", "active", "expired", "active"] {
        assert_eq!(stand(state).expect(state).state, state);
    }
    assert!(matches!(stand("closed"), Err(ChargingFault::Wrong(_))));
    let nothing = Batch {
        kind: BatchKind::Suspend,
        cards: vec![],
        room: None,
        area: None,
        months: None,
        from: None,
        preview: true,
    };
    assert!(matches!(office.run(cards.batch(&by("all"), &nothing)), Err(ChargingFault::Wrong(_))));
}
