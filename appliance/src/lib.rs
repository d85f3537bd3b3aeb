//! The box: the imperative shell around `tollhouse-core`. Actors, store, HTTP, console and command line.

pub mod actors;
pub mod admin;
pub mod changes;
pub mod chart;
pub mod clock;
pub mod commands;
pub mod config;
pub mod control;
pub mod demo;
pub mod devices;
pub mod drivers;
pub mod findings;
pub mod http;
pub mod live;
pub mod metrics;
pub mod past;
pub mod quote;
pub mod readiness;
pub mod secret;
pub mod store;
pub mod tariffs;
pub mod terminal;
pub mod wiring;
