//! How far the days of bills are earned: every event on a bill posts its position as of this day, and the entry that
//! recognises further days moves it on. It must not know a single bill.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::record::{Record, Table};

/// The one record. Whoever posts a bill's position relies on its revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// The days before this one are earned.
    pub through: NaiveDate,
}

impl Record for Earned {
    const TABLE: Table = Table::Earned;
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Earned {
    /// There is one record.
    pub const KEY: &'static str = "days";
}
