//! Stored value (储值) of a card: topped up with cash, spent for bills, given back in cash. A liability until it is spent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::take::{due_on_card, ready, settle, settle_card};
use super::{CashFor, CashReceipt, CashRefusal, CashTerms, Shift, Way, check_amount, checked_reason};
use crate::books::{Account, Posting};
use crate::charging::bills::payable_bills;
use crate::charging::label::CardNumber;
use crate::id::BillId;
use crate::money::{Currency, Money};
use crate::record::{Cause, Change, ChangeKind, Kept, Record, Records, Table};

/// What a card holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValue {
    /// Which card.
    pub card: CardNumber,
    /// How much it holds; never below zero.
    pub balance: Money,
    /// How many moves it has seen.
    pub moves: u32,
}

impl Record for StoredValue {
    const TABLE: Table = Table::StoredValues;
    fn key(&self) -> String {
        self.card.to_string()
    }
}

/// What became of stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum StoredMoved {
    /// Topped up with cash, by the receipt.
    ToppedUp {
        /// Shift and number.
        receipt: String,
    },
    /// Spent for a bill.
    Spent {
        /// Which.
        bill: BillId,
    },
    /// Given back in cash, by the receipt.
    GivenBack {
        /// Shift and number.
        receipt: String,
    },
}

/// One move of a card's stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMove {
    /// Which card.
    pub card: CardNumber,
    /// 1 for the first of the card.
    pub number: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// By how much the balance rose (or fell, below zero).
    pub amount: Money,
    /// The balance after it.
    pub balance: Money,
    /// What it was.
    #[serde(flatten)]
    pub moved: StoredMoved,
}

impl Record for StoredMove {
    const TABLE: Table = Table::StoredMoves;
    fn key(&self) -> String {
        format!("{}/{:08}", self.card, self.number)
    }
}

/// The card's stored value, relied on.
fn held(
    change: &mut Change,
    card: &CardNumber,
    currency: Currency,
    records: &impl Records,
) -> Result<StoredValue, CashRefusal> {
    let kept: Option<Kept<StoredValue>> = records.get(card.as_str())?;
    change.rely_on(card.as_str(), kept.as_ref());
    let empty = || StoredValue { card: card.clone(), balance: Money::zero(currency), moves: 0 };
    Ok(kept.map_or_else(empty, |kept| kept.record))
}

/// Writes the move; the balance never goes below zero.
fn moved(
    change: &mut Change,
    mut value: StoredValue,
    amount: Money,
    moved: StoredMoved,
) -> Result<StoredMove, CashRefusal> {
    let balance = value.balance.plus(amount)?;
    if balance.minor() < 0 {
        return Err(CashRefusal::NotThere { there: value.balance, wanted: amount.negated() });
    }
    value.balance = balance;
    value.moves = value.moves.saturating_add(1);
    let line = StoredMove { card: value.card.clone(), number: value.moves, at: change.at, amount, balance, moved };
    change.put(&value);
    change.put(&line);
    Ok(line)
}

/// A change of the attendant's drawer about a card's stored value.
fn over_the_counter(
    attendant: &str,
    card: &CardNumber,
    (way, amount): (Way, Money),
    reason: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, CashReceipt, StoredMove), CashRefusal> {
    let kept = Shift::of(attendant, records)?;
    let currency = kept.record.float.currency();
    check_amount(amount, currency, 1)?;
    let reason = checked_reason(reason)?;
    let cause = Cause::Person { name: attendant.to_owned(), reason: reason.clone() };
    let mut change = Change::new(ChangeKind::StoredMoved, now, cause);
    change.rely_on(&kept.record.id.to_string(), Some(&kept));
    let mut shift = kept.record;
    let value = held(&mut change, card, currency, records)?;
    let receipt = shift.receipt(now, way, amount, CashFor::Stored { card: card.clone() });
    let receipt = shift.book(&mut change, CashReceipt { reason: Some(reason), ..receipt })?;
    let (rise, what) = match way {
        Way::In => (amount, StoredMoved::ToppedUp { receipt: receipt.key() }),
        Way::Out => (amount.negated(), StoredMoved::GivenBack { receipt: receipt.key() }),
    };
    let line = moved(&mut change, value, rise, what)?;
    change.postings.extend([Posting::debit(shift.account(), rise), Posting::credit(Account::Stored, rise)]);
    Ok((change, receipt, line))
}

/// Tops a card up with cash.
pub fn top_up(
    attendant: &str,
    card: &CardNumber,
    amount: Money,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, CashReceipt, StoredMove), CashRefusal> {
    over_the_counter(attendant, card, (Way::In, amount), "top-up", now, records)
}

/// Gives stored value back in cash.
pub fn give_back(
    attendant: &str,
    card: &CardNumber,
    amount: Money,
    reason: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, CashReceipt, StoredMove), CashRefusal> {
    over_the_counter(attendant, card, (Way::Out, amount), reason, now, records)
}

/// Pays a stay's bill or bills of a card from stored value: all that is due, or nothing.
pub fn spend(
    card: &CardNumber,
    bill: BillId,
    by: Cause,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, StoredMove), CashRefusal> {
    let mut change = Change::new(ChangeKind::StoredMoved, terms.now, by);
    if let Some(bills) = payable_bills(bill, records)? {
        let due = due_on_card(&bills, terms)?;
        let value = held(&mut change, card, due.currency(), records)?;
        let line = moved(&mut change, value, due.negated(), StoredMoved::Spent { bill })?;
        settle_card(&mut change, bills, due, &Account::Stored, terms, records)?;
        return Ok((change, line));
    }
    let (before, as_of_now) = ready(&mut change, bill, terms, records)?;
    let due = as_of_now.due();
    let value = held(&mut change, card, due.currency(), records)?;
    let line = moved(&mut change, value, due.negated(), StoredMoved::Spent { bill })?;
    settle(&mut change, &before, as_of_now, due, terms, records)?;
    change.postings.push(Posting::debit(Account::Stored, due));
    Ok((change, line))
}
