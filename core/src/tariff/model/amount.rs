//! Prices and percentages: exact decimals as whole millionths.
//!
//! A price may have more places than its currency ("0.125"); a fee never has. It must not know where rounding happens.

use std::fmt;

/// A price in the tariff's currency: whole millionths of its unit (of a yuan, not of a fen), never binary fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// Millionths in one unit of currency.
    pub const UNIT: i64 = 1_000_000;
    /// The largest amount that a file may name: a thousand million.
    pub const MOST: Self = Self(1_000_000_000 * Self::UNIT);

    /// Of so many millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads `2.50`: digits, at most six places, no exponent, no sign but a minus.
    pub fn parse(text: &str) -> Option<Self> {
        millionths(text).map(Self).filter(|price| price.0.abs() <= Self::MOST.0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_millionths(self.0, 2, f)
    }
}

/// A surcharge (positive) or discount (negative) in millionths of the whole: -20 percent is -200,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(i64);

impl Percent {
    /// Of so many millionths of the whole.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// Millionths of the whole.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// Reads `-20` or `12.5`: at most four places.
    pub fn parse(text: &str) -> Option<Self> {
        let scaled = millionths(text)?;
        (scaled % 100 == 0).then_some(Self(scaled / 100))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_millionths(self.0 * 100, 0, f)?;
        f.write_str("%")
    }
}

fn millionths(text: &str) -> Option<i64> {
    const PLACES: usize = 6;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (digits, ""),
    };
    let numeric = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > PLACES || !numeric(whole) || !numeric(part) {
        return None;
    }
    let value: i64 = format!("{whole}{part:0<PLACES$}").parse().ok()?;
    Some(if negative { -value } else { value })
}

fn write_millionths(value: i64, least_places: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = (value.unsigned_abs() / 1_000_000, value.unsigned_abs() % 1_000_000);
    let part = format!("{part:06}");
    let kept = part.trim_end_matches('0').len().max(least_places);
    if kept == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{}", &part[..kept]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_as_it_was_read() {
        for text in ["0.00", "2.50", "0.125", "-1.00", "1000000000.00", "0.000001"] {
            assert_eq!(Price::parse(text).map(|price| price.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Price::parse("3").map(Price::micros), Some(3_000_000));
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,00", " 1", "１", "0.0000001", "1000000000.01", "--1"] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_percentage_is_millionths_of_the_whole() {
        assert_eq!(Percent::parse("-20").map(Percent::millionths), Some(-200_000));
        assert_eq!(Percent::parse("12.5").map(|percent| percent.to_string()).as_deref(), Some("12.5%"));
        assert_eq!(Percent::parse("0.00001"), None);
    }
}
