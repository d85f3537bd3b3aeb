//! The gate pass (放行凭证): the gate's own copy of what it needs of cards and bills to decide without asking anybody.
//!
//! Three hands write passes, under keys that never meet: people put a plate on the block list or the free list (key: the
//! plate), property charging gives one for each card that the plate is on (key: plate and card), and each invitation of a
//! visitor gives one (key: plate and invitation). The lane reads all of a plate's at once ([`Passes`]) and writes none. It
//! must not know how a card came to what its pass says.

mod of_plate;

pub use of_plate::{Passes, Verdict};

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::id::AreaId;
use crate::plate::Plate;
use crate::record::{Record, Table};
use crate::stay::Cover;

/// What the gate knows of one plate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePass {
    /// Whose.
    pub plate: Plate,
    /// What it grants.
    pub grants: Grants,
    /// Where and at which hours it covers its car. It opens elsewhere too; the rest is priced as temporary.
    #[serde(default, skip_serializing_if = "Coverage::is_whole")]
    pub coverage: Coverage,
    /// For how many cars its card has places; none: nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<Places>,
    /// The invitation that it stands for, if it does for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

/// For how many of a card's cars there are places inside, and what becomes of one more (一位多车).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// So many.
    pub count: u32,
    /// What is done with the next one.
    pub more: MorePolicy,
}

/// What the lot does with a car of a card whose places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MorePolicy {
    /// It is not let in.
    Refuse,
    /// It is let in as a temporary car, and covered when a place comes free.
    ChargeAsTemporary,
    /// It is let in free of charge.
    AdmitFree,
}

/// The areas and hours of a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// In these areas; none: in all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AreaId>,
    /// In these hours, by the lot's clock; none: in all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<PassHours>,
}

impl Coverage {
    /// Whether it is everywhere and at all hours.
    pub fn is_whole(&self) -> bool {
        self.areas.is_empty() && self.hours.is_empty()
    }
}

/// Hours of a pass on certain days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassHours {
    /// The days on which they begin; none: on each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Minutes after midnight at which they begin.
    pub from_minute: u16,
    /// Minutes after the same midnight at which they end, excluded; beyond 1,440 on the next day.
    pub until_minute: u16,
}

impl Record for GatePass {
    const TABLE: Table = Table::Passes;
    fn key(&self) -> String {
        match (self.card(), &self.invitation) {
            (Some(card), _) => Self::key_of(&self.plate, card),
            (None, Some(invitation)) => Self::key_of_visit(&self.plate, invitation),
            (None, None) => self.plate.to_string(),
        }
    }
}

/// What a pass grants or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grants {
    /// 黑名单: refuses entry, never exit.
    Blocked {
        /// Why, for the attendant.
        reason: String,
    },
    /// 免费车, until the end date if there is one.
    Free {
        /// The last moment at which it is in force.
        until: Option<DateTime<Utc>>,
    },
    /// 产权: an owned space, whose periodic bills are paid up to a moment.
    Owned {
        /// The card.
        card: String,
        /// Up to when the bills are paid.
        paid_until: DateTime<Utc>,
        /// Days of grace after that.
        grace_days: u16,
        /// What happens at the entry when they are over.
        overdue: OverduePolicy,
    },
    /// 出租: a rented space or pool place, settled for its dates.
    Rented {
        /// The card.
        card: String,
        /// First moment.
        from: DateTime<Utc>,
        /// First moment after.
        until: DateTime<Utc>,
        /// Days after `until` in which it still opens.
        grace_days: u16,
    },
}

/// What an overdue bill of an owned space means at the entry. At the exit any debt of a holder becomes arrears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverduePolicy {
    /// Open, and say so.
    OpenAndWarn,
    /// Let in as a temporary car.
    ChargeAsTemporary,
    /// Do not let in.
    RefuseEntry,
}

impl OverduePolicy {
    /// The word in records and configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAndWarn => "open_and_warn",
            Self::ChargeAsTemporary => "charge_as_temporary",
            Self::RefuseEntry => "refuse_entry",
        }
    }
}

impl MorePolicy {
    /// The word in records and configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::ChargeAsTemporary => "charge_as_temporary",
            Self::AdmitFree => "admit_free",
        }
    }
}

/// What a pass says at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Lets the car in on this card.
    Lets(String),
    /// Lets it in on this card; its bill is overdue.
    LetsAndWarns(String),
    /// Lets it in free of charge.
    Free,
    /// Does not let it in: 黑名单.
    Blocks,
    /// Does not let it in: overdue.
    RefusesOverdue,
    /// Lets it in on this card, whose term is over and may still be renewed.
    LetsInGrace(String),
    /// Lets it in as a temporary car, for its card's bill is overdue.
    ChargesOverdue,
    /// Its card has run out, its days of grace too: the car is a temporary one.
    HasRunOut,
    /// Says nothing: the car is a temporary one.
    Nothing,
}

impl GatePass {
    /// A pass without bounds of place.
    pub fn new(plate: Plate, grants: Grants) -> Self {
        Self { plate, grants, coverage: Coverage::default(), places: None, invitation: None }
    }

    /// The pass of a visitor who is invited up to a moment.
    pub fn of_visit(plate: Plate, invitation: &str, until: DateTime<Utc>) -> Self {
        let invitation = Some(invitation.to_owned());
        Self { invitation, ..Self::new(plate, Grants::Free { until: Some(until) }) }
    }

    /// Under what key the pass of a card stands.
    pub fn key_of(plate: &Plate, card: &str) -> String {
        format!("{plate}/{card}")
    }

    /// Under what key the pass of an invitation stands: no card's number has such a mark in it.
    pub fn key_of_visit(plate: &Plate, invitation: &str) -> String {
        format!("{plate}/~{invitation}")
    }

    /// The card that it stands for, if it does for one.
    pub fn card(&self) -> Option<&str> {
        match &self.grants {
            Grants::Owned { card, .. } | Grants::Rented { card, .. } => Some(card),
            Grants::Blocked { .. } | Grants::Free { .. } => None,
        }
    }

    /// What the pass says at `now`.
    pub fn says(&self, now: DateTime<Utc>) -> Says {
        match &self.grants {
            Grants::Blocked { .. } => Says::Blocks,
            Grants::Free { until } if until.is_none_or(|end| now <= end) => Says::Free,
            Grants::Free { .. } => Says::Nothing,
            Grants::Owned { card, paid_until, grace_days, overdue } => {
                if now < *paid_until + TimeDelta::days(i64::from(*grace_days)) {
                    return Says::Lets(card.clone());
                }
                match overdue {
                    OverduePolicy::OpenAndWarn => Says::LetsAndWarns(card.clone()),
                    OverduePolicy::ChargeAsTemporary => Says::ChargesOverdue,
                    OverduePolicy::RefuseEntry => Says::RefusesOverdue,
                }
            }
            Grants::Rented { card, from, until, grace_days } => {
                let grace = TimeDelta::days(i64::from(*grace_days));
                match now {
                    now if now < *from => Says::Nothing,
                    now if now < *until => Says::Lets(card.clone()),
                    now if now < *until + grace => Says::LetsInGrace(card.clone()),
                    _ => Says::HasRunOut,
                }
            }
        }
    }
}

impl GatePass {
    /// What it covers of a stay of its card, up to `until`; `None`: all of it.
    ///
    /// An owned space's bills were looked at when the car came in. A rented one that has run out and is beyond its days
    /// of grace covers up to its end, the grace not included.
    pub fn cover(&self, until: DateTime<Utc>) -> Option<Cover> {
        let over = match &self.grants {
            Grants::Rented { until: ends, grace_days, .. } => {
                Some(*ends).filter(|ends| until >= *ends + TimeDelta::days(i64::from(*grace_days)))
            }
            Grants::Owned { .. } | Grants::Free { .. } | Grants::Blocked { .. } => None,
        };
        let part = over.is_some() || !self.coverage.is_whole();
        part.then(|| Cover { coverage: self.coverage.clone(), from: None, until: over })
    }

    /// Whether it stands for this card.
    pub fn is_of(&self, number: &str) -> bool {
        self.card() == Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn owned(overdue: OverduePolicy) -> Grants {
        Grants::Owned { card: "C1".into(), paid_until: day(10), grace_days: 5, overdue }
    }

    #[test]
    fn a_pass_says_what_its_dates_and_policy_say() {
        let lets = || Says::Lets("C1".into());
        let rented = || Grants::Rented { card: "C1".into(), from: day(5), until: day(10), grace_days: 2 };
        let cases = [
            (owned(OverduePolicy::RefuseEntry), 14, lets()),
            (owned(OverduePolicy::RefuseEntry), 15, Says::RefusesOverdue),
            (owned(OverduePolicy::OpenAndWarn), 15, Says::LetsAndWarns("C1".into())),
            (owned(OverduePolicy::ChargeAsTemporary), 15, Says::ChargesOverdue),
            (rented(), 4, Says::Nothing),
            (rented(), 9, lets()),
            (rented(), 11, Says::LetsInGrace("C1".into())),
            (rented(), 12, Says::HasRunOut),
            (Grants::Free { until: None }, 99, Says::Free),
            (Grants::Free { until: Some(day(3)) }, 4, Says::Nothing),
            (Grants::Blocked { reason: "stolen".into() }, 1, Says::Blocks),
        ];
        for (grants, at, expected) in cases {
            let pass = GatePass::new(Plate::new("粤C12345").expect("a plate"), grants);
            assert_eq!(pass.says(day(at)), expected, "{pass:?} on day {at}");
        }
    }
}
