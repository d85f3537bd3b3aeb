//! Owns a notify from its raw body to a trade: decoded once, verified, read, in this order. It must not post anything: whoever gets
//! one still checks it against the order, [`Notice::check`].
//!
//! Source: 异步通知说明. Answer with exactly [`SUCCESS`]; Alipay repeats anything else for 25 hours. It carries no time limit, so an
//! old one verifies: it is a hint to query, as any.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tollhouse_core::money::Money;

use super::answer::AnswerError;
use super::canonical::{Distrust, notify_string};
use super::trade::{Expected, Mismatch, Trade, TradeState, trade_state};
use crate::bounded::{required, short, yuan};
use crate::clock::read_plain;
use crate::form;
use crate::key::VerifyingKey;
use crate::malformed::Malformed;
use crate::number::OrderNumber;

/// The answer to a notify that was taken: these seven letters, nothing around them.
pub const SUCCESS: &str = "success";
/// The answer to any other.
pub const FAILURE: &str = "failure";

/// A notify that Alipay signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same on every repetition.
    pub id: String,
    /// The application.
    pub app_id: String,
    /// The account that the money goes to.
    pub seller_id: String,
    /// The trade.
    pub trade: Trade,
    /// What was given back so far; then `trade.state` says paid once more, and nothing is to be credited for it.
    pub refunded_so_far: Option<Money>,
    /// Our number of the refund that this is about.
    pub refund_number: Option<String>,
    /// When money went back.
    pub refunded_at: Option<DateTime<Utc>>,
}

/// The parameters of a notify's body, decoded once.
pub fn parameters(body: &[u8]) -> Result<BTreeMap<String, String>, Malformed> {
    form::read(body)
}

/// That Alipay signed these parameters.
pub fn verify_notice(parameters: &BTreeMap<String, String>, key: &VerifyingKey) -> Result<(), Distrust> {
    let sign = parameters.get("sign").ok_or_else(|| Distrust::Unsigned(String::new()))?;
    if parameters.get("sign_type").is_some_and(|kind| kind != "RSA2") {
        return Err(Distrust::OtherKind);
    }
    key.verify(notify_string(parameters).as_bytes(), sign).map_err(|_| Distrust::WrongSignature)
}

/// Takes a notify: its body as it came over the line.
pub fn read_notice(body: &[u8], key: &VerifyingKey) -> Result<Notice, AnswerError> {
    let parameters = parameters(body)?;
    verify_notice(&parameters, key)?;
    Ok(Notice::read(&parameters)?)
}

impl Notice {
    /// Reads the parameters of a notify that was verified.
    pub fn read(parameters: &BTreeMap<String, String>) -> Result<Self, Malformed> {
        let text = |name: &str| parameters.get(name).cloned();
        let moment = |field: &'static str| match short(field, text(field))? {
            None => Ok(None),
            Some(text) => match read_plain(&text) {
                Some(time) => Ok(Some(time)),
                None => Err(Malformed::field(field, "not a time like 2018-06-08 10:34:56")),
            },
        };
        let amount = |field: &'static str| short(field, text(field))?.map(|text| yuan(field, &text)).transpose();
        let number = required("out_trade_no", text("out_trade_no"))?;
        let paid_at = moment("gmt_payment")?;
        let total = amount("total_amount")?.ok_or(Malformed::Missing("total_amount"))?;
        Ok(Self {
            id: required("notify_id", text("notify_id"))?,
            app_id: required("app_id", text("app_id"))?,
            seller_id: required("seller_id", text("seller_id"))?,
            trade: Trade {
                trade_no: required("trade_no", text("trade_no"))?,
                order: OrderNumber::new(&number)
                    .map_err(|fault| Malformed::field("out_trade_no", fault.to_string()))?,
                state: trade_state(&required("trade_status", text("trade_status"))?, paid_at)?,
                total,
                received: amount("receipt_amount")?.filter(|received| received.minor() <= total.minor()),
                paid_at,
            },
            refunded_so_far: amount("refund_fee")?,
            refund_number: short("out_biz_no", text("out_biz_no"))?,
            refunded_at: moment("gmt_refund")?,
        })
    }

    /// Holds it against the order, worst first: seller, order, application, amount.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        if self.seller_id != expected.seller_id {
            return Err(Mismatch::ForeignMerchant);
        }
        if self.trade.order != *expected.order {
            return Err(Mismatch::OtherOrder);
        }
        if self.app_id != expected.app_id {
            return Err(Mismatch::OtherApplication);
        }
        // A notify names the amount in every state; unlike an answer it was not asked for, so it has to fit in every state.
        if self.trade.total == expected.total { Ok(()) } else { Err(Mismatch::OtherAmount) }
    }

    /// Whether this is about money that came, and not about a refund or a close.
    pub fn is_about_payment(&self) -> AboutPayment {
        let paid = matches!(self.trade.state, TradeState::Paid | TradeState::Finished);
        if paid && self.refunded_so_far.is_none() { AboutPayment::Yes } else { AboutPayment::No }
    }
}

/// Whether a notify is about money that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboutPayment {
    /// Query, then book what the query says.
    Yes,
    /// A refund, a close, or nothing yet.
    No,
}
