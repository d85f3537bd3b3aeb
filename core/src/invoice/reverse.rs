//! The red-letter reversal (红冲): an invoice of its own, with negative lines and a number of its own. It may wait for a
//! confirmation, and that may lapse; no refund ever waits for it.

use chrono::{DateTime, Utc};

use super::record::{Invoice, InvoiceKind, InvoiceState, Reversal, ReversalState};
use super::request::{InvoiceRefusal, release};
use super::step::{Numbering, change_of, number};
use crate::id::InvoiceId;
use crate::record::{Cause, Change, ChangeKind, Kept, Records};

const MOST_REASON_CHARS: usize = 200;

/// Asks for the reversal of an issued invoice: its red-letter one is on record before any provider hears of it.
pub fn reverse(
    invoice: &Kept<Invoice>,
    red: InvoiceId,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(Change, Invoice), InvoiceRefusal> {
    let before = &invoice.record;
    let again = before.reversal.as_ref().is_none_or(|reversal| reversal.state == ReversalState::Lapsed);
    if before.kind != InvoiceKind::Blue || before.state != InvoiceState::Issued || !again {
        return Err(InvoiceRefusal::NotReversible);
    }
    let length = reason.trim().chars().count();
    if length == 0 || length > MOST_REASON_CHARS {
        return Err(InvoiceRefusal::Remark);
    }
    let cause = Cause::Person { name: by.to_owned(), reason: reason.to_owned() };
    let mut change = Change::new(ChangeKind::InvoiceMoved, now, cause);
    change.rely_on(&before.id.to_string(), Some(invoice));
    change.rely_on::<Invoice>(&red.to_string(), None);
    let mut lines = before.lines.clone();
    for line in &mut lines {
        line.gross = line.gross.negated();
        line.tax = line.tax.negated();
    }
    let number = before.number.as_deref().unwrap_or_default();
    let reversing = Invoice {
        id: red,
        kind: InvoiceKind::Red { of: before.id },
        lines,
        total: before.total.negated(),
        tax: before.tax.negated(),
        remark: format!("红字，对应 {number}"),
        state: InvoiceState::Requested,
        number: None,
        requested_at: now,
        requested_by: by.to_owned(),
        issued_at: None,
        reversal: None,
        ..before.clone()
    };
    reversing.write(&mut change);
    let reversal = Reversal { red, state: ReversalState::Requested, reason: reason.to_owned() };
    Invoice { reversal: Some(reversal), ..before.clone() }.write(&mut change);
    Ok((change, reversing))
}

fn of_red(red: &Kept<Invoice>, change: &mut Change, records: &impl Records) -> Result<Option<Invoice>, InvoiceRefusal> {
    let InvoiceKind::Red { of } = red.record.kind else { return Ok(None) };
    if !matches!(red.record.state, InvoiceState::Requested | InvoiceState::Pending) {
        return Ok(None);
    }
    let key = of.to_string();
    let original: Kept<Invoice> = records.get(&key)?.ok_or(InvoiceRefusal::Unknown)?;
    change.rely_on(&key, Some(&original));
    Ok(Some(original.record))
}

fn with_reversal(original: Invoice, state: ReversalState) -> Invoice {
    let reversal = original.reversal.map(|reversal| Reversal { state, ..reversal });
    Invoice { reversal, ..original }
}

/// The reversal is confirmed: the red invoice has its number, and what the blue one was about can be invoiced again.
pub fn reversal_confirmed(
    red: &Kept<Invoice>,
    numbering: &Numbering,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<(Change, Invoice)>, InvoiceRefusal> {
    let mut change = change_of(red, now);
    let Some(original) = of_red(red, &mut change, records)? else { return Ok(None) };
    release(&original, &mut change, records)?;
    Invoice { state: InvoiceState::Reversed, ..with_reversal(original, ReversalState::Confirmed) }.write(&mut change);
    let issued = number(red.record.clone(), numbering, now, &mut change, records)?;
    Ok(Some((change, issued)))
}

/// Nobody confirmed it in time, or the provider refused: the blue invoice stands, and can be reversed again.
pub fn reversal_lapsed(
    red: &Kept<Invoice>,
    why: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<Change>, InvoiceRefusal> {
    let mut change = change_of(red, now);
    let Some(original) = of_red(red, &mut change, records)? else { return Ok(None) };
    with_reversal(original, ReversalState::Lapsed).write(&mut change);
    let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
    Invoice { state: InvoiceState::Failed(why), ..red.record.clone() }.write(&mut change);
    Ok(Some(change))
}
