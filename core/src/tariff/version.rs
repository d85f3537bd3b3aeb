//! A version of a tariff on record: its text, so that a stored fee can be priced again years later.
//!
//! Owns the record. It is written once and never changed: another price is another version.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::TariffFile;
use crate::record::{Record, Table};

/// One version of a tariff, as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TariffVersion {
    /// Which tariff.
    pub id: String,
    /// Which version of it.
    pub version: String,
    /// The file, character for character.
    pub text: String,
    /// SHA-256 of the text, as hexadecimal digits.
    pub sha256: String,
    /// From when it holds.
    #[serde(default)]
    pub in_force_from: Option<DateTime<Utc>>,
    /// When this box first loaded it.
    pub loaded_at: DateTime<Utc>,
}

impl TariffVersion {
    /// Of a checked file and its text.
    pub fn new(file: &TariffFile, text: &str, loaded_at: DateTime<Utc>) -> Self {
        let sha256 = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
            // Writing to a text does not fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        Self {
            id: file.id.clone(),
            version: file.version.clone(),
            text: text.to_owned(),
            sha256,
            in_force_from: file.in_force_from,
            loaded_at,
        }
    }
}

impl Record for TariffVersion {
    const TABLE: Table = Table::Tariffs;
    fn key(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}
