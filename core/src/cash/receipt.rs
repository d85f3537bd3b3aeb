//! What went into or out of a drawer: one record each, numbered within its shift.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::CardNumber;
use crate::id::{BillId, ShiftId};
use crate::money::Money;
use crate::record::{Record, Table};

/// Into the drawer or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In.
    In,
    /// Out.
    Out,
}

/// What cash was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CashFor {
    /// The temporary bill of a stay.
    StayBill {
        /// Which.
        bill: BillId,
    },
    /// Bills of a card.
    CardBills {
        /// Whose.
        card: CardNumber,
        /// Which took how much.
        bills: Vec<(BillId, Money)>,
    },
    /// Stored value of a card, topped up or given back.
    Stored {
        /// Which card.
        card: CardNumber,
    },
    /// What is owed to somebody: a refund, by what names it.
    RefundDue {
        /// Of what.
        of: String,
    },
    /// The safe.
    Safe,
}

/// One movement of a drawer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashReceipt {
    /// Whose drawer.
    pub shift: ShiftId,
    /// 1 for the first of the shift.
    pub number: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// Into the drawer or out of it.
    pub way: Way,
    /// What the drawer gained or lost: what was given, less the change.
    pub amount: Money,
    /// What was given.
    pub tendered: Money,
    /// What was given back of it.
    pub change: Money,
    /// What the books settle beyond the cash (positive) or below it, because there is no smaller coin.
    pub rounding: Money,
    /// What for.
    #[serde(rename = "for")]
    pub subject: CashFor,
    /// Why, where a person has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl CashReceipt {
    /// The key of a receipt: in order of its number.
    pub fn key_of(shift: ShiftId, number: u32) -> String {
        format!("{shift}/{number:08}")
    }
}

impl Record for CashReceipt {
    const TABLE: Table = Table::CashReceipts;
    fn key(&self) -> String {
        Self::key_of(self.shift, self.number)
    }
}
