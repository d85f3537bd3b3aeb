//! Owns a trade as Alipay tells it, in answers and in notifies. It must not decide what money does.
//!
//! Source: `alipay.trade.query`, 异步通知说明 (`trade_status`).

use chrono::{DateTime, Utc};
use tollhouse_core::money::Money;

use crate::malformed::Malformed;
use crate::number::OrderNumber;

/// How a trade stands. Another word is [`Malformed`], which is: unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeState {
    /// `WAIT_BUYER_PAY`: it can be paid.
    Open,
    /// `TRADE_SUCCESS`: paid. Comes again with every partial refund, so never credit on this alone.
    Paid,
    /// `TRADE_FINISHED`: paid, and past the time for refunds.
    Finished,
    /// `TRADE_CLOSED` without a time of payment: never paid, cannot be paid.
    Closed,
    /// `TRADE_CLOSED` with a time of payment: paid and given back in full.
    RefundedInFull,
}

impl TradeState {
    /// Whether money came, be it gone again: the capture is to be booked, then the refund.
    pub const fn captured(self) -> Captured {
        match self {
            Self::Paid | Self::Finished | Self::RefundedInFull => Captured::Yes,
            Self::Open | Self::Closed => Captured::No,
        }
    }
}

/// Whether money came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captured {
    /// It did.
    Yes,
    /// It did not.
    No,
}

/// Reads `trade_status`; the time of payment tells the two ends of a closed trade apart.
pub(super) fn trade_state(word: &str, paid_at: Option<DateTime<Utc>>) -> Result<TradeState, Malformed> {
    match (word, paid_at) {
        ("WAIT_BUYER_PAY", _) => Ok(TradeState::Open),
        ("TRADE_SUCCESS", _) => Ok(TradeState::Paid),
        ("TRADE_FINISHED", _) => Ok(TradeState::Finished),
        ("TRADE_CLOSED", None) => Ok(TradeState::Closed),
        ("TRADE_CLOSED", Some(_)) => Ok(TradeState::RefundedInFull),
        _ => Err(Malformed::field("trade_status", "a state that we do not know")),
    }
}

/// A trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Alipay's number of it: captured once.
    pub trade_no: String,
    /// Our number.
    pub order: OrderNumber,
    /// How it stands.
    pub state: TradeState,
    /// What the order was about: what is credited.
    pub total: Money,
    /// What Alipay settles to us before its fee; the difference is a discount of ours.
    pub received: Option<Money>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

/// What an order of ours was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Our application.
    pub app_id: &'a str,
    /// Our account (`seller_id`), to which the money goes.
    pub seller_id: &'a str,
    /// The order's number.
    pub order: &'a OrderNumber,
    /// What it was about.
    pub total: Money,
}

/// In what a trade is not the order that we know (payments.md, invariant 3; 异步通知说明 asks for these four checks).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another seller's: it never posts; a security event.
    #[error("it belongs to another merchant")]
    ForeignMerchant,
    /// Another order's.
    #[error("it is about another order")]
    OtherOrder,
    /// Another application: suspense and an alarm.
    #[error("it belongs to another application")]
    OtherApplication,
    /// Another amount or currency: suspense and an alarm.
    #[error("it is about another amount")]
    OtherAmount,
}

impl Trade {
    /// Holds an answer against the order that was asked about. It names no seller: it is ours because we asked.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        if self.order != *expected.order {
            Err(Mismatch::OtherOrder)
        } else if self.state.captured() == Captured::Yes && self.total != expected.total {
            Err(Mismatch::OtherAmount)
        } else {
            Ok(())
        }
    }
}
