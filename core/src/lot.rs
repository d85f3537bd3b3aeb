//! What the lot is, as the configuration says it: kept as a record too, so that commands on a stopped box's data folder
//! know its zone, currency and rules.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::LotId;
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
    /// Parts of it that have places of their own.
    #[serde(default)]
    pub areas: Vec<LotArea>,
    /// How far each role may go where money is given up, where that differs from the rule.
    #[serde(default)]
    pub limits: RoleLimits,
}

/// A part of the lot with places of its own (区域).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotArea {
    /// Its name, as lanes and tariff call it.
    pub id: String,
    /// Places for temporary cars.
    pub capacity: i64,
}

impl Record for Lot {
    const TABLE: Table = Table::Lots;
    fn key(&self) -> String {
        self.id.to_string()
    }
}
