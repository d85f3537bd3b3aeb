//! Alipay as a provider: one application, its requests, their answers, its notifies and statements.
//!
//! Owns which call is sent and what its answer means for an order; the bytes are `tollhouse_providers::alipay`'s. It decides
//! nothing about money.

mod account;
mod callback;

pub use account::{Alipay, Identity};

use tollhouse_core::pay::{Application, Back, Evidence, Heard, Order, Way};
use tollhouse_providers::OrderNumber;
use tollhouse_providers::alipay::{self as wire, AnswerError};

use super::provider::ProviderError;

/// The provider's name in orders and on the wire.
pub const ALIPAY: &str = "alipay";

/// What is not said to be final counts as unknown.
fn told(fault: &AnswerError) -> ProviderError {
    match fault {
        AnswerError::Refused(refused) => match refused.refusal {
            wire::Refusal::Unknown | wire::Refusal::TooOften => ProviderError::Unsound(refused.to_string()),
            wire::Refusal::Ours => {
                tracing::error!(%refused, "Alipay does not take what the box sends: check [[payment_accounts]]");
                ProviderError::Refused(refused.to_string())
            }
            _ => ProviderError::Refused(refused.to_string()),
        },
        fault => ProviderError::Unsound(fault.to_string()),
    }
}

fn number(order: &Order) -> Result<OrderNumber, ProviderError> {
    OrderNumber::new(&order.number).map_err(|fault| ProviderError::Refused(format!("nothing was sent: {fault}")))
}

/// What a trade says of the order that was asked about.
fn heard(order: &Order, trade: wire::Trade, app: &wire::App) -> Result<Heard, ProviderError> {
    let number = number(order)?;
    let expected =
        wire::Expected { app_id: app.app_id(), seller_id: app.seller_id(), order: &number, total: order.amount };
    if let Err(fault @ wire::Mismatch::OtherOrder) = trade.check(&expected) {
        return Err(ProviderError::Unsound(fault.to_string()));
    }
    let evidence = |trade: wire::Trade| {
        let discount = trade.received.and_then(|received| trade.total.minus(received).ok());
        Ok::<Evidence, ProviderError>(Evidence {
            merchant: app.seller_id().to_owned(),
            transaction: trade.trade_no,
            amount: trade.total,
            paid_at: trade.paid_at.ok_or_else(|| ProviderError::Unsound("paid, and nobody knows when".into()))?,
            application: Application::Ours,
            discount: discount.filter(|discount| discount.is_positive()),
            back: Back::Refund,
        })
    };
    Ok(match trade.state {
        wire::TradeState::Open => Heard::NotPaid,
        wire::TradeState::Closed => Heard::Ended,
        // Nobody refunds a payment by code that is not captured, but its cancel.
        wire::TradeState::RefundedInFull if order.way == Way::Code => {
            Heard::Paid(Evidence { back: Back::Reversal, ..evidence(trade)? })
        }
        wire::TradeState::Paid | wire::TradeState::Finished | wire::TradeState::RefundedInFull => {
            Heard::Paid(evidence(trade)?)
        }
    })
}
