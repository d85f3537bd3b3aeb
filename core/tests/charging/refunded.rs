//! A package that is given up before its term ends: whatever the day, the price and the tax, nothing stays deferred, to the fen.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tollhouse_core::books::{Account, Posting, sum_is_zero};
use tollhouse_core::charging::bills::{
    CardBill, Move, Retention, Terms, compare, position, postings, recognised, repair,
};
use tollhouse_core::charging::calendar::days_after;
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::fees::{FeeKind, FeeList, PricePer, Selector, TaxPoint};
use tollhouse_core::charging::label::{Charge, PackageId, SpaceNumber};
use tollhouse_core::charging::packages::{Length, Package, PriceRule, SoldPlace, offer};
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::Currency;
use tollhouse_core::words::Words;

use crate::sample::{attributes, card, class, day, held, item, key, note, number, space};

fn package(price: &str, point: TaxPoint) -> Package {
    let mut tax = item("x", FeeKind::Deposit, "1").tax;
    tax.point = point;
    Package {
        id: PackageId::new("quarter").expect("an id"),
        name: Words::new("季卡", "three months"),
        length: Length::Months(3),
        classes: vec![Selector::default()],
        vehicles: vec![],
        bundles: vec![Charge::new("rent").expect("a charge")],
        rule: PriceRule::Fixed(price.parse().expect("a price")),
        on_sale_from: day("2025-01-01"),
        on_sale_until: None,
        tax,
        late_fee: None,
        due_days: 7,
    }
}

#[derive(Default)]
struct Ledger(BTreeMap<Account, i64>);

impl Ledger {
    fn post(&mut self, postings: &[Posting]) {
        sum_is_zero(postings).expect("a sum of zero");
        for posting in postings {
            *self.0.entry(posting.account.clone()).or_default() += posting.amount.minor();
        }
    }

    fn of(&self, account: &Account) -> i64 {
        self.0.get(account).copied().unwrap_or_default()
    }
}

/// The package is sold and paid for, earned day by day, and given up on the day with this number.
fn given_up_on(days: u32, price: &str, point: TaxPoint, kept: Retention) -> (Ledger, CardBill) {
    let began = day("2026-01-31");
    let rent = item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "300");
    let fees = FeeList::new(vec![rent]).expect("no fault");
    let sold = SoldPlace {
        place: Place::Space(number("1")),
        class: class(Tenure::Rented),
        size: "12.50".parse().expect("a size"),
        capacity: 1,
    };
    let offered = offer(&package(price, point), &[sold], began, began, &fees, Currency::Cny).expect("an offer");
    let clearing = Account::Clearing("wechat".into());
    let (holder, mut bill) =
        card(vec![held("1", "2026-01-31", None)]).sell(&offered, began, &key(), &note()).expect("sold");
    let mut ledger = Ledger::default();
    ledger.post(&postings(&[Move { before: None, after: &bill }], began, &clearing));
    let before = bill.clone();
    assert_eq!(bill.accept(before.due(), began), before.total());
    ledger.post(&postings(&[Move { before: Some(&before), after: &bill }], began, &clearing));
    let on = days_after(began, days);
    for passed in 0..days {
        let (from, through) = (days_after(began, passed), days_after(began, passed + 1));
        ledger.post(&recognised([&bill], from, through));
    }
    let (closed, _) = holder.apply(&holder.closing(on), &note()).expect("closed");
    let mut closed = closed.give_up(1, on).expect("a term");
    let spaces = [space("1", attributes(Tenure::Rented))];
    let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
    let surplus = compare(&closed, &estate, &fees, on).expect("spaces are there").surplus;
    let terms = Terms { on, retention: kept, currency: Currency::Cny, key: &key(), note: note() };
    let before = bill.clone();
    let mut bills = [bill];
    let repaired = repair(&mut closed, &mut bills, &surplus, &terms);
    let [bill] = bills;
    ledger.post(&postings(&[Move { before: Some(&before), after: &bill }], on, &Account::RefundDue));
    assert_eq!(-ledger.of(&Account::RefundDue), repaired.freed.minor(), "what is freed is owed back");
    (ledger, bill)
}

#[test]
fn a_package_refunded_in_mid_term_leaves_deferred_at_zero_to_the_fen() {
    for price in ["1000.01", "750", "0.07", "333.33"] {
        for point in [TaxPoint::OnReceipt, TaxPoint::OnBill, TaxPoint::OnService] {
            for kept in [Retention::NONE, Retention(Decimal::new(2, 1))] {
                for days in [0, 1, 2, 30, 44, 87, 88] {
                    let (mut ledger, bill) = given_up_on(days, price, point, kept);
                    let what = format!("{price} given up after {days} days, {point:?}, keeping {}", kept.0);
                    for account in [Account::Deferred, Account::TaxPending, Account::Receivable] {
                        assert_eq!(ledger.of(&account), 0, "{account}: {what}");
                    }
                    // The days that would have been its own earn nothing more.
                    let on = days_after(day("2026-01-31"), days);
                    ledger.post(&recognised([&bill], on, day("2026-12-31")));
                    assert_eq!(ledger.of(&Account::Deferred), 0, "at the end of the term: {what}");
                    for (account, minor) in position(&bill, day("2026-12-31")) {
                        assert_eq!(ledger.of(&account), minor, "{account}: {what}");
                    }
                }
            }
        }
    }
}
