//! A visitor whom a holder has invited: a plate that is let in free of charge from a moment to a moment.
//! It must not know the pass that the gate is given for it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::{CardNumber, HolderId};
use crate::charging::timeline::Note;
use crate::plate::Plate;
use crate::record::{Record, Table};

/// The longest visit, in days.
pub const MAX_VISIT_DAYS: i64 = 31;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// A keyed hash of card, plate and first moment.
    pub id: String,
    /// Who invites.
    pub holder: HolderId,
    /// By which card.
    pub card: CardNumber,
    /// Who comes.
    pub plate: Plate,
    /// From when.
    pub from: DateTime<Utc>,
    /// The last moment at which they are let in.
    pub until: DateTime<Utc>,
    /// Who wrote it, and why.
    pub note: Note,
    /// Who took it back, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Note>,
}

impl Record for Invitation {
    const TABLE: Table = Table::Invitations;
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// An invitation that may still let somebody in: so that nobody looks through all there ever were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvitation {
    /// Which.
    pub id: String,
}

impl Record for OpenInvitation {
    const TABLE: Table = Table::OpenInvitations;
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Why there is no invitation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// It ends before it begins, is over, or lasts too long.
    #[error("an invitation begins before it ends, is not over, and lasts at most {MAX_VISIT_DAYS} days")]
    Times,
}

impl Invitation {
    /// Whether the times make sense at a moment.
    pub fn checked(from: DateTime<Utc>, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), InvitationError> {
        let fits = from < until && now < until && until - from <= TimeDelta::days(MAX_VISIT_DAYS);
        fits.then_some(()).ok_or(InvitationError::Times)
    }

    /// Whether the visitor is let in at a moment.
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.withdrawn.is_none() && self.from <= at && at <= self.until
    }
}
