//! The visits of a car before its stay: kept where the tariff looks at them (`[return]`, caps that visits share).
//!
//! It must not know what they cost, nor what the tariff makes of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Basis, Stay, StayState};
use crate::id::StayId;
use crate::plate::Plate;
use crate::record::{ReadError, Record, Records, Table};
use crate::tariff::TariffBook;
use crate::tariff::model::EarlierVisit;

/// Visits before a stay that are kept: a car that comes more often is priced by its latest.
const MOST_VISITS: usize = 32;

/// A visit that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// When it began.
    pub entered_at: DateTime<Utc>,
    /// When it ended.
    pub exited_at: DateTime<Utc>,
}

/// Which stay of a car ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStay {
    /// The car.
    pub plate: Plate,
    /// Its stay.
    pub stay: StayId,
}

impl Record for LastStay {
    const TABLE: Table = Table::LastStays;
    fn key(&self) -> String {
        self.plate.to_string()
    }
}

impl Stay {
    /// What is to be remembered of this stay when it ends, if the tariff will ask for it.
    pub fn to_remember(&self, tariff: &TariffBook) -> Option<LastStay> {
        let ended_at = self.exited_at?;
        let looks_back = tariff.in_force_at(ended_at).file().looks_back();
        (self.basis == Basis::Temporary && looks_back.is_some())
            .then(|| LastStay { plate: self.plate.clone(), stay: self.id })
    }

    /// The visits of a car before one that begins now, as far back as the tariff looks.
    pub fn visits_before(
        plate: &Plate,
        begins_at: DateTime<Utc>,
        tariff: &TariffBook,
        records: &impl Records,
    ) -> Result<Vec<Visit>, ReadError> {
        let Some(looks_back) = tariff.in_force_at(begins_at).file().looks_back() else { return Ok(vec![]) };
        let Some(last) = records.get::<LastStay>(plate.as_str())? else { return Ok(vec![]) };
        let Some(last) = records.get::<Stay>(&last.record.stay.to_string())? else { return Ok(vec![]) };
        let stay = last.record;
        // One that ended by a guess may run on: then it is this very stay's own time.
        let ended = if stay.state == StayState::Closed { stay.exited_at } else { None };
        let last = ended.map(|exited_at| Visit { entered_at: stay.entered_at, exited_at });
        let mut visits: Vec<Visit> = stay.earlier.into_iter().chain(last).collect();
        visits.retain(|visit| visit.exited_at <= begins_at);
        // What counted for the last visit counts with it: a chain of returns goes on from visit to visit.
        if visits.last().is_none_or(|visit| begins_at - visit.exited_at > looks_back) {
            return Ok(vec![]);
        }
        let surplus = visits.len().saturating_sub(MOST_VISITS);
        Ok(visits.split_off(surplus))
    }

    /// The visits before, as facts of a price. What each cost is what the tariff says of it.
    pub fn earlier_visits(&self) -> Vec<EarlierVisit> {
        let facts = |visit: &Visit| EarlierVisit { enter: visit.entered_at, exit: visit.exited_at, paid: None };
        self.earlier.iter().map(facts).collect()
    }
}
