//! Who asks for a recommendation: places, vehicles and own past stays. All that a recommendation depends on, so that it
//! can be replayed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::calendar::Span;
use crate::charging::estate::{SpaceClass, SquareMetres};
use crate::charging::place::Place;
use crate::money::Money;
use crate::plate::{Plate, VehicleKind};

/// A place that a term is sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldPlace {
    /// Which.
    pub place: Place,
    /// Its class.
    pub class: SpaceClass,
    /// Its size; zero for a place of a pool.
    pub size: SquareMetres,
    /// For how many cars.
    pub capacity: u32,
}

/// Whether who asks has the places already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// They have them: without a package they pay the fee items, and their cars are covered.
    Places,
    /// They would take them with the package: without one they pay for each stay.
    Nothing,
}

/// A past stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStay {
    /// The car.
    pub plate: Plate,
    /// Its kind.
    pub kind: VehicleKind,
    /// From when.
    pub entered_at: DateTime<Utc>,
    /// To when.
    pub left_at: DateTime<Utc>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The places that they have, or would take.
    pub places: Vec<SoldPlace>,
    /// Whether they have them.
    pub holds: Holds,
    /// Their stays within the horizon.
    pub stays: Vec<PastStay>,
    /// The days that are looked back upon.
    pub horizon: Span,
}

/// What a stay would have cost as a temporary one, when the rest of it is covered.
pub trait StayPricer {
    /// The fee of the stay, of which only these spans are to be paid for. They lie within it, in order; with the whole
    /// stay as the only span it is a plain temporary stay.
    fn price(&self, stay: &PastStay, uncovered: &[(DateTime<Utc>, DateTime<Utc>)]) -> Money;
}

impl<F: Fn(&PastStay, &[(DateTime<Utc>, DateTime<Utc>)]) -> Money> StayPricer for F {
    fn price(&self, stay: &PastStay, uncovered: &[(DateTime<Utc>, DateTime<Utc>)]) -> Money {
        self(stay, uncovered)
    }
}
