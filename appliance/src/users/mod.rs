//! The desk of accounts: makes and changes them, issues tokens, signs people in, and says who a request is from.
//!
//! Passwords and tokens live here for the time of a call; what is kept and journalled is their hash. It must not know
//! HTTP; who may do what is `core`'s table.

mod command;
mod desk;
mod hash;
mod known;

#[cfg(test)]
mod tests;

pub use command::{ShownToken, ShownUser, UserAnswer, UserCommand};
pub use desk::{IssuedToken, UserDesk, UserOutcome};
pub(crate) use hash::hex;
pub use hash::{MIN_PASSWORD_CHARS, PasswordFault, draw_password, is_password, password_hash};
pub use known::{Known, Unknown};

/// How long a person's session lasts.
pub const SESSION_LIFE: chrono::TimeDelta = chrono::TimeDelta::hours(12);
/// What every token begins with, so that people and scanners recognise one that has leaked.
pub const TOKEN_PREFIX: &str = "th_";
