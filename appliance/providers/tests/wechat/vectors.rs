//! Owns how the tests get at the vectors.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tollhouse_providers::key::{Certificate, SigningKey, VerifyingKey};
use tollhouse_providers::wechat::{ApiV3Key, Merchant, Trust};

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).expect("a vector")
}

pub(crate) fn vector(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).expect("a vector in JSON")
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text"))
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}

/// When our own vectors were signed.
pub(crate) fn now() -> DateTime<Utc> {
    at(vector("own/wechat.json")["now"].as_i64().expect("seconds"))
}

pub(crate) fn headers(value: &Value) -> Vec<(String, String)> {
    let headers = value["headers"].as_object().expect("headers");
    headers.iter().map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect()
}

pub(crate) fn pairs(headers: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_pem(&bytes("own/merchant.pkcs8.pem")).expect("a key")
}

pub(crate) fn merchant() -> Merchant {
    Merchant::new("wxd678efh567hg6787", "1230000109", "3775B6A45ACD588826D15E583A95F5DD", signing_key())
        .expect("a merchant")
}

pub(crate) fn api_key() -> ApiV3Key {
    ApiV3Key::new(text(&vector("own/wechat.json"), "api_v3_key").as_bytes()).expect("32 bytes")
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(text(&vector("own/wechat.json")["certificates"], name).as_bytes()).expect("a certificate")
}

/// During a change: the old and the new certificate, and a public key.
pub(crate) fn trust() -> Trust {
    let mut trust = Trust::new();
    trust.add_certificate(&certificate("old")).expect("room");
    trust.add_certificate(&certificate("new")).expect("room");
    let key = VerifyingKey::from_pem(&bytes("own/platform_public.pem")).expect("a key");
    trust.add_public_key(text(&vector("own/wechat.json"), "public_key_id"), key).expect("room");
    trust
}
