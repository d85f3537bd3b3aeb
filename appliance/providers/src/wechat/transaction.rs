//! Owns a transaction as WeChat Pay tells it, in answers and in callbacks: one shape. It must not decide what money does.
//!
//! Sources: 商户订单号查询, 支付成功回调通知.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollhouse_core::money::{Currency, Money};

use crate::bounded::{currency, json, minor, required, short, time};
use crate::limits::ANSWER_BYTES;
use crate::malformed::Malformed;
use crate::number::OrderNumber;

/// How an order stands at WeChat Pay. Another word is [`Malformed`], which is: unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionState {
    /// `SUCCESS`.
    Paid(Payment),
    /// `REFUND`: paid, and some or all of it was given back. Books the capture if that is still missing, then asks for the refunds.
    Refunded(Payment),
    /// `NOTPAY`: it can still be paid.
    NotPaid,
    /// `CLOSED`: never paid, cannot be paid.
    Closed,
    /// `REVOKED`: a payment by code that was reversed.
    Revoked,
    /// `USERPAYING`: a payment by code waits for the payer.
    UserPaying,
    /// `PAYERROR`: a payment by code failed. Reverse it to be sure.
    PayError,
}

/// Money that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// WeChat Pay's number of it: captured once.
    pub transaction_id: String,
    /// What the order was about (`amount.total`): what is credited.
    pub total: Money,
    /// What the payer gave, after coupons. Never credited.
    pub payer_total: Option<Money>,
    /// When.
    pub paid_at: DateTime<Utc>,
    /// The coupons that went in.
    pub coupons: Vec<Coupon>,
}

impl Payment {
    /// What WeChat Pay owes us before its fee: the total without coupons of our own (`NOCASH`), whose money never comes.
    pub fn settled(&self) -> Money {
        let ours = self.coupons.iter().filter(|coupon| coupon.kind == CouponKind::NotSettled);
        let sum: i64 = ours.map(|coupon| coupon.amount.minor()).sum();
        Money::new((self.total.minor() - sum).max(0), self.total.currency())
    }
}

/// Who bears a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponKind {
    /// `CASH`, 充值型: prepaid, and settled to us.
    Settled,
    /// `NOCASH`, 免充值型: our own discount.
    NotSettled,
}

/// A coupon that was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Who bears it.
    pub kind: CouponKind,
    /// Its part of the total.
    pub amount: Money,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its application.
    pub appid: String,
    /// Its merchant.
    pub mchid: String,
    /// Our number.
    pub order: OrderNumber,
    /// `NATIVE`, `MWEB`, `JSAPI`, `MICROPAY`...
    pub trade_type: Option<String>,
    /// How it stands.
    pub state: TransactionState,
}

/// What an order of ours was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Our application.
    pub appid: &'a str,
    /// Our merchant number.
    pub mchid: &'a str,
    /// The order's number.
    pub order: &'a OrderNumber,
    /// What it was about.
    pub total: Money,
}

/// In what a transaction is not the order that we know (payments.md, invariant 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another merchant's: it never posts; a security event.
    #[error("it belongs to another merchant")]
    ForeignMerchant,
    /// Another order's: an answer to another question.
    #[error("it is about another order")]
    OtherOrder,
    /// Another application: suspense and an alarm.
    #[error("it belongs to another application")]
    OtherApplication,
    /// Another currency: suspense and an alarm.
    #[error("it is in another currency")]
    OtherCurrency,
    /// Another amount: suspense and an alarm.
    #[error("it is about another amount")]
    OtherAmount,
}

impl Transaction {
    /// Holds it against the order, worst first. An unpaid one is not asked for its amount.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        if self.mchid != expected.mchid {
            return Err(Mismatch::ForeignMerchant);
        }
        if self.order != *expected.order {
            return Err(Mismatch::OtherOrder);
        }
        if self.appid != expected.appid {
            return Err(Mismatch::OtherApplication);
        }
        match &self.state {
            TransactionState::Paid(payment) | TransactionState::Refunded(payment) => {
                if payment.total.currency() != expected.total.currency() {
                    Err(Mismatch::OtherCurrency)
                } else if payment.total == expected.total {
                    Ok(())
                } else {
                    Err(Mismatch::OtherAmount)
                }
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    appid: Option<String>,
    mchid: Option<String>,
    out_trade_no: Option<String>,
    transaction_id: Option<String>,
    trade_type: Option<String>,
    trade_state: Option<String>,
    success_time: Option<String>,
    amount: Option<RawAmount>,
    #[serde(default)]
    promotion_detail: Option<Vec<RawCoupon>>,
}

#[derive(Deserialize)]
struct RawAmount {
    total: Option<i64>,
    payer_total: Option<i64>,
    currency: Option<String>,
    payer_currency: Option<String>,
}

#[derive(Deserialize)]
struct RawCoupon {
    #[serde(rename = "type")]
    kind: Option<String>,
    amount: Option<i64>,
}

/// Reads an answer to a query or to a payment by code, or what a payment's callback was sealed around.
pub fn transaction(body: &[u8]) -> Result<Transaction, Malformed> {
    let raw: Raw = json("transaction", body, ANSWER_BYTES)?;
    let number = required("out_trade_no", raw.out_trade_no.clone())?;
    let state = match required("trade_state", raw.trade_state.clone())?.as_str() {
        "SUCCESS" => TransactionState::Paid(payment(&raw)?),
        "REFUND" => TransactionState::Refunded(payment(&raw)?),
        "NOTPAY" => TransactionState::NotPaid,
        "CLOSED" => TransactionState::Closed,
        "REVOKED" => TransactionState::Revoked,
        "USERPAYING" => TransactionState::UserPaying,
        "PAYERROR" => TransactionState::PayError,
        _ => return Err(Malformed::field("trade_state", "a state that we do not know")),
    };
    Ok(Transaction {
        appid: required("appid", raw.appid)?,
        mchid: required("mchid", raw.mchid)?,
        order: OrderNumber::new(&number).map_err(|fault| Malformed::field("out_trade_no", fault.to_string()))?,
        trade_type: short("trade_type", raw.trade_type)?,
        state,
    })
}

fn payment(raw: &Raw) -> Result<Payment, Malformed> {
    let amount = raw.amount.as_ref().ok_or(Malformed::Missing("amount"))?;
    let money = currency("amount.currency", amount.currency.as_deref())?;
    let payer = currency("amount.payer_currency", amount.payer_currency.as_deref())?;
    let total = minor("amount.total", amount.total.ok_or(Malformed::Missing("amount.total"))?, money)?;
    let payer_total = amount.payer_total.map(|fen| minor("amount.payer_total", fen, payer)).transpose()?;
    Ok(Payment {
        transaction_id: required("transaction_id", raw.transaction_id.clone())?,
        total,
        payer_total,
        paid_at: time("success_time", raw.success_time.as_deref())?.ok_or(Malformed::Missing("success_time"))?,
        coupons: coupons(raw.promotion_detail.as_deref().unwrap_or_default(), total)?,
    })
}

/// A kind that is not said counts as settled, as the document has it; more coupons than money is refused.
fn coupons(raw: &[RawCoupon], total: Money) -> Result<Vec<Coupon>, Malformed> {
    let mut coupons = Vec::new();
    let mut sum: i64 = 0;
    for coupon in raw {
        let amount = minor("promotion_detail.amount", coupon.amount.unwrap_or(0), Currency::Cny)?;
        sum = sum.saturating_add(amount.minor());
        if coupons.len() == 64 || sum > total.minor() {
            return Err(Malformed::field("promotion_detail", "more coupons than the order was about"));
        }
        let kind = match coupon.kind.as_deref() {
            None | Some("" | "CASH") => CouponKind::Settled,
            Some("NOCASH") => CouponKind::NotSettled,
            Some(_) => return Err(Malformed::field("promotion_detail.type", "neither CASH nor NOCASH")),
        };
        coupons.push(Coupon { kind, amount });
    }
    Ok(coupons)
}
