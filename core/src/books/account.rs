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
}

/// A text that names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no account")]
pub struct UnknownAccount(String);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receivable => f.write_str("receivable"),
            Self::Revenue => f.write_str("revenue"),
            Self::TaxDue => f.write_str("tax_due"),
            Self::Clearing(provider) => write!(f, "clearing:{provider}"),
            Self::RefundDue => f.write_str("refund_due"),
            Self::Suspense => f.write_str("suspense"),
        }
    }
}

impl FromStr for Account {
    type Err = UnknownAccount;
    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        Ok(match text.split_once(':') {
            Some(("clearing", provider)) if !provider.is_empty() => Self::Clearing(provider.to_owned()),
            None if text == "receivable" => Self::Receivable,
            None if text == "revenue" => Self::Revenue,
            None if text == "tax_due" => Self::TaxDue,
            None if text == "refund_due" => Self::RefundDue,
            None if text == "suspense" => Self::Suspense,
            _ => return Err(UnknownAccount(text.to_owned())),
        })
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
