//! A numbered space (车位) with its attributes over time. It must not know who holds it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, AttributesError, SpaceClass};
use super::room::Room;
use super::uses::UseList;
use crate::charging::label::SpaceNumber;
use crate::charging::timeline::{Dated, Note, Timeline, TimelineError};
use crate::id::AreaId;
use crate::record::{Record, Table};

/// One space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its number, which never changes.
    pub number: SpaceNumber,
    /// In which area of the lot.
    pub area: AreaId,
    /// The room that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// What it is, over time.
    pub attributes: Timeline<Attributes>,
}

impl Record for Space {
    const TABLE: Table = Table::Spaces;
    fn key(&self) -> String {
        self.number.to_string()
    }
}

impl Space {
    /// Its class on a day; `None` before it was there.
    pub fn class_on(&self, day: NaiveDate) -> Option<SpaceClass> {
        self.attributes.on(day).map(Attributes::class)
    }

    /// From a date on it is something else. What gave way, if there was a change on that very day.
    pub fn change(
        &mut self,
        from: NaiveDate,
        to: Attributes,
        uses: &UseList,
        note: Note,
    ) -> Result<Option<Dated<Attributes>>, AttributesError> {
        uses.allows(&to)?;
        Ok(self.attributes.set(from, to, note))
    }

    /// Takes back a change: the opposite of [`Space::change`].
    pub fn take_back(&mut self, from: NaiveDate) -> Result<Dated<Attributes>, TimelineError> {
        self.attributes.unset(from)
    }
}
