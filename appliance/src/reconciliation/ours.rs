//! The books' rows of one provider around a day: payments captured and refunds, without what another day's statement has
//! matched already.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tollhouse_core::id::{IdKey, RefundId};
use tollhouse_core::pay::{Back, Order, Payment, Refund, RefundState};
use tollhouse_core::reconciliation::{Carried, Class, Done, Key, Kind, Origin, Ours, Reconciled, Theirs};
use tollhouse_core::record::{ReadError, Record, Records};

/// Records read at once.
const PAGE: usize = 1_000;
/// Rows of the days beside it are looked at too, for the sake of midnight.
const AROUND: TimeDelta = TimeDelta::days(1);

/// Which day of whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'w> {
    pub(super) provider: &'w str,
    pub(super) merchant: &'w str,
    pub(super) day: NaiveDate,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// What the books have.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) rows: Vec<Ours>,
    /// Numbers of orders of which a payment is on record.
    pub(super) captured: BTreeSet<String>,
}

/// The id under which a refund is booked that was made in the provider's console.
pub(super) fn console_refund(key: &IdKey, provider: &str, row: &Key) -> RefundId {
    RefundId::derive(key, &["console", provider, &row.text()])
}

pub(super) fn each<T: Record>(
    records: &impl Records,
    prefix: &str,
    mut look: impl FnMut(T) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut from = prefix.to_owned();
    loop {
        let page = records.list::<T>(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            let key = kept.record.key();
            if !key.starts_with(prefix) {
                return Ok(());
            }
            from = format!("{key}\u{0}");
            look(kept.record)?;
        }
        if !full {
            return Ok(());
        }
    }
}

/// Gathers the books' rows; `theirs` tells which refunds were booked from the console.
pub(super) fn gather(
    whose: &Whose<'_>,
    theirs: &[Theirs],
    key: &IdKey,
    records: &impl Records,
) -> Result<Books, ReadError> {
    let mut books = Books::default();
    let near = |at: DateTime<Utc>| whose.from - AROUND <= at && at < whose.until + AROUND;
    let prefix = format!("{}/{}/", whose.provider, whose.merchant);
    let wanted: BTreeSet<&str> = theirs.iter().map(|row| row.key.order.as_str()).collect();
    let mut transactions: BTreeMap<String, String> = BTreeMap::new();
    each::<Payment>(records, &prefix, |payment| {
        let number = number_of(&payment, records)?;
        transactions.insert(payment.order.to_string(), payment.transaction.clone());
        if wanted.contains(number.as_str()) {
            books.captured.insert(number.clone());
        }
        if near(payment.paid_at) {
            let key = Key {
                kind: Kind::Paid,
                transaction: payment.transaction.clone(),
                order: number,
                refund: String::new(),
            };
            let record = format!("{}/{}", Payment::TABLE.name(), payment.key());
            add(
                &mut books.rows,
                whose,
                (payment.paid_at, key, payment.amount),
                (Done::Yes, Origin::Ours),
                record,
                records,
            )?;
        }
        Ok(())
    })?;
    let console: BTreeMap<RefundId, &Key> = theirs
        .iter()
        .filter(|row| row.key.kind != Kind::Paid)
        .map(|row| (console_refund(key, whose.provider, &row.key), &row.key))
        .collect();
    each::<Refund>(records, "", |refund| {
        refund_row(&mut books.rows, whose, &refund, &console, &transactions, records)
    })?;
    Ok(books)
}

fn number_of(payment: &Payment, records: &impl Records) -> Result<String, ReadError> {
    let order = records.get::<Order>(&payment.order.to_string())?;
    Ok(order.map_or_else(String::new, |kept| kept.record.number))
}

fn refund_row(
    rows: &mut Vec<Ours>,
    whose: &Whose<'_>,
    refund: &Refund,
    console: &BTreeMap<RefundId, &Key>,
    transactions: &BTreeMap<String, String>,
    records: &impl Records,
) -> Result<(), ReadError> {
    let at = refund.done_at.unwrap_or(refund.made_at);
    let known = console.get(&refund.id);
    // A refund that is asked for may be done by any later statement.
    let old = at < whose.from - AROUND && refund.state == RefundState::Done;
    if (old && known.is_none()) || at >= whose.until + AROUND {
        return Ok(());
    }
    let Some(order) = records.get::<Order>(&refund.order.to_string())? else { return Ok(()) };
    if order.record.provider != whose.provider || order.record.merchant != whose.merchant {
        return Ok(());
    }
    let transaction = transactions.get(&refund.order.to_string()).cloned().or(order.record.transaction);
    let (key, origin) = if let Some(key) = known {
        ((*key).clone(), Origin::Console)
    } else {
        let (transaction, order) = (transaction.unwrap_or_default(), order.record.number);
        let (kind, number) = match refund.back {
            Back::Refund => (Kind::Refund, refund.number()),
            Back::Reversal => (Kind::Reversed, String::new()),
        };
        (Key { kind, transaction, order, refund: number }, Origin::Ours)
    };
    let done = if refund.state == RefundState::Done { Done::Yes } else { Done::NotYet };
    let record = format!("{}/{}", Refund::TABLE.name(), refund.id);
    add(rows, whose, (at, key, refund.amount), (done, origin), record, records)
}

/// Adds a row, unless another day's statement has it.
fn add(
    rows: &mut Vec<Ours>,
    whose: &Whose<'_>,
    (at, key, amount): (DateTime<Utc>, Key, tollhouse_core::money::Money),
    (done, origin): (Done, Origin),
    record: String,
    records: &impl Records,
) -> Result<(), ReadError> {
    let marked = records.get::<Reconciled>(&Reconciled::key_of(whose.provider, &key.text()))?.map(|kept| kept.record);
    let carried = match marked {
        // This day's own mark, or none: as it comes.
        None => Carried::No,
        Some(mark) if mark.carried_from == Some(whose.day) => Carried::No,
        Some(mark) if mark.day == whose.day && mark.carried_from.is_some() => Carried::Over,
        Some(mark) if mark.class == Class::CarriedToNextDay && mark.day.succ_opt() == Some(whose.day) => Carried::Over,
        Some(mark) if mark.day == whose.day => Carried::No,
        Some(_) => return Ok(()),
    };
    rows.push(Ours { at, key, amount, done, origin, carried, record });
    Ok(())
}
