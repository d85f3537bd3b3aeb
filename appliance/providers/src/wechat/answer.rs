//! Owns answers of the API that are neither a transaction nor a refund, and refusals. It must not see one before [`super::Trust`]
//! has verified it.
//!
//! Source: 业务错误码 of each API; the titles in `request.rs`.

use serde::Deserialize;

use super::seal::{ApiV3Key, Resource};
use crate::bounded::{json, required, short};
use crate::key::Certificate;
use crate::limits::{ANSWER_BYTES, TRUSTED_KEYS};
use crate::malformed::Malformed;

/// What a refusal asks of the caller. Everything that WeChat Pay's list does not say to be final counts as unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `ORDER_NOT_EXIST`: it never got there, or nobody scanned it yet. Send the same again, or let it expire.
    NoSuchOrder,
    /// `ORDER_CLOSED`: it will not be paid under this number.
    Closed,
    /// `ORDERPAID`: query, it is paid.
    AlreadyPaid,
    /// `OUT_TRADE_NO_USED`: this number is known with other parameters. Query it, then take another number.
    NumberUsed,
    /// `USERPAYING`: the payer types a password. Query every few seconds, then reverse.
    UserPaying,
    /// `RESOURCE_NOT_EXISTS`: no such refund. Send the same again.
    NoSuchRefund,
    /// `NOT_ENOUGH`: the merchant's balance does not cover the refund. A person has to act; then the same number again.
    BalanceTooLow,
    /// `NO_STATEMENT_EXIST`: there was no trade on that day.
    NoStatement,
    /// `STATEMENT_CREATING`: later.
    StatementNotReady,
    /// `AUTH_CODE_EXPIRED`, `AUTH_CODE_INVALID`: the driver shows another code, which is another order.
    PaymentCodeSpent,
    /// `FREQUENCY_LIMITED`, `RATELIMIT_EXCEEDED`: later, slower.
    TooOften,
    /// `SIGN_ERROR`, `NO_AUTH`, `APPID_MCHID_NOT_MATCH`, `PARAM_ERROR` and others that no repetition mends. An alarm.
    Ours,
    /// Anything else, and every 5xx: not known. Query under the same number.
    Unknown,
}

/// A refusal by WeChat Pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WeChat Pay refused with {status} {code}: {message}")]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// Its code.
    pub code: String,
    /// Its words, for a person.
    pub message: String,
    /// What to do.
    pub refusal: Refusal,
}

fn refusal(status: u16, code: &str) -> Refusal {
    if status >= 500 {
        return Refusal::Unknown;
    }
    match code {
        "ORDER_NOT_EXIST" | "ORDERNOTEXIST" => Refusal::NoSuchOrder,
        "ORDER_CLOSED" | "ORDERCLOSED" => Refusal::Closed,
        "ORDERPAID" | "ORDER_PAID" => Refusal::AlreadyPaid,
        "OUT_TRADE_NO_USED" | "OUTTRADENOUSED" => Refusal::NumberUsed,
        "USERPAYING" | "USER_PAYING" => Refusal::UserPaying,
        "RESOURCE_NOT_EXISTS" => Refusal::NoSuchRefund,
        "NOT_ENOUGH" | "NOTENOUGH" => Refusal::BalanceTooLow,
        "NO_STATEMENT_EXIST" => Refusal::NoStatement,
        "STATEMENT_CREATING" => Refusal::StatementNotReady,
        "AUTH_CODE_EXPIRED" | "AUTHCODEEXPIRE" | "AUTH_CODE_INVALID" | "AUTH_CODE_ERROR" => Refusal::PaymentCodeSpent,
        "FREQUENCY_LIMITED" | "FREQUENCY_LIMIT_EXCEED" | "RATELIMIT_EXCEEDED" | "RATELIMIT_EXCEED" => Refusal::TooOften,
        "SIGN_ERROR"
        | "NO_AUTH"
        | "NOAUTH"
        | "APPID_MCHID_NOT_MATCH"
        | "PARAM_ERROR"
        | "MCH_NOT_EXISTS"
        | "OPENID_MISMATCH" => Refusal::Ours,
        _ => Refusal::Unknown,
    }
}

/// That an answer is a success (200 to 299); otherwise what was refused, as far as it can be read.
pub fn check_success(status: u16, body: &[u8]) -> Result<(), Refused> {
    #[derive(Deserialize)]
    struct Raw {
        code: Option<String>,
        message: Option<String>,
    }
    if (200..300).contains(&status) {
        return Ok(());
    }
    let read: Result<Raw, Malformed> = json("refusal", body, ANSWER_BYTES);
    let (code, message) = read.map_or((None, None), |raw| (raw.code, raw.message));
    let cut = |text: Option<String>, most| text.unwrap_or_default().chars().take(most).collect::<String>();
    let (code, message) = (cut(code, 64), cut(message, 256));
    Err(Refused { status, refusal: refusal(status, &code), code, message })
}

/// How a made order is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// Show this as a QR code.
    Native(String),
    /// Send the browser there.
    H5(String),
    /// Call the bridge with it; good for two hours.
    Jsapi(String),
}

/// The answer to a made order: it holds exactly one way.
pub fn prepared(body: &[u8]) -> Result<Prepared, Malformed> {
    #[derive(Deserialize)]
    struct Raw {
        code_url: Option<String>,
        h5_url: Option<String>,
        prepay_id: Option<String>,
    }
    let raw: Raw = json("made order", body, ANSWER_BYTES)?;
    let (code, page, prepay) =
        (short("code_url", raw.code_url)?, short("h5_url", raw.h5_url)?, short("prepay_id", raw.prepay_id)?);
    match (code, page, prepay) {
        (Some(url), None, None) if url.starts_with("weixin://") => Ok(Prepared::Native(url)),
        (Some(_), None, None) => Err(Malformed::field("code_url", "it does not begin with weixin://")),
        (None, Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => Ok(Prepared::H5(url)),
        (None, Some(_), None) => Err(Malformed::field("h5_url", "no address")),
        (None, None, Some(id)) => Ok(Prepared::Jsapi(id)),
        (None, None, None) => Err(Malformed::Missing("code_url, h5_url or prepay_id")),
        _ => Err(Malformed::field("made order", "more than one way to pay")),
    }
}

/// Where a statement is, and the hash of what it is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLocation {
    /// SHA-1, hexadecimal.
    pub sha1: String,
    /// For [`super::Requests::download`].
    pub download_url: String,
}

/// The answer about a statement.
pub fn bill_location(body: &[u8]) -> Result<BillLocation, Malformed> {
    #[derive(Deserialize)]
    struct Raw {
        hash_type: Option<String>,
        hash_value: Option<String>,
        download_url: Option<String>,
    }
    let raw: Raw = json("statement's location", body, ANSWER_BYTES)?;
    if required("hash_type", raw.hash_type)? != "SHA1" {
        return Err(Malformed::field("hash_type", "not SHA1"));
    }
    let sha1 = required("hash_value", raw.hash_value)?;
    if sha1.len() != 40 || !sha1.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Malformed::field("hash_value", "not 40 hexadecimal digits"));
    }
    Ok(BillLocation {
        sha1: sha1.to_ascii_lowercase(),
        download_url: raw.download_url.filter(|url| url.len() <= 2048).ok_or(Malformed::Missing("download_url"))?,
    })
}

/// The platform's certificates, opened. They are WeChat Pay's because the APIv3 key opens them, so the first list of all, whose own
/// signature nobody can check yet, may be believed; verify the answer with them afterwards.
pub fn platform_certificates(body: &[u8], key: &ApiV3Key) -> Result<Vec<Certificate>, Malformed> {
    #[derive(Deserialize)]
    struct Raw {
        data: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        serial_no: String,
        encrypt_certificate: Resource,
    }
    let raw: Raw = json("certificates", body, ANSWER_BYTES)?;
    if raw.data.len() > TRUSTED_KEYS {
        return Err(Malformed::field("data", "more certificates than are trusted at one time"));
    }
    let open = |item: Item| {
        let wrong = |why: String| Malformed::field("encrypt_certificate", why);
        let pem = item.encrypt_certificate.open(key).map_err(|fault| wrong(fault.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|fault| wrong(fault.to_string()))?;
        if certificate.serial().eq_ignore_ascii_case(item.serial_no.trim_start_matches('0')) {
            Ok(certificate)
        } else {
            Err(Malformed::field("serial_no", "not the certificate's own"))
        }
    };
    raw.data.into_iter().map(open).collect()
}
