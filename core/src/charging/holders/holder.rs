//! A holder: who has a card or pays for one. Name, telephone and e-mail are personal texts: whoever writes the record
//! marks them, so that they can be erased from the journal.

use serde::{Deserialize, Serialize};

use crate::charging::estate::Room;
use crate::charging::label::HolderId;
use crate::charging::timeline::Note;
use crate::record::{Change, Record, Table};

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 60;
/// The longest telephone number or address, in characters.
const MAX_CONTACT_CHARS: usize = 80;

/// A holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// By which cards and bills name them.
    pub id: HolderId,
    /// Their name.
    pub name: String,
    /// Their telephone; empty where it is not known.
    #[serde(default)]
    pub telephone: String,
    /// Their e-mail; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Their room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// Who wrote the record last, and why.
    pub note: Note,
}

impl Record for Holder {
    const TABLE: Table = Table::Holders;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Why a text of a holder is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HolderError {
    /// Empty, too long, or with characters that cannot be printed.
    #[error("a name has 1 to {MAX_NAME_CHARS} characters")]
    Name,
    /// Not digits.
    #[error("a telephone number has 3 to 20 digits, and may have + - and blanks between them")]
    Telephone,
    /// No address.
    #[error("an e-mail address has an @ and at most {MAX_CONTACT_CHARS} characters")]
    Email,
}

impl Holder {
    /// The name as it is kept.
    pub fn checked_name(text: &str) -> Result<String, HolderError> {
        let text = text.trim();
        let fits = (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned()).ok_or(HolderError::Name)
    }

    /// The telephone number as it is kept; empty is none.
    pub fn checked_telephone(text: &str) -> Result<String, HolderError> {
        let text = text.trim();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b' '));
        let fits = text.is_empty() || (plain && (3..=20).contains(&digits) && text.len() <= MAX_CONTACT_CHARS);
        fits.then(|| text.to_owned()).ok_or(HolderError::Telephone)
    }

    /// The e-mail address as it is kept; empty is none.
    pub fn checked_email(text: &str) -> Result<String, HolderError> {
        let text = text.trim();
        let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
        let fits = text.is_empty() || (plain && text.contains('@') && text.chars().count() <= MAX_CONTACT_CHARS);
        fits.then(|| text.to_owned()).ok_or(HolderError::Email)
    }

    /// Writes the record, its personal texts marked as such.
    pub fn put(&self, change: &mut Change) {
        for text in [&self.name, &self.telephone, &self.email].into_iter().filter(|text| !text.is_empty()) {
            change.personal(text);
        }
        change.put(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_is_digits_and_a_name_can_be_printed() {
        for text in ["", "13800138000", "+86 138-0013-8000", "0756-1234567"] {
            assert!(Holder::checked_telephone(text).is_ok(), "{text}");
        }
        for text in ["12", "call me", "1380013800013800138000"] {
            assert_eq!(Holder::checked_telephone(text), Err(HolderError::Telephone), "{text}");
        }
        assert_eq!(Holder::checked_name(" 张三 ").as_deref(), Ok("张三"));
        for text in ["", "  ", "a\u{7f}b", &"x".repeat(61)] {
            assert_eq!(Holder::checked_name(text), Err(HolderError::Name), "{text}");
        }
        assert_eq!(Holder::checked_email("a b@c"), Err(HolderError::Email));
        assert_eq!(Holder::checked_email("a@b.example").as_deref(), Ok("a@b.example"));
    }
}
