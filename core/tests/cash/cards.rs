//! Cash and stored value for bills of cards.

use tollhouse_core::bill::BillState;
use tollhouse_core::books::Account;
use tollhouse_core::cash::{self, CashFor, CashRefusal, Coin, Taking, Tendered};
use tollhouse_core::charging::bills::{BillBooks, CardBill, Moved};
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::fees::FeeKind;
use tollhouse_core::id::BillId;
use tollhouse_core::record::{Cause, Change, ChangeKind, Record, Records};

use super::sample::{Books, attributes, card, day, held, item, monthly, space};
use super::till::{Till, yuan};

/// A till before which two monthly bills of 310.00 lie.
fn with_bills() -> (Till, Vec<CardBill>) {
    let mut till = Till::new();
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    let fee = item("care", FeeKind::Periodic(monthly()), "310");
    let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), spaces, vec![fee]);
    let bills = books.run_on(day("2026-02-01"));
    assert_eq!(bills.len(), 2);
    let mut change = Change::new(ChangeKind::BillsRun, till.now, Cause::Time);
    let moves = bills.iter().cloned().map(Moved::drawn).collect();
    let of = BillBooks::open(&till.records, till.now.date_naive()).expect("readable");
    of.write(&mut change, moves, &Account::Suspense);
    till.commit(change);
    (till, bills)
}

fn state(till: &Till, bill: &CardBill) -> BillState {
    till.records.get::<CardBill>(&bill.key()).expect("readable").expect("there").record.state()
}

fn tendered(bill: BillId, minor: i64, taking: Taking) -> Tendered {
    Tendered { bill, amount: yuan(minor), taking }
}

#[test]
fn bills_of_a_card_are_paid_in_cash_with_change_and_in_parts() {
    let (mut till, bills) = with_bills();
    till.coin = Coin::new(1_000).expect("a coin");
    till.open("anna", 0).expect("opened");
    let receipt = till.take("anna", tendered(bills[0].id, 50_000, Taking::All)).expect("taken");
    assert_eq!((receipt.amount, receipt.change), (yuan(31_000), yuan(19_000)));
    assert!(matches!(receipt.subject, CashFor::CardBills { .. }));
    assert_eq!(state(&till, &bills[0]), BillState::Paid);
    till.take("anna", tendered(bills[1].id, 10_000, Taking::Part)).expect("taken");
    assert_eq!(state(&till, &bills[1]), BillState::PartPaid);
    let again = till.take("anna", tendered(bills[0].id, 50_000, Taking::All));
    assert!(matches!(again, Err(CashRefusal::Bill(_))));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn stored_value_pays_a_bill_of_a_card_whole_or_not_at_all() {
    let (mut till, bills) = with_bills();
    till.open("anna", 0).expect("opened");
    let holder = bills[0].heading.card.clone();
    let top_up = |till: &mut Till, minor| {
        let done = cash::top_up("anna", &holder, yuan(minor), till.now, &till.records).expect("topped up");
        till.commit(done.0);
    };
    let spend = |till: &Till| till.with(|terms| cash::spend(&holder, bills[0].id, Cause::Driver, terms, &till.records));
    top_up(&mut till, 30_000);
    assert!(matches!(spend(&till), Err(CashRefusal::NotThere { .. })));
    top_up(&mut till, 1_000);
    let (change, line) = spend(&till).expect("spent");
    till.commit(change);
    assert_eq!(line.balance, yuan(0));
    assert_eq!(state(&till, &bills[0]), BillState::Paid);
    assert_eq!(till.broken(), Vec::<String>::new());
}
