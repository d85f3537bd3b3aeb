//! Double-entry books: accounts, postings, and what each event posts (payments.md, 'Books').
//!
//! A posting's amount is positive for a debit and negative for a credit, so a balanced set sums to zero per currency.

mod account;
mod act;
mod day;
mod post;

pub use account::{Account, AccountKind, Payee};
pub use act::{
    HandPosting, Voucher, VoucherRefusal, balance_of, banked, out_of_suspense, paid_out, post_by_hand, reversed,
};
pub use day::{AccountDay, BookDay, ClosedDays, Tally};
pub use post::{captured, grown, never_settled, refunded, split_tax};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};

/// One line of a journal entry in the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// On which account.
    pub account: Account,
    /// Positive: debit. Negative: credit.
    pub amount: Money,
}

impl Posting {
    /// A debit of `amount`.
    pub fn debit(account: Account, amount: Money) -> Self {
        Self { account, amount }
    }

    /// A credit of `amount`.
    pub fn credit(account: Account, amount: Money) -> Self {
        Self { account, amount: amount.negated() }
    }
}

/// Why postings are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// Debits and credits differ.
    #[error("debits and credits differ by {0}")]
    Lopsided(Money),
    /// Amounts that cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Whether the postings sum to zero in every currency.
pub fn sum_is_zero(postings: &[Posting]) -> Result<(), BooksError> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for posting in postings {
        let currency = posting.amount.currency();
        let sum = sums.entry(currency).or_insert(Money::zero(currency));
        *sum = sum.plus(posting.amount)?;
    }
    match sums.into_values().find(|sum| !sum.is_zero()) {
        Some(sum) => Err(BooksError::Lopsided(sum)),
        None => Ok(()),
    }
}

/// The key of an account's balance in one currency.
pub fn balance_key(account: &Account, currency: Currency) -> String {
    format!("{account}/{currency}")
}
