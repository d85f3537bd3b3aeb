//! What a past stay would have cost as a temporary one, by the versions of the tariff on record.
//! It must not know who asks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tollhouse_core::charging::packages::{PastStay, StayPricer};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::{Colour, VehicleKind};
use tollhouse_core::record::{Record, Records};
use tollhouse_core::tariff::model::CoveredSpan;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook, TariffVersion, parse};

use crate::charging::fault::ChargingFault;
use crate::charging::reading::all;

/// The versions of one tariff that were on record.
pub(super) struct RecordedTariff {
    /// Their names, as `id@version`.
    pub(super) labels: Vec<String>,
    book: Option<TariffBook>,
    currency: Currency,
}

impl RecordedTariff {
    /// The tariff that was loaded last, with its other versions.
    pub(super) fn latest(records: &impl Records, currency: Currency) -> Result<Self, ChargingFault> {
        let versions: Vec<TariffVersion> = all(records, "")?;
        let Some(last) = versions.iter().max_by_key(|one| one.loaded_at) else {
            return Ok(Self { labels: vec![], book: None, currency });
        };
        let id = last.id.clone();
        let of_it: Vec<TariffVersion> = versions.into_iter().filter(|one| one.id == id).collect();
        Ok(Self::of(of_it, currency))
    }

    /// These versions.
    pub(super) fn named(records: &impl Records, labels: &[String], currency: Currency) -> Result<Self, ChargingFault> {
        let mut versions = vec![];
        for label in labels {
            let kept = records.get::<TariffVersion>(label)?;
            versions.push(kept.ok_or_else(|| ChargingFault::unknown("tariff", label))?.record);
        }
        Ok(Self::of(versions, currency))
    }

    /// Of versions that begin on one day the one that was loaded last counts.
    fn of(mut versions: Vec<TariffVersion>, currency: Currency) -> Self {
        versions.sort_by_key(|one| (one.in_force_from, std::cmp::Reverse(one.loaded_at)));
        versions.dedup_by_key(|one| one.in_force_from);
        let labels = versions.iter().map(Record::key).collect();
        let plan = |one: &TariffVersion| parse::parse(&one.text).ok().and_then(|file| Plan::new(Arc::new(file)).ok());
        let plans: Vec<Plan> = versions.iter().filter_map(plan).collect();
        let book = TariffBook::new(plans).ok().filter(|book| book.currency() == currency);
        Self { labels, book, currency }
    }
}

/// A colour that says the kind.
fn colour(kind: VehicleKind) -> Colour {
    match kind {
        VehicleKind::Small => Colour::Blue,
        VehicleKind::Large => Colour::Yellow,
        VehicleKind::NewEnergy => Colour::Green,
    }
}

impl StayPricer for RecordedTariff {
    fn price(&self, stay: &PastStay, uncovered: &[(DateTime<Utc>, DateTime<Utc>)]) -> Money {
        let zero = Money::zero(self.currency);
        let Some(book) = &self.book else { return zero };
        let mut facts = StayFacts::new(stay.entered_at, stay.left_at, colour(stay.kind));
        let mut from = stay.entered_at;
        for (begins, ends) in uncovered {
            if from < *begins {
                facts.covered.push(CoveredSpan { from, to: *begins });
            }
            from = *ends;
        }
        if from < stay.left_at {
            facts.covered.push(CoveredSpan { from, to: stay.left_at });
        }
        // A stay that the tariff cannot price costs nobody anything: it is the same for every choice.
        book.price(&facts).map_or(zero, |assessed| assessed.total)
    }
}
