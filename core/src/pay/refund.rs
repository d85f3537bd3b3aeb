//! Refunds: intended before they are asked for, asked for under one number, posted when the provider has done them.

use chrono::{DateTime, TimeDelta, Utc};

use super::case::{note_stuck, settle_stuck};
use super::{Order, OrderState, Refund, RefundState};
use crate::books;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Records, Table};

/// So many numbers a refund gets at most.
pub const MOST_NUMBERS: u32 = 5;
/// A refund is asked about this often at first, later no more often than the next, and this often while a person has to act.
const EVERY: TimeDelta = TimeDelta::seconds(2);
const SELDOM: TimeDelta = TimeDelta::seconds(60);
const STUCK_EVERY: TimeDelta = TimeDelta::minutes(10);

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
    settle_stuck(&refund.record, &mut change, records)?;
    Ok(Some(change))
}

/// When to ask about a refund again, having asked at `asked_at`: soon at first, then more and more seldom.
pub fn ask_refund_again_at(refund: &Refund, asked_at: DateTime<Utc>) -> DateTime<Utc> {
    let pause = match refund.state {
        RefundState::Abnormal => STUCK_EVERY,
        _ => ((asked_at - refund.made_at) / 8).clamp(EVERY, SELDOM),
    };
    asked_at + pause
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

/// The provider has accepted it: from now on it is asked about, not asked for.
pub fn refund_accepted(refund: &Kept<Refund>, now: DateTime<Utc>) -> Option<Change> {
    moved(refund, now, RefundState::Accepted, |state| state == RefundState::Requested)
}

/// The payer's account does not take it, or it does not come to an end: a person has to act at the provider, and a case says so.
/// Not final.
pub fn refund_stuck(refund: &Kept<Refund>, now: DateTime<Utc>) -> Option<Change> {
    let open = |state| matches!(state, RefundState::Requested | RefundState::Accepted);
    let mut change = moved(refund, now, RefundState::Abnormal, open)?;
    note_stuck(&refund.record, &mut change);
    Some(change)
}

/// The provider said, asked about this very number, that it is closed: only now a new one is taken. After
/// [`MOST_NUMBERS`] a person has to look.
pub fn refund_closed(refund: &Kept<Refund>, now: DateTime<Utc>) -> Option<Change> {
    if refund.record.closed + 1 >= MOST_NUMBERS {
        return refund_stuck(refund, now);
    }
    if refund.record.state == RefundState::Done {
        return None;
    }
    let mut change = change(refund, now);
    let closed = refund.record.closed + 1;
    change.put(&Refund { state: RefundState::Requested, closed, ..refund.record.clone() });
    Some(change)
}

fn moved(
    refund: &Kept<Refund>,
    now: DateTime<Utc>,
    to: RefundState,
    from: impl Fn(RefundState) -> bool,
) -> Option<Change> {
    if !from(refund.record.state) {
        return None;
    }
    let mut change = change(refund, now);
    change.put(&Refund { state: to, ..refund.record.clone() });
    Some(change)
}
