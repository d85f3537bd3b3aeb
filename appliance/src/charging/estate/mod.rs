//! The estate's desk: uses, spaces, pools, who stands where, how full it is. It must not know what a space costs.

mod areas;
mod pools;
mod rooms;
mod spaces;
mod standing;
mod uses;

use tollhouse_core::charging::estate::UseList;
use tollhouse_core::charging::holders::OnCard;
use tollhouse_core::record::Records;

pub use areas::{AreaView, OccupancyView};
pub use pools::{NewPool, PoolChange, PoolTermsView, PoolView};
pub use rooms::{BuildingView, RoomView, UnitView};
pub(in crate::charging) use spaces::in_room;
pub use spaces::{AttributesView, NewSpaces, SpaceChange, SpaceFilter, SpaceView, SpacesMade};
pub use standing::{StandingView, StoodCar};
pub use uses::UseView;
pub(in crate::charging) use uses::missing as missing_uses;

use super::fault::ChargingFault;
use super::parts::ChargingParts;
use super::reading::all;

/// The desk.
#[derive(Clone)]
pub struct EstateDesk {
    parts: ChargingParts,
}

impl EstateDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// What it works with.
    pub fn parts(&self) -> &ChargingParts {
        &self.parts
    }
}

/// The operator's uses; what a new estate begins with as long as none were written.
pub fn uses(records: &impl Records) -> Result<UseList, ChargingFault> {
    let written = all(records, "")?;
    Ok(if written.is_empty() { UseList::usual() } else { UseList::new(written) })
}

/// A card that holds a place, as it is shown.
fn on_card(held: &OnCard) -> String {
    held.card.to_string()
}
