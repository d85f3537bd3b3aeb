//! Owns the three texts that Alipay's signatures cover, each another one. It must not know what they mean.
//!
//! Sources: 自行实现签名 (a request: all parameters but `sign`, so with `sign_type`), 异步通知验签 (a notify: without `sign` and
//! `sign_type`, after one decoding), 同步返回验签 (an answer: the very bytes of `xxx_response`, never parsed and written again).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::bounded;
use crate::key::VerifyingKey;
use crate::limits::ANSWER_BYTES;
use crate::malformed::Malformed;

/// Why something of Alipay's is not believed. It never posts money; a notify may cause one query, an answer means *unknown*.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No signature. Alipay refuses like this when it does not know us; the words are a hint for the operator, no evidence.
    #[error("without a signature; it says: {0}")]
    Unsigned(String),
    /// A signature of another kind than RSA2.
    #[error("signed by something else than RSA2")]
    OtherKind,
    /// The signature does not fit.
    #[error("the signature is wrong")]
    WrongSignature,
}

fn joined<'a>(parameters: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let pairs: Vec<String> = parameters.map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// What the signature of a request covers: sorted, with `sign_type`, without `sign` and what is empty.
pub fn request_string(parameters: &BTreeMap<String, String>) -> String {
    joined(parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()))
}

/// What the signature of a notify covers: sorted, decoded once, without `sign` and `sign_type`.
pub fn notify_string(parameters: &BTreeMap<String, String>) -> String {
    joined(parameters.iter().filter(|(name, _)| *name != "sign" && *name != "sign_type"))
}

/// An answer's parts, as they stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAnswer<'a> {
    /// `alipay_trade_query_response`, or `error_response`.
    pub name: String,
    /// The bytes that are signed.
    pub content: &'a str,
    /// The signature.
    pub sign: Option<String>,
}

impl SignedAnswer<'_> {
    /// That Alipay signed the content.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), Distrust> {
        match &self.sign {
            None => Err(Distrust::Unsigned(self.content.chars().take(200).collect())),
            Some(sign) => key.verify(self.content.as_bytes(), sign).map_err(|_| Distrust::WrongSignature),
        }
    }
}

/// An object's fields in their order, values untouched; one that stands twice is refused.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if fields.len() == 8 || fields.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a field stands twice, or there are too many"));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Takes an answer apart without changing a byte of it.
pub fn signed_answer(body: &[u8]) -> Result<SignedAnswer<'_>, Malformed> {
    bounded::length("answer", body, ANSWER_BYTES)?;
    let Fields(fields) = serde_json::from_slice(body).map_err(|fault| Malformed::shape("answer", &fault))?;
    let mut answers = fields.iter().filter(|(name, _)| name.ends_with("_response"));
    let (name, content) = answers.next().ok_or(Malformed::Missing("xxx_response"))?;
    if answers.next().is_some() {
        return Err(Malformed::field("answer", "more than one xxx_response"));
    }
    let sign = match fields.iter().find(|(name, _)| name == "sign") {
        Some((_, raw)) => Some(serde_json::from_str(raw.get()).map_err(|fault| Malformed::shape("sign", &fault))?),
        None => None,
    };
    Ok(SignedAnswer { name: name.clone(), content: content.get(), sign })
}
