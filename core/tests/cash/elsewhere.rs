//! Money that goes back through the provider that took it, by a person's word, and refunds of the provider's console that are
//! explained: never more than was paid, and balanced in the books.

use chrono::TimeDelta;
use tollhouse_core::books::{Account, Posting, out_of_suspense};
use tollhouse_core::cash::{self, CashRefusal, IN_THE_CONSOLE, PayOut};
use tollhouse_core::id::{BillId, OrderId, RefundId};
use tollhouse_core::pay::{
    self, Back, Captured, Evidence, FreshOrder, Made, Order, Payable, Refund, RefundState, Terms, Wanted, Way,
};
use tollhouse_core::record::{Cause, Change, ChangeKind, Records};
use tollhouse_core::stay::StayState;

use super::till::{Till, yuan};

fn clearing() -> Account {
    Account::Clearing("wechat".into())
}

/// A car has left, and its bill of 15.00 was paid through WeChat Pay.
fn paid(till: &mut Till) -> (BillId, OrderId) {
    let bill = till.car(3, StayState::Closed);
    let wanted = Wanted {
        pays: Payable::Bill(bill),
        provider: "wechat".into(),
        merchant: "19".into(),
        way: Way::Native,
        terms: Terms::default(),
        idempotency: None,
        life: TimeDelta::minutes(5),
    };
    let fresh = FreshOrder { id: OrderId::from_bytes([3; 16]), number: "BOX001".into() };
    let id = fresh.id;
    let made = till.with(|terms| {
        pay::make_order(&wanted, fresh, terms.now, terms.tariff, terms.tax_rate, terms.key, &till.records)
    });
    let Ok(Made::Now(_, change)) = made else { panic!("{made:?}") };
    till.commit(*change);
    let order = till.records.get::<Order>(&id.to_string()).expect("readable").expect("made");
    let evidence = Evidence::plain("19", "TX1", yuan(1_500), till.now);
    let captured = till
        .with(|terms| pay::capture(&order, &evidence, terms.tariff, terms.now, terms.today, terms.key, &till.records));
    let Ok(Captured::Now(change, _)) = captured else { panic!("{captured:?}") };
    till.commit(*change);
    (bill, id)
}

fn refund(till: &mut Till, order: OrderId, what: &PayOut, minor: i64) -> Result<Refund, CashRefusal> {
    let who = ("mei", "charged too much");
    let (change, refund) =
        till.with(|terms| cash::refund_order(who, order, what, yuan(minor), terms, &till.records))?;
    till.commit(change);
    Ok(refund)
}

fn done(till: &mut Till, refund: RefundId) {
    let kept = till.records.get::<Refund>(&refund.to_string()).expect("readable").expect("on record");
    let change = pay::refund_done(&kept, till.now, &till.records).expect("readable").expect("not done before");
    till.commit(change);
}

#[test]
fn money_of_a_bill_goes_back_through_its_provider_in_parts_and_never_more_than_was_paid() {
    let mut till = Till::new();
    let (bill, order) = paid(&mut till);
    let what = PayOut::StayBill(bill);
    assert!(matches!(refund(&mut till, order, &what, 1_501), Err(CashRefusal::NotThere { .. })));
    let first = refund(&mut till, order, &what, 500).expect("begun");
    assert_eq!((first.state, till.balance(&Account::RefundDue)), (RefundState::Requested, -500));
    assert_eq!(till.balance(&clearing()), 1_500, "what is asked for is not done");
    assert!(
        matches!(refund(&mut till, order, &what, 1_001), Err(CashRefusal::NotThere { .. })),
        "with what is on its way"
    );
    done(&mut till, first.id);
    let second = refund(&mut till, order, &what, 1_000).expect("begun");
    assert_ne!(first.id, second.id, "each has a number of its own");
    done(&mut till, second.id);
    for account in [clearing(), Account::RefundDue, Account::Receivable, Account::Revenue, Account::TaxDue] {
        assert_eq!(till.balance(&account), 0, "{account}");
    }
    assert!(matches!(refund(&mut till, order, &what, 1), Err(CashRefusal::NotThere { .. })));
    let nobodys = OrderId::from_bytes([4; 16]);
    assert_eq!(refund(&mut till, nobodys, &what, 1), Err(CashRefusal::NotPaidFor));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn what_is_due_already_goes_back_once() {
    let mut till = Till::new();
    let (_, order) = paid(&mut till);
    let due = PayOut::RefundDue("credit note 7".into());
    assert!(matches!(refund(&mut till, order, &due, 300), Err(CashRefusal::NotThere { .. })), "nothing is due");
    let mut brought = Change::new(ChangeKind::BooksPosted, till.now, Cause::Time);
    brought.postings = vec![Posting::debit(Account::Opening, yuan(300)), Posting::credit(Account::Suspense, yuan(300))];
    brought.postings.extend(out_of_suspense(yuan(300)));
    till.commit(brought);
    let begun = refund(&mut till, order, &due, 300).expect("begun");
    assert!(matches!(refund(&mut till, order, &due, 1), Err(CashRefusal::NotThere { .. })), "it is on its way");
    done(&mut till, begun.id);
    assert_eq!((till.balance(&Account::RefundDue), till.balance(&clearing())), (0, 1_200));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn a_refund_of_the_console_leaves_suspense_when_it_is_explained_and_once() {
    let mut till = Till::new();
    let (bill, order) = paid(&mut till);
    let found = Refund {
        id: RefundId::from_bytes([5; 16]),
        order,
        amount: yuan(400),
        state: RefundState::Done,
        reason: IN_THE_CONSOLE.to_owned(),
        made_at: till.now,
        done_at: Some(till.now),
        attempts: 0,
        closed: 0,
        back: Back::Refund,
        explained: None,
    };
    let mut change = Change::new(ChangeKind::RefundMoved, till.now, Cause::Time);
    change.postings = vec![Posting::debit(Account::Suspense, yuan(400)), Posting::credit(clearing(), yuan(400))];
    change.put(&found);
    till.commit(change);
    let what = PayOut::StayBill(bill);
    let explain = |till: &Till, refund: RefundId| {
        till.with(|terms| cash::explain_refund(("mei", "the barrier was slow"), refund, &what, terms, &till.records))
    };
    let (change, refund) = explain(&till, found.id).expect("explained");
    till.commit(change);
    assert_eq!(refund.explained.as_deref(), Some("the barrier was slow"));
    assert_eq!((till.balance(&Account::Suspense), till.balance(&Account::Receivable)), (0, 0));
    assert_eq!(till.bill(bill).paid, yuan(1_100));
    assert_eq!(explain(&till, found.id).map(|_| ()), Err(CashRefusal::NotUnexplained));
    assert_eq!(till.broken(), Vec::<String>::new());
}
