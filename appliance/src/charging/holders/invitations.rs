//! Visitors whom holders invite: an invitation is on record, and the gate has a pass with an end for it in the same entry.
//! A plate that has a pass of its own keeps it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::{Card, CardState};
use tollhouse_core::charging::holders::{Invitation, MAX_VISIT_DAYS};
use tollhouse_core::id::InvitationId;
use tollhouse_core::pass::{Coverage, GatePass, Grants};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind, Records, Table};
use utoipa::ToSchema;

use super::HoldersDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::parts::Decided;
use crate::charging::reading::{Page, Seen, each, page};
use crate::charging::view::NoteView;

/// The most passes that are written at once.
const MOST_PASSES: usize = 200;
/// The most invitations of a card that are in force at once.
const MOST_AT_ONCE: usize = 20;

/// A visitor who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// The visitor's plate.
    pub plate: String,
    /// From when; now without it.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// The last moment at which they are let in; at most 31 days later.
    pub until: DateTime<Utc>,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: String,
    /// Who invites.
    pub holder: String,
    /// By which card.
    pub card: String,
    /// Who comes.
    pub plate: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// The last moment at which they are let in.
    pub until: DateTime<Utc>,
    /// Who wrote it, and why.
    pub note: NoteView,
    /// Who took it back, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<NoteView>,
}

impl From<&Invitation> for InvitationView {
    fn from(one: &Invitation) -> Self {
        Self {
            id: one.id.clone(),
            holder: one.holder.to_string(),
            card: one.card.to_string(),
            plate: one.plate.to_string(),
            from: one.from,
            until: one.until,
            note: NoteView::from(&one.note),
            withdrawn: one.withdrawn.as_ref().map(NoteView::from),
        }
    }
}

impl HoldersDesk {
    /// Invitations after an id; of a card, if one is named.
    pub fn invitations(
        &self,
        card: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<InvitationView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let wanted = |one: &Invitation| card.is_none_or(|card| one.card.as_str() == card);
        let Page { items, next } = page(&records, after, limit, wanted)?;
        Ok(Page { items: items.iter().map(InvitationView::from).collect(), next })
    }

    /// Invites a visitor by a card that is in force.
    pub async fn invite(&self, by: &By, card: &str, body: &NewInvitation) -> Result<InvitationView, ChargingFault> {
        let plate = Plate::new(&body.plate);
        let plate = plate.map_err(|why| ChargingFault::wrong("plate", "车牌不正确", why.to_string()))?;
        self.parts
            .carry_out(by, |records| {
                let now = self.parts.now();
                let from = body.from.unwrap_or(now);
                Invitation::checked(from, body.until, now).map_err(|why| {
                    let zh = format!("应先始后终、尚未结束，且不超过 {MAX_VISIT_DAYS} 天");
                    ChargingFault::wrong("until", zh, why.to_string())
                })?;
                let kept = records.get::<Card>(card)?.ok_or_else(|| ChargingFault::unknown("card", card))?;
                if !matches!(kept.record.state(), CardState::Active | CardState::Lost) {
                    return Err(ChargingFault::conflict(format!("card {card} is not in force")));
                }
                let mut at_once = 0;
                let mut doubled = false;
                each(records, "", |kept: tollhouse_core::record::Kept<Invitation>| {
                    let one = kept.record;
                    let in_force = one.withdrawn.is_none() && one.until >= now;
                    at_once += usize::from(in_force && one.card.as_str() == card);
                    doubled |= in_force && one.plate == plate && one.from <= body.until && from <= one.until;
                    Seen::More
                })?;
                if at_once >= MOST_AT_ONCE {
                    return Err(ChargingFault::conflict(format!(
                        "card {card} has {MOST_AT_ONCE} invitations in force"
                    )));
                }
                if doubled {
                    return Err(ChargingFault::conflict(format!("{plate} is invited on some of this time already")));
                }
                let parts = [card, plate.as_str(), &from.to_rfc3339()];
                let invitation = Invitation {
                    id: InvitationId::derive(&self.parts.key, &parts).to_string(),
                    holder: kept.record.holder.clone(),
                    card: kept.record.number.clone(),
                    plate: plate.clone(),
                    from,
                    until: body.until,
                    note: self.parts.note(by),
                    withdrawn: None,
                };
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                change.rely_on(card, Some(&kept));
                change.personal(plate.as_str());
                change.put(&invitation);
                let pass = records.get::<GatePass>(plate.as_str())?;
                let over = pass.as_ref().is_none_or(|pass| is_over(&pass.record, now));
                // One that begins later has its pass when its time has come.
                if over && from <= now {
                    change.rely_on(plate.as_str(), pass.as_ref());
                    let grants = Grants::Free { until: Some(body.until) };
                    change.put(&GatePass { plate: plate.clone(), grants, coverage: Coverage::default(), places: None });
                }
                Ok(Decided { change, outcome: InvitationView::from(&invitation) })
            })
            .await
    }

    /// Gives the gate the passes of visitors whose time has come; says how many. Called at intervals.
    pub async fn admit_invited(&self) -> Result<usize, ChargingFault> {
        let by = By::the_box("the time of an invitation has come");
        self.parts
            .carry_out(&by, |records| {
                let now = self.parts.now();
                let mut due: Vec<Invitation> = vec![];
                each(records, "", |kept: tollhouse_core::record::Kept<Invitation>| {
                    due.extend(Some(kept.record).filter(|one| one.holds_at(now)));
                    if due.len() < MOST_PASSES { Seen::More } else { Seen::Enough }
                })?;
                let mut change = self.parts.change(ChangeKind::PassWritten, &by);
                let mut outcome = 0;
                for one in due {
                    let plate = one.plate.as_str();
                    let pass = records.get::<GatePass>(plate)?;
                    if pass.as_ref().is_none_or(|pass| is_over(&pass.record, now)) {
                        change.rely_on(plate, pass.as_ref());
                        change.personal(plate);
                        let grants = Grants::Free { until: Some(one.until) };
                        change.put(&GatePass { plate: one.plate, grants, coverage: Coverage::default(), places: None });
                        outcome += 1;
                    }
                }
                Ok(Decided { change, outcome })
            })
            .await
    }

    /// Takes an invitation back: the gate's pass goes with it.
    pub async fn withdraw_invitation(&self, by: &By, id: &str) -> Result<InvitationView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Invitation>(id)?.ok_or_else(|| ChargingFault::unknown("invitation", id))?;
                let mut invitation = kept.record.clone();
                if invitation.withdrawn.is_some() {
                    return Err(ChargingFault::conflict("it was taken back already"));
                }
                invitation.withdrawn = Some(self.parts.note(by));
                let plate = invitation.plate.as_str();
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                change.rely_on(id, Some(&kept));
                change.personal(plate);
                change.put(&invitation);
                let pass = records.get::<GatePass>(plate)?;
                let ours = Grants::Free { until: Some(invitation.until) };
                if let Some(pass) = pass.filter(|pass| pass.record.grants == ours) {
                    change.rely_on(plate, Some(&pass));
                    change.delete(Table::Passes, plate);
                }
                Ok(Decided { change, outcome: InvitationView::from(&invitation) })
            })
            .await
    }
}

/// Whether a pass is one of a visit that is over.
fn is_over(pass: &GatePass, now: DateTime<Utc>) -> bool {
    matches!(pass.grants, Grants::Free { until: Some(until) } if until < now)
}
