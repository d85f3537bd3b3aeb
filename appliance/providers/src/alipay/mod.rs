//! Alipay, open platform, RSA2 with public keys (no certificate mode): what is sent, what comes back, what calls us, and the
//! statement. It must not know orders, books or sockets.
//!
//! Source: opendocs.alipay.com by the titles 自行实现签名, 自行实现验签, 异步通知说明, and by the names of its methods:
//! `alipay.trade.precreate`, `.wap.pay`, `.pay`, `.query`, `.cancel`, `.close`, `.refund`, `.fastpay.refund.query`,
//! `alipay.data.dataservice.bill.downloadurl.query`.

mod answer;
mod archive;
mod canonical;
mod notify;
mod refusal;
mod request;
mod statement;
mod trade;

pub use answer::{
    AnswerError, CancelAction, Cancelled, CodePayment, FundChange, RefundQuery, RefundReply, Retry, bill_url,
    cancelled, closed, code_payment, precreated, refund_query, refunded, trade,
};
pub use archive::unpack;
pub use canonical::{Distrust, SignedAnswer, notify_string, request_string, signed_answer};
pub use notify::{AboutPayment, FAILURE, Notice, SUCCESS, parameters, read_notice, verify_notice};
pub use refusal::{Refusal, Refused};
pub use request::{App, Call, Intent, RefundIntent, Signed};
pub use statement::{Row, RowKind, Statement, Totals, read_statement};
pub use trade::{Captured, Expected, Mismatch, Trade, TradeState};
