//! Where a card's passes cover its cars: the areas of its places, and those that a car drives through to get there.
//!
//! Owns the way from the areas of places to the areas of a pass. It must not know lanes: whoever knows them says which area
//! lies within which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::id::AreaId;

/// What the lot decides about where passes cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassGround {
    /// In the areas of the card's places, and on the way to them; elsewhere its cars are charged as temporary ones.
    #[default]
    OwnAreas,
    /// Everywhere in the lot.
    Everywhere,
}

/// The areas that the gate tells apart, each with those that it lies within.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateAreas {
    /// The way to each area, itself included. Empty: nobody asks where a car stands.
    ways: BTreeMap<AreaId, BTreeSet<AreaId>>,
}

impl GateAreas {
    /// From where each lane leads: into an area, from the street or from within another.
    pub fn of_lanes<'a>(lanes: impl IntoIterator<Item = (&'a AreaId, Option<&'a AreaId>)>) -> Self {
        let mut around: BTreeMap<&AreaId, BTreeSet<&AreaId>> = BTreeMap::new();
        for (area, within) in lanes {
            around.entry(area).or_default().extend(within);
            if let Some(within) = within {
                around.entry(within).or_default();
            }
        }
        let way = |area: &AreaId| {
            let (mut way, mut next) = (BTreeSet::new(), vec![area]);
            while let Some(area) = next.pop() {
                if way.insert(area.clone()) {
                    next.extend(around.get(area).into_iter().flatten());
                }
            }
            way
        };
        Self { ways: around.keys().map(|area| ((*area).clone(), way(area))).collect() }
    }

    /// The areas of a pass for places in these areas; none: it covers everywhere, as the gate cannot tell the place's
    /// area from another, or the places' areas are all that there are.
    pub fn covered<'a>(&self, places: impl IntoIterator<Item = Option<&'a AreaId>>) -> Vec<AreaId> {
        let mut covered = BTreeSet::new();
        for area in places {
            let Some(way) = area.and_then(|area| self.ways.get(area)) else { return vec![] };
            covered.extend(way.iter().cloned());
        }
        if covered.len() == self.ways.len() { vec![] } else { covered.into_iter().collect() }
    }

    /// In a few words, as it is noted beside what was written by it; nothing where nobody asks.
    pub(super) fn mark(&self) -> String {
        let mut mark = String::new();
        for (area, way) in &self.ways {
            let way: Vec<&str> = way.iter().filter(|one| *one != area).map(AreaId::as_str).collect();
            let _ = write!(mark, "/{area}<{}", way.join("+"));
        }
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(name: &str) -> AreaId {
        AreaId::new(name).expect("an area")
    }

    #[test]
    fn a_pass_covers_the_areas_of_its_places_and_the_way_to_them() {
        let [main, court, vault, north] = ["main", "court", "vault", "north"].map(area);
        let lanes = [(&main, None), (&court, Some(&main)), (&vault, Some(&court)), (&north, None)];
        let areas = GateAreas::of_lanes(lanes);
        let covered = |places: &[&str]| {
            let places: Vec<AreaId> = places.iter().map(|name| area(name)).collect();
            areas.covered(places.iter().map(Some)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let cases: [(&[&str], &[&str]); 6] = [
            (&["main"], &["main"]),
            (&["court"], &["court", "main"]),
            (&["vault"], &["court", "main", "vault"]),
            (&["court", "north"], &["court", "main", "north"]),
            // All that there is, and what the gate cannot tell apart: everywhere.
            (&["vault", "north"], &[]),
            (&["court", "cellar"], &[]),
        ];
        for (places, expected) in cases {
            assert_eq!(covered(places), expected, "{places:?}");
        }
        assert!(areas.covered([Some(&main), None]).is_empty(), "a place of no area");
        assert!(GateAreas::default().covered([Some(&main)]).is_empty(), "nobody asks");
    }
}
