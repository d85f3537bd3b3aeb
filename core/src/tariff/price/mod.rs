//! The pricing engine: what a stay costs by a version of a tariff, as a pure function.
//!
//! A checked file becomes a [`Plan`] once; a [`TariffBook`] of plans prices stays. Amounts are exact fractions until the
//! tariff says where to round, time is whole seconds, and nothing is floating point. It must not know how a file is read
//! or checked, where it is kept, or who asks.
//!
//! From the bottom: `zone` and `days` (the clock on the wall, the calendar), `pattern` and `axis` (which rate holds
//! when), `steps`, `walk` and `straddle` (units), `till` (adjustments and caps in the order of time), `skip` and `alike`
//! (days that are alike are priced once), `visit` (one scheme), `choose` (which scheme, areas), `stay`, `returns` and
//! `shared` (passes, versions, visits before), `lines` and `words`, `owed` (payments), `book`.

mod alike;
mod axis;
mod book;
mod choose;
mod days;
mod exact;
mod lines;
mod owed;
mod pattern;
mod plan;
mod returns;
mod run;
mod shared;
mod skip;
mod stay;
mod steps;
mod straddle;
mod till;
mod visit;
mod walk;
mod words;
mod zone;

pub use book::TariffBook;
pub use owed::Owed;
pub use plan::Plan;

use chrono::{DateTime, Utc};

/// Why a stay has no price. The checks of a file refuse what leads to most of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The tariff has a hole.
    #[error("no rate holds at {}: the tariff leaves this time unpriced", shown(*at))]
    Unpriced {
        /// Where, in seconds since 1970.
        at: i64,
    },
    /// The conditions of no scheme hold.
    #[error("no scheme of the tariff is for this stay")]
    NoScheme,
    /// A rate without a single step.
    #[error("a rate of the tariff has no steps")]
    NoSteps,
    /// More events, seasons, caps or adjustments than are told apart.
    #[error("the tariff has more events, seasons, caps or adjustments than the box tells apart")]
    TooManyRules,
    /// Before 1970, after 2100, or longer than twenty years.
    #[error("a stay lies between 1970 and 2100 and lasts at most twenty years")]
    OutOfTime,
    /// An amount does not fit, or is of another currency.
    #[error("the fee is too large, or an amount is of another currency than the tariff")]
    TooLarge,
    /// Not versions of one tariff.
    #[error("versions of one tariff have one id, one currency and one time zone, and each its own in_force_from")]
    NotOneTariff,
}

fn shown(at: i64) -> String {
    DateTime::<Utc>::from_timestamp(at, 0).map_or_else(|| at.to_string(), |at| at.to_rfc3339())
}
