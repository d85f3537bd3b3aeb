//! What the gate needs of cards and bills (放行凭证): the passes that follow from them, exactly, and how far the gate has
//! been told.
//!
//! Owns the way from a card to its passes, the notes of what was told, and which change touches which card. It must not
//! know the lane: that reads passes and the cars of a card (`cards::Cover`), and nothing of this.

mod areas;
mod at;
mod tell;
mod told;
mod touched;

pub use areas::{GateAreas, PassGround};
pub use at::{AtGate, Owed, PassPolicy, at_gate};
pub use tell::tell;
pub use told::{GateBill, GateCard, GateDay, GateSpace, PassCursor};
pub use touched::{Touched, Wake};
