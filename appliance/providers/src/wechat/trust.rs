//! Owns which keys of WeChat Pay are believed, and the verification of whatever it signed. It must not act on what was signed.
//!
//! Source: 签名验证, 微信支付公钥, 平台证书. During a change of keys both sign; a signature that is wrong on purpose is a probe of ours.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::headers::SignatureHeaders;
use crate::key::{Certificate, VerifyingKey};
use crate::limits::{ANSWER_BYTES, SIGNATURE_AGE_SECONDS, TRUSTED_KEYS};
use crate::malformed::RequestError;

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// Why something signed is not believed. It never posts money; a callback may cause one query, an answer means *unknown*.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A header of the signature is missing, stands twice or is no such thing.
    #[error("the header {0} {1}")]
    Header(&'static str, &'static str),
    /// WeChat Pay tests whether we verify.
    #[error("a probe: the signature is wrong on purpose")]
    Probe,
    /// Signed too long ago, or in the future; or our clock is wrong.
    #[error("signed {0} s away from our clock, {SIGNATURE_AGE_SECONDS} s or more are refused")]
    Stale(u64),
    /// No key of ours has this serial. Fetch the platform certificates again, at most once a minute.
    #[error("signed with a key that we do not know: {0}")]
    UnknownSerial(String),
    /// The signature does not fit.
    #[error("the signature is wrong")]
    WrongSignature,
    /// More than is ever signed.
    #[error("a body of {0} bytes is not taken")]
    TooLong(usize),
}

impl Distrust {
    /// The HTTP status that a callback is refused with. WeChat Pay repeats it later, which is what we want of one that was stale.
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLong(_) => 413,
            _ => 401,
        }
    }
}

/// The string that their signature covers: `TS\nNONCE\nrawbody\n`.
pub fn signed_by_them(timestamp: i64, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// The keys of WeChat Pay that we believe, by serial or by public key id.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: BTreeMap<String, VerifyingKey>,
}

/// Serials are hexadecimal numbers, so neither case nor leading zeros matter; ids are taken as they are.
fn normal(serial: &str) -> String {
    if serial.starts_with(PUBLIC_KEY_ID) {
        serial.to_owned()
    } else {
        serial.trim_start_matches('0').to_ascii_uppercase()
    }
}

impl Trust {
    /// Nobody is believed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes a platform certificate. How long it is valid is for the caller to watch: WeChat Pay sends a successor weeks before.
    pub fn add_certificate(&mut self, certificate: &Certificate) -> Result<(), RequestError> {
        self.add(normal(certificate.serial()), certificate.key().clone())
    }

    /// Believes a public key under its id, `PUB_KEY_ID_...`.
    pub fn add_public_key(&mut self, id: &str, key: VerifyingKey) -> Result<(), RequestError> {
        let digits = id.strip_prefix(PUBLIC_KEY_ID).unwrap_or_default();
        if digits.is_empty() || id.len() > 64 || !digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(RequestError::Field {
                field: "public key id",
                why: "it begins with PUB_KEY_ID_ and goes on in digits",
            });
        }
        self.add(id.to_owned(), key)
    }

    fn add(&mut self, id: String, key: VerifyingKey) -> Result<(), RequestError> {
        if self.keys.len() >= TRUSTED_KEYS && !self.keys.contains_key(&id) {
            return Err(RequestError::Field {
                field: "platform keys",
                why: "too many are trusted; take the old ones away",
            });
        }
        self.keys.insert(id, key);
        Ok(())
    }

    /// Believes a key no longer, at the end of a change.
    pub fn remove(&mut self, serial: &str) {
        self.keys.remove(&normal(serial));
    }

    /// The serials and ids that are believed, in order.
    pub fn serials(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// That WeChat Pay signed this body, as it came over the line, less than 300 s from `now`.
    pub fn verify(&self, headers: &SignatureHeaders, body: &[u8], now: DateTime<Utc>) -> Result<(), Distrust> {
        if body.len() > ANSWER_BYTES {
            return Err(Distrust::TooLong(body.len()));
        }
        if headers.signature.starts_with(PROBE) {
            return Err(Distrust::Probe);
        }
        let away = now.timestamp().abs_diff(headers.timestamp);
        if away >= SIGNATURE_AGE_SECONDS {
            return Err(Distrust::Stale(away));
        }
        let key = self
            .keys
            .get(&normal(&headers.serial))
            .ok_or_else(|| Distrust::UnknownSerial(headers.serial.chars().take(64).collect()))?;
        let message = signed_by_them(headers.timestamp, &headers.nonce, body);
        key.verify(&message, &headers.signature).map_err(|_| Distrust::WrongSignature)
    }
}
