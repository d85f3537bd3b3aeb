//! What a lane is and by which numbers it goes. Set by the shell from the configuration; the lane never changes it.

use std::sync::Arc;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AreaId, DeviceId, IdKey, LaneId};
use crate::tariff::TariffBook;

/// One lane's rules.
#[derive(Debug, Clone)]
pub struct LaneRules {
    /// Its name.
    pub lane: LaneId,
    /// In or out.
    pub direction: Direction,
    /// The area that it leads into or out of.
    pub area: AreaId,
    /// The area on its other side, when that is one of the lot too (场中场); `None`: the street.
    pub within: Option<AreaId>,
    /// How many temporary cars the area takes.
    pub capacity: i64,
    /// The barrier that it opens.
    pub barrier: DeviceId,
    /// The display that it writes to, if it has one.
    pub display: Option<DeviceId>,
    /// What says that a car has passed.
    pub passed_by: PassedBy,
    /// An event that lay longer than this with its device is backlog: booked, and opens nothing.
    pub stale_after: TimeDelta,
    /// How long an opening command may be carried out.
    pub command_ttl: TimeDelta,
    /// Without a loop and without a confirmed opening, a car counts as passed this long after the command.
    pub passed_after: TimeDelta,
    /// Without a loop, the same plate read again within this time after the opening is still the same car.
    pub same_car_within: TimeDelta,
    /// What happens at the exit with a car that has no open stay.
    pub exit_without_entry: ExitWithoutEntry,
    /// What happens at the exit with a car whose pass did not cover all of its stay.
    pub holder_owes: HolderOwes,
    /// What a temporary stay costs.
    pub tariff: Arc<TariffBook>,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// The cameras that let cars in by themselves, from a list of theirs, while the box is away.
    pub self_opening: Vec<DeviceId>,
    /// From which ids are derived.
    pub key: IdKey,
    /// The pay page behind the lane's QR code.
    pub pay_url: Option<String>,
}

/// What passing a lane does to a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// From the street into the lot: a stay begins.
    Begins,
    /// From the lot to the street: the stay ends.
    Ends,
    /// From one area of the lot into another: the stay goes on there.
    Moves,
}

impl LaneRules {
    /// What passing it does to a stay.
    pub fn role(&self) -> Role {
        match (&self.within, self.direction) {
            (Some(_), _) => Role::Moves,
            (None, Direction::Entry) => Role::Begins,
            (None, Direction::Exit) => Role::Ends,
        }
    }
}

/// In or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// 入口
    Entry,
    /// 出口
    Exit,
}

impl Direction {
    /// The word in records, metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
        }
    }
}

/// What says that a car has passed. An event that says so always counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedBy {
    /// A loop's `passed` event alone.
    Event,
    /// No loop: the confirmed opening, or `passed_after` the command.
    Opening,
}

/// What happens at the exit with a car that has no open stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitWithoutEntry {
    /// It is let out, and a case is noted: nobody is shut in.
    Open,
    /// It waits for the attendant.
    Attend,
}

/// What happens at the exit with a car whose pass did not cover all of its stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderOwes {
    /// It is let out, and what it owes is a claim on its holder: nobody is shut in.
    Arrears,
    /// It pays as temporary cars do.
    Pays,
}
