//! The domain of Tollhouse, pure: what a car park decides, prices and books.
//!
//! Absent by design, and asserted by the tidy test: I/O, async, a clock, randomness, actix. Time is an argument,
//! ids are derived from a key and what they name, and every effect is a value that the shell carries out.

pub mod arrears;
pub mod audit;
pub mod bill;
pub mod books;
pub mod cash;
pub mod charging;
pub mod coupons;
pub mod id;
pub mod invoice;
pub mod lane;
pub mod lot;
pub mod money;
pub mod pass;
pub mod pay;
pub mod plate;
pub mod reconciliation;
pub mod record;
pub mod stay;
pub mod tariff;
pub mod user;
pub mod whitelist;
pub mod words;
