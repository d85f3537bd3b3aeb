//! Identity: the names that people and devices give, and the 128-bit ids that the box derives.
//!
//! A derived id is a keyed hash of what it stands for, so the same cause gives the same id after a crash, and nobody
//! without the key can guess one. Nothing here draws a random number.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// The longest name or event id, in characters (contracts.md, 'MQTT between box and devices').
pub const MAX_NAME_CHARS: usize = 64;

/// Why a text is no name or no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than 64 characters.
    #[error("a name has 1 to 64 characters, this one has {0}")]
    Length(usize),
    /// A character outside `[A-Za-z0-9_-]`.
    #[error("a name consists of A-Z, a-z, 0-9, '_' and '-'; found {0:?}")]
    Character(char),
    /// Not 26 characters of the id alphabet.
    #[error("an id is 26 characters of 0-9 and a-z without i, l, o and u")]
    NotAnId,
}

fn check_name(text: &str) -> Result<(), IdError> {
    let length = text.chars().take(MAX_NAME_CHARS + 1).count();
    if length == 0 || length > MAX_NAME_CHARS {
        return Err(IdError::Length(text.chars().count()));
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))) {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes 1 to 64 characters of `[A-Za-z0-9_-]`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check_name(text)?;
                Ok(Self(Arc::from(text)))
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
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// A car park (车场).
    LotId;
    /// A part of the car park (区域).
    AreaId;
    /// One entry or exit with its devices (车道).
    LaneId;
    /// One device of a lane, as it signs in at the broker or is named in the configuration.
    DeviceId;
    /// A device's own id of an event.
    EventId;
    /// One run of a device, from power-up to power-down.
    BootId;
    /// By what a person or a program signs in.
    UserName;
}

/// The box's secret, from which its ids are derived. Made once, at the first start, by the shell.
#[derive(Clone)]
pub struct IdKey([u8; 32]);

impl IdKey {
    /// Takes 32 secret random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn derive(&self, kind: &str, of: &[&str]) -> [u8; 16] {
        let whole = self.whole(kind, of);
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        half
    }

    /// 256 bits that nobody can tell without this key, the same for the same parts: tokens are made of them.
    pub fn secret(&self, of: &[&str]) -> [u8; 32] {
        self.whole("secret", of)
    }

    fn whole(&self, kind: &str, of: &[&str]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(kind.as_bytes());
        for part in of {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(..)")
    }
}

/// Crockford's base 32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_CHARS: usize = 26;

fn encode(bytes: [u8; 16]) -> Encoded {
    let number = u128::from_be_bytes(bytes);
    Encoded(std::array::from_fn(|place| ALPHABET[((number >> (5 * (ID_CHARS - 1 - place))) & 31) as usize]))
}

/// The characters of an id.
struct Encoded([u8; ID_CHARS]);

impl Encoded {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

fn decode(text: &str) -> Result<[u8; 16], IdError> {
    if text.len() != ID_CHARS {
        return Err(IdError::NotAnId);
    }
    let mut number: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|c| *c == byte).ok_or(IdError::NotAnId)?;
        if place == 0 && value > 7 {
            return Err(IdError::NotAnId);
        }
        number = (number << 5) | value as u128;
    }
    Ok(number.to_be_bytes())
}

macro_rules! derived_ids {
    ($($(#[$doc:meta])* $name:ident $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id of what `of` names: the same parts under the same key give the same id.
            pub fn derive(key: &IdKey, of: &[&str]) -> Self {
                Self(key.derive($kind, of))
            }
            /// An id from 16 bytes that the shell drew.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(encode(self.0).as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), encode(self.0).as_str())
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode(text).map(Self)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(encode(self.0).as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

derived_ids! {
    /// One vehicle from entry to exit (停车记录).
    StayId "stay";
    /// One car at one lane, whatever was decided (过车记录).
    PassageId "passage";
    /// What is owed (账单). Shown to the public, so unguessable.
    BillId "bill";
    /// One attempt to pay a bill. Shown to the public, so unguessable.
    OrderId "order";
    /// Money on its way back to a payer.
    RefundId "refund";
    /// A credit note: what of a bill is owed no longer.
    CreditNoteId "credit_note";
    /// A command to a device.
    CommandId "cmd";
    /// One attendant's time at the till (班次).
    ShiftId "shift";
    /// A difference between the books and a statement.
    DifferenceId "difference";
    /// A posting by hand.
    VoucherId "voucher";
    /// A recommendation of packages.
    RecommendationId "recommendation";
    /// A visitor whom a holder has invited.
    InvitationId "invitation";
    /// A reduction of a stay: a coupon, or a discount that a person gave.
    DiscountId "discount";
    /// An invoice or a receipt (发票, 收据). Shown to the public, so unguessable.
    InvoiceId "invoice";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IdKey {
        IdKey::new([7; 32])
    }

    #[test]
    fn an_id_survives_being_written_and_read() {
        let id = StayId::derive(&key(), &["cam-in-1", "event-1"]);
        assert_eq!(id.to_string().len(), ID_CHARS);
        assert_eq!(id.to_string().parse::<StayId>(), Ok(id));
    }

    #[test]
    fn an_id_depends_on_kind_key_and_where_the_parts_end() {
        let parts = ["ab", "c"];
        assert_ne!(StayId::derive(&key(), &parts).to_string(), BillId::derive(&key(), &parts).to_string());
        assert_ne!(StayId::derive(&key(), &parts), StayId::derive(&IdKey::new([8; 32]), &parts));
        assert_ne!(StayId::derive(&key(), &parts), StayId::derive(&key(), &["a", "bc"]));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "0", "iiiiiiiiiiiiiiiiiiiiiiiiii", "zzzzzzzzzzzzzzzzzzzzzzzzzz", "粤粤粤粤粤粤粤粤粤粤"]
        {
            assert_eq!(text.parse::<OrderId>(), Err(IdError::NotAnId), "{text}");
        }
    }

    #[test]
    fn a_name_is_bounded_and_plain() {
        assert!(DeviceId::new("cam-in-1").is_ok());
        assert_eq!(DeviceId::new(""), Err(IdError::Length(0)));
        assert_eq!(DeviceId::new("x".repeat(65)), Err(IdError::Length(65)));
        assert_eq!(DeviceId::new("a/b"), Err(IdError::Character('/')));
    }
}
