//! The commands of the one binary: each reads its arguments, does one thing and says how it went.

pub mod check;
