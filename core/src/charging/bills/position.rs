//! What a bill is in the books: its balance on each account follows from the bill alone and how far days are earned.
//!
//! So an event posts the difference of two positions, and the books agree with the bills by construction. What a
//! position lacks to zero is the money that came or went: the other side of the entry.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::bill::CardBill;
use super::line::{CardLine, Nature};
use crate::books::{Account, Payee, Posting, split_tax};
use crate::money::Money;

/// Balances in smallest units, debits positive.
pub type Balances = BTreeMap<Account, i64>;

/// A bill before and after an event.
#[derive(Debug, Clone, Copy)]
pub struct Move<'b> {
    /// As it was; `None`: it is new.
    pub before: Option<&'b CardBill>,
    /// As it is.
    pub after: &'b CardBill,
}

fn add(balances: &mut Balances, account: Account, minor: i64) {
    if minor != 0 {
        *balances.entry(account).or_default() += minor;
    }
}

fn line_position(line: &CardLine, through: NaiveDate, balances: &mut Balances) {
    let (open, lost) = (line.outstanding(), line.written_off.minor());
    add(balances, Account::Receivable, open);
    add(balances, Account::BadDebt, lost);
    match line.nature {
        Nature::Deposit => {
            add(balances, Account::DepositPending, -open - lost);
            add(balances, Account::Deposit, line.returned.minor() - line.paid.minor());
        }
        Nature::Opening => add(balances, Account::Opening, -line.kept()),
        Nature::Service | Nature::AtOnce | Nature::Cancellation => {
            let tax = line.tax_minor();
            let (earned, due) = (line.earned(through), line.tax_due(through));
            let (income, deferred) = match line.tax.payee {
                _ if line.nature == Nature::Cancellation => (Account::Cancellation, Account::Deferred),
                Payee::Firm => (Account::Revenue, Account::Deferred),
                Payee::Owners => (Account::PublicIncome, Account::PublicDeferred),
            };
            add(balances, income, -earned);
            add(balances, deferred, earned - (line.kept() - tax));
            add(balances, Account::TaxDue, -due);
            add(balances, Account::TaxPending, due - tax);
        }
    }
}

/// What a bill is in the books when the days before `through` are earned.
pub fn position(bill: &CardBill, through: NaiveDate) -> Balances {
    let mut balances = Balances::new();
    for line in &bill.lines {
        line_position(line, through, &mut balances);
    }
    let late = bill.late.charged();
    let tax = split_tax(bill.money(late), bill.lines[0].tax.rate).minor();
    add(&mut balances, Account::Receivable, bill.late.outstanding());
    add(&mut balances, Account::BadDebt, bill.late.written_off.minor());
    add(&mut balances, Account::LateFees, tax - late);
    add(&mut balances, Account::TaxDue, -tax);
    balances
}

/// What an event posts: the difference of the positions of the bills that it moved, and on `other` what came or went.
pub fn postings(moves: &[Move<'_>], through: NaiveDate, other: &Account) -> Vec<Posting> {
    let mut sums = Balances::new();
    let Some(first) = moves.first() else { return vec![] };
    for one in moves {
        for (account, minor) in position(one.after, through) {
            add(&mut sums, account, minor);
        }
        for (account, minor) in one.before.map(|before| position(before, through)).unwrap_or_default() {
            add(&mut sums, account, -minor);
        }
    }
    let rest: i64 = sums.values().sum();
    add(&mut sums, other.clone(), -rest);
    as_postings(sums, first.after)
}

/// What the days from `earned` up to the day before `through` earn, over all bills: one entry for the whole estate.
pub fn recognised<'b>(
    bills: impl IntoIterator<Item = &'b CardBill>,
    earned: NaiveDate,
    through: NaiveDate,
) -> Vec<Posting> {
    let mut sums = Balances::new();
    let mut like = None;
    for bill in bills {
        let touched = bill.lines.iter().any(|line| {
            line.nature == Nature::Service
                && line.days.is_some_and(|days| days.span.until > earned && days.span.from < through)
        });
        if !touched {
            continue;
        }
        like = Some(bill);
        for (date, sign) in [(through, 1), (earned, -1)] {
            for (account, minor) in position(bill, date) {
                add(&mut sums, account, sign * minor);
            }
        }
    }
    like.map(|bill| as_postings(sums, bill)).unwrap_or_default()
}

fn as_postings(sums: Balances, like: &CardBill) -> Vec<Posting> {
    let amounts = sums.into_iter().filter(|(_, minor)| *minor != 0);
    amounts.map(|(account, minor)| Posting { account, amount: Money::new(minor, like.currency()) }).collect()
}
