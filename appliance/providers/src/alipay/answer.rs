//! Owns Alipay's answers: verified over the bytes that came, then read. It must not decide what money does.
//!
//! Sources: the methods' own pages, 响应参数. Code 10000 of a refund is not a refund: `fund_change` is. The `refund_fee` of an answer
//! is what was given back so far, over all refunds of the trade.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tollhouse_core::money::Money;

use super::canonical::{Distrust, signed_answer};
use super::refusal::{Refused, refusal};
use super::trade::{Trade, TradeState, trade_state};
use crate::bounded::{required, short, yuan};
use crate::clock::read_plain;
use crate::key::VerifyingKey;
use crate::malformed::Malformed;
use crate::number::{OrderNumber, RefundNumber};

/// Why an answer gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It could not be verified: unknown, query under the same number.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It is Alipay's and not as agreed: unknown, query under the same number.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Alipay refused.
    #[error(transparent)]
    Refused(#[from] Refused),
}

#[derive(Deserialize)]
struct Raw {
    code: Option<String>,
    msg: Option<String>,
    sub_code: Option<String>,
    sub_msg: Option<String>,
}

/// The content of the answer to `method`, verified, with its code, which is one of `accepted`.
fn open<T: DeserializeOwned>(
    method: &str,
    body: &[u8],
    key: &VerifyingKey,
    accepted: &[&str],
) -> Result<(String, T), AnswerError> {
    let answer = signed_answer(body)?;
    answer.verify(key)?;
    if answer.name != format!("{}_response", method.replace('.', "_")) && answer.name != "error_response" {
        return Err(Malformed::field("answer", "the answer to another question").into());
    }
    let shape = |fault: serde_json::Error| Malformed::shape("answer", &fault);
    let raw: Raw = serde_json::from_str(answer.content).map_err(shape)?;
    let code = required("code", raw.code)?;
    if answer.name == "error_response" || !accepted.contains(&code.as_str()) {
        let cut = |text: Option<String>, most| text.unwrap_or_default().chars().take(most).collect::<String>();
        let sub_code = cut(raw.sub_code, 64);
        return Err(Refused {
            refusal: refusal(&code, &sub_code),
            code,
            sub_code,
            message: cut(raw.sub_msg.or(raw.msg), 256),
        }
        .into());
    }
    Ok((code, serde_json::from_str(answer.content).map_err(shape)?))
}

fn order(number: Option<String>) -> Result<OrderNumber, Malformed> {
    OrderNumber::new(&required("out_trade_no", number)?)
        .map_err(|fault| Malformed::field("out_trade_no", fault.to_string()))
}

fn money(field: &'static str, text: Option<&str>) -> Result<Money, Malformed> {
    yuan(field, text.ok_or(Malformed::Missing(field))?)
}

fn optional(field: &'static str, text: Option<&str>) -> Result<Option<Money>, Malformed> {
    text.filter(|text| !text.is_empty()).map(|text| yuan(field, text)).transpose()
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<chrono::DateTime<chrono::Utc>>, Malformed> {
    let wrong = || Malformed::field(field, "not a time like 2018-06-08 10:34:56");
    text.filter(|text| !text.is_empty()).map(|text| read_plain(text).ok_or_else(wrong)).transpose()
}

#[derive(Deserialize)]
struct RawTrade {
    trade_no: Option<String>,
    out_trade_no: Option<String>,
    trade_status: Option<String>,
    total_amount: Option<String>,
    receipt_amount: Option<String>,
    send_pay_date: Option<String>,
    gmt_payment: Option<String>,
}

/// The answer to `alipay.trade.query`.
pub fn trade(body: &[u8], key: &VerifyingKey) -> Result<Trade, AnswerError> {
    let (_, raw): (_, RawTrade) = open("alipay.trade.query", body, key, &["10000"])?;
    let paid_at = moment("send_pay_date", raw.send_pay_date.as_deref())?;
    let state = trade_state(&required("trade_status", raw.trade_status.clone())?, paid_at)?;
    Ok(read_trade(raw, state)?)
}

fn read_trade(raw: RawTrade, state: TradeState) -> Result<Trade, Malformed> {
    let total = money("total_amount", raw.total_amount.as_deref())?;
    let received = optional("receipt_amount", raw.receipt_amount.as_deref())?;
    if received.is_some_and(|received| received.minor() > total.minor()) {
        return Err(Malformed::field("receipt_amount", "more than the order was about"));
    }
    let paid_at = raw.send_pay_date.as_deref().or(raw.gmt_payment.as_deref());
    Ok(Trade {
        trade_no: required("trade_no", raw.trade_no)?,
        order: order(raw.out_trade_no)?,
        state,
        total,
        received,
        paid_at: moment("time of payment", paid_at)?,
    })
}

/// How a payment by code came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodePayment {
    /// Paid at once (10000).
    Paid(Trade),
    /// The payer types a password (10003): query every few seconds, then cancel.
    Waiting,
}

/// The answer to `alipay.trade.pay`.
pub fn code_payment(body: &[u8], key: &VerifyingKey) -> Result<CodePayment, AnswerError> {
    let (code, raw): (_, RawTrade) = open("alipay.trade.pay", body, key, &["10000", "10003"])?;
    Ok(if code == "10003" { CodePayment::Waiting } else { CodePayment::Paid(read_trade(raw, TradeState::Paid)?) })
}

/// The answer to `alipay.trade.precreate`: what to show as a QR code.
pub fn precreated(body: &[u8], key: &VerifyingKey) -> Result<(OrderNumber, String), AnswerError> {
    #[derive(Deserialize)]
    struct Raw {
        out_trade_no: Option<String>,
        qr_code: Option<String>,
    }
    let (_, raw): (_, Raw) = open("alipay.trade.precreate", body, key, &["10000"])?;
    let code = required("qr_code", raw.qr_code)?;
    if !code.starts_with("https://") && !code.starts_with("http://") {
        return Err(Malformed::field("qr_code", "no address").into());
    }
    Ok((order(raw.out_trade_no)?, code))
}

/// The answer to `alipay.trade.close`: the order that was closed.
pub fn closed(body: &[u8], key: &VerifyingKey) -> Result<OrderNumber, AnswerError> {
    let (_, raw): (_, RawTrade) = open("alipay.trade.close", body, key, &["10000"])?;
    Ok(order(raw.out_trade_no)?)
}

/// Whether to send a cancel again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// `retry_flag` Y: it is not done.
    Again,
    /// `retry_flag` N.
    Done,
}

/// What a cancel did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAction {
    /// Nothing was there to cancel.
    Nothing,
    /// It was closed unpaid.
    Closed,
    /// It was paid, and went back.
    Refunded,
}

/// A cancel's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The order.
    pub order: OrderNumber,
    /// Whether to send it again.
    pub retry: Retry,
    /// What was done.
    pub action: CancelAction,
}

/// The answer to `alipay.trade.cancel`.
pub fn cancelled(body: &[u8], key: &VerifyingKey) -> Result<Cancelled, AnswerError> {
    #[derive(Deserialize)]
    struct Raw {
        out_trade_no: Option<String>,
        retry_flag: Option<String>,
        action: Option<String>,
    }
    let (_, raw): (_, Raw) = open("alipay.trade.cancel", body, key, &["10000"])?;
    Ok(Cancelled {
        order: order(raw.out_trade_no)?,
        retry: match required("retry_flag", raw.retry_flag)?.as_str() {
            "Y" => Retry::Again,
            "N" => Retry::Done,
            _ => return Err(Malformed::field("retry_flag", "neither Y nor N").into()),
        },
        action: match raw.action.as_deref() {
            None | Some("") => CancelAction::Nothing,
            Some("close") => CancelAction::Closed,
            Some("refund") => CancelAction::Refunded,
            Some(_) => return Err(Malformed::field("action", "neither close nor refund").into()),
        },
    })
}

/// Whether a refund moved money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FundChange {
    /// `fund_change` Y: this call moved it.
    Moved,
    /// N or absent: it did not. Query: an earlier call may have.
    NotMoved,
}

/// A refund's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReply {
    /// The order.
    pub order: OrderNumber,
    /// Alipay's number of the trade.
    pub trade_no: String,
    /// Whether this call moved money.
    pub fund_change: FundChange,
    /// What was given back so far, over all refunds of this trade (`refund_fee`).
    pub refunded_so_far: Money,
}

/// The answer to `alipay.trade.refund`.
pub fn refunded(body: &[u8], key: &VerifyingKey) -> Result<RefundReply, AnswerError> {
    #[derive(Deserialize)]
    struct Raw {
        out_trade_no: Option<String>,
        trade_no: Option<String>,
        fund_change: Option<String>,
        refund_fee: Option<String>,
    }
    let (_, raw): (_, Raw) = open("alipay.trade.refund", body, key, &["10000"])?;
    Ok(RefundReply {
        order: order(raw.out_trade_no)?,
        trade_no: required("trade_no", raw.trade_no)?,
        fund_change: match raw.fund_change.as_deref() {
            Some("Y") => FundChange::Moved,
            None | Some("" | "N") => FundChange::NotMoved,
            Some(_) => return Err(Malformed::field("fund_change", "neither Y nor N").into()),
        },
        refunded_so_far: money("refund_fee", raw.refund_fee.as_deref())?,
    })
}

/// How a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundQuery {
    /// `REFUND_SUCCESS`: this much went back under this number.
    Done {
        /// Our number.
        number: RefundNumber,
        /// What went back.
        refund: Money,
    },
    /// Not received, failed, or still under way; Alipay does not tell them apart. Ask again after ten seconds or more, then send the
    /// same number again.
    NotDone,
}

/// The answer to `alipay.trade.fastpay.refund.query`.
pub fn refund_query(body: &[u8], key: &VerifyingKey) -> Result<RefundQuery, AnswerError> {
    #[derive(Deserialize)]
    struct Raw {
        out_request_no: Option<String>,
        refund_amount: Option<String>,
        refund_status: Option<String>,
    }
    let (_, raw): (_, Raw) = open("alipay.trade.fastpay.refund.query", body, key, &["10000"])?;
    match short("refund_status", raw.refund_status)?.as_deref() {
        None => return Ok(RefundQuery::NotDone),
        Some("REFUND_SUCCESS") => {}
        Some(_) => return Err(Malformed::field("refund_status", "a state that we do not know").into()),
    }
    let number = required("out_request_no", raw.out_request_no)?;
    Ok(RefundQuery::Done {
        number: RefundNumber::new(&number).map_err(|fault| Malformed::field("out_request_no", fault.to_string()))?,
        refund: money("refund_amount", raw.refund_amount.as_deref())?,
    })
}

/// The answer to `alipay.data.dataservice.bill.downloadurl.query`: where the statement is, for half a minute, without a signature.
pub fn bill_url(body: &[u8], key: &VerifyingKey) -> Result<String, AnswerError> {
    #[derive(Deserialize)]
    struct Raw {
        bill_download_url: Option<String>,
    }
    let (_, raw): (_, Raw) = open("alipay.data.dataservice.bill.downloadurl.query", body, key, &["10000"])?;
    let url = raw.bill_download_url.filter(|url| url.len() <= 4096).ok_or(Malformed::Missing("bill_download_url"))?;
    let printable = url.bytes().all(|b| (b'!'..=b'~').contains(&b));
    if !printable || !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(Malformed::field("bill_download_url", "no address").into());
    }
    Ok(url)
}
