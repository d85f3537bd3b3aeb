//! The names that an estate writes: numbers of spaces and cards, ids of fee items and packages. Bounded, of any script.
//! Owns what such a name may hold; it must not know what it names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest name, in characters.
pub const MAX_LABEL_CHARS: usize = 32;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Empty, or too long.
    #[error("a name has 1 to {MAX_LABEL_CHARS} characters, this one has {0}")]
    Length(usize),
    /// A character that no name holds.
    #[error("a name holds letters, digits and - _ . #; found {0:?}")]
    Character(char),
}

/// The name as it is kept: without blanks around it.
fn checked(text: &str) -> Result<&str, LabelError> {
    let text = text.trim();
    let length = text.chars().take(MAX_LABEL_CHARS + 1).count();
    if length == 0 || length > MAX_LABEL_CHARS {
        return Err(LabelError::Length(length));
    }
    match text.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '#'))) {
        Some(c) => Err(LabelError::Character(c)),
        None => Ok(text),
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 32 letters and digits of any script, and `-`, `_`, `.`, `#`.
            pub fn new(text: &str) -> Result<Self, LabelError> {
                checked(text).map(|text| Self(text.to_owned()))
            }
            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = LabelError;
            fn from_str(text: &str) -> Result<Self, LabelError> {
                Self::new(text)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(&Cow::<'de, str>::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

labels! {
    /// The number of a space (车位号), such as `B1-001`.
    SpaceNumber;
    /// A pool of places that are not numbered (车位池).
    PoolId;
    /// A use of spaces (车位用途), from the operator's list.
    UseId;
    /// A fee item (费用项目).
    FeeItemId;
    /// What a fee item charges for: items of one charge compete for a space, items of different charges add up.
    Charge;
    /// A package (套餐).
    PackageId;
    /// The number of a card (停车卡).
    CardNumber;
    /// A holder (用户).
    HolderId;
    /// A merchant (商户) that gives coupons.
    MerchantId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_any_script_and_bounded() {
        for text in ["B1-001", "地下-12", "３栋", "A.7#2", "  B1-001 "] {
            assert!(SpaceNumber::new(text).is_ok(), "{text}");
        }
        assert_eq!(SpaceNumber::new(" B1 ").expect("a name").as_str(), "B1");
        let refused = [("", LabelError::Length(0)), ("a/b", LabelError::Character('/'))];
        for (text, why) in refused {
            assert_eq!(SpaceNumber::new(text), Err(why));
        }
        assert_eq!(SpaceNumber::new(&"x".repeat(99)), Err(LabelError::Length(33)));
        assert_eq!(SpaceNumber::new("a\u{7f}b"), Err(LabelError::Character('\u{7f}')));
    }
}
