//! The store against its model, and against a medium that loses what was not synced.

mod changes;
mod model;
mod opening;
mod power_cut;
mod simulated;
