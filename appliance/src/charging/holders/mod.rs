//! The desk of holders, vehicles and invitations of visitors. It must not know what is owed.

mod invitations;
mod people;
mod vehicles;

pub use invitations::{InvitationView, NewInvitation};
pub use people::{HolderBody, HolderChange, HolderFilter, HolderView};
pub use vehicles::{VehicleBody, VehicleView};

use super::parts::ChargingParts;

/// The desk.
#[derive(Clone)]
pub struct HoldersDesk {
    parts: ChargingParts,
}

impl HoldersDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// What it works with.
    pub fn parts(&self) -> &ChargingParts {
        &self.parts
    }
}
