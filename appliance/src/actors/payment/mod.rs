//! Payment (支付): orders, captures, refunds. Owns what is true about money; knows nothing of lanes.

mod actor;
mod desk;
pub mod messages;
pub mod provider;
pub mod sandbox;

pub use actor::PaymentActor;
pub use desk::{PaymentDesk, PaymentParts};
