//! Fee items (费用项目): what for, how much, per what, for which space classes, and since when.
//! It must not know cards or bills: a bill copies what it needs, so that no change of price ever touches one.

mod item;
mod list;
mod selector;

pub use item::{
    Alignment, FeeItem, FeeKind, InvalidItem, LateFeeRule, Occasion, PeriodicTerms, PricePer, TaxPoint, TaxTerms,
    Timing,
};
pub use list::{Chosen, FeeFault, FeeList};
pub use selector::Selector;
