//! Money under a number that we gave and our records do not have: an old backup was put back, and what was made after it is
//! known to the provider alone. It is captured once, in suspense, under an order that says no more than that.

use chrono::{DateTime, Utc};

use super::capture::Evidence;
use super::case::note_suspense;
use super::{NumberedOrder, Order, OrderState, Payable, Payment, Terms, Way};
use crate::books;
use crate::id::{IdKey, OrderId};
use crate::money::Money;
use crate::record::{Cause, Change, ChangeKind, ReadError, Records};

/// Books a payment of an order that nobody remembers; `None` when it is on record already.
pub fn found(
    provider: &str,
    number: &str,
    evidence: &Evidence,
    now: DateTime<Utc>,
    key: &IdKey,
    records: &impl Records,
) -> Result<Option<(Change, Payment)>, ReadError> {
    let payment_key = Payment::key_of(provider, &evidence.merchant, &evidence.transaction);
    let id = OrderId::derive(key, &[provider, &evidence.merchant, number]);
    if records.get::<Payment>(&payment_key)?.is_some() || records.get::<Order>(&id.to_string())?.is_some() {
        return Ok(None);
    }
    let order = Order {
        id,
        number: number.to_owned(),
        pays: Payable::Unknown {},
        provider: provider.to_owned(),
        merchant: evidence.merchant.clone(),
        way: Way::default(),
        terms: Terms::default(),
        amount: evidence.amount,
        made_at: evidence.paid_at,
        expires_at: evidence.paid_at,
        state: OrderState::Paid,
        ending: None,
        ended_at: None,
        transaction: Some(evidence.transaction.clone()),
    };
    let zero = Money::zero(evidence.amount.currency());
    let payment = Payment {
        provider: provider.to_owned(),
        merchant: evidence.merchant.clone(),
        transaction: evidence.transaction.clone(),
        order: id,
        amount: evidence.amount,
        paid_at: evidence.paid_at,
        to_bill: zero,
        excess: zero,
        suspense: evidence.amount,
        discount: evidence.discount,
    };
    let mut change = Change::new(ChangeKind::PaymentCaptured, now, Cause::Payment(id.to_string()));
    change.rely_on::<Payment>(&payment_key, None);
    change.rely_on::<Order>(&id.to_string(), None);
    change.postings.extend(books::captured(provider, zero, zero, evidence.amount));
    change.postings.extend(books::never_settled(provider, evidence.discount));
    let numbered = NumberedOrder { provider: provider.to_owned(), number: number.to_owned(), order: id };
    change.put(&numbered);
    change.put(&order);
    change.put(&payment);
    note_suspense(&order, &payment, &mut change);
    Ok(Some((change, payment)))
}
