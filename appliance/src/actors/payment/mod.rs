//! Payment (支付): orders, captures, refunds. Owns what is true about money; knows nothing of lanes.

mod actor;
pub mod alipay;
mod code;
pub mod codes;
mod desk;
mod hear;
pub mod line;
pub mod messages;
pub mod offers;
pub mod opening;
pub mod provider;
pub mod reach;
mod refunds;
pub mod sandbox;
mod settle;
mod watch;
pub mod wechat;

pub use actor::PaymentActor;
pub use desk::{PaymentDesk, PaymentParts};
