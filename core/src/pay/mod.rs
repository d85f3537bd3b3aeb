//! Payment (支付): orders, captures and refunds as records, and what each step writes and posts.
//!
//! Providers are reached by the shell; here stands only what is true about money whatever order its news arrive in
//! (payments.md, 'What must always be true').

mod capture;
mod early;
mod order;
mod refund;

pub use capture::{Captured, Evidence, capture, taken_counter};
pub use early::{Early, look_early};
pub use order::{FreshOrder, Made, OrderRefusal, Wanted, expire, make_order};
pub use refund::{refund_done, refund_failed};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{BillId, OrderId, RefundId};
use crate::money::Money;
use crate::record::{Record, Table};

/// One attempt to pay a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Shown to the public, so unguessable.
    pub id: OrderId,
    /// The number under which the provider knows it: unique per merchant, never used twice.
    pub number: String,
    /// What it pays.
    pub bill: BillId,
    /// Through whom.
    pub provider: String,
    /// To which of our accounts there.
    pub merchant: String,
    /// How much: locked until it expires.
    pub amount: Money,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// How it stands.
    pub state: OrderState,
    /// The provider's transaction, once paid.
    #[serde(default)]
    pub transaction: Option<String>,
}

/// States of an order. A late 'not paid' or 'closed' never overwrites paid or refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Can be paid.
    Pending,
    /// Has been paid.
    Paid,
    /// Its time is over.
    Expired,
    /// Closed before it was paid.
    Closed,
    /// Was paid, and all of it has been given back.
    Refunded,
}

impl Record for Order {
    const TABLE: Table = Table::Orders;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// An order that may still be paid: what payment looks after, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Which.
    pub order: OrderId,
}

impl Record for OpenOrder {
    const TABLE: Table = Table::OpenOrders;
    fn key(&self) -> String {
        self.order.to_string()
    }
}

/// Money that a provider took, captured once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The provider.
    pub provider: String,
    /// Our account there.
    pub merchant: String,
    /// The provider's id of it.
    pub transaction: String,
    /// For which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// When, by the provider.
    pub paid_at: DateTime<Utc>,
    /// How much of it settled the bill.
    pub to_bill: Money,
    /// How much goes back.
    pub excess: Money,
    /// How much nobody can assign.
    pub suspense: Money,
}

impl Payment {
    /// The key under which a transaction is captured once.
    pub fn key_of(provider: &str, merchant: &str, transaction: &str) -> String {
        format!("{provider}/{merchant}/{transaction}")
    }
}

impl Record for Payment {
    const TABLE: Table = Table::Payments;
    fn key(&self) -> String {
        Self::key_of(&self.provider, &self.merchant, &self.transaction)
    }
}

/// Money on its way back to a payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Derived from the payment that it gives back; also the number under which the provider knows it.
    pub id: RefundId,
    /// Of which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// How it stands.
    pub state: RefundState,
    /// Why.
    pub reason: String,
    /// When it was decided.
    pub made_at: DateTime<Utc>,
    /// When the provider had done it.
    #[serde(default)]
    pub done_at: Option<DateTime<Utc>>,
    /// How often it was asked for.
    #[serde(default)]
    pub attempts: u32,
}

/// States of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Intended, and perhaps asked for: asking again under the same number is safe.
    Requested,
    /// The money is back with the payer.
    Done,
}

impl Record for Refund {
    const TABLE: Table = Table::Refunds;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// A refund that is not done: what payment looks after, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRefund {
    /// Which.
    pub refund: RefundId,
}

impl Record for OpenRefund {
    const TABLE: Table = Table::OpenRefunds;
    fn key(&self) -> String {
        self.refund.to_string()
    }
}

/// An answer already given to a call with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Route and key.
    pub key: String,
    /// What was asked, to tell a repetition from another request under the same key.
    pub request: String,
    /// What was made.
    pub order: OrderId,
}

impl Record for Answer {
    const TABLE: Table = Table::Answers;
    fn key(&self) -> String {
        self.key.clone()
    }
}
