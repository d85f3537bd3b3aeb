//! A pool (车位池): places of an area that are not numbered, for passes without a space of their own. Counts as rented.
//! It must not know who holds its places.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::attributes::{Grade, Location, SpaceClass, Tenure};
use crate::charging::label::{PoolId, UseId};
use crate::charging::timeline::Timeline;
use crate::id::AreaId;
use crate::record::{Record, Table};

/// What a pool is, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolTerms {
    /// How many places it has.
    pub places: u32,
    /// Where they are.
    pub location: Location,
    /// What they are for.
    #[serde(rename = "use")]
    pub usage: UseId,
}

/// One pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// In which area.
    pub area: AreaId,
    /// What it is, over time.
    pub terms: Timeline<PoolTerms>,
}

impl Record for Pool {
    const TABLE: Table = Table::Pools;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl PoolTerms {
    /// The class of its places.
    pub fn class(&self) -> SpaceClass {
        SpaceClass {
            location: self.location,
            tenure: Tenure::Rented,
            usage: self.usage.clone(),
            grade: Grade::Ordinary,
        }
    }
}

impl Pool {
    /// How many places are left on a day when so many are held; fewer than none when it was made smaller since.
    pub fn free_on(&self, day: NaiveDate, held: u32) -> i64 {
        i64::from(self.terms.on(day).map_or(0, |terms| terms.places)) - i64::from(held)
    }
}
