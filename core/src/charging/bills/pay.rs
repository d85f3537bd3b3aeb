//! Money for card bills, wherever it comes from: a provider, cash, stored value, a holder's credit.
//!
//! Owns what an id on a pay page stands for, what is due on it, and how money is given to bills. It must not know how the
//! money came: the caller names the account that it came to, and writes its own records into the same change.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::bill::{CardBill, Standing};
use super::book::{BillBooks, Moved, credit_counter};
use crate::books::{Account, Posting};
use crate::charging::cards::wake_paid;
use crate::charging::label::CardNumber;
use crate::id::{BillId, IdKey};
use crate::money::Money;
use crate::record::{Change, Counter, Kept, ReadError, Record, Records, Table};

/// The most bills that one id stands for.
pub const MOST_BILLS: usize = 400;

/// What an unguessable id on a pay page stands for: one card bill, or several to be paid at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payable {
    /// The bill's own id, or one of all of them together.
    pub id: BillId,
    /// Which bills.
    pub bills: Vec<PayableBill>,
}

/// Where a card bill is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PayableBill {
    /// Of which card.
    pub card: CardNumber,
    /// Which.
    pub bill: BillId,
}

impl PayableBill {
    /// Of a bill.
    pub fn of(bill: &CardBill) -> Self {
        Self { card: bill.heading.card.clone(), bill: bill.id }
    }

    fn key(&self) -> String {
        format!("{}/{}", self.card, self.bill)
    }
}

impl Record for Payable {
    const TABLE: Table = Table::Payables;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Payable {
    /// Of one bill.
    pub fn of(bill: &CardBill) -> Self {
        Self { id: bill.id, bills: vec![PayableBill::of(bill)] }
    }

    /// Of several bills: the same bills give the same id. Put it into the change that offers them.
    pub fn together(bills: &[&CardBill], key: &IdKey) -> Self {
        let mut bills: Vec<PayableBill> = bills.iter().take(MOST_BILLS).map(|bill| PayableBill::of(bill)).collect();
        bills.sort();
        if let [one] = &bills[..] {
            return Self { id: one.bill, bills };
        }
        let parts: Vec<String> = bills.iter().map(PayableBill::key).collect();
        let parts: Vec<&str> = std::iter::once("together").chain(parts.iter().map(String::as_str)).collect();
        Self { id: BillId::derive(key, &parts), bills }
    }
}

/// The bills that an id stands for, as they are kept; `None`: it is no id of card bills. A temporary bill is none.
pub fn payable_bills(id: BillId, records: &impl Records) -> Result<Option<Vec<Kept<CardBill>>>, ReadError> {
    let Some(payable) = records.get::<Payable>(&id.to_string())? else { return Ok(None) };
    let bills = payable.record.bills.iter().map(|one| records.get::<CardBill>(&one.key()));
    Ok(Some(bills.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()))
}

/// All bills of a card, as they are kept.
pub fn bills_of(card: &CardNumber, records: &impl Records) -> Result<Vec<Kept<CardBill>>, ReadError> {
    const PAGE: usize = 256;
    let (mut all, prefix) = (Vec::new(), format!("{card}/"));
    let mut from = prefix.clone();
    loop {
        let page = records.list::<CardBill>(&from, PAGE)?;
        let whole = page.len();
        if let Some(last) = page.last() {
            from = format!("{}\u{0}", last.record.key());
        }
        let ours: Vec<_> = page.into_iter().take_while(|kept| kept.record.heading.card == *card).collect();
        let ended = ours.len() < whole || whole < PAGE;
        all.extend(ours);
        if ended {
            return Ok(all);
        }
    }
}

/// What is due on bills on a day, with the late fees up to then: for a pay page, and for the amount of an order.
pub fn due_on(bills: &[Kept<CardBill>], on: NaiveDate) -> Option<Money> {
    let first = bills.first()?;
    let due = bills.iter().map(|kept| {
        let mut bill = kept.record.clone();
        bill.accrue(on);
        if bill.standing == Standing::WrittenOff { recovered(&bill, on).due().minor() } else { bill.due().minor() }
    });
    Some(Money::new(due.sum(), first.record.currency()))
}

fn recovered(bill: &CardBill, on: NaiveDate) -> CardBill {
    let mut bill = bill.clone();
    bill.recover(on);
    bill
}

/// Money that came for card bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How much.
    pub amount: Money,
    /// The lot's date on which it counts as paid.
    pub on: NaiveDate,
    /// The account that it came to and that is debited: clearing of a provider, the cash of a shift, stored value.
    pub from: Account,
    /// Where goes what no bill takes: [`Account::Credit`] (the holder's, usable for later bills) or
    /// [`Account::RefundDue`] (then the caller writes the refund).
    pub excess: Account,
}

/// What became of the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidBills {
    /// Accepted by each bill that took something, the oldest first.
    pub to: Vec<(BillId, Money)>,
    /// Their sum.
    pub accepted: Money,
    /// What no bill took; it stands on [`Receipt::excess`].
    pub rest: Money,
    /// The bills as they are then, all of them.
    pub bills: Vec<CardBill>,
}

/// Why money cannot be given to bills.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayFault {
    /// There are no bills to pay.
    #[error("there is no bill to pay")]
    NoBills,
    /// A negative amount, or nothing.
    #[error("an amount to pay is more than nothing")]
    Amount,
    /// Another currency than the bills'.
    #[error("the bills are in another currency than the money")]
    Currency,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Gives money to bills, to the one that fell due first first, within a bill to principal, then deposit, then late fee:
/// adds to `change` the bills, what follows from them and all postings. No bill takes more than it owes; what is too much
/// goes where the receipt says. A bill that was written off is claimed again by being named here.
///
/// The bills come from [`payable_bills`] or [`bills_of`], out of the same `records`; refused as stale, read and pay again.
pub fn pay(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    receipt: &Receipt,
    records: &impl Records,
) -> Result<PaidBills, PayFault> {
    let currency = receipt.amount.currency();
    let mut bills: Vec<Kept<CardBill>> =
        bills.into_iter().filter(|kept| kept.record.standing != Standing::Void).collect();
    let Some(first) = bills.first() else { return Err(PayFault::NoBills) };
    let payer = first.record.heading.payer.clone();
    if bills.iter().any(|kept| kept.record.currency() != currency) {
        return Err(PayFault::Currency);
    }
    if !receipt.amount.is_positive() {
        return Err(PayFault::Amount);
    }
    let books = BillBooks::open(records, receipt.on)?;
    bills.sort_by_key(|kept| (kept.record.due_on, kept.record.issued_on, kept.record.id));
    let mut left = receipt.amount;
    let mut paid =
        PaidBills { to: vec![], accepted: Money::zero(currency), rest: Money::zero(currency), bills: vec![] };
    let mut moves = Vec::new();
    for kept in bills {
        if !left.is_positive() {
            paid.bills.push(kept.record);
            continue;
        }
        let id = kept.record.id;
        let mut accepted = Money::zero(currency);
        let one = Moved::from(kept, |bill| accepted = bill.accept(left, receipt.on));
        left = Money::new(left.minor() - accepted.minor(), currency);
        paid.bills.push(one.after.clone());
        if accepted.is_positive() {
            paid.to.push((id, accepted));
            moves.push(one);
        }
    }
    paid.rest = left;
    paid.accepted = Money::new(receipt.amount.minor() - left.minor(), currency);
    books.write(change, moves, &receipt.from);
    wake_paid(change, &paid.bills, receipt.on, records)?;
    if left.is_positive() && receipt.from != receipt.excess {
        change.postings.push(Posting::debit(receipt.from.clone(), left));
        change.postings.push(Posting::credit(receipt.excess.clone(), left));
        if receipt.excess == Account::Credit {
            change.count(&credit_counter(&payer), left.minor(), None);
        }
    }
    Ok(paid)
}

/// Uses what a holder has to their credit for bills, as far as both go. `None`: there is none, or nothing is due.
pub fn pay_by_credit(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    on: NaiveDate,
    records: &impl Records,
) -> Result<Option<PaidBills>, PayFault> {
    let Some(first) = bills.first() else { return Ok(None) };
    let (payer, currency) = (first.record.heading.payer.clone(), first.record.currency());
    let counter = credit_counter(&payer);
    let kept = records.get::<Counter>(&counter)?;
    let has = kept.as_ref().map_or(0, |kept| kept.record.value);
    let ours: Vec<Kept<CardBill>> = bills.into_iter().filter(|kept| kept.record.heading.payer == payer).collect();
    let due = due_on(&ours, on).map_or(0, Money::minor);
    if has.min(due) <= 0 {
        return Ok(None);
    }
    change.rely_on(&counter, kept.as_ref());
    let amount = Money::new(has.min(due), currency);
    let receipt = Receipt { amount, on, from: Account::Credit, excess: Account::Credit };
    pay(change, ours, &receipt, records).map(Some)
}
