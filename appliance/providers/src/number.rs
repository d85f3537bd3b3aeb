//! Owns the numbers that we give to orders and refunds at the providers. It must not draw randomness: that is an argument.
//!
//! Sources: WeChat Pay `out_trade_no` (6 to 32 of digits, letters, `_-|*`, unique per merchant) and `out_refund_no` (at most 64,
//! `@` too); Alipay `out_trade_no` (at most 64 of letters, digits, `_`). What [`OrderNumber::make`] makes suits both.

use std::fmt;

use chrono::{DateTime, Utc};

/// Why a text is no number for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too short or too long.
    #[error("a number of {0} characters; {1} to {2} are taken")]
    Length(usize, usize, usize),
    /// A character that the providers refuse.
    #[error("the character {0:?} cannot stand in it")]
    Character(char),
}

fn check(text: &str, least: usize, most: usize, others: &str) -> Result<(), NumberError> {
    if let Some(wrong) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || others.contains(*c))) {
        return Err(NumberError::Character(wrong));
    }
    if (least..=most).contains(&text.len()) { Ok(()) } else { Err(NumberError::Length(text.len(), least, most)) }
}

/// The box's own prefix, 1 to 6 letters and digits; a new one after a restore, so that a number is never given twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoxPrefix(String);

impl BoxPrefix {
    /// Takes a prefix.
    pub fn new(text: &str) -> Result<Self, NumberError> {
        check(text, 1, 6, "")?;
        Ok(Self(text.to_owned()))
    }
}

/// An order's number at the provider (`out_trade_no`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// Takes a number that stands already.
    pub fn new(text: &str) -> Result<Self, NumberError> {
        check(text, 6, 32, "_-|*")?;
        Ok(Self(text.to_owned()))
    }

    /// Makes a new one: the prefix and a ULID of this time and these random bits. Letters and digits alone, at most 32.
    pub fn make(prefix: &BoxPrefix, at: DateTime<Utc>, randomness: [u8; 10]) -> Self {
        Self(format!("{}{}", prefix.0, ulid(at, randomness)))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A refund's number at the provider (`out_refund_no`, `out_request_no`): the same on every retry, a new one only after a queried
/// CLOSED.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundNumber(String);

impl RefundNumber {
    /// Takes a number that stands already.
    pub fn new(text: &str) -> Result<Self, NumberError> {
        check(text, 1, 64, "_-|*@")?;
        Ok(Self(text.to_owned()))
    }

    /// Makes a new one, as [`OrderNumber::make`] does.
    pub fn make(prefix: &BoxPrefix, at: DateTime<Utc>, randomness: [u8; 10]) -> Self {
        Self(format!("{}{}", prefix.0, ulid(at, randomness)))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefundNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 48 bits of milliseconds and 80 of randomness in Crockford's base 32: 26 characters, in the order of time.
fn ulid(at: DateTime<Utc>, randomness: [u8; 10]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::from(u64::try_from(at.timestamp_millis()).unwrap_or(0)) & 0xFFFF_FFFF_FFFF;
    let mut bits = [0; 16];
    bits[6..].copy_from_slice(&randomness);
    let value = millis << 80 | u128::from_be_bytes(bits);
    (0..26).rev().map(|place| char::from(DIGITS[(value >> (place * 5) & 31) as usize])).collect()
}

#[test]
fn a_made_number_suits_both_providers_and_is_in_the_order_of_time() {
    let at = DateTime::from_timestamp_millis(1_469_918_176_385).expect("a time");
    let longest = BoxPrefix::new("LOT7z9").expect("a prefix");
    let first = OrderNumber::make(&longest, at, [0xFF; 10]);
    // The time's ten digits are those of the example in the ULID specification.
    assert_eq!(first.as_str(), "LOT7z901ARYZ6S41ZZZZZZZZZZZZZZZZ");
    assert_eq!(first.as_str().len(), 32);
    assert!(first.as_str().bytes().all(|b| b.is_ascii_alphanumeric()), "Alipay takes letters and digits");
    assert_eq!(OrderNumber::new(first.as_str()), Ok(first.clone()));
    assert!(first < OrderNumber::make(&longest, at + chrono::Duration::milliseconds(1), [0; 10]));
}

#[test]
fn a_number_that_a_provider_would_refuse_is_refused() {
    for wrong in ["", "12345", &"1".repeat(33), "1234 6", "12345/", "停车场12345", "123456\n"] {
        assert!(OrderNumber::new(wrong).is_err(), "{wrong:?}");
    }
    for right in ["123456", &"Z".repeat(32), "a_-|*Z9"] {
        assert!(OrderNumber::new(right).is_ok(), "{right:?}");
    }
    assert!(
        RefundNumber::new("r@1").is_ok()
            && RefundNumber::new("").is_err()
            && RefundNumber::new(&"1".repeat(65)).is_err()
    );
    assert!(BoxPrefix::new("1234567").is_err() && BoxPrefix::new("A-1").is_err() && BoxPrefix::new("").is_err());
}
