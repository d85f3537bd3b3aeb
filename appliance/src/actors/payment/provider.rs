//! What payment needs of a provider. The sandbox fills it here; WeChat Pay and Alipay will.
//!
//! Querying is the way to correctness; a callback only makes it faster: it makes payment query at once.

use std::future::Future;
use std::pin::Pin;

use tollhouse_core::pay::{Evidence, Order, Refund};

use super::messages::PayAction;

/// An answer that takes its time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Why a provider gave no answer. All of them mean: not known, ask again under the same number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be reached, or did not answer in time.
    #[error("the provider cannot be reached: {0}")]
    Away(String),
    /// It answered, and not as agreed.
    #[error("the provider's answer is not as agreed: {0}")]
    Unsound(String),
}

/// How an order stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtProvider {
    /// Not paid; it can be.
    NotPaid,
    /// Not paid; it never will be.
    Ended,
    /// Paid.
    Paid(Evidence),
}

/// How a refund stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAt {
    /// Accepted, not done.
    Pending,
    /// The money is back.
    Done,
}

/// A way to pay. Every call may be repeated: the same number is the same order, the same refund.
pub trait Provider: Send + Sync {
    /// Its name in orders and metrics.
    fn name(&self) -> &'static str;
    /// Our account there.
    fn merchant(&self) -> &str;
    /// Makes the order known there, and says what the phone has to do.
    fn create<'a>(&'a self, order: &'a Order) -> Answer<'a, PayAction>;
    /// Asks how the order stands.
    fn query<'a>(&'a self, order: &'a Order) -> Answer<'a, AtProvider>;
    /// Gives money back.
    fn refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt>;
}
