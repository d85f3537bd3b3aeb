//! Cards (停车卡): holder, spaces or pool places, vehicles, fees, package and bills under one number.
//! It must not know the lane: what the gate needs of a card is a pass.

mod act;
mod card;
mod carry;
mod cover;
mod five;
mod moved_in;
mod orders;
mod sell;
mod wake;

pub use crate::charging::gate::PassPolicy;
pub use crate::pass::MorePolicy;
pub use act::{Act, CardError, MOST_ENTRIES};
pub use card::{BilledSpan, Billing, Card, CardState, HeldVehicle, Holding, StateChange, Term, TermKind, TermPlace};
pub use carry::{Around, Carried, carry_out};
pub use cover::{CarInside, Cover, CoverChange, Entered, Moved, Standing};
pub use five::{FiveParts, five_parts};
pub use moved_in::{MoveIn, TermElsewhere};
pub use orders::{CardAct, Extras, Freed, FreedTo, Order, OrderFault};
pub use sell::{Extra, Offer};
pub(in crate::charging) use wake::wake_paid;
pub use wake::waking;
