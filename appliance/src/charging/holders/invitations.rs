//! Visitors whom holders invite: an invitation is on record, and the gate has a pass of its own for it, with an end, from
//! when its time has come until it is over. Lists and cards of the same plate are not touched by it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::{Card, CardState};
use tollhouse_core::charging::holders::{Invitation, MAX_VISIT_DAYS, OpenInvitation};
use tollhouse_core::id::InvitationId;
use tollhouse_core::pass::GatePass;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind, ReadError, Records, Table};
use utoipa::ToSchema;

use super::HoldersDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::parts::Decided;
use crate::charging::reading::{Page, all, page};
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
                for one in open_invitations(records)? {
                    let in_force = one.until >= now;
                    at_once += usize::from(in_force && one.card.as_str() == card);
                    doubled |= in_force && one.plate == plate && one.from <= body.until && from <= one.until;
                }
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
                change.put(&OpenInvitation { id: invitation.id.clone() });
                // One that begins later has its pass when its time has come.
                if from <= now {
                    change.put(&GatePass::of_visit(plate.clone(), &invitation.id, body.until));
                }
                Ok(Decided { change, outcome: InvitationView::from(&invitation) })
            })
            .await
    }

    /// Gives the gate the passes of visitors whose time has come, and takes those of visits that are over; says how many.
    /// Called at intervals.
    pub async fn admit_invited(&self) -> Result<usize, ChargingFault> {
        let by = By::the_box("the time of an invitation has come");
        self.parts
            .carry_out(&by, |records| {
                let now = self.parts.now();
                let mut change = self.parts.change(ChangeKind::PassWritten, &by);
                let mut outcome = 0;
                for one in open_invitations(records)? {
                    let key = GatePass::key_of_visit(&one.plate, &one.id);
                    let pass = records.get::<GatePass>(&key)?;
                    if one.until < now {
                        change.delete(Table::OpenInvitations, &one.id);
                        if pass.is_some() {
                            change.delete(Table::Passes, &key);
                        }
                    } else if one.holds_at(now) && pass.is_none() {
                        // Taken back meanwhile, it has no pass.
                        let kept = records.get::<Invitation>(&one.id)?;
                        change.rely_on(&one.id, kept.as_ref());
                        change.put(&GatePass::of_visit(one.plate.clone(), &one.id, one.until));
                    } else {
                        continue;
                    }
                    change.personal(one.plate.as_str());
                    outcome += 1;
                    if outcome == MOST_PASSES {
                        break;
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
                change.delete(Table::OpenInvitations, id);
                let key = GatePass::key_of_visit(&invitation.plate, id);
                if records.get::<GatePass>(&key)?.is_some() {
                    change.delete(Table::Passes, &key);
                }
                Ok(Decided { change, outcome: InvitationView::from(&invitation) })
            })
            .await
    }
}

/// The invitations that may still let somebody in, or have a pass that is to be taken.
fn open_invitations(records: &impl Records) -> Result<Vec<Invitation>, ReadError> {
    let mut open = Vec::new();
    for one in all::<OpenInvitation>(records, "")? {
        open.extend(records.get::<Invitation>(&one.id)?.map(|kept| kept.record));
    }
    Ok(open)
}
