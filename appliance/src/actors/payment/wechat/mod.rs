//! WeChat Pay as a provider: one merchant number, its requests, their answers, its callbacks and statements.
//!
//! Owns which call is sent and what its answer means for an order; the bytes are `tollhouse_providers::wechat`'s, the line is
//! [`speaker`]'s. It decides nothing about money.

mod account;
mod callback;
mod speaker;

pub use account::{Identity, PlatformKeys, WeChat};

use tollhouse_core::pay::{Application, Back, Evidence, Heard, Order, Way};
use tollhouse_providers::wechat as wire;
use tollhouse_providers::{Malformed, OrderNumber, RequestError};

use super::provider::ProviderError;

/// The provider's name in orders and on the wire.
pub const WECHAT: &str = "wechat";

fn unsound(fault: &Malformed) -> ProviderError {
    ProviderError::Unsound(fault.to_string())
}

fn ours(fault: &RequestError) -> ProviderError {
    ProviderError::Refused(format!("nothing was sent: {fault}"))
}

/// What is not said to be final counts as unknown.
fn refused(refused: &wire::Refused) -> ProviderError {
    match refused.refusal {
        wire::Refusal::Unknown | wire::Refusal::TooOften => ProviderError::Unsound(refused.to_string()),
        wire::Refusal::Ours => {
            tracing::error!(%refused, "WeChat Pay does not take what the box sends: check [[payment_accounts]]");
            ProviderError::Refused(refused.to_string())
        }
        _ => ProviderError::Refused(refused.to_string()),
    }
}

fn number(order: &Order) -> Result<OrderNumber, ProviderError> {
    OrderNumber::new(&order.number).map_err(|fault| ProviderError::Refused(format!("nothing was sent: {fault}")))
}

/// What a transaction says of the order that was asked about.
fn heard(order: &Order, told: wire::Transaction, merchant: &wire::Merchant) -> Result<Heard, ProviderError> {
    let number = number(order)?;
    let expected =
        wire::Expected { appid: merchant.appid(), mchid: merchant.mchid(), order: &number, total: order.amount };
    let application = match told.check(&expected) {
        Ok(()) | Err(wire::Mismatch::OtherAmount | wire::Mismatch::OtherCurrency) => Application::Ours,
        Err(wire::Mismatch::OtherApplication) => Application::Other,
        Err(wire::Mismatch::ForeignMerchant) => return Err(ProviderError::ForeignMerchant),
        Err(fault @ wire::Mismatch::OtherOrder) => return Err(ProviderError::Unsound(fault.to_string())),
    };
    let evidence = |payment: wire::Payment| Evidence {
        merchant: merchant.mchid().to_owned(),
        discount: payment.total.minus(payment.settled()).ok().filter(|discount| discount.is_positive()),
        transaction: payment.transaction_id,
        amount: payment.total,
        paid_at: payment.paid_at,
        application,
        back: Back::Refund,
    };
    Ok(match told.state {
        // Nobody refunds a payment by code that is not captured, but its reversal.
        wire::TransactionState::Refunded(payment) if order.way == Way::Code => {
            Heard::Paid(Evidence { back: Back::Reversal, ..evidence(payment) })
        }
        wire::TransactionState::Paid(payment) | wire::TransactionState::Refunded(payment) => {
            Heard::Paid(evidence(payment))
        }
        wire::TransactionState::NotPaid | wire::TransactionState::PayError => Heard::NotPaid,
        wire::TransactionState::UserPaying => Heard::Paying,
        wire::TransactionState::Closed | wire::TransactionState::Revoked => Heard::Ended,
    })
}
