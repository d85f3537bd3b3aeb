//! Payment (支付): orders, captures and refunds as records, and what each step writes and posts.
//!
//! Providers are reached by the shell; here stands only what is true about money whatever order its news arrive in
//! (payments.md, 'What must always be true').

mod capture;
mod case;
mod course;
mod early;
mod found;
mod order;
mod refund;

pub(crate) use capture::leave_by;
pub use capture::{Application, Captured, Evidence, Fits, capture, fits, taken_counter};
pub use case::{PaymentCase, PaymentCaseKind};
pub use course::{
    Act, DIFFERING_ANSWERS, Heard, LAST_LOOK_AFTER, Tried, act, ask_again_at, end, end_early, expire, leave,
};
pub use early::{Early, look_early};
pub use found::found;
pub(crate) use order::as_of_now;
pub use order::{FreshOrder, Made, OrderRefusal, Wanted, made_before, make_order};
pub use refund::{
    MOST_NUMBERS, ask_refund_again_at, refund_accepted, refund_closed, refund_done, refund_failed, refund_stuck,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{BillId, OrderId, RefundId};
use crate::money::Money;
use crate::record::{Record, Table};

/// One attempt to pay. It is on record, with all that is sent, before any provider hears of it; sent again under its number,
/// it is the same in everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Shown to the public, so unguessable.
    pub id: OrderId,
    /// The number under which the provider knows it: unique per merchant, never used twice.
    pub number: String,
    /// What it pays.
    #[serde(flatten)]
    pub pays: Payable,
    /// Through whom.
    pub provider: String,
    /// To which of our accounts there.
    pub merchant: String,
    /// In what way.
    #[serde(default)]
    pub way: Way,
    /// What else the provider is told.
    #[serde(default)]
    pub terms: Terms,
    /// How much: locked until it expires.
    pub amount: Money,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// How it stands.
    pub state: OrderState,
    /// Why it is to end before its time, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// When it ended unpaid. What is paid later goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// The provider's transaction, once paid.
    #[serde(default)]
    pub transaction: Option<String>,
}

/// What an order pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payable {
    /// The temporary bill of a stay, or what an id stands for among the bills of cards (`charging::bills::Payable`).
    Bill(BillId),
    /// Nobody knows: the provider says that we made it, and our records do not have it (an old backup was put back).
    Unknown {},
}

impl Payable {
    /// The id that is paid, if it is known.
    pub fn bill(&self) -> Option<BillId> {
        match self {
            Self::Bill(bill) => Some(*bill),
            Self::Unknown {} => None,
        }
    }
}

/// In what way an order is paid; which of them a provider knows is its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A page of the provider's, without more ado (sandbox).
    #[default]
    Page,
    /// WeChat Pay inside WeChat.
    Jsapi,
    /// WeChat Pay from another browser of a phone.
    H5,
    /// WeChat Pay, a QR code to scan.
    Native,
    /// Alipay's page for a phone's browser.
    Wap,
    /// Alipay, a QR code to scan.
    Precreate,
    /// The driver's payment code, scanned at the lane.
    Code,
}

impl Way {
    /// All of them.
    pub const ALL: &'static [Way] =
        &[Self::Page, Self::Jsapi, Self::H5, Self::Native, Self::Wap, Self::Precreate, Self::Code];

    /// The word in configuration and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Jsapi => "jsapi",
            Self::H5 => "h5",
            Self::Native => "native",
            Self::Wap => "wap",
            Self::Precreate => "precreate",
            Self::Code => "code",
        }
    }
}

/// What a provider is told of an order beside number, amount and expiry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Terms {
    /// What the payer reads.
    #[serde(default)]
    pub description: String,
    /// Where callbacks go.
    #[serde(default)]
    pub notify_url: String,
    /// Where the browser goes afterwards.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub return_url: String,
    /// Who pays, by the provider's name of them (JSAPI).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payer: String,
    /// The phone's address (H5).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payer_address: String,
    /// At which lane (payment code).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lane: String,
}

/// Why an order is to end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The driver pays in another way.
    Switched,
    /// The attendant takes cash.
    Cash,
    /// The payment code was not taken.
    CodeRefused,
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

/// Which order has a number: what callbacks and statements name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedOrder {
    /// The provider.
    pub provider: String,
    /// The number there.
    pub number: String,
    /// The order.
    pub order: OrderId,
}

impl NumberedOrder {
    /// The key of a number.
    pub fn key_of(provider: &str, number: &str) -> String {
        format!("{provider}/{number}")
    }
}

impl Record for NumberedOrder {
    const TABLE: Table = Table::OrderNumbers;
    fn key(&self) -> String {
        Self::key_of(&self.provider, &self.number)
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
    /// How much of it never comes: coupons of our own at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
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
    /// Derived from the payment that it gives back.
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
    /// How many numbers of it the provider has closed: each time it gets a new one.
    #[serde(default)]
    pub closed: u32,
    /// How the money goes back.
    #[serde(default)]
    pub back: Back,
    /// What it was for, of one that was made in the provider's console and has been explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<String>,
}

impl Refund {
    /// The number under which the provider knows it now. It follows from the payment alone, so that a box whose records were
    /// put back asks for the same refund and not for another one.
    pub fn number(&self) -> String {
        match self.closed {
            0 => self.id.to_string(),
            closed => format!("{}_{}", self.id, closed + 1),
        }
    }
}

/// How money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Back {
    /// By a refund that we ask for.
    #[default]
    Refund,
    /// With the reversal of a payment by code: the provider has sent it back already.
    Reversal,
}

/// States of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Intended, and perhaps asked for: asking again under the same number is safe.
    Requested,
    /// The provider has accepted it, which is not done.
    Accepted,
    /// The payer's account does not take it: a person acts at the provider. Not final.
    Abnormal,
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
