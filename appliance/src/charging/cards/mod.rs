//! The desk of cards: everything that is done to a card is an act with who and why, and is undone by its opposite.
//!
//! Owns the way from what a clerk wants to orders on a card. What orders mean is core's ([`carry_out`]); the card, its
//! bills and credit notes, what they post, the indexes and the act itself stand in one journal entry.
//!
//! [`carry_out`]: tollhouse_core::charging::cards::carry_out

mod acts;
mod batches;
mod changes;
mod doing;
mod find;
mod opening;
mod renewing;
mod show;

pub use acts::{ActView, WantedUndo};
pub use batches::{Batch, BatchCard, BatchKind, BatchOutcome};
pub use changes::{WantedClosing, WantedPlace, WantedPlate, WantedReplacement, WantedState, WantedTransfer};
pub use find::{CardFilter, CardSummary};
pub use opening::{NewCard, NewVehicle};
pub use renewing::{WantedExtension, WantedRenewal};
pub use show::{BillLineView, CardDone, CardView, DatedVehicle, FeeView, HolderLine, PlaceLine, StateView, TermView};

use super::parts::ChargingParts;

/// The desk.
#[derive(Clone)]
pub struct CardsDesk {
    parts: ChargingParts,
}

impl CardsDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// What it works with.
    pub fn parts(&self) -> &ChargingParts {
        &self.parts
    }
}
