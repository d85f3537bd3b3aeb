//! Cards (停车卡): holder, spaces or pool places, vehicles, fees, package and bills under one number.
//! It must not know the lane: what the gate needs of a card is a pass.

mod act;
mod card;
mod cover;
mod five;
mod sell;

pub use crate::charging::gate::PassPolicy;
pub use crate::pass::MorePolicy;
pub use act::{Act, CardError, MOST_ENTRIES};
pub use card::{BilledSpan, Billing, Card, CardState, HeldVehicle, Holding, StateChange, Term, TermKind, TermPlace};
pub use cover::{CarInside, Cover, CoverChange, Entered, Moved, Standing};
pub use five::{FiveParts, five_parts};
pub use sell::{Extra, Offer};
