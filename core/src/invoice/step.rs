//! The steps of an invoice: pending, issued, failed; its number, given in the same change that issues it, so that none is
//! ever missing; and its way out of the queue of exports. Each step may be told twice.

use chrono::{DateTime, Utc};

use super::record::{Invoice, InvoiceKind, InvoiceNumber, InvoiceSeries, InvoiceState};
use super::request::{InvoiceRefusal, release};
use crate::record::{Cause, Change, ChangeKind, Kept, Records};

/// Where a number comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbering {
    /// The next one of a series of our own.
    Next {
        /// Its name, such as `R2026`.
        series: String,
    },
    /// The provider gave it.
    Given(String),
}

pub(super) fn change_of(invoice: &Kept<Invoice>, now: DateTime<Utc>) -> Change {
    let key = invoice.record.id.to_string();
    let mut change = Change::new(ChangeKind::InvoiceMoved, now, Cause::Box(format!("invoice {key}")));
    change.rely_on(&key, Some(invoice));
    change
}

fn waits(invoice: &Invoice) -> Option<()> {
    matches!(invoice.state, InvoiceState::Requested | InvoiceState::Pending).then_some(())
}

/// The provider is at it.
pub fn pending(invoice: &Kept<Invoice>, now: DateTime<Utc>) -> Option<Change> {
    if invoice.record.state != InvoiceState::Requested {
        return None;
    }
    let mut change = change_of(invoice, now);
    Invoice { state: InvoiceState::Pending, ..invoice.record.clone() }.write(&mut change);
    Some(change)
}

/// Gives an invoice its number, in `change`.
pub(super) fn number(
    invoice: Invoice,
    numbering: &Numbering,
    now: DateTime<Utc>,
    change: &mut Change,
    records: &impl Records,
) -> Result<Invoice, InvoiceRefusal> {
    let number = match numbering {
        Numbering::Given(number) => number.clone(),
        Numbering::Next { series } => {
            let kept: Option<Kept<InvoiceSeries>> = records.get(series)?;
            change.rely_on(series, kept.as_ref());
            let next = kept.map_or(0, |kept| kept.record.last) + 1;
            change.put(&InvoiceSeries { series: series.clone(), last: next });
            format!("{series}-{next:08}")
        }
    };
    change.rely_on::<InvoiceNumber>(&number, None);
    change.put(&InvoiceNumber { number: number.clone(), invoice: invoice.id, exported_at: None });
    let issued = Invoice { state: InvoiceState::Issued, number: Some(number), issued_at: Some(now), ..invoice };
    issued.write(change);
    Ok(issued)
}

/// A blue invoice is issued. Told again, there is nothing to do.
pub fn issued(
    invoice: &Kept<Invoice>,
    numbering: &Numbering,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<(Change, Invoice)>, InvoiceRefusal> {
    if waits(&invoice.record).is_none() || invoice.record.kind != InvoiceKind::Blue {
        return Ok(None);
    }
    let mut change = change_of(invoice, now);
    let issued = number(invoice.record.clone(), numbering, now, &mut change, records)?;
    Ok(Some((change, issued)))
}

/// The provider refused a blue invoice: what it was about can be invoiced again, and no number is lost.
pub fn failed(
    invoice: &Kept<Invoice>,
    why: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<Change>, InvoiceRefusal> {
    if waits(&invoice.record).is_none() || invoice.record.kind != InvoiceKind::Blue {
        return Ok(None);
    }
    let mut change = change_of(invoice, now);
    release(&invoice.record, &mut change, records)?;
    let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
    Invoice { state: InvoiceState::Failed(why), ..invoice.record.clone() }.write(&mut change);
    Ok(Some(change))
}

/// Notes which numbers have been exported. Those that were before keep their day.
pub fn exported(numbers: &[Kept<InvoiceNumber>], by: &str, now: DateTime<Utc>) -> Option<Change> {
    let cause = Cause::Person { name: by.to_owned(), reason: "invoices exported".to_owned() };
    let mut change = Change::new(ChangeKind::InvoicesExported, now, cause);
    for kept in numbers.iter().filter(|kept| kept.record.exported_at.is_none()) {
        change.rely_on(&kept.record.number, Some(kept));
        change.put(&InvoiceNumber { exported_at: Some(now), ..kept.record.clone() });
    }
    (!change.ops.is_empty()).then_some(change)
}
