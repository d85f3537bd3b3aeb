//! Merchants, coupons, discounts by hand and the free list, as the box offers them: one desk, asked alike by HTTP calls,
//! by the pay page and by commands.

mod command;
mod desk;
mod shown;
#[cfg(test)]
mod tests;

pub use command::{CouponAnswer, CouponCommand};
pub use desk::{CouponDesk, CouponParts, Month, NewMerchant, Target};
pub use shown::{ShownBatch, ShownCoupon, ShownMerchant, ShownTaken};
