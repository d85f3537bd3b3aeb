//! Holders: who has cards and who pays for them. Names, telephones and e-mail addresses are personal texts.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::charging::tables::read_holders;
use tollhouse_core::record::{By, ChangeKind, Counter, Records};
use utoipa::ToSchema;

use super::HoldersDesk;
use crate::charging::estate::in_room;
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, one_row};
use crate::charging::parts::Decided;
use crate::charging::reading::{Page, page};
use crate::charging::view::NoteView;

/// Counts the ids that were given out.
const NUMBERS: &str = "holders/numbers";

/// A holder: the columns of the import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderBody {
    /// Their id; the next free one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "H000001")]
    pub id: Option<String>,
    /// Their name.
    pub name: String,
    /// Their telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
    /// Their e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their room: building-unit-room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "3-2-1201")]
    pub room: Option<String>,
}

/// What is to be different about a holder; what is left out stays, an empty text takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderChange {
    /// Their name.
    #[serde(default)]
    pub name: Option<String>,
    /// Their telephone.
    #[serde(default)]
    pub telephone: Option<String>,
    /// Their e-mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Their room.
    #[serde(default)]
    pub room: Option<String>,
}

/// A holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their telephone; empty where it is not known.
    pub telephone: String,
    /// Their e-mail; empty where it is not known.
    pub email: String,
    /// Their room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Who wrote it last, and why.
    pub note: NoteView,
}

/// Which holders are listed; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HolderFilter {
    /// A part of their name or telephone.
    pub text: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    pub room: Option<String>,
}

impl From<&Holder> for HolderView {
    fn from(holder: &Holder) -> Self {
        Self {
            id: holder.id.to_string(),
            name: holder.name.clone(),
            telephone: holder.telephone.clone(),
            email: holder.email.clone(),
            room: holder.room.as_ref().map(ToString::to_string),
            note: NoteView::from(&holder.note),
        }
    }
}

impl HolderFilter {
    fn takes(&self, holder: &Holder) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let holds = |wanted: &str| {
            let number = digits(wanted);
            holder.name.contains(wanted) || (number.len() >= 3 && digits(&holder.telephone).contains(&number))
        };
        let room = holder.room.as_ref().map(ToString::to_string).unwrap_or_default();
        self.text.as_deref().is_none_or(holds) && self.room.as_deref().is_none_or(|wanted| in_room(&room, wanted))
    }
}

impl HoldersDesk {
    /// A holder.
    pub fn holder(&self, id: &str) -> Result<HolderView, ChargingFault> {
        let kept = self.parts.store.snapshot().get::<Holder>(id)?;
        Ok(HolderView::from(&kept.ok_or_else(|| ChargingFault::unknown("holder", id))?.record))
    }

    /// Holders after an id.
    pub fn holders(
        &self,
        filter: &HolderFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HolderView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let Page { items, next } = page(&records, after, limit, |holder: &Holder| filter.takes(holder))?;
        Ok(Page { items: items.iter().map(HolderView::from).collect(), next })
    }

    /// Enters a holder.
    pub async fn add_holder(&self, by: &By, body: &HolderBody) -> Result<HolderView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                let mut body = body.clone();
                if body.id.is_none() {
                    body.id = Some(next_id(records)?.to_string());
                    change.count(NUMBERS, 1, None);
                }
                let made = read_holders(&one_row(&body), &self.parts.note(by)).map_err(of_fields)?;
                let holder = made.into_iter().next().ok_or_else(|| ChargingFault::unknown("holder", &body.name))?;
                if records.get::<Holder>(holder.id.as_str())?.is_some() {
                    return Err(ChargingFault::exists("holder", &holder.id));
                }
                change.rely_on::<Holder>(holder.id.as_str(), None);
                holder.put(&mut change);
                Ok(Decided { change, outcome: HolderView::from(&holder) })
            })
            .await
    }

    /// Changes a holder.
    pub async fn change_holder(&self, by: &By, id: &str, wanted: &HolderChange) -> Result<HolderView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Holder>(id)?.ok_or_else(|| ChargingFault::unknown("holder", id))?;
                let was = &kept.record;
                let or = |wanted: &Option<String>, was: &str| wanted.clone().unwrap_or_else(|| was.to_owned());
                let room = was.room.as_ref().map(ToString::to_string).unwrap_or_default();
                let filled = |text: String| Some(text).filter(|text| !text.is_empty());
                let body = HolderBody {
                    id: Some(was.id.to_string()),
                    name: or(&wanted.name, &was.name),
                    telephone: filled(or(&wanted.telephone, &was.telephone)),
                    email: filled(or(&wanted.email, &was.email)),
                    room: filled(or(&wanted.room, &room)),
                };
                let made = read_holders(&one_row(&body), &self.parts.note(by)).map_err(of_fields)?;
                let holder = made.into_iter().next().ok_or_else(|| ChargingFault::unknown("holder", id))?;
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                change.rely_on(id, Some(&kept));
                holder.put(&mut change);
                Ok(Decided { change, outcome: HolderView::from(&holder) })
            })
            .await
    }
}

/// The next id that nobody has.
fn next_id(records: &impl Records) -> Result<HolderId, ChargingFault> {
    let mut number = records.get::<Counter>(NUMBERS)?.map_or(0, |kept| kept.record.value);
    loop {
        number += 1;
        let id = HolderId::new(&format!("H{number:06}")).expect("letters and digits");
        if records.get::<Holder>(id.as_str())?.is_none() {
            return Ok(id);
        }
    }
}
