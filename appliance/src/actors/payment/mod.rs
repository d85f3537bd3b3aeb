//! Payment (支付): orders, captures, refunds. Owns what is true about money; knows nothing of lanes.

pub mod messages;
