//! The accounts of payments.md, 'Books'.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::words::Words;

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
    /// 备用金, 现金: money in the drawer of one shift, by shift.
    Cash(String),
    /// 保险柜: cash that is in nobody's drawer.
    Safe,
    /// 长短款: what was counted less what should have been there.
    OverShort,
    /// What cash is rounded by, where the smallest coin is larger than the smallest unit.
    Rounding,
    /// 储值: money on cards, a liability.
    Stored,
    /// Money at the bank.
    Bank,
    /// 手续费: what providers keep.
    ProviderFee,
    /// What providers gave the payer of our money.
    ProviderDiscount,
    /// Our own coupons and discounts, net of tax.
    Discount,
    /// 商户: what a merchant has paid in advance, or owes for its coupons, by merchant.
    Merchant(String),
}

/// What kind of account it is: on which side it grows, and where an accountant looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// 资产
    Asset,
    /// 负债
    Liability,
    /// 权益
    Equity,
    /// 收入
    Income,
    /// 费用
    Expense,
}

/// The account of a detail.
type OfDetail = fn(String) -> Account;

impl Account {
    /// The accounts without a detail, with the names that they are written as.
    pub const PLAIN: [(Account, &'static str); 24] = [
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
        (Account::Safe, "safe"),
        (Account::OverShort, "over_short"),
        (Account::Rounding, "rounding"),
        (Account::Stored, "stored"),
        (Account::Bank, "bank"),
        (Account::ProviderFee, "provider_fee"),
        (Account::ProviderDiscount, "provider_discount"),
        (Account::Discount, "discount"),
    ];

    /// The accounts of which there are several, with the names before their detail.
    const DETAILED: [(OfDetail, &'static str); 3] =
        [(Account::Clearing, "clearing"), (Account::Cash, "cash"), (Account::Merchant, "merchant")];

    /// What kind of account it is.
    pub fn kind(&self) -> AccountKind {
        match self {
            Self::Receivable | Self::Clearing(_) | Self::Cash(_) | Self::Safe | Self::Bank => AccountKind::Asset,
            Self::TaxDue
            | Self::TaxPending
            | Self::RefundDue
            | Self::Suspense
            | Self::Deferred
            | Self::PublicDeferred
            | Self::DepositPending
            | Self::Deposit
            | Self::Credit
            | Self::Stored
            | Self::Merchant(_) => AccountKind::Liability,
            Self::Opening => AccountKind::Equity,
            Self::Revenue | Self::PublicIncome | Self::LateFees | Self::Cancellation => AccountKind::Income,
            Self::BadDebt
            | Self::OverShort
            | Self::Rounding
            | Self::ProviderFee
            | Self::ProviderDiscount
            | Self::Discount => AccountKind::Expense,
        }
    }

    /// Its name for people, without the detail.
    pub fn words(&self) -> Words {
        let (zh, en) = match self {
            Self::Receivable => ("应收账款", "Receivable"),
            Self::Revenue => ("停车收入", "Parking revenue"),
            Self::TaxDue => ("应交税费", "Tax due"),
            Self::Clearing(_) => ("第三方支付待清算", "At the payment provider"),
            Self::RefundDue => ("应退款", "Refunds due"),
            Self::Suspense => ("待查款项", "Suspense"),
            Self::PublicIncome => ("公共收益", "Owners' public income"),
            Self::Deferred => ("预收停车费", "Deferred revenue"),
            Self::PublicDeferred => ("预收公共收益", "Deferred public income"),
            Self::TaxPending => ("待转销项税", "Tax not due yet"),
            Self::DepositPending => ("待收押金", "Deposits billed"),
            Self::Deposit => ("押金", "Deposits held"),
            Self::LateFees => ("违约金收入", "Late fees"),
            Self::Cancellation => ("退订扣款收入", "Cancellation fees"),
            Self::BadDebt => ("坏账损失", "Bad debt"),
            Self::Credit => ("客户余额", "Payers' credit"),
            Self::Opening => ("期初余额", "Opening balances"),
            Self::Cash(_) => ("当班现金", "Cash of a shift"),
            Self::Safe => ("保险柜现金", "Safe"),
            Self::OverShort => ("现金长短款", "Cash over and short"),
            Self::Rounding => ("现金找零尾差", "Cash rounding"),
            Self::Stored => ("储值余额", "Stored value"),
            Self::Bank => ("银行存款", "Bank"),
            Self::ProviderFee => ("支付手续费", "Providers' fees"),
            Self::ProviderDiscount => ("支付渠道优惠", "Providers' discounts"),
            Self::Discount => ("折扣优惠", "Discounts given"),
            Self::Merchant(_) => ("商户往来", "Merchants"),
        };
        Words::new(zh, en)
    }

    /// The detail, of an account that has one: the provider, the shift or the merchant.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Clearing(detail) | Self::Cash(detail) | Self::Merchant(detail) => Some(detail),
            _ => None,
        }
    }
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
        match self {
            Self::Clearing(provider) => return write!(f, "clearing:{provider}"),
            Self::Cash(shift) => return write!(f, "cash:{shift}"),
            Self::Merchant(merchant) => return write!(f, "merchant:{merchant}"),
            _ => {}
        }
        let plain = Self::PLAIN.iter().find(|(account, _)| account == self);
        f.write_str(plain.expect("every account without a detail is listed").1)
    }
}

impl FromStr for Account {
    type Err = UnknownAccount;
    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        let unknown = || UnknownAccount(text.to_owned());
        if let Some((name, detail)) = text.split_once(':') {
            let of = Self::DETAILED.into_iter().find(|(_, known)| *known == name && !detail.is_empty());
            return of.map(|(of, _)| of(detail.to_owned())).ok_or_else(unknown);
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
        for (of, name) in Account::DETAILED {
            let account = of("x".into());
            assert_eq!(account.to_string(), format!("{name}:x"));
            assert_eq!(account.detail(), Some("x"));
            assert_eq!(account.to_string().parse(), Ok(account));
        }
        for text in ["", "clearing:", "clearing", "cash", "merchant:", "revenues", "receivable:x"] {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }
}
