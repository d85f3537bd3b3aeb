//! What others may ask of payment.

use std::net::IpAddr;

use actix::Message;
use chrono::{DateTime, Utc};
use tollhouse_core::id::{BillId, DeviceId, EventId, LaneId, OrderId};
use tollhouse_core::money::Money;
pub use tollhouse_core::pay::OrderState;
use tollhouse_core::pay::{Ending, Way};
use tollhouse_providers::PaymentCode;
use tollhouse_providers::wechat::BridgeCall;

use super::provider::NotifyAnswer;

/// Make an order for what is still due of a bill.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<OrderView, PayProblem>")]
pub struct MakeOrder {
    /// Which bill.
    pub bill: BillId,
    /// Through whom: `sandbox`, `wechat`, `alipay`.
    pub provider: String,
    /// In what way; without one the browser decides.
    pub way: Option<Way>,
    /// What kind of browser asks.
    pub browser: Browser,
    /// What WeChat's sign-in sent the browser back with.
    pub payer_code: Option<String>,
    /// The phone's address, as far as it is known.
    pub address: Option<IpAddr>,
    /// The page to which the browser comes back, a path of this box.
    pub back: String,
    /// The order that this one takes the place of: it is asked about, closed and asked about again first.
    pub instead_of: Option<OrderId>,
    /// The caller's key: the same key with the same request gives the same order.
    pub idempotency_key: Option<String>,
}

/// What kind of browser a pay page stands in. Only WeChat's own pays JSAPI, and only another one H5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// WeChat's.
    WeChat,
    /// Alipay's.
    Alipay,
    /// Another one, on a phone.
    Phone,
    /// Another one: a QR code is shown for a phone.
    Desk,
}

/// A provider calls. What it says is never the truth; it makes payment ask.
#[derive(Debug, Clone, Message)]
#[rtype(result = "NotifyAnswer")]
pub struct ProviderCalls {
    /// Which provider, by the address that was called.
    pub provider: &'static str,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// Where WeChat's browser signs in before it pays there; `None` when nobody has to.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<String, PayProblem>")]
pub struct SignIn {
    /// The page to come back to, a path of this box.
    pub back: String,
    /// What comes back with it.
    pub state: String,
}

/// A code was read at a lane. Whatever it is: it is in no log and on no record.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct CodeScanned {
    /// At which lane.
    pub lane: LaneId,
    /// The scanner.
    pub device: DeviceId,
    /// The scanner's id of it: the same scan told twice pays once.
    pub event_id: EventId,
    /// What was read.
    pub code: PaymentCode,
}

/// No order of this bill shall be paid from now on: the attendant is about to take cash for it. Answers when that is so, or when
/// what is paid all the same will go back by itself.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), PayProblem>")]
pub struct ReleaseBill {
    /// Which bill.
    pub bill: BillId,
    /// Why.
    pub why: Ending,
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
    /// Hand this to WeChat's browser.
    Bridge(BridgeCall),
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
    /// 404
    #[error("this box has no account at this provider")]
    NoAccount,
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
    /// 422
    #[error("{0} is not offered for this: try another way to pay")]
    NotOffered(String),
    /// 409
    #[error("these bills go to two payees: pay them one by one")]
    PayOneByOne,
    /// 409
    #[error("open the page anew: WeChat did not say who pays")]
    SignInAgain,
    /// 503
    #[error("{0} cannot be reached: pay in another way, or the attendant")]
    ProviderAway(String),
    /// 503
    #[error("the box is busy: try again")]
    Busy,
}
