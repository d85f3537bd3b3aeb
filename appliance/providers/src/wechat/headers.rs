//! Owns the headers of a signed answer or callback. It must not judge them.

use super::trust::Distrust;
use crate::limits::HEADER_BYTES;

/// What WeChat Pay says of its signature (签名验证). Build it from all headers that came: others are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// Seconds since 1970.
    pub timestamp: i64,
    /// Their nonce.
    pub nonce: String,
    /// Base64, or a probe's words.
    pub signature: String,
    /// Of the platform certificate, or `PUB_KEY_ID_...`.
    pub serial: String,
}

impl SignatureHeaders {
    /// Reads names and values; names by any case. `Wechatpay-Signature-Type` may be absent. A header that stands twice is refused:
    /// a proxy and the box could each believe another one.
    pub fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Distrust> {
        const NAMES: [&str; 5] = [
            "Wechatpay-Timestamp",
            "Wechatpay-Nonce",
            "Wechatpay-Signature",
            "Wechatpay-Serial",
            "Wechatpay-Signature-Type",
        ];
        let mut found: [Option<&str>; 5] = [None; 5];
        for (name, value) in headers {
            let Some(at) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) else { continue };
            if found[at].replace(value).is_some() {
                return Err(Distrust::Header(NAMES[at], "stands twice"));
            }
            if value.is_empty() || value.len() > HEADER_BYTES * 2 || !value.bytes().all(|b| (b' '..=b'~').contains(&b))
            {
                return Err(Distrust::Header(NAMES[at], "is empty, too long or not printable"));
            }
        }
        let need = |at: usize| found[at].ok_or(Distrust::Header(NAMES[at], "is missing"));
        let (timestamp, nonce, signature, serial) = (need(0)?, need(1)?, need(2)?, need(3)?);
        if found[4].is_some_and(|kind| kind != "WECHATPAY2-SHA256-RSA2048") {
            return Err(Distrust::Header(NAMES[4], "names a signature that we do not know"));
        }
        let digits = timestamp.len() <= 12 && timestamp.bytes().all(|b| b.is_ascii_digit());
        let timestamp = timestamp.parse().ok().filter(|_| digits);
        Ok(Self {
            timestamp: timestamp.ok_or(Distrust::Header(NAMES[0], "is no number of seconds"))?,
            nonce: nonce.to_owned(),
            signature: signature.to_owned(),
            serial: serial.to_owned(),
        })
    }
}
