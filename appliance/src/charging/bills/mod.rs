//! Bills of cards on the box: the desk at which people read, correct and settle them, the run that draws them, and what
//! the box does with them by itself from day to day.
//!
//! Owns when and how much at once. What is owed, and what each event posts, is `core::charging::bills`'.

pub mod command;
mod committing;
pub mod days;
pub mod desk;
pub mod list;
pub mod notices;
pub mod remind;
pub mod round;
pub mod run;
pub mod view;

#[cfg(test)]
mod tests;
