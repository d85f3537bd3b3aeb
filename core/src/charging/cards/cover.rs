//! More cars than places (一位多车): which cars of a card are covered, as a state machine over entries and exits.
//!
//! At most as many cars inside are covered as the card has places. When a covered car passes out, the car that has waited
//! longest takes its place at that moment, and the time that it waited is one closed span for the tariff. It must not
//! know what a span costs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::CardNumber;
use crate::id::StayId;
use crate::pass::MorePolicy;
use crate::plate::Plate;
use crate::record::{Change, Record, Table};
use crate::stay::{Because, Charged, Stay, Unplaced};

/// How a car of a card stands inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has a place, since then.
    Covered(DateTime<Utc>),
    /// It waits for one as a temporary car, since then.
    Waiting(DateTime<Utc>),
    /// It waits for one and pays nothing.
    Admitted(DateTime<Utc>),
}

/// A car of the card that is inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarInside {
    /// Its plate.
    pub plate: Plate,
    /// Its stay.
    pub stay: StayId,
    /// When it came in.
    pub entered_at: DateTime<Utc>,
    /// How it stands.
    pub standing: Standing,
    /// The time that it waited for a place before it had the one that it has; most have had one all along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waited: Vec<Unplaced>,
}

impl CarInside {
    /// Since when it has a place.
    fn covered_since(&self) -> Option<DateTime<Utc>> {
        match self.standing {
            Standing::Covered(since) => Some(since),
            Standing::Waiting(_) | Standing::Admitted(_) => None,
        }
    }

    /// Since when it waits for one.
    fn waits(&self) -> Option<(DateTime<Utc>, Charged)> {
        match self.standing {
            Standing::Covered(_) => None,
            Standing::Waiting(since) => Some((since, Charged::Yes)),
            Standing::Admitted(since) => Some((since, Charged::No)),
        }
    }
}

/// The cars of one card that are inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Which card.
    pub card: CardNumber,
    /// For how many cars it has places.
    pub places: u32,
    /// Its cars inside, in the order of their entry.
    pub cars: Vec<CarInside>,
}

impl Record for Cover {
    const TABLE: Table = Table::Covers;
    fn key(&self) -> String {
        self.card.to_string()
    }
}

/// What is decided for a car that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It has a place.
    Covered,
    /// It is charged as a temporary car until it has one.
    ChargedAsTemporary,
    /// It is let in free of charge.
    AdmittedFree,
    /// It is not let in.
    Refused,
    /// It is inside already, as it was.
    AlreadyInside,
}

/// A car whose cover changed while it stood inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its plate.
    pub plate: Plate,
    /// Its stay, whose bill shows it line by line.
    pub stay: StayId,
    /// What happened to it.
    pub to: CoverChange,
    /// Why.
    pub because: Because,
}

/// A change of a car's cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverChange {
    /// It has a place from `until` on. Charged as temporary, it owes for `from` to `until`, a closed span; it may be empty.
    Covered {
        /// Since when it waited.
        from: DateTime<Utc>,
        /// Since when it has a place.
        until: DateTime<Utc>,
        /// Whether that time is charged.
        charged: Charged,
    },
    /// It has lost its place, and is charged as temporary from then on.
    Uncovered {
        /// Since when.
        from: DateTime<Utc>,
    },
}

impl Cover {
    /// Nobody is inside.
    pub fn new(card: CardNumber, places: u32) -> Self {
        Self { card, places, cars: vec![] }
    }

    /// How many cars are covered.
    pub fn covered(&self) -> usize {
        self.cars.iter().filter(|car| car.covered_since().is_some()).count()
    }

    /// The parts of a stay for which there was no place; `None` when its car is not one of these.
    pub fn unplaced(&self, stay: StayId) -> Option<Vec<Unplaced>> {
        let car = self.cars.iter().find(|car| car.stay == stay)?;
        let open = car.waits().map(|(from, charged)| Unplaced { from, until: None, charged, because: None });
        Some(car.waited.iter().cloned().chain(open).collect())
    }

    /// Marks in a change that writes it what in it identifies people.
    pub fn personal(&self, change: &mut Change) {
        for car in &self.cars {
            change.personal(car.plate.as_str());
            for part in &car.waited {
                part.personal(change);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.covered() < self.places as usize
    }

    /// A car of the card stands at an entry.
    pub fn enter(&mut self, plate: &Plate, stay: StayId, at: DateTime<Utc>, policy: MorePolicy) -> Entered {
        if self.cars.iter().any(|car| car.plate == *plate) {
            return Entered::AlreadyInside;
        }
        let (standing, entered) = match policy {
            _ if self.has_room() => (Standing::Covered(at), Entered::Covered),
            MorePolicy::Refuse => return Entered::Refused,
            MorePolicy::ChargeAsTemporary => (Standing::Waiting(at), Entered::ChargedAsTemporary),
            MorePolicy::AdmitFree => (Standing::Admitted(at), Entered::AdmittedFree),
        };
        self.put(CarInside { plate: plate.clone(), stay, entered_at: at, standing, waited: vec![] });
        entered
    }

    fn put(&mut self, car: CarInside) {
        self.cars.push(car);
        self.cars.sort_by(|a, b| (a.entered_at, &a.plate).cmp(&(b.entered_at, &b.plate)));
    }

    /// A car has passed out, by the time of capture. Who takes its place, if it had one. A car that is not inside frees
    /// nothing.
    pub fn leave(&mut self, plate: &Plate, at: DateTime<Utc>) -> Option<Moved> {
        let found = self.cars.iter().position(|car| car.plate == *plate)?;
        self.cars.remove(found);
        self.next(at, &Because::Left(plate.clone()))
    }

    /// A car that was taken to have passed out has not: it stands as its stay says, and who took its place waits again.
    pub fn come_back(&mut self, stay: &Stay, left_at: DateTime<Utc>) {
        if self.cars.iter().any(|car| car.plate == stay.plate) {
            return;
        }
        let mut waited = stay.unplaced.clone();
        let standing = match waited.pop_if(|last| last.until.is_none()) {
            Some(open) => waits_as(&open),
            None => Standing::Covered(waited.last().and_then(|last| last.until).unwrap_or(stay.entered_at)),
        };
        let (plate, entered_at) = (stay.plate.clone(), stay.entered_at);
        let left = Because::Left(plate.clone());
        self.put(CarInside { plate: plate.clone(), stay: stay.id, entered_at, standing, waited });
        while self.covered() > self.places as usize {
            let took_it = |car: &&mut CarInside| {
                let last = car.waited.last();
                car.covered_since().is_some() && last.is_some_and(|last| last.because.as_ref() == Some(&left))
            };
            match self.cars.iter_mut().find(took_it) {
                Some(car) => car.standing = car.waited.pop().map_or(car.standing, |part| waits_as(&part)),
                // The place went to a car that came in since: that one keeps it.
                None => self.uncover(&plate, left_at),
            }
        }
    }

    fn uncover(&mut self, plate: &Plate, at: DateTime<Utc>) {
        for car in self.cars.iter_mut().filter(|car| car.plate == *plate) {
            car.standing = Standing::Waiting(at);
        }
    }

    /// The card has another number of places from a moment on.
    pub fn resize(&mut self, places: u32, at: DateTime<Utc>, policy: MorePolicy) -> Vec<Moved> {
        let because = Because::Places(places);
        self.places = places;
        let mut moved = Vec::new();
        while self.covered() > places as usize {
            // Whoever took a place last gives it up first.
            let covered = self.cars.iter_mut().filter_map(|car| Some((car.covered_since()?, car)));
            let Some((since, car)) = covered.max_by_key(|(since, car)| (*since, car.entered_at)) else { break };
            let from = at.max(since);
            car.standing = match policy {
                MorePolicy::AdmitFree => Standing::Admitted(from),
                MorePolicy::Refuse | MorePolicy::ChargeAsTemporary => Standing::Waiting(from),
            };
            let to = CoverChange::Uncovered { from };
            moved.push(Moved { plate: car.plate.clone(), stay: car.stay, to, because: because.clone() });
        }
        while let Some(one) = self.next(at, &because) {
            moved.push(one);
        }
        moved
    }

    /// Gives a free place to the car that has waited longest.
    fn next(&mut self, at: DateTime<Utc>, because: &Because) -> Option<Moved> {
        if !self.has_room() {
            return None;
        }
        let waiting = self.cars.iter_mut().filter_map(|car| Some((car.waits()?, car)));
        let ((from, charged), car) = waiting.min_by_key(|((since, _), car)| (*since, car.entered_at))?;
        // A backlog may tell of the exit only now, and of a moment before this car came.
        let until = at.max(from);
        car.standing = Standing::Covered(until);
        car.waited.push(Unplaced { from, until: Some(until), charged, because: Some(because.clone()) });
        let to = CoverChange::Covered { from, until, charged };
        Some(Moved { plate: car.plate.clone(), stay: car.stay, to, because: because.clone() })
    }
}

/// How a car stands that waits as this part says.
fn waits_as(part: &Unplaced) -> Standing {
    match part.charged {
        Charged::Yes => Standing::Waiting(part.from),
        Charged::No => Standing::Admitted(part.from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn car(number: u8) -> (Plate, StayId) {
        (Plate::new(&format!("粤C{number:05}")).expect("a plate"), StayId::from_bytes([number; 16]))
    }

    fn tandem() -> Cover {
        Cover::new(CardNumber::new("C1").expect("a number"), 2)
    }

    fn enter(cover: &mut Cover, number: u8, minute: i64, policy: MorePolicy) -> Entered {
        let (plate, stay) = car(number);
        cover.enter(&plate, stay, at(minute), policy)
    }

    #[test]
    fn a_tandem_space_covers_two_cars_and_the_third_is_treated_as_the_policy_says() {
        let cases = [
            (MorePolicy::Refuse, Entered::Refused, 2),
            (MorePolicy::ChargeAsTemporary, Entered::ChargedAsTemporary, 3),
            (MorePolicy::AdmitFree, Entered::AdmittedFree, 3),
        ];
        for (policy, third, inside) in cases {
            let mut cover = tandem();
            assert_eq!(enter(&mut cover, 1, 0, policy), Entered::Covered);
            assert_eq!(enter(&mut cover, 2, 10, policy), Entered::Covered);
            assert_eq!(enter(&mut cover, 2, 11, policy), Entered::AlreadyInside);
            assert_eq!(enter(&mut cover, 3, 20, policy), third);
            assert_eq!((cover.covered(), cover.cars.len()), (2, inside));
        }
    }

    #[test]
    fn when_a_covered_car_leaves_the_one_that_waited_longest_is_covered_from_then_on() {
        let mut cover = tandem();
        for number in 1..=4 {
            enter(&mut cover, number, i64::from(number) * 10, MorePolicy::ChargeAsTemporary);
        }
        let moved = cover.leave(&car(1).0, at(100)).expect("somebody waits");
        assert_eq!((moved.plate, moved.because), (car(3).0, Because::Left(car(1).0)));
        assert_eq!(moved.to, CoverChange::Covered { from: at(30), until: at(100), charged: Charged::Yes });
        assert_eq!(cover.leave(&car(4).0, at(110)), None, "it had no place to give");
        assert_eq!(cover.leave(&car(9).0, at(110)), None, "it was not there");
    }

    #[test]
    fn an_exit_that_is_told_late_covers_from_the_entry() {
        let mut cover = tandem();
        for (number, minute) in [(1, 0), (2, 5), (3, 60)] {
            enter(&mut cover, number, minute, MorePolicy::ChargeAsTemporary);
        }
        let moved = cover.leave(&car(1).0, at(30)).expect("somebody waits");
        assert_eq!(moved.to, CoverChange::Covered { from: at(60), until: at(60), charged: Charged::Yes });
    }

    #[test]
    fn a_place_given_up_uncovers_the_last_and_a_new_one_covers_the_longest_waiting() {
        let mut cover = tandem();
        for number in 1..=3 {
            enter(&mut cover, number, i64::from(number), MorePolicy::ChargeAsTemporary);
        }
        let moved = cover.resize(1, at(50), MorePolicy::ChargeAsTemporary);
        assert_eq!(
            (moved.len(), &moved[0].plate, moved[0].to),
            (1, &car(2).0, CoverChange::Uncovered { from: at(50) })
        );
        let moved = cover.resize(3, at(70), MorePolicy::ChargeAsTemporary);
        let plates: Vec<&Plate> = moved.iter().map(|one| &one.plate).collect();
        assert_eq!(plates, [&car(3).0, &car(2).0], "since minute 3, and since minute 50");
    }

    proptest! {
        /// Never more covered than places, never a free place while a car waits, and each car's waiting spans tile what
        /// of its stay it was not covered.
        #[test]
        fn cover_is_never_more_nor_less_than_it_should(
            places in 0u32..4,
            acts in prop::collection::vec((0u8..3, 0u8..8, 1i64..30, 0u32..4), 0..60)
        ) {
            let mut cover = Cover::new(CardNumber::new("C1").expect("a number"), places);
            let mut uncovered: std::collections::BTreeMap<Plate, i64> = std::collections::BTreeMap::new();
            let mut counted: std::collections::BTreeMap<Plate, i64> = std::collections::BTreeMap::new();
            let mut now = 0;
            for (act, number, later, more) in acts {
                for car in &cover.cars {
                    if !matches!(car.standing, Standing::Covered(_)) {
                        *counted.entry(car.plate.clone()).or_default() += later;
                    }
                }
                now += later;
                let moved = match act {
                    0 => { enter(&mut cover, number, now, MorePolicy::ChargeAsTemporary); vec![] }
                    1 => {
                        let (plate, _) = car(number);
                        let waits = cover.cars.iter().find(|car| car.plate == plate).map(|car| car.standing);
                        if let Some(Standing::Waiting(since)) = waits {
                            *uncovered.entry(plate.clone()).or_default() += (at(now) - since).num_minutes();
                        }
                        cover.leave(&plate, at(now)).into_iter().collect()
                    }
                    _ => cover.resize(more, at(now), MorePolicy::ChargeAsTemporary),
                };
                for one in moved {
                    if let CoverChange::Covered { from, until, .. } = one.to {
                        *uncovered.entry(one.plate).or_default() += (until - from).num_minutes();
                    }
                }
                prop_assert!(cover.covered() <= cover.places as usize);
                prop_assert!(cover.covered() == cover.cars.len().min(cover.places as usize));
            }
            for car in &cover.cars {
                if let Standing::Waiting(since) = car.standing {
                    *uncovered.entry(car.plate.clone()).or_default() += (at(now) - since).num_minutes();
                }
            }
            uncovered.retain(|_, minutes| *minutes != 0);
            counted.retain(|_, minutes| *minutes != 0);
            prop_assert_eq!(uncovered, counted);
        }
    }
}
