//! WeChat Pay, API v3, for a direct merchant: what is sent, what comes back, what calls us, and the statement. It must not know
//! orders, books or sockets.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant, by the titles 签名生成, 签名验证, 回调报文解密, Native下单, H5下单, JSAPI下单,
//! 付款码支付, 查询订单, 关闭订单, 撤销订单, 退款申请, 申请交易账单, each named where it is used.

mod answer;
mod callback;
mod headers;
mod refund;
mod request;
mod seal;
mod sign;
mod statement;
mod transaction;
mod trust;

pub use answer::{
    BillLocation, Prepared, Refusal, Refused, bill_location, check_success, platform_certificates, prepared,
};
pub use callback::{Callback, CallbackError, Envelope, Event, read_callback};
pub use headers::SignatureHeaders;
pub use refund::{RefundAmount, RefundNotice, RefundReport, RefundState, refund_notice, refund_report};
pub use request::{Amount, H5Scene, Intent, RefundIntent, Requests};
pub use seal::{ApiV3Key, Resource, SealError};
pub use sign::{BridgeCall, Call, Merchant, Method, Nonce, signed_by_us};
pub use statement::{Row, RowKind, Statement, Summary, check_hash, read_statement, unpack};
pub use transaction::{Coupon, CouponKind, Expected, Mismatch, Payment, Transaction, TransactionState, transaction};
pub use trust::{Distrust, Trust, signed_by_them};
