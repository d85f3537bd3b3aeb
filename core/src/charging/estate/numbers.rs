//! The numbers of spaces written as a range: `B1-001..B1-240`.
//! Owns what a range means; it must not know whether the spaces exist.

use crate::charging::label::{LabelError, SpaceNumber};

/// The most spaces of one range.
pub const MAX_RANGE: u64 = 10_000;

/// Why a range is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumbersError {
    /// A number that cannot be one.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The two ends differ before their last digits, or one has none.
    #[error("both ends of a range begin alike and end in digits, as in B1-001..B1-240")]
    Unlike,
    /// The second end comes before the first.
    #[error("the range goes backwards")]
    Backwards,
    /// Too many.
    #[error("a range has at most {MAX_RANGE} spaces, this one has {0}")]
    TooMany(u64),
}

/// The numbers that a text means: one, or a range. Digits keep their leading zeros.
pub fn numbers(text: &str) -> Result<Vec<SpaceNumber>, NumbersError> {
    let Some((first, last)) = text.split_once("..") else { return Ok(vec![SpaceNumber::new(text)?]) };
    let (first, last) = (SpaceNumber::new(first)?, SpaceNumber::new(last)?);
    let ((head, from, width), (last_head, until, last_width)) = (split(first.as_str())?, split(last.as_str())?);
    if head != last_head || (width != last_width && first.as_str()[head.len()..].starts_with('0')) {
        return Err(NumbersError::Unlike);
    }
    if until < from {
        return Err(NumbersError::Backwards);
    }
    let many = until - from + 1;
    if many > MAX_RANGE {
        return Err(NumbersError::TooMany(many));
    }
    (from..=until).map(|number| Ok(SpaceNumber::new(&format!("{head}{number:0>width$}"))?)).collect()
}

/// What stands before the last digits, their value, and how many they are.
fn split(text: &str) -> Result<(&str, u64, usize), NumbersError> {
    let width = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (head, digits) = text.split_at(text.len() - width);
    let value = digits.parse().map_err(|_| NumbersError::Unlike)?;
    Ok((head, value, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<String> {
        numbers(text).expect("numbers").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_range_counts_with_its_leading_zeros() {
        assert_eq!(written("B1-008..B1-011"), ["B1-008", "B1-009", "B1-010", "B1-011"]);
        assert_eq!(written("9..11"), ["9", "10", "11"]);
        assert_eq!(written("B1-7"), ["B1-7"]);
        assert_eq!(numbers("B1-001..B1-240").expect("numbers").len(), 240);
    }

    #[test]
    fn what_is_no_range_says_why() {
        assert_eq!(numbers("B1-1..B2-9"), Err(NumbersError::Unlike));
        assert_eq!(numbers("A..B"), Err(NumbersError::Unlike));
        assert_eq!(numbers("B1-01..B1-100"), Err(NumbersError::Unlike));
        assert_eq!(numbers("B1-9..B1-1"), Err(NumbersError::Backwards));
        assert_eq!(numbers("1..99999"), Err(NumbersError::TooMany(99_999)));
        assert_eq!(numbers("1..99999999999999999999999"), Err(NumbersError::Unlike));
        assert!(matches!(numbers("B1/1"), Err(NumbersError::Label(_))));
    }
}
