//! The box: the imperative shell around `tollhouse-core`. Actors, store, HTTP, console and command line.

pub mod actors;
pub mod live;
