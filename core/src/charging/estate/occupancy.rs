//! How full the estate is, by area and class. It must not know how the cars came in.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::attributes::SpaceClass;
use super::pool::Pool;
use super::space::Space;
use crate::id::AreaId;

/// Where a count belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Places {
    /// The area.
    pub area: AreaId,
    /// The class.
    pub class: SpaceClass,
}

/// How full one class of an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupied {
    /// Numbered spaces; a tandem is one.
    pub spaces: u32,
    /// Cars that fit: capacities of the spaces, and places of pools.
    pub places: u32,
    /// Cars inside that are counted here.
    pub inside: u32,
}

impl Occupied {
    /// Places left; fewer than none when more cars stand there than fit.
    pub fn free(self) -> i64 {
        i64::from(self.places) - i64::from(self.inside)
    }
}

/// Counts on a day. `inside` names for each car inside the area and the class that its stay counts in.
pub fn occupancy<'e>(
    spaces: impl IntoIterator<Item = &'e Space>,
    pools: impl IntoIterator<Item = &'e Pool>,
    inside: impl IntoIterator<Item = Places>,
    on: NaiveDate,
) -> BTreeMap<Places, Occupied> {
    let mut counts: BTreeMap<Places, Occupied> = BTreeMap::new();
    for space in spaces {
        let Some(attributes) = space.attributes.on(on) else { continue };
        let count = counts.entry(Places { area: space.area.clone(), class: attributes.class() }).or_default();
        count.spaces += 1;
        count.places += u32::from(attributes.layout.capacity());
    }
    for pool in pools {
        let Some(terms) = pool.terms.on(on) else { continue };
        counts.entry(Places { area: pool.area.clone(), class: terms.class() }).or_default().places += terms.places;
    }
    for places in inside {
        counts.entry(places).or_default().inside += 1;
    }
    counts
}
