//! Reductions of a temporary stay: merchants with their accounts, coupons with one-time codes, discounts that a person
//! gives, and the free list with its reasons and end dates.
//!
//! A reduction is noted on the stay; the bill's assessment applies it ([`reduce`]), so that the lane, the pay page and
//! an order all see the same price without knowing where it comes from. Nothing here knows HTTP, files or the clock.

mod account;
mod batch;
mod code;
mod discount;
mod free;
mod issue;
mod merchant;
mod redeem;
mod reduce;
mod refusal;
mod statement;

pub use account::{
    MerchantCharge, MerchantMoney, MerchantStanding, MoneyKind, Received, Reserved, available, move_money,
};
pub use batch::{Coupon, CouponBatch, CouponState, RedeemedBy, batch_key};
pub use code::{CodeError, CouponCode};
pub use discount::{Discount, Given, MOST_MINUTES, Worth};
pub use free::{FreeEntry, FreeReason, FreeRefusal, drop_free, list_free};
pub use issue::{BatchOrder, MOST_COUPONS, issue, move_in, void};
pub use merchant::{Contact, Limits, Merchant, MerchantState, MerchantTerms};
pub use redeem::{Manual, Pricing, Redeemed, Taken, Which, give_by_hand, redeem};
pub use reduce::{BillDiscount, MOST_PER_STAY, Reduction, reduce};
pub use refusal::CouponRefusal;
pub use statement::{Statement, StatementLine, StatementOf, statement};
