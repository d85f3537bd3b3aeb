//! Deposits (押金) that are held: given back, used for what is owed, or forfeited.
//!
//! Owns what each of these does to the bills and the books. It must not know how money goes back to a payer.

use chrono::NaiveDate;

use super::bill::{CardBill, Standing};
use super::book::{BillBooks, Moved};
use super::line::Nature;
use super::pay::{PaidBills, PayFault};
use crate::books::{Account, Posting, split_tax};
use crate::money::Money;
use crate::record::{Change, Kept, Records};

/// The deposits of these bills that are held, in smallest units.
pub fn deposit_held<'b>(bills: impl IntoIterator<Item = &'b CardBill>) -> i64 {
    let lines = bills.into_iter().flat_map(|bill| &bill.lines).filter(|line| line.nature == Nature::Deposit);
    lines.map(|line| line.paid.minor() - line.returned.minor()).sum()
}

/// Takes deposits out of the bills that hold them, the oldest first. What could not be taken is left.
fn take_out(moves: &mut [Moved], amount: Money) -> Money {
    let mut left = amount;
    for one in moves {
        let taken = one.after.return_deposit(left);
        left = Money::new(left.minor() - taken.minor(), left.currency());
    }
    left
}

fn moves_of(mut bills: Vec<Kept<CardBill>>) -> Vec<Moved> {
    bills.sort_by_key(|kept| (kept.record.due_on, kept.record.issued_on, kept.record.id));
    bills.into_iter().map(|kept| Moved::from(kept, |_| ())).collect()
}

fn changed(moves: Vec<Moved>) -> Vec<Moved> {
    moves.into_iter().filter(|one| one.before.as_ref().is_none_or(|before| before.record != one.after)).collect()
}

/// Gives deposits back, to [`Account::Credit`] or [`Account::RefundDue`]; says how much that was.
pub fn return_deposit(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    amount: Money,
    on: NaiveDate,
    to: &Account,
    records: &impl Records,
) -> Result<Money, PayFault> {
    let books = BillBooks::open(records, on)?;
    let mut moves = moves_of(bills);
    let left = take_out(&mut moves, amount);
    books.write(change, changed(moves), to);
    Ok(Money::new(amount.minor() - left.minor(), amount.currency()))
}

/// Keeps deposits: they are income, with tax as of the letting that they were for. Says how much that was.
pub fn forfeit_deposit(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    amount: Money,
    on: NaiveDate,
    records: &impl Records,
) -> Result<Money, PayFault> {
    let lines = bills.iter().flat_map(|kept| &kept.record.lines);
    let rate = lines.filter(|line| line.nature != Nature::Deposit).map(|line| line.tax.rate).next().unwrap_or_default();
    let kept = return_deposit(change, bills, amount, on, &Account::Revenue, records)?;
    let tax = split_tax(kept, rate);
    if !tax.is_zero() {
        change.postings.push(Posting::debit(Account::Revenue, tax));
        change.postings.push(Posting::credit(Account::TaxDue, tax));
    }
    Ok(kept)
}

/// Uses deposits for what is due on the same bills, the oldest first.
pub fn apply_deposit(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    amount: Money,
    on: NaiveDate,
    records: &impl Records,
) -> Result<PaidBills, PayFault> {
    let currency = amount.currency();
    let books = BillBooks::open(records, on)?;
    let mut moves = moves_of(bills);
    let held = deposit_held(moves.iter().map(|one| &one.after));
    let mut left = Money::new(amount.minor().min(held), currency);
    let (mut to, mut used) = (Vec::new(), 0);
    for one in moves.iter_mut().filter(|one| one.after.standing == Standing::Issued) {
        let accepted = one.after.accept(left, on);
        if accepted.is_positive() {
            left = Money::new(left.minor() - accepted.minor(), currency);
            used += accepted.minor();
            to.push((one.after.id, accepted));
        }
    }
    // Taken out last: a deposit that is used is one that was paid before.
    take_out(&mut moves, Money::new(used, currency));
    let bills = moves.iter().map(|one| one.after.clone()).collect();
    books.write(change, changed(moves), &Account::Suspense);
    Ok(PaidBills { to, accepted: Money::new(used, currency), rest: left, bills })
}
