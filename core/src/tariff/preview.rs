//! What a change of tariff would have done to stays that really were: who pays more, who less, how much in all.
//!
//! Owns the comparison of two versions over many stays. It must not know where the stays come from.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{PriceError, StayFacts, TariffBook};
use crate::money::{Currency, Money, MoneyError};

/// So many of the largest changes are told, in each direction.
const LARGEST: usize = 10;
/// Durations in hours at which people are told apart.
const HOURS: [i64; 5] = [1, 3, 8, 24, 72];

/// How many stays, and what they pay in all, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Stays.
    pub stays: u64,
    /// By the old version.
    pub old: Money,
    /// By the new one.
    pub new: Money,
}

/// Whether a stay pays more, less or the same by the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pays {
    /// More.
    More,
    /// Less.
    Less,
    /// The same.
    Same,
}

/// One stay whose fee changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its place among the stays, from 0.
    pub place: usize,
    /// By the old version.
    pub old: Money,
    /// By the new one.
    pub new: Money,
}

/// Stays whose fee changes by about as much: from `from` (included) to `to` (excluded), in smallest units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The smallest change in it.
    pub from: i64,
    /// Above the largest change in it.
    pub to: i64,
    /// How many.
    pub stays: u64,
}

/// What the change of version does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// All stays that both versions could price.
    pub all: Sums,
    /// The same by who pays more, less and the same.
    pub pays: BTreeMap<Pays, Sums>,
    /// By vehicle, as the new version calls it.
    pub vehicles: BTreeMap<String, Sums>,
    /// By duration: up to so many hours; `None`: longer than all of these.
    pub durations: Vec<(Option<i64>, Sums)>,
    /// By how much fees change, from the largest fall to the largest rise.
    pub distribution: Vec<Bucket>,
    /// The largest rises, the largest first.
    pub rises: Vec<Changed>,
    /// The largest falls, the largest first.
    pub falls: Vec<Changed>,
    /// Stays that one of the versions could not price, with the first reason.
    pub unpriced: u64,
    /// Why the first of them could not be priced.
    pub why_unpriced: Option<String>,
}

/// Why there is no preview.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    /// The versions charge in two currencies.
    #[error("the old version charges in {0} and the new one in {1}: nobody can say who pays more")]
    Currencies(Currency, Currency),
    /// The sums are beyond all measure.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Sums {
    const fn none(currency: Currency) -> Self {
        Self { stays: 0, old: Money::zero(currency), new: Money::zero(currency) }
    }

    fn add(&mut self, old: Money, new: Money) -> Result<(), MoneyError> {
        self.stays += 1;
        self.old = self.old.plus(old)?;
        self.new = self.new.plus(new)?;
        Ok(())
    }

    /// By how much the new version brings in more.
    pub fn difference(&self) -> Result<Money, MoneyError> {
        self.new.minus(self.old)
    }
}

/// Prices every stay by both versions.
pub fn preview<'s>(
    old: &TariffBook,
    new: &TariffBook,
    currencies: (Currency, Currency),
    stays: impl IntoIterator<Item = (&'s StayFacts, String)>,
) -> Result<Preview, PreviewError> {
    if currencies.0 != currencies.1 {
        return Err(PreviewError::Currencies(currencies.0, currencies.1));
    }
    let none = Sums::none(currencies.0);
    let mut whole = Preview {
        all: none,
        pays: [Pays::More, Pays::Less, Pays::Same].map(|pays| (pays, none)).into(),
        vehicles: BTreeMap::new(),
        durations: HOURS.map(|hours| (Some(hours), none)).into_iter().chain([(None, none)]).collect(),
        distribution: Vec::new(),
        rises: Vec::new(),
        falls: Vec::new(),
        unpriced: 0,
        why_unpriced: None,
    };
    let mut changes = Vec::new();
    for (place, (stay, vehicle)) in stays.into_iter().enumerate() {
        match both(old, new, stay) {
            Ok((before, after)) => {
                whole.take(stay, vehicle, (before, after))?;
                changes.push((after.minor() - before.minor(), place, before, after));
            }
            Err(error) => {
                whole.unpriced += 1;
                whole.why_unpriced.get_or_insert_with(|| error.to_string());
            }
        }
    }
    // By size, and among equals the earlier stay first.
    changes.sort_by_key(|(change, place, ..)| (*change, *place));
    whole.distribution = distribution(&changes.iter().map(|(change, ..)| *change).collect::<Vec<_>>());
    let told = |(_, place, old, new): &(i64, usize, Money, Money)| Changed { place: *place, old: *old, new: *new };
    whole.falls = changes.iter().take_while(|(change, ..)| *change < 0).take(LARGEST).map(told).collect();
    whole.rises = changes.iter().rev().take_while(|(change, ..)| *change > 0).take(LARGEST).map(told).collect();
    Ok(whole)
}

fn both(old: &TariffBook, new: &TariffBook, stay: &StayFacts) -> Result<(Money, Money), PriceError> {
    Ok((old.price(stay)?.total, new.price(stay)?.total))
}

impl Preview {
    fn take(&mut self, stay: &StayFacts, vehicle: String, (old, new): (Money, Money)) -> Result<(), MoneyError> {
        let none = Sums::none(old.currency());
        self.all.add(old, new)?;
        let pays = match new.minor().cmp(&old.minor()) {
            std::cmp::Ordering::Greater => Pays::More,
            std::cmp::Ordering::Less => Pays::Less,
            std::cmp::Ordering::Equal => Pays::Same,
        };
        self.pays.entry(pays).or_insert(none).add(old, new)?;
        self.vehicles.entry(vehicle).or_insert(none).add(old, new)?;
        let long = stay.until - stay.entered_at;
        let place = HOURS.iter().position(|hours| long <= TimeDelta::hours(*hours)).unwrap_or(HOURS.len());
        self.durations[place].1.add(old, new)
    }
}

/// Buckets of 1, 2 or 5 times a power of ten, at most about twenty; nothing stands for itself, in the middle.
fn distribution(sorted: &[i64]) -> Vec<Bucket> {
    let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let wide = (most - least) / 20 + 1;
    let width = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power))).find(|step| *step >= wide);
    let width = width.unwrap_or(i64::MAX / 4);
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for change in sorted {
        // Falls and rises are rounded away from nothing, so that nothing is a bucket of its own.
        let bucket = change.signum() * ((change.abs() + width - 1) / width);
        *counts.entry(bucket).or_default() += 1;
    }
    let bounds = |bucket: i64| match bucket.signum() {
        0 => (0, 1),
        1 => ((bucket - 1) * width + 1, bucket * width + 1),
        _ => (bucket * width, (bucket + 1) * width),
    };
    counts
        .into_iter()
        .map(|(bucket, stays)| {
            let (from, to) = bounds(bucket);
            Bucket { from, to, stays }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_gathered_and_none_is_a_bucket_of_its_own() {
        let found = distribution(&[-1_000, -950, 0, 0, 0, 1, 100, 1_000]);
        assert_eq!(found.iter().map(|bucket| bucket.stays).sum::<u64>(), 8);
        assert!(found.contains(&Bucket { from: 0, to: 1, stays: 3 }), "{found:?}");
        assert!(found.iter().all(|bucket| bucket.from < bucket.to));
        assert!(found.windows(2).all(|pair| pair[0].to <= pair[1].from), "{found:?}");
        let fall = found.first().expect("a bucket");
        assert!(fall.from <= -1_000 && -1_000 < fall.to, "{fall:?}");
        assert_eq!(distribution(&[]), []);
    }
}
