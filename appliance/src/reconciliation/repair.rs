//! Booking what a statement proves: a payment whose news never came, a refund that is done, one that was made in the
//! provider's console. Each through the function that any other news of it goes through, so that it is booked once.

use chrono::{DateTime, Utc};
use tollhouse_core::books::{Account, Posting};
use tollhouse_core::cash::IN_THE_CONSOLE;
use tollhouse_core::id::IdKey;
use tollhouse_core::pay::{self, Application, Back, Captured, Evidence, NumberedOrder, Order, Refund, RefundState};
use tollhouse_core::reconciliation::{Class, Classed, Kind, Ours, Theirs};
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, ReadError, Records};
use tollhouse_core::tariff::TariffBook;

use super::ours::console_refund;

/// Under what repairs are made.
pub(super) struct Repairs<'r> {
    pub(super) provider: &'r str,
    pub(super) tariff: &'r TariffBook,
    pub(super) key: &'r IdKey,
    pub(super) zone: chrono_tz::Tz,
    pub(super) now: DateTime<Utc>,
}

/// What could be repaired of these rows; `None`: nothing, or not by this evidence.
pub(super) fn change_for(
    classed: &Classed,
    theirs: &[Theirs],
    ours: &[Ours],
    repairs: &Repairs<'_>,
    records: &impl Records,
) -> Result<Option<Change>, String> {
    let Some(row) = classed.theirs.map(|place| &theirs[place]) else { return Ok(None) };
    let known = classed.ours.map(|place| &ours[place]);
    match (classed.class, row.key.kind, known) {
        (Class::MissingWithUs, Kind::Paid, None) => capture(row, repairs, records),
        (Class::MissingWithUs, Kind::Refund, Some(ours)) => {
            done(ours, repairs, records).map_err(|fault| fault.to_string())
        }
        (Class::RefundedInConsole, _, None) => from_console(row, repairs, records).map_err(|fault| fault.to_string()),
        _ => Ok(None),
    }
}

fn order_of(row: &Theirs, repairs: &Repairs<'_>, records: &impl Records) -> Result<Option<Kept<Order>>, ReadError> {
    let numbered = records.get::<NumberedOrder>(&NumberedOrder::key_of(repairs.provider, &row.key.order))?;
    match numbered {
        Some(numbered) => records.get::<Order>(&numbered.record.order.to_string()),
        None => Ok(None),
    }
}

/// A payment of an order of ours that we never heard of.
fn capture(row: &Theirs, repairs: &Repairs<'_>, records: &impl Records) -> Result<Option<Change>, String> {
    let read = |fault: ReadError| fault.to_string();
    let Some(order) = order_of(row, repairs, records).map_err(read)? else { return Ok(None) };
    let kept_back = row.amount.minus(row.settled).map_err(|fault| fault.to_string())?;
    let evidence = Evidence {
        merchant: row.merchant.clone(),
        transaction: row.key.transaction.clone(),
        amount: row.amount,
        paid_at: row.at,
        application: Application::Ours,
        discount: kept_back.is_positive().then_some(kept_back),
        back: Back::Refund,
    };
    let today = repairs.now.with_timezone(&repairs.zone).date_naive();
    let captured = pay::capture(&order, &evidence, repairs.tariff, repairs.now, today, repairs.key, records);
    match captured.map_err(|fault| fault.to_string())? {
        Captured::Before => Ok(None),
        Captured::Now(change, _) => Ok(Some(*change)),
    }
}

/// A refund of ours that the statement says is done.
fn done(ours: &Ours, repairs: &Repairs<'_>, records: &impl Records) -> Result<Option<Change>, ReadError> {
    let Some((_, id)) = ours.record.split_once('/') else { return Ok(None) };
    let Some(refund) = records.get::<Refund>(id)? else { return Ok(None) };
    pay::refund_done(&refund, repairs.now, records)
}

/// A refund that somebody made in the provider's console: the money is gone for certain, so it leaves clearing; what it was
/// for a person has to say, so it waits in suspense.
fn from_console(row: &Theirs, repairs: &Repairs<'_>, records: &impl Records) -> Result<Option<Change>, ReadError> {
    let Some(order) = order_of(row, repairs, records)? else { return Ok(None) };
    let id = console_refund(repairs.key, repairs.provider, &row.key);
    let key = id.to_string();
    if records.get::<Refund>(&key)?.is_some() {
        return Ok(None);
    }
    let mut change = Change::new(ChangeKind::RefundMoved, repairs.now, Cause::Payment(key.clone()));
    change.rely_on::<Refund>(&key, None);
    change.postings.extend([
        Posting::debit(Account::Suspense, row.amount),
        Posting::credit(Account::Clearing(repairs.provider.to_owned()), row.amount),
    ]);
    change.put(&Refund {
        id,
        order: order.record.id,
        amount: row.amount,
        state: RefundState::Done,
        reason: IN_THE_CONSOLE.to_owned(),
        made_at: row.at,
        done_at: Some(row.at),
        attempts: 0,
        closed: 0,
        back: Back::Refund,
        explained: None,
    });
    Ok(Some(change))
}
