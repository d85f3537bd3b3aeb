//! How far the gate has been told: of each card, on which day it has to be looked at again, and how far the journal was
//! followed. It must not know who follows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::at::{Owed, PassPolicy};
use crate::charging::label::{CardNumber, SpaceNumber};
use crate::id::BillId;
use crate::plate::Plate;
use crate::record::{Record, Revision, Table};

/// What the gate was told of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateCard {
    /// Which.
    pub card: CardNumber,
    /// When, by the box's clock: bills and the card as they then were are at the gate since.
    pub at: DateTime<Utc>,
    /// The plates for which it was given a pass.
    pub plates: Vec<Plate>,
    /// The spaces that it held, holds or will hold: when one of them changes it is looked at again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spaces: Vec<SpaceNumber>,
    /// The card's open bills, as they then were.
    #[serde(default, skip_serializing_if = "Owed::is_empty")]
    pub owed: Owed,
    /// The next day on which time alone changes what it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NaiveDate>,
}

impl Record for GateCard {
    const TABLE: Table = Table::GateCards;
    fn key(&self) -> String {
        self.card.to_string()
    }
}

/// A state of a bill that the gate has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateBill {
    /// Whose.
    pub card: CardNumber,
    /// Which.
    pub bill: BillId,
    /// The entry of the journal that wrote the bill as the gate has it.
    pub of: Revision,
    /// Since when, by the box's clock.
    pub at: DateTime<Utc>,
}

impl Record for GateBill {
    const TABLE: Table = Table::GateBills;
    fn key(&self) -> String {
        format!("{}/{}", self.card, self.bill)
    }
}

/// A card that has to be looked at on a day: the index by which a day finds its cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDay {
    /// The day.
    pub on: NaiveDate,
    /// The card.
    pub card: CardNumber,
}

impl Record for GateDay {
    const TABLE: Table = Table::GateDays;
    fn key(&self) -> String {
        format!("{}/{}", self.on, self.card)
    }
}

/// A card that has to be looked at when a space changes: the index by which a space finds its cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSpace {
    /// The space.
    pub space: SpaceNumber,
    /// The card.
    pub card: CardNumber,
}

impl GateSpace {
    /// What the keys of a space's cards begin with.
    pub fn prefix(space: &SpaceNumber) -> String {
        format!("{space}/")
    }
}

impl Record for GateSpace {
    const TABLE: Table = Table::GateSpaces;
    fn key(&self) -> String {
        format!("{}{}", Self::prefix(&self.space), self.card)
    }
}

/// How far the journal was followed for the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassCursor {
    /// Entries up to this one are at the gate.
    pub position: Revision,
    /// When it was written, by the box's clock.
    pub at: DateTime<Utc>,
    /// The policy by which passes are written: under another one all cards are looked at again.
    pub under: String,
    /// All cards are being looked at, and those before this number have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walking: Option<String>,
}

impl PassCursor {
    /// There is one.
    pub const KEY: &'static str = "passes";

    /// Of a store that nobody has followed yet: what is there is looked at card by card, what comes by the journal.
    pub fn new(position: Revision, at: DateTime<Utc>, policy: &PassPolicy) -> Self {
        Self { position, at, under: policy.mark(), walking: Some(String::new()) }
    }
}

impl Record for PassCursor {
    const TABLE: Table = Table::Cursors;
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}
