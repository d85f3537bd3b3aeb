//! A stay (停车记录): one vehicle from entry to exit, and the index of who is inside.

mod areas;
mod cover;
mod unplaced;
mod visits;

pub use areas::{AreaMove, Moved};
pub use cover::Cover;
pub use unplaced::{Because, Charged, Unplaced};
pub use visits::{LastStay, Visit};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::coupons::Discount;
use crate::id::{AreaId, BillId, LaneId, StayId};
use crate::plate::{Colour, Plate, VehicleKind};
use crate::record::{Record, Table};

/// One vehicle from entry to exit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Derived from the event that began it.
    pub id: StayId,
    /// The car.
    pub plate: Plate,
    /// Its plate's colour, as read at the entry.
    pub colour: Colour,
    /// What kind of vehicle prices take it for.
    pub kind: VehicleKind,
    /// Where it stands.
    pub area: AreaId,
    /// On what ground it was let in. Taken at entry and fixed for the stay.
    pub basis: Basis,
    /// When it stood at the entry.
    pub entered_at: DateTime<Utc>,
    /// Through which lane it came in.
    pub entry_lane: LaneId,
    /// The tariff in force at entry, by version.
    #[serde(default)]
    pub tariff: Option<String>,
    /// Its one temporary bill, once drawn.
    #[serde(default)]
    pub bill: Option<BillId>,
    /// Paid early: arriving at an exit by then, it owes no more.
    #[serde(default)]
    pub leave_by: Option<DateTime<Utc>>,
    /// The fee clock stopped when the car arrived at the exit, and stays stopped while it holds the lane.
    #[serde(default)]
    pub clock_stopped_at: Option<DateTime<Utc>>,
    /// How it stands.
    pub state: StayState,
    /// When it left, or was taken to have left.
    #[serde(default)]
    pub exited_at: Option<DateTime<Utc>>,
    /// Through which lane it left.
    #[serde(default)]
    pub exit_lane: Option<LaneId>,
    /// Through which lanes it went from area to area (场中场), in the order of time, its entry being the first; empty as
    /// long as it is where it came in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<AreaMove>,
    /// What its pass covers of it, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
    /// The parts of it for which its card had no place, the earliest first (一位多车).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Unplaced>,
    /// The car's visits before this one, the latest last, where the tariff joins them to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Visit>,
    /// By what its fee is reduced, in the order in which it was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
}

/// On what ground a car was let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// 临停: priced by the tariff.
    Temporary,
    /// A card's gate pass.
    Pass {
        /// The card's number.
        card: String,
    },
    /// 免费车
    Free,
}

impl Basis {
    /// The label by which cars inside are counted.
    pub fn tenure(&self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Pass { .. } => "pass",
            Self::Free => "free",
        }
    }
}

/// How a stay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StayState {
    /// The car is inside.
    Open,
    /// It has left.
    Closed,
    /// It came in again without having been seen to leave: a case for a human.
    ExitMissed,
    /// It backed out of the entry and never was inside.
    Voided,
}

impl Record for Stay {
    const TABLE: Table = Table::Stays;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Which stay of a plate is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The car.
    pub plate: Plate,
    /// Its open stay.
    pub stay: StayId,
}

impl Record for Inside {
    const TABLE: Table = Table::Inside;
    fn key(&self) -> String {
        self.plate.to_string()
    }
}

/// The counter of cars inside an area on one kind of ground.
pub fn inside_counter(area: &AreaId, basis: &Basis) -> String {
    format!("inside/{area}/{}", basis.tenure())
}
