//! The invariants of more cars than places (一位多车): never more cars covered than places, and each part of a stay without
//! a place on record once. They must not know how a place is given.

use super::invariants::{Faults, PAGE, puts};
use super::{Invariant, JournalEntry};
use crate::charging::cards::Cover;
use crate::record::{Record, Records};
use crate::stay::{Inside, Stay, StayState};

/// At no entry of the journal are more cars of a card covered than it has places, and each of its cars is inside.
#[derive(Default)]
pub(super) struct CoveredWithinPlaces {
    count: u64,
    faults: Faults,
}

impl Invariant for CoveredWithinPlaces {
    fn name(&self) -> &'static str {
        "no more cars of a card are covered than it has places, and each is inside"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for cover in puts::<Cover>(entry) {
            let cover = match cover {
                Ok(cover) => cover,
                Err(fault) => {
                    self.faults.add(fault);
                    continue;
                }
            };
            self.count += 1;
            let (covered, places) = (cover.covered(), cover.places as usize);
            if covered > places {
                self.faults.add(format!(
                    "entry {}: card {} has {places} places and {covered} cars on them",
                    entry.position, cover.card
                ));
            } else if covered < cover.cars.len().min(places) {
                self.faults.add(format!(
                    "entry {}: a car of card {} waits though a place is free",
                    entry.position, cover.card
                ));
            }
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut from = String::new();
        loop {
            let page = records.range(Cover::TABLE, &from, PAGE).map_err(|fault| fault.to_string())?;
            for (key, stored) in &page {
                let cover: Cover =
                    serde_json::from_str(&stored.json).map_err(|fault| format!("{key} cannot be read: {fault}"))?;
                for car in &cover.cars {
                    let inside =
                        records.stored(Inside::TABLE, car.plate.as_str()).map_err(|fault| fault.to_string())?;
                    let inside = inside.and_then(|stored| serde_json::from_str::<Inside>(&stored.json).ok());
                    if inside.is_none_or(|inside| inside.stay != car.stay) {
                        self.faults.add(format!("card {key} has {} on a place, which is not inside", car.plate));
                    }
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => from = format!("{key}\u{0}"),
                _ => return self.faults.verdict(self.count),
            }
        }
    }
}

/// The parts of a stay without a place lie within it and in order, so that none is priced twice.
#[derive(Default)]
pub(super) struct UnplacedOnce {
    count: u64,
    faults: Faults,
}

impl Invariant for UnplacedOnce {
    fn name(&self) -> &'static str {
        "each part of a stay without a place is on record once"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        // A stay that cannot be read is told of by those that count stays.
        for stay in puts::<Stay>(entry).flatten().filter(|stay| stay.state == StayState::Closed) {
            self.count += stay.unplaced.len() as u64;
            let mut from = stay.entered_at;
            let last = stay.unplaced.len().saturating_sub(1);
            for (place, part) in stay.unplaced.iter().enumerate() {
                let open = part.until.is_none() && place < last;
                if part.from < from || open || part.until.is_some_and(|until| until < part.from) {
                    self.faults.add(format!("entry {}: stay {} was twice without a place", entry.position, stay.id));
                }
                from = part.until.unwrap_or(part.from);
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.count)
    }
}
