//! What the lot is, as the configuration says it: kept as a record too, so that commands on a stopped box's data folder
//! know its zone, currency and rules.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::charging::policy::ChargingPolicy;
use crate::id::LotId;
use crate::invoice::Documents;
use crate::money::Currency;
use crate::record::{Record, Table};
use crate::user::RoleLimits;

/// A car park (车场). Grows by addition: every new field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// Its name in topics and records.
    pub id: LotId,
    /// Its name for people.
    pub name: String,
    /// Where its midnight is.
    pub zone: Tz,
    /// What it charges in.
    pub currency: Currency,
    /// The share of tax that prices of temporary stays contain.
    pub tax_rate: Decimal,
    /// Places.
    pub capacity: i64,
    /// Its parts.
    #[serde(default)]
    pub areas: Vec<LotArea>,
    /// Its entries and exits.
    #[serde(default)]
    pub lanes: Vec<LotLane>,
    /// How far each role may go where money is given up, where that differs from the rule.
    #[serde(default)]
    pub limits: RoleLimits,
    /// What is left to the lot to decide about property charging.
    #[serde(default)]
    pub charging: ChargingPolicy,
    /// What stands on its invoices and receipts.
    #[serde(default)]
    pub documents: Documents,
}

/// An entry or exit (车道), as the configuration says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotLane {
    /// Its name.
    pub id: String,
    /// `entry` or `exit`.
    pub direction: String,
    /// The area that it leads into or out of.
    pub area: String,
    /// The area on its other side; `None`: the street.
    #[serde(default)]
    pub within: Option<String>,
    /// Its devices, each with its part there: `barrier`, `camera`, `spare_camera`, `display`, `loop`.
    pub devices: Vec<(String, String)>,
}

/// A part of the lot (区域).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotArea {
    /// Its name, as lanes and tariff call it.
    pub id: String,
    /// Places for temporary cars: its own, else the lot's.
    pub capacity: i64,
}

impl Record for Lot {
    const TABLE: Table = Table::Lots;
    fn key(&self) -> String {
        self.id.to_string()
    }
}
