//! More cars than places (一位多车): which cars of a card are covered, as a state machine over entries and exits.
//!
//! At most as many cars inside are covered as the card has places. When a covered car passes out, the car that has waited
//! longest takes its place at that moment, and the time that it waited is one closed span for the tariff. It must not
//! know what a span costs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::CardNumber;
use crate::id::StayId;
use crate::plate::Plate;
use crate::record::{Record, Table};

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

/// Why a car's cover changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// That car passed out.
    Left(Plate),
    /// The card has more or fewer places.
    Places(u32),
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

/// Whether time without a place is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// As temporary parking.
    Yes,
    /// It was admitted free.
    No,
}

impl Cover {
    /// Nobody is inside.
    pub fn new(card: CardNumber, places: u32) -> Self {
        Self { card, places, cars: vec![] }
    }

    /// How many cars are covered.
    pub fn covered(&self) -> usize {
        self.cars.iter().filter(|car| matches!(car.standing, Standing::Covered(_))).count()
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
        self.cars.push(CarInside { plate: plate.clone(), stay, entered_at: at, standing });
        self.cars.sort_by(|a, b| (a.entered_at, &a.plate).cmp(&(b.entered_at, &b.plate)));
        entered
    }

    /// A car has passed out, by the time of capture. Who takes its place, if it had one. A car that is not inside frees
    /// nothing.
    pub fn leave(&mut self, plate: &Plate, at: DateTime<Utc>) -> Option<Moved> {
        let found = self.cars.iter().position(|car| car.plate == *plate)?;
        self.cars.remove(found);
        self.next(at, &Because::Left(plate.clone()))
    }

    /// The card has another number of places from a moment on.
    pub fn resize(&mut self, places: u32, at: DateTime<Utc>) -> Vec<Moved> {
        let because = Because::Places(places);
        self.places = places;
        let mut moved = Vec::new();
        while self.covered() > places as usize {
            // Whoever took a place last gives it up first.
            let covered = self.cars.iter_mut().filter_map(|car| match car.standing {
                Standing::Covered(since) => Some((since, car)),
                _ => None,
            });
            let Some((_, car)) = covered.max_by_key(|(since, car)| (*since, car.entered_at)) else { break };
            car.standing = Standing::Waiting(at);
            let to = CoverChange::Uncovered { from: at };
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
        let waiting = self.cars.iter_mut().filter_map(|car| match car.standing {
            Standing::Covered(_) => None,
            Standing::Waiting(since) => Some((since, Charged::Yes, car)),
            Standing::Admitted(since) => Some((since, Charged::No, car)),
        });
        let (from, charged, car) = waiting.min_by_key(|(since, _, car)| (*since, car.entered_at))?;
        // A backlog may tell of the exit only now, and of a moment before this car came.
        let until = at.max(from);
        car.standing = Standing::Covered(until);
        let to = CoverChange::Covered { from, until, charged };
        Some(Moved { plate: car.plate.clone(), stay: car.stay, to, because: because.clone() })
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
        let moved = cover.resize(1, at(50));
        assert_eq!(
            (moved.len(), &moved[0].plate, moved[0].to),
            (1, &car(2).0, CoverChange::Uncovered { from: at(50) })
        );
        let moved = cover.resize(3, at(70));
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
                    _ => cover.resize(more, at(now)),
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
