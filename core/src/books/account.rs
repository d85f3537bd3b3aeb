//! The accounts of payments.md, 'Books'.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An account. Written as `name` or `name:detail`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// 应收: what is owed to us.
    Receivable,
    /// Income of temporary parking and one-off charges, net of tax.
    Revenue,
    /// Tax that is due.
    TaxDue,
    /// Money at a provider, not yet paid out, by provider.
    Clearing(String),
    /// Money that goes back to a payer.
    RefundDue,
    /// Money that nobody can assign yet.
    Suspense,
    /// Income that is the owners' (公共收益), net of tax.
    PublicIncome,
    /// Billed or paid, and not yet earned, net of tax.
    Deferred,
    /// The same, of the owners' public income.
    PublicDeferred,
    /// Tax of what is billed, not due yet.
    TaxPending,
    /// Deposits billed and not yet received.
    DepositPending,
    /// 押金: deposits held, a liability.
    Deposit,
    /// 违约金, net of tax.
    LateFees,
    /// What is kept of a part that a holder gave up, net of tax.
    Cancellation,
    /// Written off.
    BadDebt,
    /// What a holder has to their credit.
    Credit,
    /// What was moved in from another system.
    Opening,
}

impl Account {
    /// The accounts without a detail, with the names that they are written as.
    const PLAIN: [(Account, &'static str); 16] = [
        (Account::Receivable, "receivable"),
        (Account::Revenue, "revenue"),
        (Account::TaxDue, "tax_due"),
        (Account::RefundDue, "refund_due"),
        (Account::Suspense, "suspense"),
        (Account::PublicIncome, "public_income"),
        (Account::Deferred, "deferred"),
        (Account::PublicDeferred, "public_deferred"),
        (Account::TaxPending, "tax_pending"),
        (Account::DepositPending, "deposit_pending"),
        (Account::Deposit, "deposit"),
        (Account::LateFees, "late_fees"),
        (Account::Cancellation, "cancellation"),
        (Account::BadDebt, "bad_debt"),
        (Account::Credit, "credit"),
        (Account::Opening, "opening"),
    ];
}

/// Whose money it is; each payee has merchant accounts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payee {
    /// The firm's.
    Firm,
    /// 公共收益: the owners' public income.
    Owners,
}

/// A text that names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no account")]
pub struct UnknownAccount(String);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Clearing(provider) = self {
            return write!(f, "clearing:{provider}");
        }
        let plain = Self::PLAIN.iter().find(|(account, _)| account == self);
        f.write_str(plain.expect("every account without a detail is listed").1)
    }
}

impl FromStr for Account {
    type Err = UnknownAccount;
    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        let unknown = || UnknownAccount(text.to_owned());
        if let Some(("clearing", provider)) = text.split_once(':') {
            return if provider.is_empty() { Err(unknown()) } else { Ok(Self::Clearing(provider.to_owned())) };
        }
        Self::PLAIN.into_iter().find(|(_, name)| *name == text).map(|(account, _)| account).ok_or_else(unknown)
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_survives_being_written_and_read() {
        for (account, name) in Account::PLAIN {
            assert_eq!(account.to_string(), name);
            assert_eq!(name.parse(), Ok(account));
        }
        let wechat = Account::Clearing("wechat".into());
        assert_eq!(wechat.to_string().parse(), Ok(wechat));
        for text in ["", "clearing:", "clearing", "revenues", "receivable:x"] {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }
}
