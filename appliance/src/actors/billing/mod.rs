//! Billing: what is owed, and by whom. It draws up the bill of a car that wants to pay while it is inside; the exit lane
//! draws up its own. Looking at a price never posts.

mod actor;
pub mod messages;

pub use actor::{BillingActor, BillingParts};
