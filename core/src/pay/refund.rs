//! Refunds: intended before they are asked for, asked for under one number, posted when the provider has done them.

use chrono::{DateTime, Utc};

use super::{Order, OrderState, Refund, RefundState};
use crate::books;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Records, Table};

fn change(refund: &Kept<Refund>, now: DateTime<Utc>) -> Change {
    let key = refund.record.id.to_string();
    let mut change = Change::new(ChangeKind::RefundMoved, now, Cause::Payment(key.clone()));
    change.rely_on(&key, Some(refund));
    change
}

/// The provider has given the money back. Said twice, it is posted once.
pub fn refund_done(
    refund: &Kept<Refund>,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<Change>, ReadError> {
    if refund.record.state == RefundState::Done {
        return Ok(None);
    }
    let mut change = change(refund, now);
    let order_key = refund.record.order.to_string();
    if let Some(order) = records.get::<Order>(&order_key)? {
        change.rely_on(&order_key, Some(&order));
        change.postings = books::refunded(&order.record.provider, refund.record.amount);
        if refund.record.amount == order.record.amount {
            change.put(&Order { state: OrderState::Refunded, ..order.record });
        }
    }
    change.put(&Refund { state: RefundState::Done, done_at: Some(now), ..refund.record.clone() });
    change.delete(Table::OpenRefunds, &refund.record.id.to_string());
    Ok(Some(change))
}

/// The provider did not do it: counted, and asked for again under the same number. A refund that is done stays done,
/// whatever is said of it later.
pub fn refund_failed(refund: &Kept<Refund>, now: DateTime<Utc>) -> Option<Change> {
    if refund.record.state == RefundState::Done {
        return None;
    }
    let mut change = change(refund, now);
    change.put(&Refund { attempts: refund.record.attempts.saturating_add(1), ..refund.record.clone() });
    Some(change)
}
