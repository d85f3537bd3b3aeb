//! The list of uses (车位用途): open, kept by the operator, each with the tenures that it allows.
//! It must not know a single space.

use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, AttributesError, Tenure};
use crate::charging::label::UseId;
use crate::record::{Record, Table};
use crate::words::Words;

/// One use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Its id in tables and selectors.
    pub id: UseId,
    /// For people.
    pub name: Words,
    /// The tenures that it allows.
    pub tenures: Vec<Tenure>,
}

impl Record for Use {
    const TABLE: Table = Table::Uses;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// All uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseList(Vec<Use>);

impl UseList {
    /// The operator's list.
    pub fn new(uses: Vec<Use>) -> Self {
        Self(uses)
    }

    /// What a new estate begins with.
    pub fn usual() -> Self {
        let all = Tenure::ALL;
        let let_out = &[Tenure::Rented, Tenure::Temporary][..];
        let uses: [(&str, &str, &str, &[Tenure]); 6] = [
            ("residential", "住宅", "Residential", all),
            ("commercial", "商业", "Commercial", all),
            ("visitor", "访客", "Visitors", &[Tenure::Temporary]),
            ("accessible", "无障碍", "Accessible", all),
            ("ev_charging", "充电", "Electric charging", let_out),
            ("loading", "装卸", "Loading", let_out),
        ];
        let one = |(id, zh, en, tenures): (&str, &str, &str, &[Tenure])| Use {
            id: UseId::new(id).expect("the usual uses have plain names"),
            name: Words::new(zh, en),
            tenures: tenures.to_vec(),
        };
        Self(uses.into_iter().map(one).collect())
    }

    /// The use of that id or of that Chinese name.
    pub fn by_word(&self, text: &str) -> Option<&Use> {
        self.0.iter().find(|one| one.id.as_str() == text || one.name.zh == text)
    }

    /// Whether the list allows these attributes together.
    pub fn allows(&self, attributes: &Attributes) -> Result<(), AttributesError> {
        let usage = attributes.usage.clone();
        let Some(one) = self.0.iter().find(|one| one.id == usage) else {
            return Err(AttributesError::UnknownUse(usage));
        };
        if one.tenures.contains(&attributes.tenure) {
            return Ok(());
        }
        Err(AttributesError::TenureNotAllowed { usage, tenure: attributes.tenure })
    }

    /// All of them.
    pub fn all(&self) -> &[Use] {
        &self.0
    }
}
