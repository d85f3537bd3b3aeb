//! What the lists may be told.

use actix::Message;
use tollhouse_core::id::DeviceId;
use tollhouse_core::whitelist::Said;

/// A camera with a list has come, gone, or answered.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CameraSaid {
    /// Which.
    pub device: DeviceId,
    /// What.
    pub said: Said,
}
