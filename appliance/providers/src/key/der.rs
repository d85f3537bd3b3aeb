//! Owns the little of DER (ITU-T X.690) that keys and certificates (RFC 5280, RFC 8017) need. It must not verify anything: a
//! certificate is read here, not judged.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::KeyError;
use crate::bounded::hex;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERAL_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];

/// What we take from a certificate.
pub(super) struct Parts<'a> {
    pub(super) serial: String,
    pub(super) valid_from: DateTime<Utc>,
    pub(super) valid_until: DateTime<Utc>,
    pub(super) pkcs1: &'a [u8],
}

/// A run of elements, read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(u8, &'a [u8]), KeyError> {
        let cut = KeyError::Structure("it ends too early");
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>().ok_or(cut.clone())?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            // Two bytes of length reach 64 KiB, as far as a key file goes.
            let count = usize::from(first & 0x7F);
            if !(1..=2).contains(&count) || rest.len() < count {
                return Err(KeyError::Structure("an element's length"));
            }
            let (digits, after) = rest.split_at(count);
            rest = after;
            digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit))
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(cut)?;
        self.0 = rest;
        Ok((tag, content))
    }

    fn take(&mut self, tag: u8, what: &'static str) -> Result<&'a [u8], KeyError> {
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(KeyError::Structure(what)),
        }
    }
}

/// `RSAPublicKey` inside `SubjectPublicKeyInfo`.
pub(super) fn public_key_of_spki(bytes: &[u8]) -> Result<&[u8], KeyError> {
    let mut info = Reader(Reader(bytes).take(SEQUENCE, "no SubjectPublicKeyInfo")?);
    let mut algorithm = Reader(info.take(SEQUENCE, "no algorithm")?);
    if algorithm.take(OBJECT, "no algorithm")? != RSA_ENCRYPTION {
        return Err(KeyError::Structure("not an RSA key"));
    }
    match info.take(BIT_STRING, "no public key")?.split_first() {
        Some((0, key)) => checked_public_key(key),
        _ => Err(KeyError::Structure("no public key")),
    }
}

/// The same bytes, when they are a sequence of modulus and exponent.
pub(super) fn checked_public_key(bytes: &[u8]) -> Result<&[u8], KeyError> {
    let mut key = Reader(Reader(bytes).take(SEQUENCE, "no RSAPublicKey")?);
    let modulus = key.take(INTEGER, "no modulus")?;
    key.take(INTEGER, "no exponent")?;
    // A sign byte stands before the 256 bytes of 2048 bits.
    if modulus.len() < 257 {
        return Err(KeyError::Unusable("a modulus of less than 2048 bits".to_owned()));
    }
    Ok(bytes)
}

/// `Certificate` of RFC 5280, 4.1.
pub(super) fn certificate(bytes: &[u8]) -> Result<Parts<'_>, KeyError> {
    let mut outer = Reader(Reader(bytes).take(SEQUENCE, "no certificate")?);
    let mut body = Reader(outer.take(SEQUENCE, "no certificate")?);
    let (mut tag, mut serial) = body.next()?;
    if tag == VERSION {
        (tag, serial) = body.next()?;
    }
    if tag != INTEGER || serial.is_empty() || serial.len() > 64 {
        return Err(KeyError::Structure("no serial number"));
    }
    body.take(SEQUENCE, "no signature algorithm")?;
    body.take(SEQUENCE, "no issuer")?;
    let mut validity = Reader(body.take(SEQUENCE, "no validity")?);
    let (valid_from, valid_until) = (time(&mut validity)?, time(&mut validity)?);
    body.take(SEQUENCE, "no subject")?;
    let spki_and_rest = body.0;
    let mut after = Reader(spki_and_rest);
    after.take(SEQUENCE, "no public key")?;
    let spki = &spki_and_rest[..spki_and_rest.len() - after.0.len()];
    let hex = hex(serial).to_ascii_uppercase();
    Ok(Parts {
        serial: hex.trim_start_matches('0').to_owned(),
        valid_from,
        valid_until,
        pkcs1: public_key_of_spki(spki)?,
    })
}

fn time(reader: &mut Reader<'_>) -> Result<DateTime<Utc>, KeyError> {
    let wrong = KeyError::Structure("no time of validity");
    let (tag, content) = reader.next()?;
    let text = std::str::from_utf8(content).map_err(|_| wrong.clone())?;
    let full = match tag {
        // Two digits of the year: 50 to 99 are of the last century (RFC 5280, 4.1.2.5.1).
        UTC_TIME if text.as_bytes().first().is_some_and(|digit| *digit >= b'5') => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERAL_TIME => text.to_owned(),
        _ => return Err(wrong),
    };
    NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ").map(|naive| naive.and_utc()).map_err(|_| wrong)
}
