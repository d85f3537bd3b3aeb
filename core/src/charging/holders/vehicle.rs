//! Registered vehicles (车辆): a kind that is registered goes before the one that a plate's colour tells; and which cards a
//! plate is on. It must not know what a card grants.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::charging::calendar::Span;
use crate::charging::label::{CardNumber, HolderId};
use crate::charging::timeline::Note;
use crate::plate::{Plate, VehicleKind};
use crate::record::{Record, Table};

/// A registered vehicle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredVehicle {
    /// Its plate.
    pub plate: Plate,
    /// What it is, whatever the colour of its plate says.
    pub kind: VehicleKind,
    /// Whose, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderId>,
    /// Who registered it, and why.
    pub note: Note,
}

impl Record for RegisteredVehicle {
    const TABLE: Table = Table::Vehicles;
    fn key(&self) -> String {
        self.plate.to_string()
    }
}

/// Which cards a plate is on, and on which days: an index over the cards, kept in the change that writes the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateCards {
    /// The plate.
    pub plate: Plate,
    /// By card and first day.
    pub cards: Vec<OnCard>,
}

/// Days on which something is a card's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OnCard {
    /// Whose.
    pub card: CardNumber,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after; `None`: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

impl OnCard {
    /// Its days; none when it was taken back.
    pub fn span(&self) -> Option<Span> {
        Span::new(self.from, self.until.unwrap_or(NaiveDate::MAX))
    }
}

impl Record for PlateCards {
    const TABLE: Table = Table::PlateCards;
    fn key(&self) -> String {
        self.plate.to_string()
    }
}
