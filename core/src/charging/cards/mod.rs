//! Cards (停车卡): holder, spaces or pool places, vehicles, fees, package and bills under one number.
//! It must not know the lane: what the gate needs of a card is a pass.

mod act;
mod card;
mod cover;
mod five;
mod sell;

pub use act::{Act, CardError, MOST_ENTRIES};
pub use card::{BilledSpan, Billing, Card, CardState, HeldVehicle, Holding, StateChange, Term, TermKind, TermPlace};
pub use cover::{Because, CarInside, Charged, Cover, CoverChange, Entered, MorePolicy, Moved, Standing};
pub use five::{FiveParts, PassPolicy, five_parts, grants};
pub use sell::{Extra, Offer};
