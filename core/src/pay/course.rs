//! The course of an order: when to ask the provider again, and what follows from its answer. Asking is the way to correctness;
//! a callback only makes it sooner. An order that shall end is asked about, closed, and asked about again: only then is it over.

use chrono::{DateTime, TimeDelta, Utc};

use super::capture::Evidence;
use super::{Ending, Order, OrderState, Way};
use crate::record::{Cause, Change, ChangeKind, Kept, Table};

/// An order is asked about this often at first.
const EVERY: TimeDelta = TimeDelta::seconds(2);
/// For so long; later more and more seldom.
const EVERY_FOR: TimeDelta = TimeDelta::seconds(60);
/// And at least this often.
const SELDOM: TimeDelta = TimeDelta::seconds(30);
/// The provider's clock is not ours: an order is looked at for the last time so long after it has expired.
pub const LAST_LOOK_AFTER: TimeDelta = TimeDelta::seconds(5);
/// What the provider says of an amount or an application that are not the order's is believed when it has said so this often:
/// money is put into suspense because of it.
pub const DIFFERING_ANSWERS: u32 = 5;

/// What the provider says of an order, verified by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It does not know the order. At Alipay its code can be paid all the same.
    Unknown,
    /// Not paid; it can be.
    NotPaid,
    /// Its payer is typing a password.
    Paying,
    /// Not paid; it never will be.
    Ended,
    /// Paid, be it that a reversal has sent it back.
    Paid(Evidence),
}

/// What has been done about an order before this answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Nothing.
    Nothing,
    /// It was closed or reversed, as far as the provider let us.
    Close,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Ask again later.
    Wait,
    /// Close it, then ask again.
    Close,
    /// Take the payment by code back, then ask again.
    Reverse,
    /// Money came: capture it.
    Capture(Evidence),
    /// It ended unpaid, for good.
    End,
    /// It counts as closed; it is looked at until it has expired, and what is paid meanwhile goes back.
    Leave,
}

/// When an order is to be asked about again, having been asked about at `asked_at`.
pub fn ask_again_at(order: &Order, asked_at: DateTime<Utc>) -> DateTime<Utc> {
    let age = asked_at - order.made_at;
    let pause = if age < EVERY_FOR { EVERY } else { (age / 12).clamp(EVERY, SELDOM) };
    let last_look = order.expires_at + LAST_LOOK_AFTER;
    let next = asked_at + pause;
    if asked_at < last_look && next > last_look { last_look } else { next }
}

/// What to do, given what was heard. `asked_at` is when the question went out: an answer tells how it was then.
pub fn act(order: &Order, heard: Heard, tried: Tried, asked_at: DateTime<Utc>) -> Act {
    let over = asked_at > order.expires_at;
    let shall_end = over || order.ending.is_some() || order.state == OrderState::Closed;
    match (heard, tried) {
        (Heard::Paid(evidence), _) => Act::Capture(evidence),
        (Heard::Ended, _) => Act::End,
        _ if !shall_end => Act::Wait,
        (_, Tried::Nothing) if order.way == Way::Code => Act::Reverse,
        // What nobody has heard of cannot be paid after its time, and a code that was taken back is worth nothing.
        (Heard::Unknown, _) if over || order.way == Way::Code => Act::End,
        (_, Tried::Nothing) => Act::Close,
        (Heard::Unknown, Tried::Close) => Act::Leave,
        (Heard::NotPaid | Heard::Paying, Tried::Close) => Act::Wait,
    }
}

fn ended(order: &Kept<Order>, now: DateTime<Utc>) -> (Change, Order) {
    let mut change = Change::new(ChangeKind::OrderEnded, now, Cause::Time);
    change.rely_on(&order.record.id.to_string(), Some(order));
    let mut record = order.record.clone();
    if record.state == OrderState::Pending {
        record.state = if record.ending.is_some() { OrderState::Closed } else { OrderState::Expired };
        record.ended_at = Some(now);
    }
    (change, record)
}

/// The provider says that the order was not paid and never will be. What was paid stays paid: then there is nothing to do.
pub fn end(order: &Kept<Order>, now: DateTime<Utc>) -> Option<Change> {
    if !matches!(order.record.state, OrderState::Pending | OrderState::Closed) {
        return None;
    }
    let (mut change, record) = ended(order, now);
    if record != order.record {
        change.put(&record);
    }
    change.delete(Table::OpenOrders, &record.id.to_string());
    Some(change)
}

/// The same, where the time alone says so: the provider of these orders keeps none that are over.
pub fn expire(order: &Kept<Order>, now: DateTime<Utc>) -> Option<Change> {
    if order.record.state == OrderState::Pending { end(order, now) } else { None }
}

/// The order counts as closed although the provider could not say so: it is looked after until it cannot be paid any more.
pub fn leave(order: &Kept<Order>, now: DateTime<Utc>) -> Option<Change> {
    if order.record.state != OrderState::Pending {
        return None;
    }
    let (mut change, record) = ended(order, now);
    change.put(&Order { state: OrderState::Closed, ..record });
    Some(change)
}

/// The order is to end before its time. On record before the provider is told, so that a crash in between ends it too.
pub fn end_early(order: &Kept<Order>, why: Ending, now: DateTime<Utc>) -> Option<Change> {
    if order.record.state != OrderState::Pending || order.record.ending.is_some() {
        return None;
    }
    let mut change = Change::new(ChangeKind::OrderEnded, now, Cause::Driver);
    change.rely_on(&order.record.id.to_string(), Some(order));
    change.put(&Order { ending: Some(why), ..order.record.clone() });
    Some(change)
}
