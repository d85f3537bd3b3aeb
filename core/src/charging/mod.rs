//! Property charging (物业收费): spaces, fee items, packages, cards and bills: who owes what, and why.
//!
//! Owns its records and the pure rules over them; docs/charging.md has the rules with numbers. Dates are the lot's own
//! (what a zone makes of a moment is the shell's to say), spans of dates include their first day and not their last.
//! It must not know lanes, devices or providers: the gate gets passes, payment gets bills, both by message.

pub mod bills;
pub mod calendar;
pub mod cards;
pub mod earned;
pub mod estate;
pub mod fees;
pub mod gate;
pub mod holders;
pub mod label;
pub mod packages;
pub mod place;
pub mod policy;
pub mod table;
pub mod tables;
pub mod timeline;
