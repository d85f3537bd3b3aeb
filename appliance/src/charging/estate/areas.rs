//! How full the estate is, by area and class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{
    Attributes, Grade, Location, Occupied, Places, Pool, PoolTerms, Space, SpaceClass, Tenure, occupancy,
};
use tollhouse_core::charging::label::UseId;
use tollhouse_core::charging::place::Place;
use tollhouse_core::id::AreaId;
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::stay::{Basis, Inside, Stay};
use utoipa::ToSchema;

use super::EstateDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::reading::{Seen, all, each};

/// An area with how full it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AreaView {
    /// Its id.
    pub area: String,
    /// Numbered spaces.
    pub spaces: u32,
    /// Cars that fit on spaces and in pools.
    pub places: u32,
    /// Cars inside.
    pub inside: u32,
    /// The same by class.
    pub classes: Vec<OccupancyView>,
}

/// How full one class of an area is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OccupancyView {
    /// `open_air`, `underground` or `structure`.
    pub location: String,
    /// `owned`, `rented` or `temporary`.
    pub tenure: String,
    /// The use.
    #[serde(rename = "use")]
    pub usage: String,
    /// `ordinary`, `tandem`, `triple` or `multi`.
    pub grade: String,
    /// Numbered spaces; a tandem is one.
    pub spaces: u32,
    /// Cars that fit.
    pub places: u32,
    /// Cars inside that are counted here.
    pub inside: u32,
    /// Places left; fewer than none when more cars stand there than fit.
    pub free: i64,
}

/// In which class a temporary car counts in an area without a space for such.
fn temporary() -> SpaceClass {
    SpaceClass {
        location: Location::OpenAir,
        tenure: Tenure::Temporary,
        usage: UseId::new("visitor").expect("a plain name"),
        grade: Grade::Ordinary,
    }
}

impl EstateDesk {
    /// All areas: those of the lanes and those that spaces and pools lie in.
    pub fn areas(&self) -> Result<Vec<AreaView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let today = self.parts.today();
        let spaces: Vec<Space> = all(&records, "")?;
        let pools: Vec<Pool> = all(&records, "")?;
        let mut usual: BTreeMap<AreaId, SpaceClass> = BTreeMap::new();
        for space in &spaces {
            let class = space.class_on(today).filter(|class| class.tenure == Tenure::Temporary);
            if let Some(class) = class {
                usual.entry(space.area.clone()).or_insert(class);
            }
        }
        let mut inside = vec![];
        let mut fault = None;
        each(&records, "", |kept: Kept<Inside>| match counted(&records, &kept.record, &usual, today) {
            Ok(places) => {
                inside.extend(places);
                Seen::More
            }
            Err(why) => {
                fault = Some(why);
                Seen::Enough
            }
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let counts = occupancy(&spaces, &pools, inside, today);
        Ok(self.by_area(counts))
    }

    /// One area.
    pub fn area(&self, id: &str) -> Result<AreaView, ChargingFault> {
        let found = self.areas()?.into_iter().find(|area| area.area == id);
        found.ok_or_else(|| ChargingFault::unknown("area", id))
    }

    /// The areas of the lot that have places of their own.
    fn known_areas(&self) -> Vec<AreaId> {
        self.parts.lot.areas.iter().filter_map(|area| AreaId::new(&area.id).ok()).collect()
    }

    fn by_area(&self, counts: BTreeMap<Places, Occupied>) -> Vec<AreaView> {
        let empty =
            |area: &AreaId| AreaView { area: area.to_string(), spaces: 0, places: 0, inside: 0, classes: vec![] };
        let mut areas: BTreeMap<AreaId, AreaView> =
            self.known_areas().into_iter().map(|area| (area.clone(), empty(&area))).collect();
        for (Places { area, class }, count) in counts {
            let view = areas.entry(area.clone()).or_insert_with(|| empty(&area));
            view.spaces += count.spaces;
            view.places += count.places;
            view.inside += count.inside;
            view.classes.push(OccupancyView {
                location: class.location.as_str().to_owned(),
                tenure: class.tenure.as_str().to_owned(),
                usage: class.usage.to_string(),
                grade: class.grade.as_str().to_owned(),
                spaces: count.spaces,
                places: count.places,
                inside: count.inside,
                free: count.free(),
            });
        }
        areas.into_values().collect()
    }
}

/// Where a car inside counts: with its card's first place in that area, else as a temporary one.
fn counted(
    records: &impl Records,
    inside: &Inside,
    usual: &BTreeMap<AreaId, SpaceClass>,
    today: chrono::NaiveDate,
) -> Result<Option<Places>, ChargingFault> {
    let Some(stay) = records.get::<Stay>(&inside.stay.to_string())? else { return Ok(None) };
    let area = stay.record.area;
    let of_card = match &stay.record.basis {
        Basis::Pass { card } => records.get::<Card>(card)?,
        Basis::Temporary | Basis::Free => None,
    };
    if let Some(card) = of_card {
        for place in card.record.places_on(today) {
            let found = match place {
                Place::Space(number) => records.get::<Space>(number.as_str())?.and_then(|space| {
                    let class = space.record.attributes.on(today).map(Attributes::class)?;
                    (space.record.area == area).then_some(class)
                }),
                Place::Pool(pool, _) => records.get::<Pool>(pool.as_str())?.and_then(|pool| {
                    let class = pool.record.terms.on(today).map(PoolTerms::class)?;
                    (pool.record.area == area).then_some(class)
                }),
                Place::Card => None,
            };
            if let Some(class) = found {
                return Ok(Some(Places { area, class }));
            }
        }
    }
    let class = usual.get(&area).cloned().unwrap_or_else(temporary);
    Ok(Some(Places { area, class }))
}
