//! Owns a refund as WeChat Pay tells it: in an answer, and in a callback, whose shape differs. It must not decide what money does.
//!
//! Sources: 退款申请, 查询单笔退款, 退款结果回调通知.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollhouse_core::money::{Currency, Money};

use crate::bounded::{currency, json, minor, required, short, time};
use crate::limits::ANSWER_BYTES;
use crate::malformed::Malformed;
use crate::number::{OrderNumber, RefundNumber};

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// `SUCCESS`: the money is back.
    Done,
    /// `PROCESSING`: accepted.
    Accepted,
    /// `CLOSED`: it will not be made; only now may a new number be taken.
    Closed,
    /// `ABNORMAL`: the payer's account does not take it. Not final; a person acts in the merchant's console.
    Abnormal,
}

/// A refund's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundAmount {
    /// What the order was about.
    pub total: Money,
    /// What goes back (`amount.refund`).
    pub refund: Money,
    /// What the payer gets, without coupons.
    pub payer_refund: Option<Money>,
    /// What is taken from our settlement, where it was said.
    pub settlement_refund: Option<Money>,
}

/// A refund in an answer. It names no merchant: it is ours because we asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// WeChat Pay's number.
    pub refund_id: String,
    /// Ours.
    pub number: RefundNumber,
    /// The transaction that it belongs to.
    pub transaction_id: String,
    /// Our order.
    pub order: OrderNumber,
    /// How it stands.
    pub state: RefundState,
    /// When the money was back; on [`RefundState::Done`].
    pub done_at: Option<DateTime<Utc>>,
    /// What it is about.
    pub amount: RefundAmount,
}

/// A refund in a callback, which names the merchant and no currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundNotice {
    /// The merchant: not ours, a security event.
    pub mchid: String,
    /// The rest.
    pub report: RefundReport,
}

#[derive(Deserialize)]
struct Raw {
    mchid: Option<String>,
    refund_id: Option<String>,
    out_refund_no: Option<String>,
    transaction_id: Option<String>,
    out_trade_no: Option<String>,
    success_time: Option<String>,
    status: Option<String>,
    refund_status: Option<String>,
    amount: Option<RawAmount>,
}

#[derive(Deserialize)]
struct RawAmount {
    total: Option<i64>,
    refund: Option<i64>,
    payer_refund: Option<i64>,
    settlement_refund: Option<i64>,
    currency: Option<String>,
}

/// Reads the answer to a refund or to a query for one.
pub fn refund_report(body: &[u8]) -> Result<RefundReport, Malformed> {
    let mut raw: Raw = json("refund", body, ANSWER_BYTES)?;
    let status = required("status", raw.status.take())?;
    report(raw, &status)
}

/// Reads what a refund's callback was sealed around.
pub fn refund_notice(plain: &[u8]) -> Result<RefundNotice, Malformed> {
    let mut raw: Raw = json("refund notice", plain, ANSWER_BYTES)?;
    let status = required("refund_status", raw.refund_status.take())?;
    Ok(RefundNotice { mchid: required("mchid", raw.mchid.take())?, report: report(raw, &status)? })
}

fn report(raw: Raw, status: &str) -> Result<RefundReport, Malformed> {
    let state = match status {
        "SUCCESS" => RefundState::Done,
        "PROCESSING" => RefundState::Accepted,
        "CLOSED" => RefundState::Closed,
        "ABNORMAL" => RefundState::Abnormal,
        _ => return Err(Malformed::field("status", "a state that we do not know")),
    };
    let number = required("out_refund_no", raw.out_refund_no)?;
    let order = required("out_trade_no", raw.out_trade_no)?;
    let done_at = time("success_time", short("success_time", raw.success_time)?.as_deref())?;
    Ok(RefundReport {
        refund_id: required("refund_id", raw.refund_id)?,
        number: RefundNumber::new(&number).map_err(|fault| Malformed::field("out_refund_no", fault.to_string()))?,
        transaction_id: required("transaction_id", raw.transaction_id)?,
        order: OrderNumber::new(&order).map_err(|fault| Malformed::field("out_trade_no", fault.to_string()))?,
        state,
        done_at,
        amount: amounts(&raw.amount.ok_or(Malformed::Missing("amount"))?)?,
    })
}

fn amounts(raw: &RawAmount) -> Result<RefundAmount, Malformed> {
    let money: Currency = currency("amount.currency", raw.currency.as_deref())?;
    let total = minor("amount.total", raw.total.ok_or(Malformed::Missing("amount.total"))?, money)?;
    let refund = minor("amount.refund", raw.refund.ok_or(Malformed::Missing("amount.refund"))?, money)?;
    if refund.minor() > total.minor() {
        return Err(Malformed::field("amount.refund", "more than the order was about"));
    }
    let optional = |field, fen: Option<i64>| fen.map(|fen| minor(field, fen, money)).transpose();
    Ok(RefundAmount {
        total,
        refund,
        payer_refund: optional("amount.payer_refund", raw.payer_refund)?,
        settlement_refund: optional("amount.settlement_refund", raw.settlement_refund)?,
    })
}
