//! A place that a card holds: a numbered space, or a place of a pool. It must not know what either is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::label::{PoolId, SpaceNumber};

/// What a card holds, and a bill's line is for. Written as `space/B1-001`, `pool/monthly/7` or `card`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A numbered space.
    Space(SpaceNumber),
    /// A place of a pool: the pool, and which of the card's places there, from 1.
    Pool(PoolId, u32),
    /// None: what is charged for the card itself.
    Card,
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place; write space/NUMBER or pool/ID/1")]
pub struct PlaceError(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Space(number) => write!(f, "space/{number}"),
            Self::Pool(pool, place) => write!(f, "pool/{pool}/{place}"),
            Self::Card => f.write_str("card"),
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;
    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let mut parts = text.split('/');
        let place = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("space"), Some(number), None, None) => SpaceNumber::new(number).ok().map(Self::Space),
            (Some("pool"), Some(pool), Some(place), None) => {
                PoolId::new(pool).ok().zip(place.parse().ok()).map(|(pool, place)| Self::Pool(pool, place))
            }
            (Some("card"), None, None, None) => Some(Self::Card),
            _ => None,
        };
        place.ok_or_else(|| PlaceError(text.chars().take(80).collect()))
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_written_and_read() {
        for text in ["space/B1-001", "pool/monthly/7", "card"] {
            assert_eq!(text.parse::<Place>().expect("a place").to_string(), text);
        }
        for text in ["", "space", "space/", "pool/monthly", "pool/monthly/x", "card/1", "space/a/b"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
