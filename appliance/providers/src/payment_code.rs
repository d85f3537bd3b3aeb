//! Owns the code on a driver's phone that the lane scans. It must not show it: a code is money for a minute, and never enters
//! a log, the journal or the store.
//!
//! Sources: WeChat Pay 付款码支付 `auth_code` (18 digits that begin with 10 to 15); Alipay `alipay.trade.pay` `auth_code` (16 to 24
//! digits that begin with 25 to 30).

use std::fmt;

/// Whose wallet a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// WeChat Pay.
    WeChat,
    /// Alipay.
    Alipay,
}

/// Why a scan is no payment code. It does not repeat the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was scanned is no payment code of WeChat Pay or Alipay")]
pub struct PaymentCodeError;

/// A scanned payment code.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentCode {
    digits: String,
    wallet: Wallet,
}

impl PaymentCode {
    /// Reads what the scanner gave; blanks around it do not matter.
    pub fn scan(text: &str) -> Result<Self, PaymentCodeError> {
        let digits = text.trim();
        if digits.len() > 24 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PaymentCodeError);
        }
        let begins: u8 = digits.get(..2).and_then(|two| two.parse().ok()).ok_or(PaymentCodeError)?;
        let wallet = match (begins, digits.len()) {
            (10..=15, 18) => Wallet::WeChat,
            (25..=30, 16..=24) => Wallet::Alipay,
            _ => return Err(PaymentCodeError),
        };
        Ok(Self { digits: digits.to_owned(), wallet })
    }

    /// Whose it is.
    pub fn wallet(&self) -> Wallet {
        self.wallet
    }

    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }
}

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentCode({:?}, not shown)", self.wallet)
    }
}

#[test]
fn a_scan_tells_the_wallet_and_is_not_shown() {
    let code = PaymentCode::scan(" 134579000000000011\r\n").expect("WeChat's");
    assert_eq!(code.wallet(), Wallet::WeChat);
    assert_eq!(format!("{code:?}"), "PaymentCode(WeChat, not shown)");
    assert_eq!(PaymentCode::scan("287654321098765432").expect("Alipay's").wallet(), Wallet::Alipay);
    for wrong in
        ["", "1", "13457900000000001", "165790000000000011", "31765432109876543", "13457900000000001x", "１３４５７９"]
    {
        assert!(PaymentCode::scan(wrong).is_err(), "{wrong}");
    }
    assert!(PaymentCode::scan(&"2".repeat(10_000)).is_err());
}
