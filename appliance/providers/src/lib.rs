//! What WeChat Pay (API v3, direct merchant) and Alipay (open platform, RSA2 with public keys) speak: bytes in, typed values
//! out. It owns signatures, request bodies, answers, callbacks and statements of both providers.
//!
//! It must not know sockets, threads, the time of day, chance, orders or books: the time and what has to be random are
//! arguments, and what an answer means for money is decided by who called. Amounts are [`tollhouse_core::money::Money`]; WeChat
//! Pay speaks fen in its API and yuan in its statements, Alipay yuan everywhere, and nobody outside of this crate needs to care.
//!
//! Three habits run through it. Everything from outside is bounded before it is read ([`limits`]). What cannot be verified is
//! [`wechat::Distrust`] or [`alipay::Distrust`], never a value. What is not as agreed is [`Malformed`], which means *unknown:
//! query again under the same number*, never *failed*.
//!
//! `docs/providers.md` says what is spoken and what was verified against what.

pub mod alipay;
mod bounded;
mod clock;
mod form;
pub mod fuzz;
pub mod key;
pub mod limits;
mod malformed;
mod number;
mod payment_code;
mod table;
pub mod wechat;

pub use malformed::{Malformed, RequestError, StatementError};
pub use number::{BoxPrefix, NumberError, OrderNumber, RefundNumber};
pub use payment_code::{PaymentCode, PaymentCodeError, Wallet};
