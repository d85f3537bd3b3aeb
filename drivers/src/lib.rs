//! The box's side of gate hardware: MQTT devices and plugin hosts, behind one shape.
//!
//! What comes in is a [`DeviceEvent`]: typed, bounded, with an id, and with a [`Receipt`] that its consumer completes
//! once what followed is durable. What goes out is a [`DeviceCommand`]. Nothing here decides anything about cars: no
//! policy, no store, no actix.

pub mod check;
pub mod event;
pub mod link;
pub mod mqtt;
pub mod plugin;
pub mod wire;

pub use event::{DeviceEvent, Receipt, What};
pub use link::{Clock, DeviceCommand, DeviceLink, EventSink, LinkError, Observer, Refused};
