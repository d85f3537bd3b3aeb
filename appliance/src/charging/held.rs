//! Which cards hold a space, a place of a pool, or have a plate: indexes over the cards, written in the change that writes
//! a card, so that one space is never held by two cards on one day and one plate is never on two.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{Pool, Space, Tenure};
use tollhouse_core::charging::holders::{OnCard, PlateCards};
use tollhouse_core::charging::label::{CardNumber, PoolId, SpaceNumber};
use tollhouse_core::charging::place::Place;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Change, Kept, Record, Records, Table};

use super::fault::ChargingFault;
use super::reading::{Seen, each};

/// Which cards hold a numbered space, and on which days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceCards {
    /// The space.
    pub space: SpaceNumber,
    /// By card and first day.
    pub cards: Vec<OnCard>,
}

impl Record for SpaceCards {
    const TABLE: Table = Table::SpaceCards;
    fn key(&self) -> String {
        self.space.to_string()
    }
}

/// The places that a card holds of a pool, and on which days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolCard {
    /// The pool.
    pub pool: PoolId,
    /// The card.
    pub card: CardNumber,
    /// One for each place and time.
    pub places: Vec<OnCard>,
}

impl Record for PoolCard {
    const TABLE: Table = Table::PoolCards;
    fn key(&self) -> String {
        format!("{}/{}", self.pool, self.card)
    }
}

/// Where two cards would have one thing on one day: what, and the other card.
fn rival<'h>(held: &'h [OnCard], card: &CardNumber, new: &[OnCard]) -> Option<&'h OnCard> {
    held.iter().filter(|held| held.card != *card).find(|held| {
        let Some(span) = held.span() else { return false };
        new.iter().any(|new| new.span().is_some_and(|new| new.and(span).is_some()))
    })
}

/// The entries of others, with these of the card, in order.
fn joined(held: &[OnCard], card: &CardNumber, new: Vec<OnCard>) -> Vec<OnCard> {
    let mut all: Vec<OnCard> = held.iter().filter(|held| held.card != *card).cloned().chain(new).collect();
    all.sort();
    all
}

/// Brings the indexes up for a card that is written, and refuses what another card has on the same days.
pub fn index(
    change: &mut Change,
    records: &impl Records,
    before: Option<&Card>,
    after: &Card,
) -> Result<(), ChargingFault> {
    index_spaces(change, records, before, after)?;
    index_pools(change, records, before, after)?;
    index_plates(change, records, before, after)
}

fn spaces_of(card: &Card) -> impl Iterator<Item = &SpaceNumber> {
    card.holdings.iter().filter_map(|held| match &held.place {
        Place::Space(number) => Some(number),
        _ => None,
    })
}

fn index_spaces(
    change: &mut Change,
    records: &impl Records,
    before: Option<&Card>,
    after: &Card,
) -> Result<(), ChargingFault> {
    let entries = |card: &Card, number: &SpaceNumber| -> Vec<OnCard> {
        let of = card.holdings.iter().filter(|held| matches!(&held.place, Place::Space(of) if of == number));
        of.map(|held| OnCard { card: card.number.clone(), from: held.from, until: held.until }).collect()
    };
    let mut numbers: Vec<&SpaceNumber> = before.into_iter().flat_map(spaces_of).chain(spaces_of(after)).collect();
    numbers.sort();
    numbers.dedup();
    for number in numbers {
        let new = entries(after, number);
        if before.is_some_and(|before| entries(before, number) == new) {
            continue;
        }
        if !new.is_empty() {
            relies_on_space(change, records, number, &new)?;
        }
        let kept = records.get::<SpaceCards>(number.as_str())?;
        let held = kept.as_ref().map(|kept| kept.record.cards.as_slice()).unwrap_or_default();
        if let Some(other) = rival(held, &after.number, &new) {
            return Err(ChargingFault::conflict(format!(
                "space {number} is held by card {} on these days",
                other.card
            )));
        }
        change.rely_on(number.as_str(), kept.as_ref());
        change.put(&SpaceCards { space: number.clone(), cards: joined(held, &after.number, new) });
    }
    Ok(())
}

/// A space that is held is there from the first day on, and not one for temporary cars.
fn relies_on_space(
    change: &mut Change,
    records: &impl Records,
    number: &SpaceNumber,
    new: &[OnCard],
) -> Result<(), ChargingFault> {
    let Some(space) = records.get::<Space>(number.as_str())? else {
        return Err(ChargingFault::unknown("space", number));
    };
    change.rely_on(number.as_str(), Some(&space));
    for held in new {
        match space.record.attributes.on(held.from).map(|is| is.tenure) {
            None => {
                let begins = space.record.attributes.begins();
                return Err(ChargingFault::conflict(format!("space {number} is there from {begins} only")));
            }
            Some(Tenure::Temporary) => {
                let why = format!("space {number} is for temporary cars on {}: change its tenure first", held.from);
                return Err(ChargingFault::conflict(why));
            }
            Some(Tenure::Owned | Tenure::Rented) => {}
        }
    }
    Ok(())
}

fn pools_of(card: &Card) -> impl Iterator<Item = &PoolId> {
    card.holdings.iter().filter_map(|held| match &held.place {
        Place::Pool(pool, _) => Some(pool),
        _ => None,
    })
}

fn index_pools(
    change: &mut Change,
    records: &impl Records,
    before: Option<&Card>,
    after: &Card,
) -> Result<(), ChargingFault> {
    let entries = |card: &Card, pool: &PoolId| -> Vec<OnCard> {
        let of = card.holdings.iter().filter(|held| matches!(&held.place, Place::Pool(of, _) if of == pool));
        of.map(|held| OnCard { card: card.number.clone(), from: held.from, until: held.until }).collect()
    };
    let mut pools: Vec<&PoolId> = before.into_iter().flat_map(pools_of).chain(pools_of(after)).collect();
    pools.sort();
    pools.dedup();
    for pool in pools {
        let new = entries(after, pool);
        if before.is_some_and(|before| entries(before, pool) == new) {
            continue;
        }
        let kept = records.get::<Pool>(pool.as_str())?.ok_or_else(|| ChargingFault::unknown("pool", pool))?;
        fits(records, &kept, &after.number, &new)?;
        // Written again as it is: so two cards that take its last place at once cannot both be right.
        change.rely_on(pool.as_str(), Some(&kept));
        change.put(&kept.record);
        let entry = PoolCard { pool: pool.clone(), card: after.number.clone(), places: new };
        if entry.places.is_empty() {
            change.delete(Table::PoolCards, &entry.key());
        } else {
            change.put(&entry);
        }
    }
    Ok(())
}

/// Whether a pool has room for these places of a card on each of their days.
fn fits(records: &impl Records, kept: &Kept<Pool>, card: &CardNumber, new: &[OnCard]) -> Result<(), ChargingFault> {
    let pool = &kept.record;
    let mut all: Vec<OnCard> = new.to_vec();
    each(records, &format!("{}/", pool.id), |kept: Kept<PoolCard>| {
        if kept.record.card != *card {
            all.extend(kept.record.places);
        }
        Seen::More
    })?;
    // How many are held changes on first days alone, how many there are on the days of the pool's own changes.
    let days = new.iter().map(|held| held.from).chain(all.iter().map(|held| held.from));
    let days = days.chain(pool.terms.changes().iter().map(|change| change.from));
    for day in days.filter(|day| new.iter().any(|new| new.span().is_some_and(|span| span.has(*day)))) {
        let held = all.iter().filter(|held| held.span().is_some_and(|span| span.has(day))).count();
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        if pool.free_on(day, held) < 0 {
            return Err(ChargingFault::conflict(format!("pool {} has no place left on {day}", pool.id)));
        }
    }
    Ok(())
}

fn index_plates(
    change: &mut Change,
    records: &impl Records,
    before: Option<&Card>,
    after: &Card,
) -> Result<(), ChargingFault> {
    let entries = |card: &Card, plate: &Plate| -> Vec<OnCard> {
        let of = card.vehicles.iter().filter(|held| held.plate == *plate);
        of.map(|held| OnCard { card: card.number.clone(), from: held.from, until: held.until }).collect()
    };
    let all = before.into_iter().flat_map(|card| &card.vehicles).chain(&after.vehicles);
    let mut plates: Vec<&Plate> = all.map(|held| &held.plate).collect();
    plates.sort();
    plates.dedup();
    for plate in plates {
        change.personal(plate.as_str());
        let new = entries(after, plate);
        if before.is_some_and(|before| entries(before, plate) == new) {
            continue;
        }
        let kept = records.get::<PlateCards>(plate.as_str())?;
        let held = kept.as_ref().map(|kept| kept.record.cards.as_slice()).unwrap_or_default();
        if let Some(other) = rival(held, &after.number, &new) {
            return Err(ChargingFault::conflict(format!("{plate} is on card {} on these days", other.card)));
        }
        change.rely_on(plate.as_str(), kept.as_ref());
        let cards = joined(held, &after.number, new);
        if cards.is_empty() {
            change.delete(Table::PlateCards, plate.as_str());
        } else {
            change.put(&PlateCards { plate: plate.clone(), cards });
        }
    }
    Ok(())
}
