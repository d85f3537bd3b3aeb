//! Buildings, units and rooms, as spaces and holders name them: what clerks search, bill and dun by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::estate::{Room, Space};
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::record::Kept;
use utoipa::ToSchema;

use super::EstateDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::reading::{Seen, each};

/// A building with its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildingView {
    /// Its number.
    pub building: String,
    /// Its units; one without a name where the estate has none.
    pub units: Vec<UnitView>,
}

/// A unit with its rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitView {
    /// Its number; empty where the estate has no units.
    pub unit: String,
    /// Its rooms.
    pub rooms: Vec<RoomView>,
}

/// A room, with who and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomView {
    /// The room in full: building-unit-room.
    pub room: String,
    /// Holders of it.
    pub holders: Vec<String>,
    /// Spaces of it.
    pub spaces: Vec<String>,
}

#[derive(Default)]
struct Belongs {
    holders: Vec<String>,
    spaces: Vec<String>,
}

impl EstateDesk {
    /// The buildings of the estate; with `building`, that one alone.
    pub fn buildings(&self, building: Option<&str>) -> Result<Vec<BuildingView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let mut rooms: BTreeMap<Room, Belongs> = BTreeMap::new();
        let wanted = |room: &Room| building.is_none_or(|building| room.building() == building);
        each(&records, "", |kept: Kept<Space>| {
            if let Some(room) = kept.record.room.filter(|room| wanted(room)) {
                rooms.entry(room).or_default().spaces.push(kept.record.number.to_string());
            }
            Seen::More
        })?;
        each(&records, "", |kept: Kept<Holder>| {
            if let Some(room) = kept.record.room.filter(|room| wanted(room)) {
                rooms.entry(room).or_default().holders.push(kept.record.id.to_string());
            }
            Seen::More
        })?;
        Ok(by_building(rooms))
    }
}

fn by_building(rooms: BTreeMap<Room, Belongs>) -> Vec<BuildingView> {
    let mut buildings: Vec<BuildingView> = vec![];
    for (room, belongs) in rooms {
        if buildings.last().is_none_or(|last| last.building != room.building()) {
            buildings.push(BuildingView { building: room.building().to_owned(), units: vec![] });
        }
        let units = buildings.last_mut().map(|last| &mut last.units).expect("one was just pushed");
        if units.last().is_none_or(|last| last.unit != room.unit()) {
            units.push(UnitView { unit: room.unit().to_owned(), rooms: vec![] });
        }
        let unit = units.last_mut().expect("one was just pushed");
        let Belongs { holders, spaces } = belongs;
        unit.rooms.push(RoomView { room: room.to_string(), holders, spaces });
    }
    buildings
}
