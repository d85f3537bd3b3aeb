//! As much of HTTP/1.1 as gate hardware speaks (RFC 9112): a listener for devices that push, a client for those that are
//! asked. Plain TCP, every byte with a deadline, every length with a limit.
//!
//! It must not know what is posted or asked.

mod client;
mod message;
mod server;

pub use client::{Answer, Client, ClientError, Question};
pub use message::{Head, MAX_HEAD_BYTES};
pub use server::{Delivery, Handler, Listener, Request, Response, Server};

#[doc(hidden)]
pub use message::{MessageKind, fuzz_message};
