//! What an accountant posts by hand: payouts of providers, money that was in suspense, and reversals. Everything else is
//! posted by what caused it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Account, Posting, balance_key};
use crate::id::{IdKey, VoucherId};
use crate::money::{Currency, Money, MoneyError};
use crate::record::{Balance, Cause, Change, ChangeKind, ReadError, Record, Records, Revision, Table};

/// A provider has paid out to the bank: bank / clearing.
pub fn paid_out(provider: &str, amount: Money) -> Vec<Posting> {
    vec![Posting::debit(Account::Bank, amount), Posting::credit(Account::Clearing(provider.to_owned()), amount)]
}

/// The cash of the safe was carried to the bank: bank / safe.
pub fn banked(amount: Money) -> Vec<Posting> {
    vec![Posting::debit(Account::Bank, amount), Posting::credit(Account::Safe, amount)]
}

/// Money in suspense turns out to be somebody's, and goes back to them: suspense / refund due.
pub fn out_of_suspense(amount: Money) -> Vec<Posting> {
    vec![Posting::debit(Account::Suspense, amount), Posting::credit(Account::RefundDue, amount)]
}

/// The exact reversal of an entry.
pub fn reversed(postings: &[Posting]) -> Vec<Posting> {
    let turned = |posting: &Posting| Posting { account: posting.account.clone(), amount: posting.amount.negated() };
    postings.iter().map(turned).collect()
}

/// What a person posts by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum HandPosting {
    /// A provider has paid out to the bank.
    Payout {
        /// Which.
        provider: String,
    },
    /// Cash was carried from the safe to the bank.
    Banked,
    /// Money leaves suspense: it is owed back to its payer.
    OutOfSuspense,
    /// An entry that was posted by hand is taken back.
    Reversal {
        /// Its position in the journal.
        of: Revision,
    },
}

/// A posting by hand, on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// Its number: of a reversal it follows from what is reversed, so that nothing is reversed twice.
    pub number: String,
    /// What was posted.
    #[serde(flatten)]
    pub what: HandPosting,
    /// How much.
    pub amount: Money,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Record for Voucher {
    const TABLE: Table = Table::Vouchers;
    fn key(&self) -> String {
        self.number.clone()
    }
}

/// Why nothing is posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoucherRefusal {
    /// Nothing, or less.
    #[error("the amount has to be more than nothing")]
    Amount,
    /// More than there is.
    #[error("only {there} is on {account}")]
    NotThere {
        /// What there is.
        there: Money,
        /// Where.
        account: Account,
    },
    /// It was reversed before.
    #[error("entry {0} was reversed before")]
    ReversedBefore(Revision),
    /// It follows from a record, or is no entry that posts.
    #[error(
        "entry {0} was not posted by hand: correct the bill, shift or payment that it follows from, which posts the reversal"
    )]
    NotByHand(Revision),
    /// A reason is needed.
    #[error("say why, in 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 200;

/// What stands on an account now, debits positive.
pub fn balance_of(account: &Account, currency: Currency, records: &impl Records) -> Result<Money, ReadError> {
    let key = balance_key(account, currency);
    let Some(stored) = records.stored(Table::Balances, &key)? else { return Ok(Money::zero(currency)) };
    let read = serde_json::from_str::<Balance>(&stored.json);
    read.map(|balance| balance.sum).map_err(|fault| ReadError::Damaged {
        table: Table::Balances,
        key,
        detail: fault.to_string(),
    })
}

/// Posts by hand. `entry` is what a reversal takes back, as the journal has it.
pub fn post_by_hand(
    what: HandPosting,
    amount: Money,
    entry: Option<(ChangeKind, &[Posting])>,
    (by, reason): (&str, &str),
    (now, key): (DateTime<Utc>, &IdKey),
    records: &impl Records,
) -> Result<(Change, Voucher), VoucherRefusal> {
    let reason = reason.trim();
    if !(1..=MAX_REASON_CHARS).contains(&reason.chars().count()) {
        return Err(VoucherRefusal::Reason);
    }
    let taken_from = |account: Account, sign: i64| -> Result<(), VoucherRefusal> {
        let there = balance_of(&account, amount.currency(), records)?;
        let there = Money::new(there.minor() * sign, there.currency());
        if amount.minus(there)?.is_positive() { Err(VoucherRefusal::NotThere { there, account }) } else { Ok(()) }
    };
    if !amount.is_positive() && !matches!(what, HandPosting::Reversal { .. }) {
        return Err(VoucherRefusal::Amount);
    }
    let mut number = VoucherId::derive(key, &[by, reason, &now.timestamp_micros().to_string()]).to_string();
    let postings = match &what {
        HandPosting::Payout { provider } => {
            taken_from(Account::Clearing(provider.clone()), 1)?;
            paid_out(provider, amount)
        }
        HandPosting::Banked => {
            taken_from(Account::Safe, 1)?;
            banked(amount)
        }
        HandPosting::OutOfSuspense => {
            taken_from(Account::Suspense, -1)?;
            out_of_suspense(amount)
        }
        HandPosting::Reversal { of } => {
            let by_hand = entry.filter(|(kind, postings)| *kind == ChangeKind::BooksPosted && !postings.is_empty());
            let (_, postings) = by_hand.ok_or(VoucherRefusal::NotByHand(*of))?;
            number = VoucherId::derive(key, &["reversal", &of.to_string()]).to_string();
            if records.get::<Voucher>(&number)?.is_some() {
                return Err(VoucherRefusal::ReversedBefore(*of));
            }
            reversed(postings)
        }
    };
    let total = postings.iter().filter(|posting| posting.amount.is_positive()).map(|posting| posting.amount);
    let amount = total.into_iter().try_fold(Money::zero(amount.currency()), Money::plus)?;
    let cause = Cause::Person { name: by.to_owned(), reason: reason.to_owned() };
    let mut change = Change::new(ChangeKind::BooksPosted, now, cause);
    change.rely_on::<Voucher>(&number, None);
    change.postings = postings;
    let (by, reason) = (by.to_owned(), reason.to_owned());
    let voucher = Voucher { number, what, amount, by, reason, at: now };
    change.put(&voucher);
    Ok((change, voucher))
}
