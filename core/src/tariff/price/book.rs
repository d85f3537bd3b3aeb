//! The versions of one tariff, and what a stay costs by the one that was in force.
//! It must not know how a version is stored or loaded.

use chrono::{DateTime, TimeDelta, Utc};

use super::PriceError;
use super::owed::{Owed, owed};
use super::plan::Plan;
use super::skip::Alike;
use super::stay::assess;
use crate::money::Currency;
use crate::tariff::{Assessment, StayFacts};

/// Versions that price together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions<'b> {
    /// The earliest first.
    pub(super) plans: &'b [Plan],
    former: &'b [Plan],
}

impl<'b> Versions<'b> {
    pub(super) fn in_force_at(self, moment: DateTime<Utc>) -> &'b Plan {
        let begun = self.plans.partition_point(|plan| plan.file.in_force_from.is_none_or(|from| from <= moment));
        &self.plans[begun.saturating_sub(1)]
    }

    pub(super) fn version(self, label: Option<&str>, entered_at: DateTime<Utc>) -> &'b Plan {
        let named = label.and_then(|label| self.plans.iter().chain(self.former).find(|plan| plan.label == label));
        named.unwrap_or_else(|| self.in_force_at(entered_at))
    }
}

/// All versions of one tariff, the earliest first.
#[derive(Debug, Clone)]
pub struct TariffBook {
    versions: Vec<Plan>,
    /// No longer in force: for stays that began under them.
    former: Vec<Plan>,
}

impl TariffBook {
    /// A book of one version.
    pub fn of(plan: Plan) -> Self {
        Self { versions: vec![plan], former: Vec::new() }
    }

    /// A book of several versions of one tariff: of one id, currency and time zone, each in force from another moment.
    pub fn new(mut versions: Vec<Plan>) -> Result<Self, PriceError> {
        versions.sort_by_key(|plan| plan.file.in_force_from);
        let one = |pair: &[Plan]| {
            let (a, b) = (&pair[0].file, &pair[1].file);
            (&a.id, a.currency, a.time_zone) == (&b.id, b.currency, b.time_zone) && a.in_force_from != b.in_force_from
        };
        if versions.is_empty() || !versions.windows(2).all(one) {
            return Err(PriceError::NotOneTariff);
        }
        Ok(Self { versions, former: Vec::new() })
    }

    /// The same with versions that are no longer in force, for stays that began under them and name them.
    pub fn with_former(self, former: Vec<Plan>) -> Self {
        Self { former, ..self }
    }

    /// The version that prices a stay: the one it names, if the book has it, else the one in force at its entry.
    pub fn version(&self, label: Option<&str>, entered_at: DateTime<Utc>) -> &Plan {
        self.view().version(label, entered_at)
    }

    /// The version in force at a moment; before the first of all, the first.
    pub fn in_force_at(&self, moment: DateTime<Utc>) -> &Plan {
        self.view().in_force_at(moment)
    }

    fn view(&self) -> Versions<'_> {
        Versions { plans: &self.versions, former: &self.former }
    }

    /// Every version, the earliest first.
    pub fn versions(&self) -> &[Plan] {
        &self.versions
    }

    /// What the stay costs, line by line; payments play no part.
    pub fn price(&self, facts: &StayFacts) -> Result<Assessment, PriceError> {
        assess(self.view(), facts, Alike::Skipped)
    }

    /// The same, walking every day: slower, and equal.
    pub fn price_walking(&self, facts: &StayFacts) -> Result<Assessment, PriceError> {
        assess(self.view(), facts, Alike::Walked)
    }

    /// What is owed at `facts.until`, after the payments made by then.
    pub fn owed(&self, facts: &StayFacts) -> Result<Owed, PriceError> {
        owed(self.view(), facts)
    }

    /// How long after paying early a car may take to the exit, by the version that prices its stay.
    pub fn exit_grace(&self, label: Option<&str>, entered_at: DateTime<Utc>) -> TimeDelta {
        TimeDelta::seconds(self.version(label, entered_at).file.exit_grace.seconds())
    }

    /// The currency of every version.
    pub fn currency(&self) -> Currency {
        self.versions[0].file.currency
    }
}

impl Plan {
    /// What a stay costs by this version alone.
    pub fn price(&self, facts: &StayFacts) -> Result<Assessment, PriceError> {
        assess(Versions { plans: std::slice::from_ref(self), former: &[] }, facts, Alike::Skipped)
    }
}
