//! Owns the doors for a fuzzer: arbitrary bytes into everything that reads callbacks and statements. They may be refused, never
//! panic. `fuzz/` hands them to libFuzzer; `tests/fuzz.rs` runs them for a bounded time over mutations in every test run.
//!
//! A signature would stop nearly every mutant, so the readers behind it are entered directly too: they must stand even what a
//! provider itself, or who has its key, would send.

use chrono::DateTime;

use crate::wechat::{ApiV3Key, Envelope, SignatureHeaders, Trust};
use crate::{alipay, key, wechat};

/// A callback's body of either provider, or an answer's.
pub fn callback(body: &[u8]) {
    let key = ApiV3Key::new(&[b'k'; 32]).expect("32 bytes are a key");
    if let Ok(envelope) = Envelope::read(body) {
        let _ = envelope.event(&key);
    }
    let _ = wechat::transaction(body);
    let _ = wechat::refund_notice(body);
    let _ = wechat::refund_report(body);
    let _ = wechat::prepared(body);
    let _ = wechat::bill_location(body);
    let _ = wechat::platform_certificates(body, &key);
    let _ = wechat::check_success(400, body);
    headers(body);
    if let Ok(parameters) = alipay::parameters(body) {
        let _ = alipay::notify_string(&parameters);
        let _ = alipay::Notice::read(&parameters);
    }
    if let Ok(answer) = alipay::signed_answer(body) {
        // What is signed stands in the body, byte for byte.
        assert!(body.windows(answer.content.len()).any(|window| window == answer.content.as_bytes()));
    }
    let _ = key::VerifyingKey::from_pem(body);
    let _ = key::Certificate::from_pem(body);
}

/// Lines `name: value` as headers.
fn headers(body: &[u8]) {
    let Ok(text) = std::str::from_utf8(body) else { return };
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    if let Ok(headers) = SignatureHeaders::read(pairs) {
        let _ = Trust::new().verify(&headers, body, DateTime::UNIX_EPOCH);
    }
}

/// A statement of either provider, packed or not.
pub fn statement(bytes: &[u8]) {
    if let Ok(unpacked) = wechat::unpack(bytes) {
        if let Ok(statement) = wechat::read_statement(&unpacked) {
            assert_eq!(statement.rows.len(), statement.summary.rows);
        }
        let _ = wechat::check_hash(&unpacked, "");
    }
    let unpacked = alipay::unpack(bytes);
    let text = unpacked.as_deref().unwrap_or(bytes);
    if let Ok(statement) = alipay::read_statement(text) {
        assert_eq!(statement.rows.len(), statement.paid.rows + statement.refunded.rows);
    }
}
