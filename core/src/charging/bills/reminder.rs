//! A reminder that went out, so that it never goes out again. It must not know how.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::CardNumber;
use crate::id::BillId;
use crate::record::{Record, Table};

/// A holder was reminded of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Of which card.
    pub card: CardNumber,
    /// Of which bill.
    pub bill: BillId,
    /// In which stage: days after the due date, before it when negative.
    pub stage: i32,
    /// When.
    pub at: DateTime<Utc>,
}

impl Record for Reminder {
    const TABLE: Table = Table::Reminders;
    fn key(&self) -> String {
        format!("{}/{}/{}", self.card, self.bill, self.stage)
    }
}
