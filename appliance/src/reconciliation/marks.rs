//! What a day's matching leaves behind: marks on the books' rows that it settles, and the end of differences that are gone.

use std::collections::BTreeSet;

use tollhouse_core::id::DifferenceId;
use tollhouse_core::reconciliation::{
    Carried, Class, Difference, Done, Handling, HandlingState, Reconciled, Reconciliation,
};
use tollhouse_core::record::{Change, ReadError, Records, Table};

use super::desk::Found;
use super::ours::Whose;
use crate::store::Snapshot;

/// Rows of the books that this day's statement settles, so that no other day's does.
pub(super) fn marks(whose: &Whose<'_>, found: &Found, records: &Snapshot) -> Result<Vec<Reconciled>, ReadError> {
    let mut marks = vec![];
    for one in &found.classed {
        let Some(ours) = one.ours.map(|place| &found.books.rows[place]) else { continue };
        if one.class == Class::MissingWithThem || ours.done == Done::NotYet {
            continue;
        }
        let row = ours.key.text();
        let known = records.get::<Reconciled>(&Reconciled::key_of(whose.provider, &row))?.map(|kept| kept.record);
        // What was left to the next day and matched there stays matched there.
        if known.as_ref().is_some_and(|known| known.carried_from == Some(whose.day)) {
            continue;
        }
        let carried_from = if ours.carried == Carried::Over { whose.day.pred_opt() } else { None };
        let mark =
            Reconciled { provider: whose.provider.to_owned(), row, day: whose.day, class: one.class, carried_from };
        if known.as_ref() != Some(&mark) {
            marks.push(mark);
        }
    }
    Ok(marks)
}

/// Differences that are there no longer: forgotten, or resolved if somebody had them.
pub(super) fn settle_gone(
    change: &mut Change,
    before: Option<&Reconciliation>,
    now: &[Difference],
    records: &Snapshot,
) -> Result<(), ReadError> {
    let still: BTreeSet<DifferenceId> = now.iter().map(|difference| difference.id).collect();
    let was = before.map(|before| before.differences.as_slice()).unwrap_or_default();
    for id in was.iter().filter(|id| !still.contains(id)) {
        let key = id.to_string();
        match records.get::<Handling>(&key)? {
            None => change.delete(Table::Differences, &key),
            Some(kept) if kept.record.state != HandlingState::Resolved => {
                change.rely_on(&key, Some(&kept));
                let mut handling = kept.record;
                handling.state = HandlingState::Resolved;
                handling.note(change.at, "box", "it differs no longer");
                change.put(&handling);
            }
            Some(_) => {}
        }
    }
    Ok(())
}
