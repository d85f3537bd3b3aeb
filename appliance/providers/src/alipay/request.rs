//! Owns the requests to Alipay: parameters and their signature, each refused here when Alipay would refuse it there. It must not
//! send them.
//!
//! Sources: 公共请求参数 and the 业务请求参数 of each method. Amounts leave in yuan, times in Beijing's.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tollhouse_core::money::{Currency, Money};

use super::canonical::request_string;
use crate::clock::plain;
use crate::form::encode_all;
use crate::key::{KeyError, SigningKey};
use crate::limits::AMOUNT_MINOR;
use crate::malformed::RequestError;
use crate::number::{OrderNumber, RefundNumber};
use crate::payment_code::{PaymentCode, Wallet};

/// An order to be paid. Sent again under the same number, it must be the same in everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its number.
    pub number: OrderNumber,
    /// What the payer reads: 1 to 256 characters, none of `/=&,"`.
    pub subject: String,
    /// What is asked for, in CNY, above zero.
    pub total: Money,
    /// Until when it can be paid. Five minutes suit a lane: until the buyer has scanned, Alipay cannot be asked or told to close.
    pub expires_at: DateTime<Utc>,
    /// Where notifies go.
    pub notify_url: String,
}

/// A refund to be made. Sent again under the same number, it must be the same in everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundIntent {
    /// The order that was paid.
    pub order: OrderNumber,
    /// The refund's number (`out_request_no`).
    pub number: RefundNumber,
    /// What goes back.
    pub refund: Money,
    /// Why; at most 256 characters, may be empty.
    pub reason: String,
}

#[derive(Serialize)]
struct Biz<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_request_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quit_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_options: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_date: Option<String>,
}

const NOTHING: Biz<'static> = Biz {
    out_trade_no: None,
    out_request_no: None,
    total_amount: None,
    refund_amount: None,
    refund_reason: None,
    subject: None,
    time_expire: None,
    product_code: None,
    quit_url: None,
    scene: None,
    auth_code: None,
    terminal_id: None,
    query_options: None,
    bill_type: None,
    bill_date: None,
};

fn rule(field: &'static str, why: &'static str) -> RequestError {
    RequestError::Field { field, why }
}

fn yuan(field: &'static str, money: Money) -> Result<Option<String>, RequestError> {
    if money.currency() != Currency::Cny || !(1..=AMOUNT_MINOR).contains(&money.minor()) {
        return Err(rule(field, "an amount in CNY above zero"));
    }
    Ok(Some(money.amount()))
}

fn text<'a>(field: &'static str, value: &'a str, most: usize) -> Result<Option<&'a str>, RequestError> {
    // The first three Alipay refuses; the others would break its statement, in which a cell's comma separates.
    let fits = !value.is_empty() && value.chars().count() <= most;
    if fits && !value.chars().any(|c| c.is_control() || "/=&,\"".contains(c)) {
        Ok(Some(value))
    } else {
        Err(rule(field, "not empty, not longer than agreed, none of / = & , \""))
    }
}

fn address<'a>(field: &'static str, url: &'a str) -> Result<&'a str, RequestError> {
    let begins = url.starts_with("https://") || url.starts_with("http://");
    let printable = url.bytes().all(|b| (b'!'..=b'~').contains(&b));
    if begins && printable && url.len() <= 256 {
        Ok(url)
    } else {
        Err(rule(field, "an address of at most 256 characters"))
    }
}

/// A request before it is signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// `alipay.trade.query` and so on.
    pub method: &'static str,
    /// JSON.
    pub biz_content: String,
    /// Where notifies go.
    pub notify_url: Option<String>,
    /// Where the browser goes afterwards. That it comes is no evidence of anything.
    pub return_url: Option<String>,
}

impl fmt::Debug for Call {
    /// Without its content: that may hold a driver's payment code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({}, {} bytes)", self.method, self.biz_content.len())
    }
}

impl Call {
    fn new(method: &'static str, biz: &Biz<'_>) -> Self {
        let biz_content = serde_json::to_string(biz).expect("a body of texts is always JSON");
        Self { method, biz_content, notify_url: None, return_url: None }
    }

    /// A QR code for the lane's display.
    pub fn precreate(intent: &Intent) -> Result<Self, RequestError> {
        let call = Self::new("alipay.trade.precreate", &order(intent)?);
        Ok(Self { notify_url: Some(intent.notify_url.clone()), ..call })
    }

    /// A page for a phone's browser; see [`Signed::page`].
    pub fn wap_pay(intent: &Intent, return_url: &str) -> Result<Self, RequestError> {
        let quit_url = Some(address("quit_url", return_url)?);
        let biz = Biz { product_code: Some("QUICK_WAP_WAY"), quit_url, ..order(intent)? };
        let call = Self::new("alipay.trade.wap.pay", &biz);
        Ok(Self { notify_url: Some(intent.notify_url.clone()), return_url: Some(return_url.to_owned()), ..call })
    }

    /// The driver's payment code, scanned at this lane. It may be answered with the paid trade, or with 10003: query, then
    /// [`Self::cancel`].
    pub fn pay(
        number: &OrderNumber,
        subject: &str,
        total: Money,
        code: &PaymentCode,
        lane: &str,
    ) -> Result<Self, RequestError> {
        if code.wallet() != Wallet::Alipay {
            return Err(rule("auth_code", "a payment code of another wallet"));
        }
        let biz = Biz {
            out_trade_no: Some(number.as_str()),
            total_amount: yuan("total_amount", total)?,
            subject: text("subject", subject, 256)?,
            scene: Some("bar_code"),
            auth_code: Some(code.digits()),
            terminal_id: text("terminal_id", lane, 32)?,
            ..NOTHING
        };
        Ok(Self::new("alipay.trade.pay", &biz))
    }

    /// How a trade stands.
    pub fn query(number: &OrderNumber) -> Self {
        Self::new("alipay.trade.query", &Biz { out_trade_no: Some(number.as_str()), ..NOTHING })
    }

    /// Closes a trade that nobody paid; refused with `ACQ.TRADE_NOT_EXIST` until the buyer has scanned.
    pub fn close(number: &OrderNumber) -> Self {
        Self::new("alipay.trade.close", &Biz { out_trade_no: Some(number.as_str()), ..NOTHING })
    }

    /// Gives up a payment by code: closes it, or pays it back. Repeat while `retry_flag` says so.
    pub fn cancel(number: &OrderNumber) -> Self {
        Self::new("alipay.trade.cancel", &Biz { out_trade_no: Some(number.as_str()), ..NOTHING })
    }

    /// Gives money back.
    pub fn refund(intent: &RefundIntent) -> Result<Self, RequestError> {
        let reason = if intent.reason.is_empty() { None } else { text("refund_reason", &intent.reason, 256)? };
        let biz = Biz {
            out_trade_no: Some(intent.order.as_str()),
            out_request_no: Some(intent.number.as_str()),
            refund_amount: yuan("refund_amount", intent.refund)?,
            refund_reason: reason,
            ..NOTHING
        };
        Ok(Self::new("alipay.trade.refund", &biz))
    }

    /// How a refund stands.
    pub fn query_refund(order: &OrderNumber, number: &RefundNumber) -> Self {
        let biz = Biz {
            out_trade_no: Some(order.as_str()),
            out_request_no: Some(number.as_str()),
            query_options: Some(["gmt_refund_pay"]),
            ..NOTHING
        };
        Self::new("alipay.trade.fastpay.refund.query", &biz)
    }

    /// Where the statement of a day is.
    pub fn bill(day: NaiveDate) -> Self {
        let bill_date = Some(day.format("%Y-%m-%d").to_string());
        let biz = Biz { bill_type: Some("trade"), bill_date, ..NOTHING };
        Self::new("alipay.data.dataservice.bill.downloadurl.query", &biz)
    }
}

fn order(intent: &Intent) -> Result<Biz<'_>, RequestError> {
    address("notify_url", &intent.notify_url)?;
    Ok(Biz {
        out_trade_no: Some(intent.number.as_str()),
        total_amount: yuan("total_amount", intent.total)?,
        subject: text("subject", &intent.subject, 256)?,
        time_expire: Some(plain(intent.expires_at)),
        ..NOTHING
    })
}

/// We, as Alipay knows us.
#[derive(Debug)]
pub struct App {
    id: String,
    seller_id: String,
    key: SigningKey,
}

impl App {
    /// An application, the account that its money goes to (`2088...`), and the application's private key.
    pub fn new(app_id: &str, seller_id: &str, key: SigningKey) -> Result<Self, RequestError> {
        let digits = |field, text: &str| {
            let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if fits { Ok(text.to_owned()) } else { Err(rule(field, "1 to 32 digits")) }
        };
        Ok(Self { id: digits("app_id", app_id)?, seller_id: digits("seller_id", seller_id)?, key })
    }

    /// The application's number.
    pub fn app_id(&self) -> &str {
        &self.id
    }

    /// Our account.
    pub fn seller_id(&self) -> &str {
        &self.seller_id
    }

    /// Signs a request. Sign again for every attempt.
    pub fn sign(&self, call: &Call, now: DateTime<Utc>) -> Result<Signed, KeyError> {
        let mut parameters: BTreeMap<String, String> = [
            ("app_id", self.id.as_str()),
            ("method", call.method),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("sign_type", "RSA2"),
            ("timestamp", &plain(now)),
            ("version", "1.0"),
            ("biz_content", &call.biz_content),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        for (name, url) in [("notify_url", &call.notify_url), ("return_url", &call.return_url)] {
            if let Some(url) = url {
                parameters.insert(name.to_owned(), url.clone());
            }
        }
        let sign = self.key.sign(request_string(&parameters).as_bytes())?;
        parameters.insert("sign".to_owned(), sign);
        Ok(Signed(parameters))
    }
}

/// A signed request.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed(BTreeMap<String, String>);

impl Signed {
    /// All parameters, with `sign`.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// For a POST: everything but the content, for the address, where Alipay looks for the character set.
    pub fn query(&self) -> String {
        encode_all(self.pairs().filter(|(name, _)| *name != "biz_content"))
    }

    /// For a POST: the content, as `application/x-www-form-urlencoded;charset=utf-8`.
    pub fn body(&self) -> String {
        encode_all(self.pairs().filter(|(name, _)| *name == "biz_content"))
    }

    /// For `wap.pay`: where to send the browser.
    pub fn page(&self, gateway: &str) -> String {
        format!("{gateway}?{}", encode_all(self.pairs()))
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Signed {
    /// Without its content: that may hold a driver's payment code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({})", self.0.get("method").map_or("", String::as_str))
    }
}
