//! Holders (用户) and their vehicles, what they have to their credit, and the visitors whom they invite.
//! It must not know cards or bills.

mod holder;
mod invitation;
mod vehicle;

pub use holder::{Holder, HolderError, MAX_NAME_CHARS};
pub use invitation::{Invitation, InvitationError, MAX_VISIT_DAYS, OpenInvitation};
pub use vehicle::{OnCard, PlateCards, RegisteredVehicle};
