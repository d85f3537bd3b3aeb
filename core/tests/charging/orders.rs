//! Orders on a card, carried out and undone: what is owed, what is held, and what the books say.

use tollhouse_core::charging::bills::{Bounds, CardBill, Nature, Retention, Source, position};
use tollhouse_core::charging::cards::{
    Act, Around, Card, CardState, Carried, Extra, Offer, Order, TermKind, TermPlace, carry_out,
};
use tollhouse_core::charging::estate::{Space, Tenure};
use tollhouse_core::charging::fees::{FeeKind, FeeList, PricePer};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::Words;

use crate::sample::{attributes, card, day, held, item, item_id, key, monthly, note, number, space, span, yuan};

fn place(name: &str) -> Place {
    Place::Space(number(name))
}

/// Spaces whose number begins with R are let, all others owned.
fn any_space(wanted: &SpaceNumber) -> Space {
    let tenure = if wanted.as_str().starts_with('R') { Tenure::Rented } else { Tenure::Owned };
    space(wanted.as_str(), attributes(tenure))
}

fn fees() -> FeeList {
    let rent = item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "300");
    let deposit = item("deposit", FeeKind::Deposit, "500");
    FeeList::new(vec![item("fee", FeeKind::Periodic(monthly()), "100"), rent, deposit]).expect("no fault")
}

/// What is ordered for a card.
type Orders<'o> = &'o dyn Fn(&Desk) -> Vec<Order>;

/// A card with bills, and money that came free of it.
struct Desk {
    card: Card,
    bills: Vec<CardBill>,
    free: Money,
    acts: u32,
}

impl Desk {
    fn new(card: Card) -> Self {
        Self { card, bills: vec![], free: yuan("0"), acts: 0 }
    }

    fn order(&mut self, orders: &[Order], extra: Money) -> Carried {
        self.acts += 1;
        let (fees, key, note) = (fees(), key(), note());
        let estate = |wanted: &SpaceNumber| Some(any_space(wanted));
        let around = Around {
            estate: &estate,
            fees: &fees,
            on: day("2026-03-11"),
            currency: Currency::Cny,
            key: &key,
            note: &note,
            retention: Retention::NONE,
            due_days: 15,
            bounds: Bounds::default(),
            act: self.acts,
        };
        let carried = carry_out(&self.card, &self.bills, orders, extra, &around).expect("carried out");
        self.card = carried.card.clone();
        for bill in &carried.bills {
            self.bills.retain(|old| old.id != bill.id);
            self.bills.push(bill.clone());
        }
        self.free = Money::new(self.free.minor() + carried.freed.minor() - extra.minor(), Currency::Cny);
        carried
    }

    fn due(&self) -> i64 {
        self.bills.iter().map(|bill| bill.due().minor()).sum()
    }

    /// What holds of the card, without its history.
    fn shown(&self) -> (CardState, Vec<Place>, i64, i64) {
        let places = self.card.places_on(day("2026-03-11")).cloned().collect();
        (self.card.state(), places, self.due(), self.free.minor())
    }

    /// Everything that the bills say in the books, and what came free, less what was paid in all.
    fn balance(&self) -> i64 {
        self.bills.iter().flat_map(|bill| position(bill, day("2026-03-11")).into_values()).sum()
    }

    fn pay_all(&mut self) -> i64 {
        let due = self.due();
        for bill in &mut self.bills {
            let owed = bill.due();
            bill.accept(owed, day("2026-03-11"));
        }
        due
    }
}

fn letting(name: &str) -> Offer {
    Offer {
        kind: TermKind::Letting,
        source: Source::Item(item_id("rent")),
        name: Words::new("租金", "Rent"),
        span: span("2026-03-01", "2026-04-01"),
        places: vec![TermPlace { place: place(name), price: "300".parse().expect("a price") }],
        replaces: vec![],
        extras: vec![Extra {
            item: item_id("deposit"),
            name: Words::new("押金", "Deposit"),
            amount: yuan("500"),
            nature: Nature::Deposit,
            tax: item("deposit", FeeKind::Deposit, "500").tax,
        }],
        tax: item("rent", FeeKind::Deposit, "300").tax,
        late_fee: None,
        due_days: 15,
        currency: Currency::Cny,
    }
}

#[test]
fn what_is_undone_is_owed_and_held_as_before() {
    let rented = || Desk::new(card(vec![held("R1", "2026-03-01", None)]));
    let owned = || Desk::new(card(vec![held("O1", "2026-03-01", None)]));
    let close = |desk: &Desk| {
        let terms = desk.card.terms.iter().map(|term| Order::GiveUp { term: term.number, from: day("2026-03-11") });
        let closing = [Order::Act(desk.card.closing(day("2026-03-11"))), Order::ReturnDeposits];
        terms.chain(closing).collect::<Vec<Order>>()
    };
    let change = |desk: &Desk| {
        let to = place(if desk.card.terms.is_empty() { "O2" } else { "R2" });
        let from = desk.card.holdings[0].place.clone();
        vec![Order::Act(desk.card.changing_place(&from, &to, day("2026-03-11")).expect("it holds it"))]
    };
    let ahead = |_: &Desk| vec![Order::Act(Act::PayAhead(Some(day("2026-07-01"))))];
    let once_more = |_: &Desk| {
        let extra = Extra { nature: Nature::AtOnce, amount: yuan("20"), ..letting("R1").extras[0].clone() };
        vec![Order::Charge(Box::new(extra))]
    };
    let give_up = |_: &Desk| vec![Order::GiveUp { term: 1, from: day("2026-03-21") }];
    let unsell = |_: &Desk| vec![Order::Unsell { term: 1 }];
    let cases: [(&str, bool, Orders<'_>); 8] = [
        ("a rented card closed", true, &close),
        ("an owned card closed", false, &close),
        ("an owned place changed", false, &change),
        ("periods billed ahead", false, &ahead),
        ("something charged once", false, &once_more),
        ("a term given up", true, &give_up),
        ("a term unsold", true, &unsell),
        ("a rented card charged once", true, &once_more),
    ];
    for (what, lets, orders) in cases {
        for pays in [false, true] {
            let mut desk = if lets { rented() } else { owned() };
            let first = if lets {
                vec![Order::Sell(Box::new(letting("R1")))]
            } else {
                vec![Order::Act(Act::PayAhead(Some(day("2026-04-01"))))]
            };
            desk.order(&first, yuan("0"));
            let paid = if pays { desk.pay_all() } else { 0 };
            let before = desk.shown();
            let carried = desk.order(&orders(&desk), yuan("0"));
            assert_ne!((before.clone(), 0), (desk.shown(), carried.opposite.len()), "{what}");
            desk.order(&carried.opposite, carried.freed);
            assert_eq!(desk.shown(), before, "{what}, paid: {pays}");
            // The position of all bills is what was paid, less what is free.
            assert_eq!(desk.balance(), -(paid - desk.free.minor()), "{what}, paid: {pays}");
        }
    }
}

#[test]
fn a_place_changed_pays_the_new_days_with_what_the_old_ones_set_free() {
    let mut desk = Desk::new(card(vec![held("O1", "2026-03-01", None)]));
    desk.order(&[Order::Act(Act::PayAhead(Some(day("2026-04-01"))))], yuan("0"));
    desk.pay_all();
    let act = desk.card.changing_place(&place("O1"), &place("O2"), day("2026-03-11")).expect("it holds it");
    let carried = desk.order(&[Order::Act(act)], yuan("0"));
    assert_eq!((desk.due(), carried.freed.minor(), carried.notes.len()), (0, 0, 1));
}

#[test]
fn repricing_bills_the_days_from_then_on_anew() {
    let mut desk = Desk::new(card(vec![held("O1", "2026-03-01", None)]));
    desk.order(&[Order::Act(Act::PayAhead(Some(day("2026-05-01"))))], yuan("0"));
    let before = desk.due();
    let carried = desk.order(&[Order::Reprice { from: day("2026-04-01") }], yuan("0"));
    assert_eq!((desk.due(), carried.notes.len(), carried.drew.len()), (before, 1, 1), "the same price, another bill");
}
