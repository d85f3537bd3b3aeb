//! Money: a whole number of a currency's smallest unit. Nothing is rounded here; who divides says where.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why two amounts cannot be joined, or a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies were to be joined.
    #[error("{0} and {1} cannot be added: exchange is no business of the box")]
    Currencies(Currency, Currency),
    /// Beyond ± 9.2 × 10^18 smallest units.
    #[error("the amount is too large")]
    Overflow,
    /// Not `-?digits[.digits]` with at most the currency's decimals.
    #[error("{0:?} is not an amount; write it like \"12.50\"")]
    NotAnAmount(String),
    /// Not a currency that the box knows.
    #[error("{0:?} is not a currency that the box knows")]
    UnknownCurrency(String),
}

/// A currency of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Renminbi.
    Cny,
    /// Hong Kong dollar.
    Hkd,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// US dollar.
    Usd,
    /// Yen, which has no decimals.
    Jpy,
}

impl Currency {
    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Hkd => "HKD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Usd => "USD",
            Self::Jpy => "JPY",
        }
    }

    /// Decimals of the smallest unit: 2 for fen, 0 for yen.
    pub fn decimals(self) -> u32 {
        if self == Self::Jpy { 0 } else { 2 }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        [Self::Cny, Self::Hkd, Self::Eur, Self::Gbp, Self::Usd, Self::Jpy]
            .into_iter()
            .find(|currency| currency.code() == text)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.to_owned()))
    }
}

/// An amount of one currency, exact. Stored and sent as `"15.00 CNY"`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` smallest units: `Money::new(1500, Currency::Cny)` is 15.00 CNY.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, of this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The number of smallest units (fen).
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Reads `"12.50"`: at most the currency's decimals; more are an error unless they are zeros
    /// (payments.md, invariant 11: providers write fees as `0.01000`).
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotAnAmount(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let numeric = |s: &str| !s.is_empty() && s.len() <= 32 && s.bytes().all(|b| b.is_ascii_digit());
        if !numeric(whole) || part.is_some_and(|p| !numeric(p)) {
            return Err(wrong());
        }
        let places = currency.decimals() as usize;
        let part = part.unwrap_or("");
        let (kept, beyond) = part.split_at(part.len().min(places));
        if beyond.bytes().any(|b| b != b'0') {
            return Err(wrong());
        }
        let joined = format!("{whole}{kept:0<places$}");
        let minor: i64 = joined.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// The amount without its currency: `15.00`.
    pub fn amount(self) -> String {
        let places = self.currency.decimals() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    /// The amount as a decimal with the currency's places.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }

    /// The sum, if both are of one currency and it fits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The difference, if both are of one currency and it fits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(other.negated())
    }

    /// The same amount the other way.
    pub const fn negated(self) -> Self {
        Self::new(-self.minor, self.currency)
    }

    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Money {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (amount, code) = text.split_once(' ').ok_or_else(|| MoneyError::NotAnAmount(text.to_owned()))?;
        Self::parse(amount, code.parse()?)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_written_with_their_decimals() {
        let cases = [(0, "0.00"), (5, "0.05"), (1500, "15.00"), (-1, "-0.01"), (-1234, "-12.34")];
        for (minor, text) in cases {
            assert_eq!(Money::new(minor, Currency::Cny).amount(), text);
        }
        assert_eq!(Money::new(1500, Currency::Jpy).to_string(), "1500 JPY");
    }

    #[test]
    fn a_third_decimal_that_is_not_zero_is_an_error() {
        assert_eq!(Money::parse("0.01000", Currency::Cny), Ok(Money::new(1, Currency::Cny)));
        assert!(Money::parse("0.011", Currency::Cny).is_err());
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,00", " 1", "１", "99999999999999999999"] {
            assert!(Money::parse(text, Currency::Cny).is_err(), "{text}");
        }
    }

    #[test]
    fn two_currencies_do_not_add() {
        let (yuan, euro) = (Money::new(1, Currency::Cny), Money::new(1, Currency::Eur));
        assert_eq!(yuan.plus(euro), Err(MoneyError::Currencies(Currency::Cny, Currency::Eur)));
    }

    proptest! {
        #[test]
        fn an_amount_survives_being_written_and_read(minor in -i64::MAX..i64::MAX) {
            let money = Money::new(minor, Currency::Cny);
            prop_assert_eq!(money.to_string().parse::<Money>(), Ok(money));
        }
    }
}
