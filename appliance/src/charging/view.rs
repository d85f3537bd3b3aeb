//! How records of property charging are shown by calls and commands: what all kinds share.
//! It must not know single kinds.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::timeline::Note;
use tollhouse_core::money::Money;
use utoipa::ToSchema;

/// Who did something, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The lot's date at that moment.
    pub on: NaiveDate,
    /// Who, by user name.
    pub by: String,
    /// Why, in their words.
    pub why: String,
}

impl From<&Note> for NoteView {
    fn from(note: &Note) -> Self {
        Self { at: note.at, on: note.on, by: note.by.clone(), why: note.why.clone() }
    }
}

/// A text in the two languages of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordsView {
    /// 中文
    pub zh: String,
    /// English
    pub en: String,
}

impl From<&tollhouse_core::words::Words> for WordsView {
    fn from(words: &tollhouse_core::words::Words) -> Self {
        Self { zh: words.zh.clone(), en: words.en.clone() }
    }
}

/// An amount as calls write it: `"12.50"`.
pub fn amount(money: Money) -> String {
    money.amount()
}
