//! Owns a callback from headers and raw body to what happened: verified, opened, read, in this order. It must not post anything:
//! whoever gets an event still checks merchant, application, order and amount.
//!
//! Source: 支付成功回调通知, 退款结果回调通知. Answer within five seconds: 204 when it is taken, [`CallbackError::status`] otherwise.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::headers::SignatureHeaders;
use super::refund::{RefundNotice, refund_notice};
use super::seal::{ApiV3Key, Resource, SealError};
use super::transaction::{Transaction, transaction};
use super::trust::{Distrust, Trust};
use crate::bounded::json;
use crate::limits::CALLBACK_BYTES;
use crate::malformed::Malformed;

/// Why a callback is not taken. None of them posts money; ask about the order instead, at most once in two seconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It could not be verified.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It is WeChat Pay's and does not open: our APIv3 key is not the one in the merchant's console.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It is WeChat Pay's and not as agreed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl CallbackError {
    /// The HTTP status to answer with; WeChat Pay repeats after any of them.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Distrust(distrust) => distrust.status(),
            Self::Seal(_) => 500,
            Self::Malformed(Malformed::TooLong { .. }) => 413,
            Self::Malformed(_) => 400,
        }
    }
}

/// The outside of a callback.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Envelope {
    /// The same on every repetition.
    pub id: String,
    /// `TRANSACTION.SUCCESS`, `REFUND.SUCCESS`, `REFUND.ABNORMAL`, `REFUND.CLOSED`, ...
    pub event_type: String,
    /// What is sealed.
    pub resource: Resource,
}

impl Envelope {
    /// Reads the outside of a callback that was verified.
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let envelope: Self = json("callback", body, CALLBACK_BYTES)?;
        if envelope.id.is_empty() || envelope.id.len() > 64 || envelope.event_type.len() > 64 {
            return Err(Malformed::field("id, event_type", "empty or too long"));
        }
        Ok(envelope)
    }

    /// Opens it and reads what happened.
    pub fn event(&self, key: &ApiV3Key) -> Result<Event, CallbackError> {
        let refund = matches!(self.event_type.as_str(), "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED");
        if self.event_type != "TRANSACTION.SUCCESS" && !refund {
            return Ok(Event::Other(self.event_type.clone()));
        }
        let plain = self.resource.open(key)?;
        Ok(if refund { Event::Refund(refund_notice(&plain)?) } else { Event::Transaction(transaction(&plain)?) })
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An order was paid.
    Transaction(Transaction),
    /// A refund was made, closed or stuck.
    Refund(RefundNotice),
    /// Something that we did not ask for; acknowledge and count it.
    Other(String),
}

/// A callback that WeChat Pay signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The same on every repetition.
    pub id: String,
    /// What happened.
    pub event: Event,
}

/// Takes a callback: all its headers, and its body as it came over the line.
pub fn read_callback<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &[u8],
    now: DateTime<Utc>,
    trust: &Trust,
    key: &ApiV3Key,
) -> Result<Callback, CallbackError> {
    if body.len() > CALLBACK_BYTES {
        return Err(Distrust::TooLong(body.len()).into());
    }
    trust.verify(&SignatureHeaders::read(headers)?, body, now)?;
    let envelope = Envelope::read(body)?;
    let event = envelope.event(key)?;
    Ok(Callback { id: envelope.id, event })
}
