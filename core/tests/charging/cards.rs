//! What can be done to a card, and its undoing; terms with their one bill; closing with refund; passes.

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use tollhouse_core::bill::{BillKind, BillState};
use tollhouse_core::charging::bills::CardBill;
use tollhouse_core::charging::bills::{Nature, Retention, Terms, compare, repair};
use tollhouse_core::charging::calendar::{Span, days_after};
use tollhouse_core::charging::cards::{Act, Card, CardError, CardState, MorePolicy, PassPolicy, five_parts};
use tollhouse_core::charging::estate::Space;
use tollhouse_core::charging::estate::{Attributes, Layout, Tenure};
use tollhouse_core::charging::fees::{FeeItem, FeeKind, FeeList, Occasion, PricePer};
use tollhouse_core::charging::gate::{AtGate, GateAreas, Owed, at_gate};
use tollhouse_core::charging::label::{HolderId, SpaceNumber};
use tollhouse_core::charging::packages::{NoOffer, SoldPlace, Which, rent_offer};
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::Currency;
use tollhouse_core::pass::{Grants, OverduePolicy};
use tollhouse_core::plate::{Plate, VehicleKind};

use crate::sample::{Books, attributes, card, class, day, held, item, key, monthly, note, number, space, span, yuan};

fn plate(number: u32) -> Plate {
    Plate::new(&format!("粤C{number:05}")).expect("a plate")
}

fn place(name: &str) -> Place {
    Place::Space(number(name))
}

/// What an act can undo: all of the card but the log of its states.
fn shape(card: &Card) -> Card {
    Card { states: card.states[card.states.len() - 1..].to_vec(), ..card.clone() }
}

#[test]
fn a_plate_and_a_place_are_changed_from_a_day_on_and_back() {
    let began = card(vec![held("1", "2026-01-01", None)]);
    let add = Act::AddVehicle { plate: plate(1), kind: VehicleKind::Small, from: day("2026-01-01"), until: None };
    let (began, _) = began.apply(&add, &note()).expect("added");
    let act = began.changing_plate(&plate(1), &plate(2), VehicleKind::NewEnergy, day("2026-03-01")).expect("there");
    let (after, opposite) = began.apply(&act, &note()).expect("changed");
    let on = |card: &Card, day: NaiveDate| card.vehicles_on(day).map(|one| one.plate.clone()).collect::<Vec<_>>();
    assert_eq!(on(&after, day("2026-02-28")), [plate(1)]);
    assert_eq!(on(&after, day("2026-03-01")), [plate(2)]);
    assert_eq!(after.apply(&opposite, &note()).expect("undone").0, began);
    let act = began.changing_place(&place("1"), &place("2"), day("2026-03-01")).expect("there");
    let (after, opposite) = began.apply(&act, &note()).expect("changed");
    assert_eq!(after.places_on(day("2026-03-01")).collect::<Vec<_>>(), [&place("2")]);
    assert_eq!(after.apply(&opposite, &note()).expect("undone").0, began);
    assert!(began.changing_place(&place("9"), &place("2"), day("2026-03-01")).is_err());
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_of_it_done() {
    let began = card(vec![held("1", "2026-01-01", Some("2026-06-01"))]);
    let hold = |from: &str| Act::HoldPlace { place: place("1"), from: day(from), until: None };
    assert_eq!(began.apply(&hold("2026-05-31"), &note()), Err(CardError::PlaceHeld(place("1"))));
    began.apply(&hold("2026-06-01"), &note()).expect("free again");
    let early = Act::EndPlace { place: place("1"), from: day("2026-01-01"), until: Some(day("2026-01-01")) };
    assert_eq!(began.apply(&early, &note()), Err(CardError::Dates(day("2026-01-01"))));
    let both = Act::All(vec![hold("2026-07-01"), hold("2026-08-01")]);
    assert_eq!(began.apply(&both, &note()), Err(CardError::PlaceHeld(place("1"))));
    let (closed, reopen) = began.apply(&began.closing(day("2026-03-01")), &note()).expect("closed");
    assert_eq!(closed.apply(&hold("2026-07-01"), &note()), Err(CardError::Closed));
    assert_eq!(shape(&closed.apply(&reopen, &note()).expect("opened again").0), began);
}

#[test]
fn a_card_becomes_what_it_may() {
    use CardState::{Active, Closed, Expired, Lost, Pending, Suspended};
    let cases = [
        (Pending, Active, true),
        (Pending, Lost, false),
        (Active, Suspended, true),
        (Suspended, Lost, false),
        (Lost, Active, true),
        (Expired, Active, true),
        (Expired, Pending, false),
        (Closed, Active, true),
    ];
    for (from, to, allowed) in cases {
        let mut is = card(vec![]);
        is.states[0].state = from;
        assert_eq!(is.apply(&Act::Stand(to), &note()).is_ok(), allowed, "{from:?} to {to:?}");
    }
}

fn rental() -> (Card, Vec<SoldPlace>, FeeList) {
    let rent = item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "300");
    let deposit = item("deposit", FeeKind::Deposit, "500");
    let issue = item("issue", FeeKind::OneOff(Occasion::CardIssue), "20");
    let fees = FeeList::new(vec![rent, deposit, issue]).expect("no fault");
    let sold = SoldPlace {
        place: place("1"),
        class: class(Tenure::Rented),
        size: "12.50".parse().expect("a size"),
        capacity: 1,
    };
    (card(vec![held("1", "2026-01-31", None)]), vec![sold], fees)
}

#[test]
fn each_term_of_a_letting_has_one_bill_that_unites_all_of_it() {
    let (began, sold, fees) = rental();
    let offer = |from: &str, which| rent_offer(&sold, day(from), 1, which, &fees, Currency::Cny, 7).expect("an offer");
    let first = offer("2026-01-31", Which::First);
    let (after, bill) = began.sell(&first, day("2026-01-30"), &key(), &note()).expect("sold");
    assert_eq!((bill.kind, bill.total(), bill.lines.len()), (BillKind::Independent, yuan("820"), 3));
    assert_eq!(bill.period, Some(span("2026-01-31", "2026-02-28")));
    assert_eq!(after.sell(&first, day("2026-01-30"), &key(), &note()), Err(CardError::AlreadySold(place("1"))));
    let (after, renewal) =
        after.sell(&offer("2026-02-28", Which::Renewal), day("2026-02-20"), &key(), &note()).expect("sold");
    assert_eq!((renewal.total(), renewal.due_on), (yuan("300"), day("2026-02-27")));
    assert_ne!(renewal.id, bill.id);
    assert_eq!(after.sold_until(), Some(day("2026-03-28")));
    let early = offer("2026-01-30", Which::First);
    assert_eq!(began.sell(&early, day("2026-01-30"), &key(), &note()), Err(CardError::NotHeld(place("1"))));
    let owned = vec![SoldPlace { class: class(Tenure::Owned), ..sold[0].clone() }];
    let refused = rent_offer(&owned, day("2026-01-31"), 1, Which::First, &fees, Currency::Cny, 7);
    assert_eq!(refused, Err(NoOffer::NoRent(class(Tenure::Owned))));
}

#[test]
fn closing_refunds_the_rest_of_the_term_and_the_deposit() {
    let (began, sold, fees) = rental();
    let offer = rent_offer(&sold, day("2026-01-31"), 3, Which::First, &fees, Currency::Cny, 7).expect("an offer");
    let (after, mut bill) = began.sell(&offer, day("2026-01-31"), &key(), &note()).expect("sold");
    assert_eq!(bill.accept(yuan("1420"), day("2026-01-31")), yuan("1420"));
    let (closed, _) = after.apply(&after.closing(day("2026-03-31")), &note()).expect("closed");
    let mut closed = closed.give_up(1, day("2026-03-31")).expect("a term");
    assert_eq!(closed.give_up(1, day("2026-05-01")), Err(CardError::NoSuchTerm(1)));
    let spaces = [space("1", attributes(Tenure::Rented))];
    let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
    let surplus = compare(&closed, &estate, &fees, day("2026-03-31")).expect("spaces are there").surplus;
    let retention = Retention("0.2".parse().expect("a share"));
    let terms = Terms { on: day("2026-03-31"), retention, currency: Currency::Cny, key: &key(), note: note() };
    let mut bills = [bill];
    let repaired = repair(&mut closed, &mut bills, &surplus, &terms);
    // 31 January to 30 April: 89 days, 30 of them left: 900 × 30 ÷ 89 = 303.37, of which a fifth is kept.
    assert_eq!((repaired.notes[0].amount, repaired.freed), (yuan("303.37"), yuan("242.70")));
    assert_eq!(bills[0].return_deposit(yuan("500")), yuan("500"));
    assert_eq!((bills[0].state(), bills[0].due()), (BillState::Paid, yuan("0")));
    let deposit = bills[0].lines.iter().find(|line| line.nature == Nature::Deposit).expect("a deposit");
    assert_eq!(deposit.returned, yuan("500"));
    let again = compare(&closed, &estate, &fees, day("2026-04-30")).expect("spaces are there");
    assert!(again.surplus.is_empty() && again.missing.is_empty());
}

fn policy() -> PassPolicy {
    let (overdue, more) = (OverduePolicy::RefuseEntry, MorePolicy::ChargeAsTemporary);
    PassPolicy { zone: chrono_tz::Asia::Shanghai, grace_days: 5, overdue, more, areas: GateAreas::default() }
}

/// The card with a vehicle, at the gate on a day.
fn at_gate_on(card: &Card, bills: &[CardBill], spaces: &[Space], on: &str) -> AtGate {
    let add = Act::AddVehicle { plate: plate(1), kind: VehicleKind::Small, from: day("2026-01-01"), until: None };
    let with = card.apply(&add, &note()).map_or_else(|_| card.clone(), |(card, _)| card);
    let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
    at_gate(&with, &Owed::of(bills), &estate, day(on), &policy())
}

fn granted(card: &Card, bills: &[CardBill], spaces: &[Space], on: &str) -> Option<Grants> {
    at_gate_on(card, bills, spaces, on).passes.into_iter().next().map(|pass| pass.grants)
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

#[test]
fn a_pass_of_an_owned_space_is_good_until_its_oldest_bill_is_overdue() {
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    let fee = item("care", FeeKind::Periodic(monthly()), "310");
    let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), spaces, vec![fee]);
    books.run("2026-02-01");
    let until = |books: &Books| match granted(&books.card, &books.bills, &books.spaces, "2026-02-01") {
        Some(Grants::Owned { paid_until, grace_days: 5, .. }) => Some(paid_until),
        _ => None,
    };
    // Due on 16 January: overdue from the 17th, in Shanghai.
    assert_eq!(until(&books), Some(moment("2026-01-16T16:00:00Z")));
    books.bills[0].accept(yuan("310"), day("2026-01-10"));
    assert_eq!(until(&books), Some(moment("2026-02-16T16:00:00Z")));
    books.bills[1].accept(yuan("310"), day("2026-02-10"));
    assert!(until(&books) > Some(moment("2300-01-01T00:00:00Z")));
    for (state, gives) in [
        (CardState::Active, true),
        (CardState::Pending, false),
        (CardState::Suspended, false),
        (CardState::Lost, true),
        (CardState::Expired, false),
    ] {
        let act = Act::AddVehicle { plate: plate(1), kind: VehicleKind::Small, from: day("2026-01-01"), until: None };
        let (mut with, _) = books.card.apply(&act, &note()).expect("added");
        with.states[0].state = state;
        let there = granted(&with, &books.bills, &books.spaces, "2026-02-01").is_some();
        assert_eq!(there, gives, "{state:?}");
    }
}

#[test]
fn a_pass_of_a_letting_is_good_for_the_terms_that_are_settled() {
    let (began, sold, fees) = rental();
    let spaces = [space("1", attributes(Tenure::Rented))];
    let offer = |from: &str, which| rent_offer(&sold, day(from), 1, which, &fees, Currency::Cny, 7).expect("an offer");
    let (after, mut first) =
        began.sell(&offer("2026-01-31", Which::First), day("2026-01-30"), &key(), &note()).expect("sold");
    let until = |bills: &[_], card: &Card, on: &str| match granted(card, bills, &spaces, on) {
        Some(Grants::Rented { from, until, .. }) => Some((from, until)),
        _ => None,
    };
    assert_eq!(until(&[first.clone()], &after, "2026-01-31"), None, "not settled yet");
    assert_eq!(granted(&began, &[], &spaces, "2026-01-31"), None, "a rented space without a letting gives none");
    first.accept(yuan("820"), day("2026-01-30"));
    let (from, february) = (moment("2026-01-30T16:00:00Z"), moment("2026-02-27T16:00:00Z"));
    assert_eq!(until(&[first.clone()], &after, "2026-02-01"), Some((from, february)));
    let (after, mut second) =
        after.sell(&offer("2026-02-28", Which::Renewal), day("2026-02-20"), &key(), &note()).expect("sold");
    let both = [first.clone(), second.clone()];
    assert_eq!(until(&both, &after, "2026-03-03"), Some((from, february)), "renewed and not paid");
    second.accept(yuan("300"), day("2026-02-21"));
    assert_eq!(until(&[first, second], &after, "2026-02-21"), Some((from, moment("2026-03-27T16:00:00Z"))));
}

#[test]
fn a_term_that_is_bought_ahead_does_not_hide_the_one_in_force() {
    let (began, sold, fees) = rental();
    let spaces = [space("1", attributes(Tenure::Rented))];
    let offer =
        |from: &str| rent_offer(&sold, day(from), 1, Which::Renewal, &fees, Currency::Cny, 7).expect("an offer");
    let (after, mut first) = began.sell(&offer("2026-01-31"), day("2026-01-30"), &key(), &note()).expect("sold");
    let (after, mut later) = after.sell(&offer("2026-05-01"), day("2026-01-30"), &key(), &note()).expect("sold");
    first.accept(yuan("300"), day("2026-01-30"));
    later.accept(yuan("300"), day("2026-01-30"));
    let from = |on: &str| match granted(&after, &[first.clone(), later.clone()], &spaces, on) {
        Some(Grants::Rented { from, .. }) => from,
        other => panic!("{other:?}"),
    };
    let (january, may) = (moment("2026-01-30T16:00:00Z"), moment("2026-04-30T16:00:00Z"));
    assert_eq!([from("2026-01-31"), from("2026-02-10"), from("2026-04-30")], [january; 3]);
    assert_eq!(from("2026-05-01"), may);
    let next = at_gate_on(&after, &[first, later], &spaces, "2026-03-10").next;
    assert_eq!(next, Some(day("2026-05-01")), "looked at again by itself");
}

#[test]
fn a_card_has_places_for_as_many_cars_as_its_spaces_hold_that_are_paid() {
    let grade = |name: &str, tenure, layout| space(name, Attributes { layout, ..attributes(tenure) });
    let spaces = [
        grade("1", Tenure::Owned, Layout::Tandem),
        grade("2", Tenure::Owned, Layout::Triple),
        grade("3", Tenure::Owned, Layout::Multi(5)),
        grade("4", Tenure::Rented, Layout::Ordinary),
        grade("5", Tenure::Temporary, Layout::Ordinary),
    ];
    let places = |held: Vec<_>, on: &str| at_gate_on(&card(held), &[], &spaces, on).places.count;
    let from = |name: &str| held(name, "2026-01-01", None);
    assert_eq!(places(vec![from("1")], "2026-02-01"), 2);
    assert_eq!(places(vec![from("1"), from("2"), from("3")], "2026-02-01"), 10);
    assert_eq!(places(vec![from("1"), held("2", "2026-01-01", Some("2026-03-01"))], "2026-02-28"), 5);
    assert_eq!(places(vec![from("1"), held("2", "2026-01-01", Some("2026-03-01"))], "2026-03-01"), 2);
    assert_eq!(places(vec![from("1"), from("4")], "2026-02-01"), 2, "nobody has let it");
    assert_eq!(places(vec![from("5"), from("9")], "2026-02-01"), 0);
}

#[test]
fn the_five_parts_are_shown_together() {
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    let fee: FeeItem = item("care", FeeKind::Periodic(monthly()), "310");
    let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), spaces, vec![fee]);
    books.run("2026-02-01");
    books.bills[0].accept(yuan("100"), day("2026-01-10"));
    books.card.payer = Some(HolderId::new("owner").expect("an id"));
    let spaces = books.spaces.clone();
    let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
    let five = five_parts(&books.card, &books.bills, &estate, &books.fees, day("2026-02-03"), Currency::Cny);
    assert_eq!(five.holder.1.as_str(), "owner");
    assert_eq!((five.places.len(), five.fees.len(), five.capacity), (1, 1, 1));
    assert_eq!(five.bills, [(books.bills[0].id, yuan("210")), (books.bills[1].id, yuan("310"))]);
    assert_eq!(five.due, yuan("520"));
}

fn any_act() -> impl Strategy<Value = Act> {
    let date = (0u32..600).prop_map(|after| days_after(day("2026-01-01"), after));
    let until = prop::option::of((0u32..700).prop_map(|after| days_after(day("2026-01-01"), after)));
    let which = prop::sample::select(vec!["1", "2", "3"]).prop_map(place);
    let car = (1u32..4).prop_map(plate);
    let states = vec![
        CardState::Active,
        CardState::Suspended,
        CardState::Lost,
        CardState::Expired,
        CardState::Closed,
        CardState::Pending,
    ];
    let rest = (date.clone(), 1u32..60)
        .prop_map(|(from, days)| Act::Rest(Span::new(from, days_after(from, days)).expect("days")));
    prop_oneof![
        4 => (which.clone(), date.clone(), until.clone()).prop_map(|(place, from, until)| Act::HoldPlace { place, from, until }),
        1 => (which.clone(), date.clone()).prop_map(|(place, from)| Act::DropPlace { place, from }),
        2 => (which, date.clone(), until.clone()).prop_map(|(place, from, until)| Act::EndPlace { place, from, until }),
        3 => (car.clone(), date.clone(), until.clone()).prop_map(|(plate, from, until)| {
            Act::AddVehicle { plate, kind: VehicleKind::Small, from, until }
        }),
        1 => (car.clone(), date.clone()).prop_map(|(plate, from)| Act::DropVehicle { plate, from }),
        2 => (car, date.clone(), until.clone()).prop_map(|(plate, from, until)| Act::EndVehicle { plate, from, until }),
        1 => prop::sample::select(states).prop_map(Act::Stand),
        1 => until.prop_map(Act::PayAhead),
        1 => rest,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever was done is undone by its opposites, the last first; and what is refused changes nothing.
    #[test]
    fn every_act_is_undone_by_its_opposite(acts in prop::collection::vec(any_act(), 1..30)) {
        let began = card(vec![held("1", "2026-01-01", None)]);
        let mut is = began.clone();
        let mut done = vec![];
        for act in acts {
            if let Ok((after, opposite)) = is.apply(&act, &note()) {
                let back = after.apply(&opposite, &note()).expect("an opposite is not refused").0;
                prop_assert_eq!(shape(&back), shape(&is));
                done.push(opposite);
                is = after;
            }
        }
        let all = Act::All(done.into_iter().rev().collect());
        prop_assert_eq!(shape(&is.apply(&all, &note()).expect("all undone").0), shape(&began));
    }
}
