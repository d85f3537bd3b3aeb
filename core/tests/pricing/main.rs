//! The pricing engine from outside: shipped tariffs give their own examples, and what has to hold of every fee holds.

mod found;
mod odd;
mod properties;
mod shipped;
mod stays;
