//! 统一社会信用代码: the number by which a firm is known to the tax office (GB 32100-2015).
//!
//! 18 characters of an alphabet without I, O, S, V and Z; the last one is a check character over the others with weights
//! 3^(i-1) mod 31 (clause 4.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const CHARS: usize = 18;

/// A number whose check character fits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uscc(String);

/// Why a text is no such number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// Not 18 characters.
    #[error("a unified social credit code has 18 characters, this one has {0}")]
    Length(usize),
    /// A character that the code does not use.
    #[error("a unified social credit code holds digits and capital letters but I, O, S, V and Z; found {0:?}")]
    Character(char),
    /// The third to eighth character are no place.
    #[error("the third to eighth character of a unified social credit code are digits")]
    Place,
    /// The check character is another.
    #[error("the check character does not fit: one of the characters is mistyped")]
    Check,
}

fn value(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|c| *c == byte).and_then(|place| u32::try_from(place).ok())
}

/// The check character over the first 17 characters.
fn check(values: &[u32]) -> u32 {
    let mut weight = 1;
    let mut sum = 0;
    for value in values.iter().take(CHARS - 1) {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31
}

impl FromStr for Uscc {
    type Err = UsccError;
    fn from_str(text: &str) -> Result<Self, UsccError> {
        let text = text.trim();
        let length = text.chars().take(99).count();
        if length != CHARS {
            return Err(UsccError::Length(length));
        }
        let upper = text.to_ascii_uppercase();
        let mut values = Vec::with_capacity(CHARS);
        for c in upper.chars() {
            let byte = u8::try_from(c).map_err(|_| UsccError::Character(c))?;
            values.push(value(byte).ok_or(UsccError::Character(c))?);
        }
        if values[2..8].iter().any(|digit| *digit > 9) {
            return Err(UsccError::Place);
        }
        if values[CHARS - 1] != check(&values) {
            return Err(UsccError::Check);
        }
        Ok(Self(upper))
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Uscc {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uscc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the standard, and numbers that firms print on their own pages.
    const PUBLISHED: [&str; 8] = [
        "91350100M000100Y43",
        "91330100799655058B",
        "914403001922038216",
        "9144030071526726XG",
        "91110000802100433B",
        "91310000775785552L",
        "11100000000013127D",
        "91440300708461136T",
    ];

    #[test]
    fn published_numbers_are_taken_in_either_case() {
        for text in PUBLISHED {
            assert_eq!(text.parse::<Uscc>().map(|code| code.to_string()), Ok(text.to_owned()));
            assert!(text.to_lowercase().parse::<Uscc>().is_ok(), "{text}");
            assert!(format!(" {text} ").parse::<Uscc>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        let cases = [
            ("", UsccError::Length(0)),
            ("91350100M000100Y4", UsccError::Length(17)),
            ("91350100M000100Y433", UsccError::Length(19)),
            ("91350100I000100Y43", UsccError::Character('I')),
            ("9135010OM000100Y43", UsccError::Character('O')),
            ("91350100粤000100Y43", UsccError::Character('粤')),
            ("91A50100M000100Y43", UsccError::Place),
            ("91350100M000100Y44", UsccError::Check),
        ];
        for (text, why) in cases {
            assert_eq!(text.parse::<Uscc>(), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_mistyped_character_is_always_found(which in 0usize..8, place in 0usize..18, other in 0usize..31) {
            let mut bytes = PUBLISHED[which].as_bytes().to_vec();
            prop_assume!(bytes[place] != ALPHABET[other]);
            bytes[place] = ALPHABET[other];
            let text = String::from_utf8(bytes).expect("ASCII");
            prop_assert!(text.parse::<Uscc>().is_err(), "{}", text);
        }

        #[test]
        fn two_neighbours_that_change_places_are_always_found(which in 0usize..8, place in 0usize..17) {
            let mut bytes = PUBLISHED[which].as_bytes().to_vec();
            prop_assume!(bytes[place] != bytes[place + 1]);
            bytes.swap(place, place + 1);
            let text = String::from_utf8(bytes).expect("ASCII");
            prop_assert!(text.parse::<Uscc>().is_err(), "{}", text);
        }

        #[test]
        fn whatever_is_typed_is_judged_and_nothing_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Uscc>();
        }
    }
}
