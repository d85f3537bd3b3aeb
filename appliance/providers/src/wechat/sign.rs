//! Owns what we sign: the request's string, its `Authorization` header, and the call of the page inside WeChat. It must not draw
//! the nonce or read the time.
//!
//! Sources: 签名生成 (`WECHATPAY2-SHA256-RSA2048`), JSAPI调起支付 (`paySign`).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bounded::hex;
use crate::key::{KeyError, SigningKey};
use crate::malformed::RequestError;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Ask.
    Get,
    /// Tell.
    Post,
}

impl Method {
    /// As it stands on the line and in the string to sign.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request before it is signed. Send `target` and `body` exactly as they are: they are what is signed. With `Accept` and, for a
/// body, `Content-Type: application/json`, and a `User-Agent`; WeChat Pay refuses requests without them.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// JSON, or nothing.
    pub body: String,
}

impl fmt::Debug for Call {
    /// Without its body: that may hold a driver's payment code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {}, {} bytes)", self.method.as_str(), self.target, self.body.len())
    }
}

/// Random text of a request, 1 to 32 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// From 16 random bytes: 32 hexadecimal digits.
    pub fn from_randomness(randomness: [u8; 16]) -> Self {
        Self(hex(&randomness))
    }

    /// Takes a text.
    pub fn new(text: &str) -> Result<Self, RequestError> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=32).contains(&text.len()) && text.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequestError::Field { field: "nonce_str", why: "1 to 32 letters, digits, - and _" })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The string that a request's signature covers: `METHOD\nPATH?query\nTS\nNONCE\nBODY\n`.
pub fn signed_by_us(call: &Call, timestamp: i64, nonce: &Nonce) -> String {
    format!("{}\n{}\n{timestamp}\n{}\n{}\n", call.method.as_str(), call.target, nonce.0, call.body)
}

/// We, as WeChat Pay knows us.
#[derive(Debug)]
pub struct Merchant {
    appid: String,
    mchid: String,
    certificate_serial: String,
    key: SigningKey,
}

impl Merchant {
    /// A merchant with the private key of the API certificate of this serial.
    pub fn new(appid: &str, mchid: &str, certificate_serial: &str, key: SigningKey) -> Result<Self, RequestError> {
        let word = |field, text: &str, most| {
            if (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
                Ok(text.to_owned())
            } else {
                Err(RequestError::Field {
                    field,
                    why: "letters and digits alone, not empty and not longer than agreed",
                })
            }
        };
        Ok(Self {
            appid: word("appid", appid, 32)?,
            mchid: word("mchid", mchid, 32)?,
            certificate_serial: word("serial_no", certificate_serial, 64)?,
            key,
        })
    }

    /// The application's number.
    pub fn appid(&self) -> &str {
        &self.appid
    }

    /// The merchant's number.
    pub fn mchid(&self) -> &str {
        &self.mchid
    }

    /// The value of the `Authorization` header. Sign again for every attempt: WeChat Pay refuses what is older than five minutes.
    pub fn authorization(&self, call: &Call, now: DateTime<Utc>, nonce: &Nonce) -> Result<String, KeyError> {
        let timestamp = now.timestamp();
        let signature = self.key.sign(signed_by_us(call, timestamp, nonce).as_bytes())?;
        Ok(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{}\",timestamp=\"{timestamp}\",serial_no=\"{}\",signature=\"{signature}\"",
            self.mchid, nonce.0, self.certificate_serial
        ))
    }

    /// What the page hands to `WeixinJSBridge.invoke('getBrandWCPayRequest', ...)`.
    pub fn bridge_call(&self, prepay_id: &str, now: DateTime<Utc>, nonce: &Nonce) -> Result<BridgeCall, RequestError> {
        if !(1..=128).contains(&prepay_id.len()) || !prepay_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(RequestError::Field { field: "prepay_id", why: "1 to 128 letters, digits and _" });
        }
        let (time_stamp, package) = (now.timestamp().to_string(), format!("prepay_id={prepay_id}"));
        let message = format!("{}\n{time_stamp}\n{}\n{package}\n", self.appid, nonce.0);
        Ok(BridgeCall {
            app_id: self.appid.clone(),
            time_stamp,
            nonce_str: nonce.0.clone(),
            package,
            sign_type: "RSA",
            pay_sign: self.key.sign(message.as_bytes())?,
        })
    }
}

/// The arguments of the page's call inside WeChat, by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BridgeCall {
    /// Our application.
    #[serde(rename = "appId")]
    pub app_id: String,
    /// Seconds, as a string: some iPhones refuse a number.
    #[serde(rename = "timeStamp")]
    pub time_stamp: String,
    /// The nonce.
    #[serde(rename = "nonceStr")]
    pub nonce_str: String,
    /// `prepay_id=...`.
    pub package: String,
    /// Always `RSA`.
    #[serde(rename = "signType")]
    pub sign_type: &'static str,
    /// The signature.
    #[serde(rename = "paySign")]
    pub pay_sign: String,
}
