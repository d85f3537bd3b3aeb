//! Spaces: one or a range at a time, dated changes of what they are with their history, and the way back.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::estate::{Attributes, Space, Tenure, export_spaces, import_spaces};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::timeline::Dated;
use tollhouse_core::record::{By, ChangeKind, Kept, Records};
use utoipa::ToSchema;

use super::{EstateDesk, on_card, uses};
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, one_row};
use crate::charging::held::SpaceCards;
use crate::charging::parts::Decided;
use crate::charging::reading::{Page, page};
use crate::charging::view::NoteView;

/// New spaces that are alike: one, or a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpaces {
    /// A number, or a range.
    #[schema(example = "B1-001..B1-240")]
    pub number: String,
    /// The area that they lie in.
    #[schema(example = "B1")]
    pub area: String,
    /// The room that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// `open_air`, `underground` or `structure`.
    pub location: String,
    /// `owned`, `rented` or `temporary`.
    pub tenure: String,
    /// A use of the list.
    #[serde(rename = "use")]
    pub usage: String,
    /// `ordinary`, `tandem`, `triple` or `multi`.
    pub grade: String,
    /// Cars that fit; only `multi` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u8>,
    /// Square metres, at most two decimals.
    #[schema(example = "12.50")]
    pub size: String,
    /// The first day; today without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
}

/// What is to be different about a space from a day on; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceChange {
    /// The first day.
    pub from: NaiveDate,
    /// `open_air`, `underground` or `structure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `owned`, `rented` or `temporary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenure: Option<String>,
    /// A use of the list.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// `ordinary`, `tandem`, `triple` or `multi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// Cars that fit; only `multi` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u8>,
    /// Square metres, at most two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
}

/// The numbers of spaces that were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpacesMade {
    /// How many.
    pub count: usize,
    /// The first.
    pub first: String,
    /// The last.
    pub last: String,
}

/// What a space is from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttributesView {
    /// The first day.
    pub from: NaiveDate,
    /// `open_air`, `underground` or `structure`.
    pub location: String,
    /// `owned`, `rented` or `temporary`.
    pub tenure: String,
    /// A use of the list.
    #[serde(rename = "use")]
    pub usage: String,
    /// `ordinary`, `tandem`, `triple` or `multi`.
    pub grade: String,
    /// Cars that fit.
    pub capacity: u8,
    /// Square metres.
    pub size: String,
    /// Who set it, and why.
    pub note: NoteView,
}

/// A space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpaceView {
    /// Its number.
    pub number: String,
    /// The area that it lies in.
    pub area: String,
    /// The room that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Its class today: location, tenure, use and grade; absent before its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Cards that hold it today.
    pub cards: Vec<String>,
    /// What it was and will be, the earliest first.
    pub history: Vec<AttributesView>,
}

/// Which spaces are listed; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceFilter {
    /// In this area.
    pub area: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    pub room: Option<String>,
    /// Of this tenure today.
    pub tenure: Option<Tenure>,
    /// Numbers that begin so.
    pub number: Option<String>,
}

fn attributes_view(change: &Dated<Attributes>) -> AttributesView {
    let is = &change.value;
    AttributesView {
        from: change.from,
        location: is.location.as_str().to_owned(),
        tenure: is.tenure.as_str().to_owned(),
        usage: is.usage.to_string(),
        grade: is.layout.grade().as_str().to_owned(),
        capacity: is.layout.capacity(),
        size: is.size.to_string(),
        note: NoteView::from(&change.note),
    }
}

impl SpaceFilter {
    fn takes(&self, space: &Space, today: NaiveDate) -> bool {
        let begins = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| is.starts_with(wanted));
        let room = space.room.as_ref().map(ToString::to_string).unwrap_or_default();
        self.area.as_deref().is_none_or(|area| space.area.as_str() == area)
            && self.room.as_deref().is_none_or(|wanted| in_room(&room, wanted))
            && begins(&self.number, space.number.as_str())
            && self.tenure.is_none_or(|tenure| space.attributes.on(today).is_some_and(|is| is.tenure == tenure))
    }
}

/// Whether a room is the wanted one or lies in it: `3-2-101` in `3` and in `3-2`, not in `3-20`.
pub(in crate::charging) fn in_room(room: &str, wanted: &str) -> bool {
    room.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl EstateDesk {
    /// A space.
    pub fn space(&self, number: &str) -> Result<SpaceView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let kept = records.get::<Space>(number)?.ok_or_else(|| ChargingFault::unknown("space", number))?;
        self.space_view(&records, &kept.record)
    }

    /// Spaces after a number.
    pub fn spaces(
        &self,
        filter: &SpaceFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<SpaceView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let today = self.parts.today();
        let Page { items, next } = page(&records, after, limit, |space: &Space| filter.takes(space, today))?;
        let items = items.iter().map(|space| self.space_view(&records, space)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn space_view(&self, records: &impl Records, space: &Space) -> Result<SpaceView, ChargingFault> {
        let today = self.parts.today();
        let held = records.get::<SpaceCards>(space.number.as_str())?.map(|kept| kept.record.cards).unwrap_or_default();
        let now = held.iter().filter(|held| held.span().is_some_and(|span| span.has(today)));
        Ok(SpaceView {
            number: space.number.to_string(),
            area: space.area.to_string(),
            room: space.room.as_ref().map(ToString::to_string),
            class: space.class_on(today).map(|class| class.to_string()),
            cards: now.map(on_card).collect(),
            history: space.attributes.changes().iter().map(attributes_view).collect(),
        })
    }

    /// Makes spaces that are alike.
    pub async fn add_spaces(&self, by: &By, body: &NewSpaces) -> Result<SpacesMade, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let note = self.parts.note(by);
                let taken =
                    |number: &SpaceNumber| records.get::<Space>(number.as_str()).is_ok_and(|kept| kept.is_some());
                let made = import_spaces(&one_row(body), &uses(records)?, taken, self.parts.today(), &note);
                let made = made.map_err(of_fields)?;
                let mut change = self.parts.change(ChangeKind::EstateChanged, by);
                for space in &made {
                    change.rely_on::<Space>(space.number.as_str(), None);
                    change.put(space);
                }
                let name = |space: Option<&Space>| space.map(|space| space.number.to_string()).unwrap_or_default();
                let outcome = SpacesMade { count: made.len(), first: name(made.first()), last: name(made.last()) };
                Ok(Decided { change, outcome })
            })
            .await
    }

    /// From a day on a space is something else. What its cards owe follows with the next run, or at once with a card's
    /// own change.
    pub async fn change_space(&self, by: &By, number: &str, body: &SpaceChange) -> Result<SpaceView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Space>(number)?.ok_or_else(|| ChargingFault::unknown("space", number))?;
                let mut space = kept.record.clone();
                let to = changed(&space, body, records)?;
                space
                    .change(body.from, to, &uses(records)?, self.parts.note(by))
                    .map_err(|fault| ChargingFault::wrong("use", "该用途不允许此车位类别", fault.to_string()))?;
                self.write(by, records, &kept, &space)
            })
            .await
    }

    /// Takes a change back: from that day on a space is what it was before. The opposite of
    /// [`EstateDesk::change_space`].
    pub async fn take_back_change(&self, by: &By, number: &str, from: NaiveDate) -> Result<SpaceView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Space>(number)?.ok_or_else(|| ChargingFault::unknown("space", number))?;
                let mut space = kept.record.clone();
                space.take_back(from).map_err(ChargingFault::conflict)?;
                self.write(by, records, &kept, &space)
            })
            .await
    }

    fn write(
        &self,
        by: &By,
        records: &impl Records,
        kept: &Kept<Space>,
        space: &Space,
    ) -> Result<Decided<SpaceView>, ChargingFault> {
        let mut change = self.parts.change(ChangeKind::EstateChanged, by);
        change.rely_on(space.number.as_str(), Some(kept));
        change.put(space);
        Ok(Decided { change, outcome: self.space_view(records, space)? })
    }
}

/// What a space is to be: as it is on that day, but for what the change says. Read as a row of an import, so that every
/// fault of it is told.
fn changed(space: &Space, body: &SpaceChange, records: &impl Records) -> Result<Attributes, ChargingFault> {
    let Some(is) = space.attributes.on(body.from) else {
        let begins = space.attributes.begins();
        let (zh, en) = (format!("此车位从 {begins} 起才有"), format!("the space is there from {begins} only"));
        return Err(ChargingFault::wrong("from", zh, en));
    };
    let mut row = export_spaces([&Space {
        attributes: tollhouse_core::charging::timeline::Timeline::new(
            body.from,
            is.clone(),
            space.attributes.changes()[0].note.clone(),
        ),
        ..space.clone()
    }]);
    let change = one_row(body);
    for (column, value) in change[0].iter().zip(&change[1]) {
        if let Some(at) = row[0].iter().position(|name| name == column) {
            row[1][at].clone_from(value);
        }
    }
    // A new grade brings its own capacity.
    if body.grade.is_some() && body.capacity.is_none() {
        let at = row[0].iter().position(|name| name == "capacity");
        if let Some(at) = at {
            row[1][at].clear();
        }
    }
    let note = &space.attributes.changes()[0].note;
    let read = import_spaces(&row, &uses(records)?, |_| false, body.from, note).map_err(of_fields)?;
    read.first()
        .map(|space| space.attributes.last().clone())
        .ok_or_else(|| ChargingFault::unknown("space", &space.number))
}
