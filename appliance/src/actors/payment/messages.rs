//! What others may ask of payment.

use actix::Message;
use chrono::{DateTime, Utc};
use tollhouse_core::id::{BillId, OrderId};
use tollhouse_core::money::Money;
pub use tollhouse_core::pay::OrderState;

/// Make an order for what is still due of a bill.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<OrderView, PayProblem>")]
pub struct MakeOrder {
    /// Which bill.
    pub bill: BillId,
    /// Through whom: `sandbox`, later `wechat`, `alipay`.
    pub provider: String,
    /// The caller's key: the same key with the same bill and provider gives the same order.
    pub idempotency_key: Option<String>,
}

/// How does this order stand?
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<OrderState, PayProblem>")]
pub struct AskOrder {
    /// Which order.
    pub order: OrderId,
}

/// The sandbox's wallet pays an order: what a driver's phone would do at a real provider.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), PayProblem>")]
pub struct SandboxPay {
    /// Which order.
    pub order: OrderId,
}

/// An order as its payer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    /// Its public id.
    pub order: OrderId,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// What it is about.
    pub amount: Money,
    /// What the phone has to do.
    pub action: PayAction,
}

/// What the phone has to do to pay.
#[derive(Debug, Clone, PartialEq)]
pub enum PayAction {
    /// Open this address.
    Redirect(String),
    /// Show this text as a QR code.
    Qr(String),
}

/// Why payment cannot do what was asked. The HTTP layer makes RFC 9457 problems of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayProblem {
    /// 404
    #[error("no car waits at this lane")]
    NoCarWaits,
    /// 404
    #[error("there is no such lane, bill or order")]
    Unknown,
    /// 403
    #[error("the code inside the lot is missing or has been replaced: scan it again")]
    WrongToken,
    /// 409
    #[error("nothing is due on this bill")]
    NothingDue,
    /// 409
    #[error("this order cannot be paid: it is {0}")]
    NotPayable(&'static str),
    /// 409
    #[error("five orders of this bill are open: pay one of them or wait until they expire")]
    TooManyOrders,
    /// 422
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// 422
    #[error("{0} is not a way to pay here")]
    UnknownProvider(String),
    /// 503
    #[error("the box is busy: try again")]
    Busy,
}
