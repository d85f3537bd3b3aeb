//! Packages (套餐): charges sold together for a term, with a price rule; and which one would have cost a holder least.
//! It must not know cards: it makes offers, and a card takes them.

mod ask;
mod package;
mod price;
mod recommend;
mod record;

pub use ask::{Asker, Holds, PastStay, SoldPlace, StayPricer};
pub use package::{Length, Package, PackageFault, PriceRule, Tier, TierRule};
pub use price::{NoOffer, Which, base_price, daily_fees, first_extras, occasion_extras, offer, rent_offer};
pub use recommend::{Candidate, Choice, recommend};
pub use record::Recommendation;
