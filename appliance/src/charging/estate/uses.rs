//! The list of uses: open, kept by the operator.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::estate::{Space, Tenure, Use, UseList};
use tollhouse_core::charging::tables::read_uses;
use tollhouse_core::record::{By, ChangeKind, Kept};
use utoipa::ToSchema;

use super::{EstateDesk, uses};
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, one_row};
use crate::charging::parts::Decided;
use crate::charging::reading::{Seen, each};

/// A use of spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseView {
    /// Its id in tables and selectors.
    #[schema(example = "ev_charging")]
    pub id: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// The tenures that it allows: `owned`, `rented`, `temporary`.
    pub tenures: Vec<String>,
}

impl From<&Use> for UseView {
    fn from(one: &Use) -> Self {
        Self {
            id: one.id.to_string(),
            name_zh: one.name.zh.clone(),
            name_en: one.name.en.clone(),
            tenures: one.tenures.iter().map(|tenure| tenure.as_str().to_owned()).collect(),
        }
    }
}

impl EstateDesk {
    /// The uses of the estate.
    pub fn uses(&self) -> Result<Vec<UseView>, ChargingFault> {
        Ok(uses(&self.parts.store.snapshot())?.all().iter().map(UseView::from).collect())
    }

    /// Writes a use, new or changed. A tenure that spaces of the use have now cannot be taken from it.
    pub async fn put_use(&self, by: &By, body: &UseView) -> Result<UseView, ChargingFault> {
        let made = read_uses(&one_row(body)).map_err(of_fields)?;
        let Some(made) = made.into_iter().next() else { return Err(ChargingFault::unknown("use", &body.id)) };
        self.parts
            .carry_out(by, |records| {
                let mut change = self.parts.change(ChangeKind::EstateChanged, by);
                let today = self.parts.today();
                let mut lacking: Option<(String, Tenure)> = None;
                each(records, "", |kept: Kept<Space>| {
                    let is = kept.record.attributes.on(today);
                    let clashes = is.filter(|is| is.usage == made.id && !made.tenures.contains(&is.tenure));
                    lacking = clashes.map(|is| (kept.record.number.to_string(), is.tenure));
                    if lacking.is_some() { Seen::Enough } else { Seen::More }
                })?;
                if let Some((space, tenure)) = lacking {
                    let (zh, en) = (
                        format!("车位 {space} 现为{}，请先变更", tenure.chinese()),
                        format!("space {space} is {} now: change it first", tenure.as_str()),
                    );
                    return Err(ChargingFault::wrong("tenures", zh, en));
                }
                // The first use that is written writes the usual ones too, so that none of them is lost.
                for usual in missing(records, &uses(records)?)? {
                    change.put(&usual);
                }
                change.put(&made);
                Ok(Decided { change, outcome: UseView::from(&made) })
            })
            .await
    }
}

/// Uses that are in force and not on record.
pub(in crate::charging) fn missing(
    records: &impl tollhouse_core::record::Records,
    list: &UseList,
) -> Result<Vec<Use>, ChargingFault> {
    let mut missing = Vec::new();
    for one in list.all() {
        if records.get::<Use>(one.id.as_str())?.is_none() {
            missing.push(one.clone());
        }
    }
    Ok(missing)
}
