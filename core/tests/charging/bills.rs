//! A bill after it is drawn: payments, late fees, credit notes, write-off, and what each posts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use rust_decimal::Decimal;
use tollhouse_core::bill::BillState;
use tollhouse_core::books::{Account, Payee, Posting, sum_is_zero};
use tollhouse_core::charging::bills::{
    CardBill, Move, Nature, Part, Retention, allocate, position, postings, recognised,
};
use tollhouse_core::charging::calendar::days_after;
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::fees::{FeeKind, LateFeeRule, TaxPoint};

use crate::sample::{Books, attributes, card, day, held, item, key, monthly, note, space, span, yuan};

fn rule(rate: &str, grace_days: u16, cap: Option<&str>) -> LateFeeRule {
    let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal");
    LateFeeRule { rate_per_day: decimal(rate), grace_days, cap: cap.map(decimal) }
}

/// Bills of 310.00 for each month from January 2026, due on the 16th.
fn months(many: u32, late_fee: Option<LateFeeRule>, point: TaxPoint) -> Vec<CardBill> {
    let mut fee = item("care", FeeKind::Periodic(monthly()), "310");
    fee.late_fee = late_fee;
    fee.tax.point = point;
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), spaces, vec![fee]);
    books.run_on(chrono::NaiveDate::from_ymd_opt(2026, many, 1).expect("a month"))
}

/// One with a deposit of 200.00 beside it.
fn with_deposit() -> CardBill {
    let mut bill = months(1, Some(rule("0.001", 0, None)), TaxPoint::OnReceipt).remove(0);
    let deposit = bill.lines[0].clone();
    bill.lines.insert(
        0,
        tollhouse_core::charging::bills::CardLine {
            days: None,
            amount: yuan("200"),
            nature: Nature::Deposit,
            ..deposit
        },
    );
    bill
}

#[test]
fn a_late_fee_accrues_by_day_after_the_grace_up_to_its_cap() {
    // Due on 16 January: without grace the first late day is the 17th, which is over on the 18th.
    let cases = [
        (rule("0.0005", 0, None), "2026-01-17", "0.00"),
        (rule("0.0005", 0, None), "2026-01-18", "0.16"),
        (rule("0.0005", 0, None), "2026-01-27", "1.55"),
        (rule("0.0005", 5, None), "2026-01-27", "0.78"),
        (rule("0.01", 0, Some("0.05")), "2026-03-01", "15.50"),
    ];
    for (rule, on, expected) in cases {
        let mut bill = months(1, Some(rule.clone()), TaxPoint::OnReceipt).remove(0);
        bill.accrue(day(on));
        assert_eq!(bill.total().minor() - 31_000, yuan(expected).minor(), "{rule:?} on {on}");
    }
}

#[test]
fn a_late_fee_follows_what_is_owed_of_the_principal_and_bears_none_itself() {
    let mut bill = months(1, Some(rule("0.01", 0, None)), TaxPoint::OnReceipt).remove(0);
    bill.accept(yuan("210"), day("2026-01-19"));
    assert_eq!(bill.due(), yuan("106.20"), "two days at 3.10");
    bill.accrue(day("2026-01-29"));
    assert_eq!(bill.due(), yuan("116.20"), "ten more at 1.00");
    assert_eq!(bill.accept(yuan("500"), day("2026-01-29")), yuan("116.20"));
    assert_eq!((bill.state(), bill.due()), (BillState::Paid, yuan("0")));
}

#[test]
fn money_goes_to_principal_then_deposit_then_late_fee() {
    let mut bill = with_deposit();
    let paid = |bill: &CardBill| {
        let fee = bill.paid().minor() - bill.lines.iter().map(|line| line.paid.minor()).sum::<i64>();
        (bill.lines[1].paid.minor(), bill.lines[0].paid.minor(), fee)
    };
    let steps = [
        ("100", (10_000, 0, 0)),
        ("250", (31_000, 4_000, 0)),
        ("160", (31_000, 20_000, 0)),
        ("9", (31_000, 20_000, 62)),
    ];
    // Two late days at 0.31.
    for (amount, expected) in steps {
        bill.accept(yuan(amount), day("2026-01-19"));
        assert_eq!(paid(&bill), expected, "after {amount}");
    }
    assert_eq!(bill.state(), BillState::Paid);
}

#[test]
fn one_payment_for_several_bills_goes_to_the_oldest() {
    let mut bills = months(3, None, TaxPoint::OnReceipt);
    bills.reverse();
    let paid = allocate(&mut bills, yuan("400"), day("2026-03-10"));
    assert_eq!(paid.to, [(bills[2].id, yuan("310")), (bills[1].id, yuan("90"))]);
    assert!(paid.rest.is_zero());
    let states: Vec<BillState> = bills.iter().map(CardBill::state).collect();
    assert_eq!(states, [BillState::Open, BillState::PartPaid, BillState::Paid]);
    assert_eq!(allocate(&mut bills, yuan("1000"), day("2026-03-10")).rest, yuan("470"));
    assert!(!bills[0].is_overdue(day("2026-04-01")));
}

#[test]
fn a_bill_is_overdue_from_the_day_after_it_was_due() {
    let bill = months(1, None, TaxPoint::OnReceipt).remove(0);
    assert!(!bill.is_overdue(day("2026-01-16")));
    assert!(bill.is_overdue(day("2026-01-17")));
}

#[test]
fn a_withdrawn_bill_is_void_or_refunded_and_frees_what_was_paid() {
    for (paid, state, freed) in
        [("0", BillState::Void, "0"), ("110", BillState::Refunded, "110"), ("310", BillState::Refunded, "310")]
    {
        let mut bill = months(1, None, TaxPoint::OnReceipt).remove(0);
        bill.accept(yuan(paid), day("2026-01-05"));
        let credit = bill.credit(Part::Whole, day("2026-01-06"), Retention::NONE, &key(), note()).expect("something");
        assert_eq!((bill.state(), credit.amount, credit.freed), (state, yuan("310"), yuan(freed)), "{paid}");
        assert!(bill.credit(Part::Whole, day("2026-01-07"), Retention::NONE, &key(), note()).is_none());
        assert!(bill.due().is_zero() && bill.lines[0].live_days().is_empty());
    }
}

#[test]
fn days_given_up_are_refunded_less_what_the_estate_keeps() {
    let mut bill = months(1, None, TaxPoint::OnReceipt).remove(0);
    bill.accept(yuan("310"), day("2026-01-05"));
    let part = Part::Days { line: 0, span: span("2026-01-21", "2026-02-01") };
    let keep = Retention("0.1".parse().expect("a share"));
    let credit = bill.credit(part, day("2026-01-20"), keep, &key(), note()).expect("something");
    assert_eq!((credit.amount, credit.freed), (yuan("110"), yuan("99")));
    assert_eq!((bill.total(), bill.paid()), (yuan("211"), yuan("211")));
    assert_eq!(balances(&position(&bill, day("2026-03-01"))), "cancellation -10.38 revenue -188.68 tax_due -11.94");
}

#[test]
fn what_is_written_off_can_be_recovered_by_payment() {
    let mut bill = months(1, Some(rule("0.001", 0, None)), TaxPoint::OnReceipt).remove(0);
    bill.accept(yuan("100"), day("2026-01-10"));
    bill.write_off(day("2026-06-01"));
    assert_eq!((bill.state(), bill.due()), (BillState::WrittenOff, yuan("0")));
    let frozen = bill.clone();
    bill.accrue(day("2027-01-01"));
    assert_eq!(bill, frozen, "nothing accrues on what is given up");
    assert_eq!(bill.accept(yuan("50"), day("2026-07-01")), yuan("50"));
    let fee = yuan("28.35"); // 135 days at 0.21, up to the write-off and none after
    assert_eq!((bill.state(), bill.due().minor()), (BillState::PartPaid, 16_000 + fee.minor()));
}

fn balances(of: &BTreeMap<Account, i64>) -> String {
    let shown = of.iter().map(|(account, minor)| {
        format!(
            "{account} {}",
            tollhouse_core::money::Money::new(*minor, tollhouse_core::money::Currency::Cny).amount()
        )
    });
    let mut all: Vec<String> = shown.collect();
    all.sort();
    all.join(" ")
}

#[test]
fn each_event_posts_what_the_books_of_payments_say() {
    let clearing = Account::Clearing("wechat".into());
    let show = |postings: &[Posting]| {
        sum_is_zero(postings).expect("a sum of zero");
        let mut all: Vec<String> =
            postings.iter().map(|one| format!("{} {}", one.account, one.amount.amount())).collect();
        all.sort();
        all.join(" ")
    };
    let drawn = months(1, None, TaxPoint::OnReceipt).remove(0);
    let new = [Move { before: None, after: &drawn }];
    let first = day("2026-01-01");
    assert_eq!(show(&postings(&new, first, &clearing)), "deferred -292.45 receivable 310.00 tax_pending -17.55");
    let mut paid = drawn.clone();
    paid.accept(yuan("155"), first);
    let payment = [Move { before: Some(&drawn), after: &paid }];
    let expected = "clearing:wechat 155.00 receivable -155.00 tax_due -8.78 tax_pending 8.78";
    assert_eq!(show(&postings(&payment, first, &clearing)), expected);
    assert_eq!(show(&recognised([&paid], first, day("2026-01-11"))), "deferred 94.34 revenue -94.34");
    let mut lost = paid.clone();
    lost.write_off(day("2026-01-11"));
    let given_up = [Move { before: Some(&paid), after: &lost }];
    assert_eq!(show(&postings(&given_up, day("2026-01-11"), &clearing)), "bad_debt 155.00 receivable -155.00");
    let mut withdrawn = paid.clone();
    withdrawn.credit(Part::Whole, first, Retention::NONE, &key(), note()).expect("something");
    let reversal = [Move { before: Some(&paid), after: &withdrawn }];
    let expected = "deferred 292.45 receivable -155.00 refund_due -155.00 tax_due 8.78 tax_pending 8.77";
    assert_eq!(show(&postings(&reversal, first, &Account::RefundDue)), expected);
}

#[test]
fn a_deposit_is_a_liability_and_can_be_used_for_a_bill() {
    let first = day("2026-01-01");
    let mut held = with_deposit();
    held.lines.remove(1);
    assert_eq!(balances(&position(&held, first)), "deposit_pending -200.00 receivable 200.00");
    held.accept(yuan("200"), first);
    assert_eq!(balances(&position(&held, first)), "deposit -200.00");
    let owed = months(1, None, TaxPoint::OnBill).remove(0);
    let (mut used, mut paid) = (held.clone(), owed.clone());
    assert_eq!(used.return_deposit(yuan("500")), yuan("200"), "no more than is held");
    paid.accept(yuan("200"), first);
    let moves = [Move { before: Some(&held), after: &used }, Move { before: Some(&owed), after: &paid }];
    let posted = postings(&moves, first, &Account::RefundDue);
    let shown: Vec<String> = posted.iter().map(|one| format!("{} {}", one.account, one.amount.amount())).collect();
    assert_eq!(shown, ["receivable -200.00", "deposit 200.00"], "nothing is left to refund");
}

#[test]
fn the_owners_public_income_stands_apart() {
    let mut bill = months(1, None, TaxPoint::OnReceipt).remove(0);
    bill.lines[0].tax.payee = Payee::Owners;
    assert_eq!(
        balances(&position(&bill, day("2026-01-11"))),
        "public_deferred -198.11 public_income -94.34 receivable 310.00 tax_pending -17.55"
    );
}

#[derive(Debug, Clone)]
enum Act {
    Pay(i64),
    Credit(u32, u32),
    Withdraw,
    WriteOff,
    Recover,
    Waive,
    Days(u32),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0i64..40_000).prop_map(Act::Pay),
        2 => (0u32..31, 1u32..31).prop_map(|(from, days)| Act::Credit(from, days)),
        1 => Just(Act::Withdraw),
        1 => Just(Act::WriteOff),
        1 => Just(Act::Recover),
        1 => Just(Act::Waive),
        4 => (1u32..20).prop_map(Act::Days),
    ]
}

struct Ledger(BTreeMap<Account, i64>);

impl Ledger {
    fn post(&mut self, postings: &[Posting]) -> Result<(), TestCaseError> {
        prop_assert_eq!(sum_is_zero(postings), Ok(()));
        for one in postings {
            *self.0.entry(one.account.clone()).or_default() += one.amount.minor();
        }
        Ok(())
    }

    fn of(&self, account: &Account) -> i64 {
        self.0.get(account).copied().unwrap_or(0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever happens to a bill, every entry sums to zero, the books hold what the bill says, deferred revenue never
    /// falls below zero and is zero at the end of the term, and no more is accepted than was due (invariants 1, 6, 13).
    #[test]
    fn the_books_agree_with_the_bill_whatever_happens(
        acts in prop::collection::vec(any_act(), 0..14),
        point in prop::sample::select(vec![TaxPoint::OnBill, TaxPoint::OnReceipt, TaxPoint::OnService]),
        keep in 0i64..=100
    ) {
        let clearing = Account::Clearing("wechat".into());
        let keep = Retention(Decimal::new(keep, 2));
        let mut bill = months(1, Some(rule("0.003", 3, Some("0.1"))), point).remove(0);
        let mut earned: NaiveDate = day("2026-01-01");
        let mut ledger = Ledger(BTreeMap::new());
        ledger.post(&postings(&[Move { before: None, after: &bill }], earned, &clearing))?;
        let (mut taken, mut freed) = (0, 0);
        for act in acts {
            let before = bill.clone();
            let mut other = &clearing;
            match act {
                Act::Pay(amount) => {
                    let mut claimed = bill.clone();
                    claimed.recover(earned);
                    claimed.accrue(earned);
                    let due = claimed.due().minor();
                    let accepted = bill.accept(tollhouse_core::money::Money::new(amount, bill.currency()), earned).minor();
                    prop_assert!(accepted <= due.max(0) && accepted <= amount);
                    taken += accepted;
                }
                Act::Credit(from, days) => {
                    let from = days_after(day("2026-01-01"), from);
                    let span = tollhouse_core::charging::calendar::Span::new(from, days_after(from, days)).expect("days");
                    let credit = bill.credit(Part::Days { line: 0, span }, earned, keep, &key(), note());
                    freed += credit.map_or(0, |credit| credit.freed.minor());
                    other = &Account::RefundDue;
                }
                Act::Withdraw => {
                    let credit = bill.credit(Part::Whole, earned, Retention::NONE, &key(), note());
                    freed += credit.map_or(0, |credit| credit.freed.minor());
                    other = &Account::RefundDue;
                }
                Act::WriteOff => bill.write_off(earned),
                Act::Recover => bill.recover(earned),
                Act::Waive => { bill.waive_late_fee(earned); }
                Act::Days(days) => {
                    let through = days_after(earned, days);
                    ledger.post(&recognised([&bill], earned, through))?;
                    earned = through;
                }
            }
            ledger.post(&postings(&[Move { before: Some(&before), after: &bill }], earned, other))?;
            for (account, minor) in position(&bill, earned) {
                prop_assert_eq!(ledger.of(&account), minor, "{}", account);
            }
            prop_assert!(ledger.of(&Account::Deferred) <= 0, "deferred below zero");
            prop_assert!(ledger.of(&Account::TaxPending) <= 0, "tax pending below zero");
            prop_assert_eq!(ledger.of(&Account::Receivable), bill.due().minor());
            prop_assert!(bill.due().minor() >= 0);
            prop_assert_eq!(ledger.of(&clearing), taken);
            prop_assert_eq!(-ledger.of(&Account::RefundDue), freed);
            prop_assert_eq!(bill.paid().minor(), taken - freed);
        }
        ledger.post(&recognised([&bill], earned, day("2026-12-31").max(earned)))?;
        prop_assert_eq!(ledger.of(&Account::Deferred), 0, "not all is earned at the end of the term");
    }

    /// Late fees looked at every day and looked at once are the same.
    #[test]
    fn a_late_fee_does_not_depend_on_who_looks(days in prop::collection::vec(0u32..20, 0..20)) {
        let mut often = months(1, Some(rule("0.0007", 2, Some("0.05"))), TaxPoint::OnReceipt).remove(0);
        let mut once = often.clone();
        let mut now = day("2026-01-01");
        for later in days {
            now = days_after(now, later);
            often.accrue(now);
        }
        once.accrue(now);
        prop_assert_eq!(often.total(), once.total());
    }
}
