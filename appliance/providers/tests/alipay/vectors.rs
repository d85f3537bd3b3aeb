//! Owns how the tests get at the vectors, and Alipay's side: a test key that signs answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tollhouse_providers::key::{SigningKey, VerifyingKey};

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).expect("a vector")
}

pub(crate) fn vector(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).expect("a vector in JSON")
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text"))
}

pub(crate) fn parameters(value: &Value) -> BTreeMap<String, String> {
    let object = value.as_object().expect("an object");
    object.iter().map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a time")
}

pub(crate) fn platform_key() -> SigningKey {
    SigningKey::from_pem(&bytes("own/alipay_platform.pkcs8.pem")).expect("a key")
}

pub(crate) fn public_key() -> VerifyingKey {
    VerifyingKey::from_pem(text(&vector("own/alipay.json"), "public_key").as_bytes()).expect("a bare key")
}

/// An answer as Alipay would give it, signed.
pub(crate) fn answer(name: &str, content: &str) -> Vec<u8> {
    let sign = platform_key().sign(content.as_bytes()).expect("signed");
    format!("{{\"{name}\":{content},\"sign\":\"{sign}\"}}").into_bytes()
}
