//! Owns the requests to WeChat Pay: targets and bodies, each refused here when WeChat Pay would refuse it there. It must not sign
//! or send them.
//!
//! Sources, by title: Native下单, H5下单, JSAPI下单, 付款码支付, 微信支付订单号查询 / 商户订单号查询, 关闭订单, 撤销订单, 退款申请,
//! 查询单笔退款, 申请交易账单, 下载账单, 下载平台证书. Amounts leave in fen.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tollhouse_core::money::{Currency, Money};

use super::sign::{Call, Merchant, Method};
use crate::clock::rfc3339;
use crate::form::encode;
use crate::malformed::RequestError;
use crate::number::{OrderNumber, RefundNumber};
use crate::payment_code::{PaymentCode, Wallet};

/// An order to be paid. Sent again under the same number, it must be the same in everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its number.
    pub number: OrderNumber,
    /// What the payer reads, 1 to 127 characters.
    pub description: String,
    /// What is asked for, in CNY, above zero.
    pub total: Money,
    /// Until when it can be paid. This does not close it.
    pub expires_at: DateTime<Utc>,
    /// Where callbacks go: at most 255 characters, without a query.
    pub notify_url: String,
}

/// Where an H5 payer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct H5Scene {
    /// The phone's address as our front saw it.
    pub payer_ip: std::net::IpAddr,
}

/// A refund to be made. Sent again under the same number, it must be the same in everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundIntent {
    /// The order that was paid.
    pub order: OrderNumber,
    /// The refund's number.
    pub number: RefundNumber,
    /// What goes back.
    pub refund: Money,
    /// What the order was about.
    pub total: Money,
    /// What the payer reads, at most 80 characters; may be empty.
    pub reason: String,
    /// Where callbacks go, if they are wanted.
    pub notify_url: Option<String>,
}

/// An amount as the API writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Fen.
    pub total: i64,
    /// `CNY`.
    pub currency: &'static str,
}

#[derive(Serialize)]
struct OrderBody<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<PayerBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<SceneBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PayerBody<'a> {
    Openid(&'a str),
    AuthCode(&'a str),
}

#[derive(Serialize)]
struct SceneBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_client_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h5_info: Option<H5Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_info: Option<StoreBody<'a>>,
}

#[derive(Serialize)]
struct H5Body {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct StoreBody<'a> {
    out_id: &'a str,
}

#[derive(Serialize)]
struct MerchantBody<'a> {
    mchid: &'a str,
}

#[derive(Serialize)]
struct ReverseBody<'a> {
    appid: &'a str,
    mchid: &'a str,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
    amount: RefundAmountBody,
}

#[derive(Serialize)]
struct RefundAmountBody {
    refund: i64,
    total: i64,
    currency: &'static str,
}

fn rule(field: &'static str, why: &'static str) -> RequestError {
    RequestError::Field { field, why }
}

fn fen(field: &'static str, money: Money) -> Result<i64, RequestError> {
    if money.currency() != Currency::Cny || !(1..=crate::limits::AMOUNT_MINOR).contains(&money.minor()) {
        return Err(rule(field, "an amount in CNY above zero"));
    }
    Ok(money.minor())
}

fn text<'a>(field: &'static str, value: &'a str, most: usize, why: &'static str) -> Result<&'a str, RequestError> {
    let fits = !value.is_empty() && value.chars().count() <= most && !value.chars().any(char::is_control);
    if fits { Ok(value) } else { Err(rule(field, why)) }
}

fn notify(url: &str) -> Result<&str, RequestError> {
    let begins = url.starts_with("https://") || url.starts_with("http://");
    if !begins || url.len() > 255 || url.contains(['?', '#', ' ']) {
        return Err(rule("notify_url", "an address of at most 255 characters, without a query"));
    }
    Ok(url)
}

fn post(target: String, body: &impl Serialize) -> Call {
    let body = serde_json::to_string(body).expect("a body of texts and numbers is always JSON");
    Call { method: Method::Post, target, body }
}

fn get(target: String) -> Call {
    Call { method: Method::Get, target, body: String::new() }
}

/// The requests of one merchant.
#[derive(Debug, Clone, Copy)]
pub struct Requests<'a>(pub &'a Merchant);

impl Requests<'_> {
    fn order<'b>(&'b self, intent: &'b Intent) -> Result<OrderBody<'b>, RequestError> {
        Ok(OrderBody {
            time_expire: Some(rfc3339(intent.expires_at)),
            notify_url: Some(notify(&intent.notify_url)?),
            ..self.bare_order(&intent.number, &intent.description, intent.total)?
        })
    }

    fn bare_order<'b>(
        &'b self,
        number: &'b OrderNumber,
        description: &'b str,
        total: Money,
    ) -> Result<OrderBody<'b>, RequestError> {
        Ok(OrderBody {
            appid: self.0.appid(),
            mchid: self.0.mchid(),
            description: text("description", description, 127, "1 to 127 characters, no control characters")?,
            out_trade_no: number.as_str(),
            time_expire: None,
            notify_url: None,
            amount: Amount { total: fen("amount.total", total)?, currency: "CNY" },
            payer: None,
            scene_info: None,
        })
    }

    /// A QR code for the lane's display; answered with `code_url`.
    pub fn native(&self, intent: &Intent) -> Result<Call, RequestError> {
        Ok(post("/v3/pay/transactions/native".to_owned(), &self.order(intent)?))
    }

    /// A page for browsers other than WeChat's; answered with `h5_url`.
    pub fn h5(&self, intent: &Intent, scene: &H5Scene) -> Result<Call, RequestError> {
        let mut body = self.order(intent)?;
        body.scene_info = Some(SceneBody {
            payer_client_ip: Some(scene.payer_ip.to_string()),
            h5_info: Some(H5Body { kind: "Wap" }),
            store_info: None,
        });
        Ok(post("/v3/pay/transactions/h5".to_owned(), &body))
    }

    /// A page inside WeChat; answered with `prepay_id`, see [`Merchant::bridge_call`].
    pub fn jsapi(&self, intent: &Intent, openid: &str) -> Result<Call, RequestError> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !(1..=128).contains(&openid.len()) || !openid.bytes().all(known) {
            return Err(rule("openid", "1 to 128 letters, digits, - and _"));
        }
        let mut body = self.order(intent)?;
        body.payer = Some(PayerBody::Openid(openid));
        Ok(post("/v3/pay/transactions/jsapi".to_owned(), &body))
    }

    /// The driver's payment code, scanned at this lane. It may be answered with the paid order, or with USERPAYING: query, then
    /// [`Self::reverse`]. It has neither callback nor expiry of ours.
    pub fn codepay(
        &self,
        number: &OrderNumber,
        description: &str,
        total: Money,
        code: &PaymentCode,
        lane: &str,
    ) -> Result<Call, RequestError> {
        if code.wallet() != Wallet::WeChat {
            return Err(rule("auth_code", "a payment code of another wallet"));
        }
        let lane = text("scene_info.store_info.out_id", lane, 32, "1 to 32 characters")?;
        let mut body = self.bare_order(number, description, total)?;
        body.payer = Some(PayerBody::AuthCode(code.digits()));
        body.scene_info =
            Some(SceneBody { payer_client_ip: None, h5_info: None, store_info: Some(StoreBody { out_id: lane }) });
        Ok(post("/v3/pay/transactions/codepay".to_owned(), &body))
    }

    /// Gives up a payment by code: closes it, or pays it back. Repeat until it is answered with success.
    pub fn reverse(&self, number: &OrderNumber) -> Call {
        let target = format!("/v3/pay/transactions/out-trade-no/{}/reverse", encode(number.as_str()));
        post(target, &ReverseBody { appid: self.0.appid(), mchid: self.0.mchid() })
    }

    /// How an order stands.
    pub fn query(&self, number: &OrderNumber) -> Call {
        get(format!("/v3/pay/transactions/out-trade-no/{}?mchid={}", encode(number.as_str()), self.0.mchid()))
    }

    /// Closes an order that nobody paid; answered with 204.
    pub fn close(&self, number: &OrderNumber) -> Call {
        let target = format!("/v3/pay/transactions/out-trade-no/{}/close", encode(number.as_str()));
        post(target, &MerchantBody { mchid: self.0.mchid() })
    }

    /// Gives money back. Success means accepted, not done.
    pub fn refund(&self, intent: &RefundIntent) -> Result<Call, RequestError> {
        let (refund, total) = (fen("amount.refund", intent.refund)?, fen("amount.total", intent.total)?);
        if refund > total {
            return Err(rule("amount.refund", "no more than the order was about"));
        }
        if !intent.reason.is_empty() {
            text("reason", &intent.reason, 80, "at most 80 characters, no control characters")?;
        }
        let body = RefundBody {
            out_trade_no: intent.order.as_str(),
            out_refund_no: intent.number.as_str(),
            reason: &intent.reason,
            notify_url: intent.notify_url.as_deref().map(notify).transpose()?,
            amount: RefundAmountBody { refund, total, currency: "CNY" },
        };
        Ok(post("/v3/refund/domestic/refunds".to_owned(), &body))
    }

    /// How a refund stands.
    pub fn query_refund(&self, number: &RefundNumber) -> Call {
        get(format!("/v3/refund/domestic/refunds/{}", encode(number.as_str())))
    }

    /// Where the statement of a day is: all rows, packed. From 10:00 of the next day, three months back.
    pub fn trade_bill(&self, day: NaiveDate) -> Call {
        get(format!("/v3/bill/tradebill?bill_date={}&bill_type=ALL&tar_type=GZIP", day.format("%Y-%m-%d")))
    }

    /// The platform's certificates, sealed. Not needed in public-key mode.
    pub fn certificates(&self) -> Call {
        get("/v3/certificates".to_owned())
    }

    /// The download of a statement, which is signed like any request, its answer is not. The address has to be at `gateway`
    /// (`https://api.mch.weixin.qq.com`): our signature goes to nobody else.
    pub fn download(&self, gateway: &str, address: &str) -> Result<Call, RequestError> {
        let target = address.strip_prefix(gateway.trim_end_matches('/')).unwrap_or_default();
        let printable = target.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'#');
        if !target.starts_with('/') || target.len() > 2048 || !printable {
            return Err(rule("download_url", "an address at WeChat Pay's gateway"));
        }
        Ok(get(target.to_owned()))
    }
}
