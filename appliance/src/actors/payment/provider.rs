//! What payment needs of a provider: one account at it, over which orders, refunds and statements go. The sandbox, WeChat Pay
//! and Alipay fill it.
//!
//! Every call may be repeated: the same number is the same order, the same refund. Querying is the way to correctness; a callback
//! only makes it sooner.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use tollhouse_core::books::Payee;
use tollhouse_core::pay::{Heard, Order, Refund, Way};
use tollhouse_providers::PaymentCode;

use super::messages::PayAction;
use super::reach::Reach;

/// An answer that takes its time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Why a provider gave no answer. All but [`ProviderError::Refused`] mean: not known, ask again under the same number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be reached, or did not answer in time.
    #[error("the provider cannot be reached: {0}")]
    Away(String),
    /// It answered, and not as agreed, or nobody can tell whether it was the provider.
    #[error("the provider's answer is not as agreed: {0}")]
    Unsound(String),
    /// It answered about somebody else's money: a security event, nothing is posted.
    #[error("the provider answers about another merchant's order")]
    ForeignMerchant,
    /// It will not do it.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// This account does not offer it.
    #[error("this is not offered by the account")]
    NotOffered,
}

/// How a refund stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAt {
    /// Accepted, not done.
    Pending,
    /// The money is back.
    Done,
    /// It will not be made under this number; said when it was asked about it.
    Closed,
    /// The payer's account does not take it: a person has to act.
    Abnormal,
    /// It knows of none under this number: it may be asked for again.
    NotThere,
}

/// What became of a payment code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeAnswer {
    /// Taken: paid, or its payer types a password. The query tells.
    Taken,
    /// Not taken: spent, too old, no money.
    NotTaken,
}

/// A day's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementAt {
    /// There was no trade on that day.
    NoTrade,
    /// It is not there yet.
    NotYet,
    /// The file, unpacked, and proved by its hash where the provider gives one: WeChat Pay's in UTF-8, Alipay's in GBK.
    File(Vec<u8>),
}

/// A callback that can be believed to come from the provider, or that at least names an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// How it is answered.
    pub answer: NotifyAnswer,
    /// What it is about.
    pub about: About,
}

/// How a callback is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, exactly as the provider wants it.
    pub body: &'static str,
    /// What is counted.
    pub outcome: &'static str,
}

/// What a callback is about. It is never the truth: it makes payment ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An order, by its number.
    Order(String),
    /// A refund of the order of this number.
    Refund(String),
    /// Another merchant's money: a security event.
    ForeignMerchant,
    /// Nothing that anybody has to ask about.
    Nothing,
}

/// One account at a provider.
pub trait Provider: Send + Sync {
    /// The provider's name in orders and metrics.
    fn name(&self) -> &'static str;
    /// Our account there: what orders and payments name.
    fn merchant(&self) -> &str;
    /// Whose money goes there.
    fn payee(&self) -> Payee {
        Payee::Firm
    }
    /// In which ways it is paid.
    fn ways(&self) -> &[Way];
    /// Whether it can be reached, as far as anybody knows.
    fn reach(&self) -> &Reach;
    /// Makes the order known there, and says what the phone has to do.
    fn create<'a>(&'a self, order: &'a Order) -> Answer<'a, PayAction>;
    /// Asks how the order stands.
    fn query<'a>(&'a self, order: &'a Order) -> Answer<'a, Heard>;
    /// Closes the order, so that nobody can pay it any more. Done means: it was told; only a query says how the order stands.
    fn close<'a>(&'a self, order: &'a Order) -> Answer<'a, ()>;
    /// Gives money back, under the refund's number.
    fn refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt>;
    /// Asks how a refund stands.
    fn query_refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt>;
    /// Takes the driver's payment code. It is in no log and on no record, so this cannot be repeated.
    fn pay_by_code<'a>(&'a self, _: &'a Order, _: &'a PaymentCode) -> Answer<'a, CodeAnswer> {
        not_offered()
    }
    /// Takes a payment by code back, whatever has become of it.
    fn reverse<'a>(&'a self, _: &'a Order) -> Answer<'a, ()> {
        not_offered()
    }
    /// Fetches the statement of a day.
    fn statement(&self, _: NaiveDate) -> Answer<'_, StatementAt> {
        not_offered()
    }
    /// Asks something that costs nothing, to learn whether the provider can be reached.
    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
    /// Who has come back from the provider's sign-in with this code (JSAPI).
    fn payer<'a>(&'a self, _: &'a str) -> Answer<'a, String> {
        not_offered()
    }
    /// Where a browser signs in before it pays (JSAPI), to come back to `back` with a code.
    fn sign_in(&self, _back: &str, _state: &str) -> Option<String> {
        None
    }
    /// Takes a callback apart: all its headers and its body as it came. `None`: it is not this account's, as far as can be told.
    fn callback(&self, _: &[(&str, &str)], _: &[u8], _: DateTime<Utc>) -> Option<Notified> {
        None
    }
}

fn not_offered<'a, T>() -> Answer<'a, T> {
    Box::pin(async { Err(ProviderError::NotOffered) })
}

/// The accounts of this box.
#[derive(Clone, Default)]
pub struct Accounts(Vec<Arc<dyn Provider>>);

impl Accounts {
    /// These.
    pub fn new(accounts: Vec<Arc<dyn Provider>>) -> Self {
        Self(accounts)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.iter()
    }

    /// The account to which an order or a payment belongs.
    pub fn of(&self, provider: &str, merchant: &str) -> Option<&Arc<dyn Provider>> {
        self.iter().find(|account| account.name() == provider && account.merchant() == merchant)
    }

    /// The account at this provider that takes this payee's money.
    pub fn for_payee(&self, provider: &str, payee: Payee) -> Option<&Arc<dyn Provider>> {
        self.iter().find(|account| account.name() == provider && account.payee() == payee)
    }

    /// All accounts at one provider.
    pub fn at<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Arc<dyn Provider>> {
        self.iter().filter(move |account| account.name() == provider)
    }
}
