//! A recommendation as it was made, with all that it depends on: so that anybody can reckon it again and get the same.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::ask::{Asker, StayPricer};
use super::package::Package;
use super::recommend::{Candidate, recommend};
use crate::charging::fees::{FeeFault, FeeItem, FeeList};
use crate::charging::label::{CardNumber, HolderId};
use crate::charging::timeline::Note;
use crate::money::Currency;
use crate::record::{Change, Record, Table};

/// A recommendation that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// A keyed hash of who asked and when.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// For whom, if for a holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderId>,
    /// For which card, if for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardNumber>,
    /// Who asked.
    pub asker: Asker,
    /// The packages on sale.
    pub packages: Vec<Package>,
    /// The price list.
    pub fees: Vec<FeeItem>,
    /// The tariff that priced the stays: its versions on record.
    pub tariffs: Vec<String>,
    /// The lot's date.
    pub on: NaiveDate,
    /// Of all amounts.
    pub currency: Currency,
    /// What each choice would have cost, the cheapest first.
    pub candidates: Vec<Candidate>,
    /// Who made it.
    pub note: Note,
}

impl Record for Recommendation {
    const TABLE: Table = Table::Recommendations;
    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Recommendation {
    /// The candidates, reckoned again from what stands in the record.
    pub fn again(&self, stays: &impl StayPricer) -> Result<Vec<Candidate>, Vec<FeeFault>> {
        let fees = FeeList::new(self.fees.clone())?;
        Ok(recommend(&self.asker, &self.packages, &fees, stays, self.on, self.currency))
    }

    /// Writes the record, the plates in it marked as personal.
    pub fn put(&self, change: &mut Change) {
        for stay in &self.asker.stays {
            change.personal(stay.plate.as_str());
        }
        change.put(self);
    }
}
