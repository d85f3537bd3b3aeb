//! Random operations on several cards through what the box calls: chunks of runs, money of all kinds, corrections, days
//! that are earned. After each the invariants of `verify` hold over the whole journal; and the ways of paying by example.

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use tollhouse_core::audit::{self, JournalEntry, Texts};
use tollhouse_core::bill::BillState;
use tollhouse_core::books::{Account, balance_key};
use tollhouse_core::charging::bills::{
    BillBooks, BillRun, Bounds, CardBill, Moved, OpenBill, Part, PayFault, Payable, Receipt, Retention, RunTerms,
    apply_deposit, bills_of, credit_counter, deposit_held, earn_days, forfeit_deposit, late_fee, pay, pay_by_credit,
    payable_bills, return_deposit, run_chunk,
};
use tollhouse_core::charging::calendar::days_after;
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{Space, Tenure};
use tollhouse_core::charging::fees::{FeeKind, FeeList, LateFeeRule, PricePer, TaxPoint};
use tollhouse_core::charging::label::{CardNumber, HolderId, SpaceNumber};
use tollhouse_core::charging::packages::{SoldPlace, Which, rent_offer};
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Balance, Cause, Change, ChangeKind, Counter, Memory, Record, Records, Table};

use crate::sample::{attributes, card, class, day, held, item, key, monthly, note, number, space, yuan};

const CARDS: usize = 3;

fn card_number(which: usize) -> CardNumber {
    CardNumber::new(&format!("C{which}")).expect("a number")
}

fn cash() -> Account {
    Account::Bank
}

/// An estate of three cards over one memory, with its journal.
struct Estate {
    memory: Memory,
    journal: Vec<JournalEntry>,
    spaces: Vec<Space>,
    fees: FeeList,
    today: NaiveDate,
}

impl Estate {
    fn new(point: TaxPoint) -> Self {
        let mut care = item("care", FeeKind::Periodic(monthly()), "310.55");
        care.tax.point = point;
        let rate_per_day = "0.0005".parse().expect("a rate");
        care.late_fee = Some(LateFeeRule { rate_per_day, grace_days: 3, cap: Some("0.1".parse().expect("a part")) });
        let rent = item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "400");
        let deposit = item("deposit", FeeKind::Deposit, "500");
        let mut estate = Self {
            memory: Memory::new(),
            journal: vec![],
            spaces: vec![
                space("0", attributes(Tenure::Owned)),
                space("1", attributes(Tenure::Owned)),
                space("2", attributes(Tenure::Rented)),
            ],
            fees: FeeList::new(vec![care, rent, deposit]).expect("no fault"),
            today: day("2026-01-01"),
        };
        for which in 0..CARDS {
            let mut one = card(vec![held(&which.to_string(), "2026-01-01", None)]);
            one.number = card_number(which);
            one.holder = HolderId::new(&format!("H{which}")).expect("an id");
            let mut change = estate.change(ChangeKind::CardChanged);
            if which == 2 {
                let (with_term, bill) = estate.let_out(&one);
                one = with_term;
                estate.books().write(&mut change, vec![Moved::drawn(bill)], &cash());
            }
            change.put(&one);
            estate.take(change);
        }
        estate
    }

    fn let_out(&self, card: &Card) -> (Card, CardBill) {
        let size = "12.50".parse().expect("a size");
        let sold = SoldPlace { place: Place::Space(number("2")), class: class(Tenure::Rented), size, capacity: 1 };
        let offer = rent_offer(&[sold], self.today, 12, Which::First, &self.fees, Currency::Cny, 7);
        card.sell(&offer.expect("rent is set"), self.today, &key(), &note()).expect("for sale")
    }

    fn change(&self, kind: ChangeKind) -> Change {
        Change::new(kind, self.now(), Cause::Time)
    }

    fn now(&self) -> DateTime<Utc> {
        self.today.and_hms_opt(4, 0, 0).expect("a time").and_utc()
    }

    fn books(&self) -> BillBooks {
        BillBooks::open(&self.memory, self.today).expect("readable")
    }

    fn take(&mut self, change: Change) {
        let position = self.memory.take(&change).expect("taken");
        self.journal.push(JournalEntry { position, change, texts: Texts::Whole });
    }

    /// A whole run in chunks of `size`, each a change of its own.
    fn run(&mut self, size: usize) {
        let known = self.memory.get::<BillRun>(&self.today.to_string()).expect("readable");
        let mut run = known.map_or(BillRun::new(self.today, self.now()), |kept| kept.record.again());
        while run.ended_at.is_none() {
            run = self.chunk(&run, size);
        }
    }

    fn chunk(&mut self, run: &BillRun, size: usize) -> BillRun {
        let before = self.memory.get::<BillRun>(&run.key()).expect("readable");
        let from = run.after.as_ref().map(|last| format!("{last}\u{0}")).unwrap_or_default();
        let cards = self.memory.list::<Card>(&from, size).expect("readable");
        let spaces = &self.spaces;
        let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
        let (as_of, today, currency, bounds) = (run.as_of, self.today, Currency::Cny, Bounds::default());
        let terms = RunTerms { fees: &self.fees, as_of, today, currency, bounds, key: &key() };
        let chunk = run_chunk(before.as_ref(), run, &cards, &estate, &terms, self.now(), &self.memory);
        let chunk = chunk.expect("readable");
        self.take(chunk.change);
        chunk.run
    }

    fn bills(&self, which: usize) -> Vec<tollhouse_core::record::Kept<CardBill>> {
        bills_of(&card_number(which), &self.memory).expect("readable")
    }

    fn pass_days(&mut self, days: u32) {
        self.today = days_after(self.today, days);
        while let Some(change) = earn_days(&self.memory, self.now(), self.today, Currency::Cny).expect("readable") {
            self.take(change);
        }
        let open = self.memory.list::<OpenBill>("", 10_000).expect("readable");
        let key_of = |open: &OpenBill| format!("{}/{}", open.card, open.bill);
        let bills = open.iter().map(|kept| self.memory.get::<CardBill>(&key_of(&kept.record)).expect("readable"));
        let moves: Vec<Moved> = bills.flatten().filter_map(|kept| late_fee(kept, self.today)).collect();
        let mut change = self.change(ChangeKind::BillsLate);
        self.books().write(&mut change, moves, &Account::Suspense);
        self.take(change);
    }

    fn pay(&mut self, which: usize, amount: i64, excess: &Account) {
        let amount = Money::new(amount, Currency::Cny);
        let receipt = Receipt { amount, on: self.today, from: cash(), excess: excess.clone() };
        let mut change = self.change(ChangeKind::BillsPaid);
        match pay(&mut change, self.bills(which), &receipt, &self.memory) {
            Ok(paid) => {
                assert_eq!(paid.accepted.minor() + paid.rest.minor(), amount.minor());
                assert_eq!(paid.to.iter().map(|(_, taken)| taken.minor()).sum::<i64>(), paid.accepted.minor());
                self.take(change);
            }
            Err(PayFault::NoBills | PayFault::Amount) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn correct(&mut self, which: usize, nth: usize, correction: Correction) {
        let bills = self.bills(which);
        let Some(kept) = bills.get(nth % bills.len().max(1)).cloned() else { return };
        let (today, before) = (self.today, kept.record.clone());
        let mut change = self.change(ChangeKind::BillsCorrected);
        let mut made = None;
        let moved = Moved::from(kept, |bill| match correction {
            Correction::Void => made = bill.credit(Part::Whole, today, Retention::NONE, &key(), note()),
            Correction::Days(line, days) => {
                let span = bill.lines[line % bill.lines.len()].days.map(|days| days.span);
                let Some(span) = span else { return };
                let until = days_after(span.from, days).min(span.until);
                let Some(span) = tollhouse_core::charging::calendar::Span::new(span.from, until) else { return };
                let part = Part::Days { line: line % bill.lines.len(), span };
                let half = Retention("0.5".parse().expect("a part"));
                made = bill.credit(part, today, half, &key(), note());
            }
            Correction::WriteOff => bill.write_off(today),
            Correction::Recover => bill.recover(today),
            Correction::Waive => drop(bill.waive_late_fee(today)),
        });
        if moved.after == before || before.state() == BillState::Void || before.state() == BillState::Refunded {
            return;
        }
        if let Some(made) = &made {
            change.put(made);
            if matches!(correction, Correction::Void) {
                let kept = self.memory.get::<Card>(card_number(which).as_str()).expect("readable").expect("there");
                change.put(&kept.record.freed(&before, made));
            }
        }
        self.books().write(&mut change, vec![moved], &Account::Credit);
        self.take(change);
    }

    fn deposit(&mut self, which: usize, amount: i64, to: DepositTo) {
        let bills = self.bills(which);
        let held = deposit_held(bills.iter().map(|kept| &kept.record));
        let amount = Money::new(amount.min(held), Currency::Cny);
        if !amount.is_positive() {
            return;
        }
        let mut change = self.change(ChangeKind::BillsPaid);
        match to {
            DepositTo::Back => {
                return_deposit(&mut change, bills, amount, self.today, &Account::RefundDue, &self.memory)
                    .map(drop)
                    .expect("held");
            }
            DepositTo::Bills => {
                apply_deposit(&mut change, bills, amount, self.today, &self.memory).map(drop).expect("held");
            }
            DepositTo::Kept => {
                forfeit_deposit(&mut change, bills, amount, self.today, &self.memory).map(drop).expect("held");
            }
        }
        self.take(change);
    }

    fn credit(&mut self, which: usize) {
        let mut change = self.change(ChangeKind::BillsPaid);
        let paid = pay_by_credit(&mut change, self.bills(which), self.today, &self.memory).expect("readable");
        if paid.is_some() {
            self.take(change);
        }
    }

    fn operate(&mut self, operation: &Operation) {
        match operation {
            Operation::Days(days) => self.pass_days(*days),
            Operation::Run(size) => self.run(*size),
            Operation::Pay(which, amount) => self.pay(*which, *amount, &Account::Credit),
            Operation::PayAndRefund(which, amount) => self.pay(*which, *amount, &Account::RefundDue),
            Operation::ByCredit(which) => self.credit(*which),
            Operation::Correct(which, nth, correction) => self.correct(*which, *nth, *correction),
            Operation::Deposit(which, amount, to) => self.deposit(*which, *amount, *to),
        }
    }

    /// What of `verify` does not hold.
    fn broken(&self) -> Vec<String> {
        let mut broken = vec![];
        for mut invariant in audit::all() {
            for entry in &self.journal {
                invariant.entry(entry);
            }
            if let Err(why) = invariant.end(&self.memory) {
                broken.push(format!("{}: {why}", invariant.name()));
            }
        }
        broken
    }

    fn balance(&self, account: &Account) -> i64 {
        let stored = self.memory.stored(Table::Balances, &balance_key(account, Currency::Cny)).expect("readable");
        stored.map_or(0, |stored| serde_json::from_str::<Balance>(&stored.json).expect("a balance").sum.minor())
    }

    fn has_credit(&self, which: usize) -> i64 {
        let holder = HolderId::new(&format!("H{which}")).expect("an id");
        self.memory.get::<Counter>(&credit_counter(&holder)).expect("readable").map_or(0, |kept| kept.record.value)
    }
}

#[derive(Debug, Clone, Copy)]
enum Correction {
    Void,
    Days(usize, u32),
    WriteOff,
    Recover,
    Waive,
}

#[derive(Debug, Clone, Copy)]
enum DepositTo {
    Back,
    Bills,
    Kept,
}

#[derive(Debug, Clone)]
enum Operation {
    Days(u32),
    Run(usize),
    Pay(usize, i64),
    PayAndRefund(usize, i64),
    ByCredit(usize),
    Correct(usize, usize, Correction),
    Deposit(usize, i64, DepositTo),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let correction = prop_oneof![
        Just(Correction::Void),
        (0usize..3, 1u32..20).prop_map(|(line, days)| Correction::Days(line, days)),
        Just(Correction::WriteOff),
        Just(Correction::Recover),
        Just(Correction::Waive),
    ];
    let to = prop::sample::select(vec![DepositTo::Back, DepositTo::Bills, DepositTo::Kept]);
    prop_oneof![
        6 => (1u32..60).prop_map(Operation::Days),
        5 => (1usize..4).prop_map(Operation::Run),
        5 => (0..CARDS, 0i64..150_000).prop_map(|(which, amount)| Operation::Pay(which, amount)),
        1 => (0..CARDS, 0i64..600_000).prop_map(|(which, amount)| Operation::PayAndRefund(which, amount)),
        2 => (0..CARDS).prop_map(Operation::ByCredit),
        4 => (0..CARDS, 0usize..20, correction).prop_map(|(which, nth, of)| Operation::Correct(which, nth, of)),
        2 => (0..CARDS, 1i64..60_000, to).prop_map(|(which, amount, to)| Operation::Deposit(which, amount, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_desks_do_in_whatever_order_what_verify_proves_holds(
        operations in prop::collection::vec(any_operation(), 1..50),
        point in prop::sample::select(vec![TaxPoint::OnBill, TaxPoint::OnReceipt, TaxPoint::OnService])
    ) {
        let mut estate = Estate::new(point);
        for operation in &operations {
            estate.operate(operation);
            let broken = estate.broken();
            prop_assert!(broken.is_empty(), "after {:?}: {:?}", operation, broken);
        }
        // Long after, all that was billed is earned and nothing waits.
        estate.pass_days(1_000);
        for account in [Account::Deferred, Account::PublicDeferred] {
            prop_assert_eq!(estate.balance(&account), 0);
        }
    }

    #[test]
    fn a_run_that_stops_anywhere_and_goes_on_draws_what_one_that_did_not_stop_draws(
        sizes in prop::collection::vec(1usize..4, 1..6),
        stops in 0usize..4,
        days in 20u32..120
    ) {
        let mut whole = Estate::new(TaxPoint::OnReceipt);
        whole.pass_days(days);
        whole.run(100);
        let mut parts = Estate::new(TaxPoint::OnReceipt);
        parts.pass_days(days);
        let mut run = BillRun::new(parts.today, parts.now());
        for size in sizes.iter().take(stops) {
            if run.ended_at.is_none() {
                run = parts.chunk(&run, *size);
            }
        }
        // The power is cut here: what is known of the run is what is on record.
        parts.run(sizes[0]);
        for which in 0..CARDS {
            let bills = |estate: &Estate| estate.bills(which).into_iter().map(|kept| kept.record).collect::<Vec<_>>();
            prop_assert_eq!(bills(&whole), bills(&parts));
        }
        prop_assert!(parts.broken().is_empty());
    }
}

#[test]
fn money_goes_to_the_oldest_bill_first_and_what_is_too_much_is_the_holders() {
    let mut estate = Estate::new(TaxPoint::OnReceipt);
    estate.run(10);
    estate.pass_days(40);
    estate.run(10);
    let due: Vec<i64> = estate.bills(0).iter().map(|kept| kept.record.due().minor()).collect();
    assert_eq!(due.len(), 2, "January and February");
    estate.pay(0, 40_000, &Account::Credit);
    let mut bills: Vec<CardBill> = estate.bills(0).into_iter().map(|kept| kept.record).collect();
    bills.sort_by_key(|bill| bill.due_on);
    assert_eq!((bills[0].state(), bills[1].state()), (BillState::Paid, BillState::PartPaid));
    estate.pay(0, 100_000, &Account::Credit);
    let rest = 140_000 - due.iter().sum::<i64>();
    assert!(rest > 0 && estate.has_credit(0) == rest, "{} of {rest}", estate.has_credit(0));
    assert_eq!(estate.balance(&Account::Credit), -rest);
    // The next month is paid from it, and what it lacks stays due.
    estate.pass_days(30);
    estate.run(10);
    estate.credit(0);
    let march = estate.bills(0).into_iter().map(|kept| kept.record).max_by_key(|bill| bill.due_on).expect("March");
    assert_eq!(march.paid(), yuan("310.55"), "all of it: the credit was larger");
    assert_eq!(estate.has_credit(0), rest - 31_055);
    assert_eq!(estate.broken(), Vec::<String>::new());
}

#[test]
fn several_bills_have_one_id_that_is_the_same_each_time_and_another_than_theirs() {
    let mut estate = Estate::new(TaxPoint::OnReceipt);
    estate.pass_days(70);
    estate.run(10);
    let bills: Vec<CardBill> = estate.bills(0).into_iter().map(|kept| kept.record).collect();
    let refs: Vec<&CardBill> = bills.iter().collect();
    let (forth, back) = (Payable::together(&refs, &key()), Payable::together(&[refs[1], refs[0], refs[2]], &key()));
    assert_eq!(forth, back);
    assert!(bills.iter().all(|bill| bill.id != forth.id));
    assert_eq!(Payable::together(&refs[..1], &key()).id, bills[0].id, "one bill has its own id");
    let mut change = estate.change(ChangeKind::BillsRun);
    change.put(&forth);
    estate.take(change);
    let found = payable_bills(forth.id, &estate.memory).expect("readable").expect("known");
    assert_eq!(found.len(), 3);
    let one = payable_bills(bills[2].id, &estate.memory).expect("readable").expect("known");
    assert_eq!(one.iter().map(|kept| kept.record.id).collect::<Vec<_>>(), [bills[2].id]);
}

#[test]
fn a_bill_that_was_withdrawn_is_drawn_again_and_one_whose_days_were_given_away_is_not() {
    let mut estate = Estate::new(TaxPoint::OnReceipt);
    estate.run(10);
    estate.correct(0, 0, Correction::Void);
    estate.correct(1, 0, Correction::Days(0, 40));
    estate.run(10);
    let states = |which: usize| -> Vec<BillState> {
        let mut states: Vec<BillState> = estate.bills(which).iter().map(|kept| kept.record.state()).collect();
        states.sort_by_key(|state| state.as_str());
        states
    };
    assert_eq!(states(0), [BillState::Open, BillState::Void]);
    assert_eq!(states(1), [BillState::Paid], "nothing is due on it any more");
    assert_eq!(estate.broken(), Vec::<String>::new());
}
