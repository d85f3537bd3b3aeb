//! Closing days of the books: one record for each day that is over, so that it never changes again.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use tollhouse_core::books::{BookDay, ClosedDays, Posting, Tally};
use tollhouse_core::record::{Cause, Change, ChangeKind, Revision};

use super::BooksFault;
use super::entry::{last_closed, posted};
use crate::store::Store;

/// Entries read from the journal at once.
const BATCH: usize = 1_000;

/// Postings of a day, added up, and where its entries lie.
#[derive(Default)]
struct Gathered {
    tally: Tally,
    entries: u64,
    first: Revision,
}

/// Closes every day that is over and not closed yet, the oldest first; says how many. A box that was off catches up. A day
/// without postings leaves no record, but for yesterday: from it on, what is dated earlier belongs to today.
pub async fn close_days(store: &Store, zone: Tz, now: DateTime<Utc>) -> Result<usize, BooksFault> {
    let today = now.with_timezone(&zone).date_naive();
    let Some(yesterday) = today.pred_opt() else { return Ok(0) };
    let records = store.snapshot();
    let mut last = last_closed(yesterday, &records)?;
    if last.as_ref().is_some_and(|day| day.day >= yesterday) {
        return Ok(0);
    }
    let through = records.position();
    drop(records);
    let mut gathered = gather(store, last.as_ref(), through, zone)?;
    let later: BTreeMap<NaiveDate, Gathered> = gathered.split_off(&today);
    gathered.entry(yesterday).or_default();
    let days: Vec<(NaiveDate, Gathered)> = gathered.into_iter().collect();
    let mut closed = 0;
    for (place, (day, found)) in days.iter().enumerate() {
        let rest = days[place + 1..].iter().map(|(_, found)| found).chain(later.values());
        let next_from = rest.filter(|found| found.entries > 0).map(|found| found.first).min().unwrap_or(through + 1);
        let mut tally = Tally::after(last.as_ref());
        tally.join(&found.tally)?;
        let record = BookDay {
            day: *day,
            closed_at: now,
            through,
            next_from,
            entries: found.entries,
            accounts: tally.accounts(),
        };
        let mut change = Change::new(ChangeKind::BooksClosed, now, Cause::Time);
        change.rely_on::<BookDay>(&BookDay::key_of(*day), None);
        change.put(&record);
        store.commit(change).await?;
        last = Some(record);
        closed += 1;
    }
    Ok(closed)
}

fn gather(
    store: &Store,
    last: Option<&BookDay>,
    through: Revision,
    zone: Tz,
) -> Result<BTreeMap<NaiveDate, Gathered>, BooksFault> {
    let closed = ClosedDays::new(last.map(|day| (day.through, day.day)));
    let open = last.and_then(|day| day.day.succ_opt());
    let mut days: BTreeMap<NaiveDate, Gathered> = BTreeMap::new();
    let mut at = last.map_or(0, |day| day.next_from.saturating_sub(1));
    while at < through {
        let batch = store.follow(at, BATCH.min(usize::try_from(through - at).unwrap_or(BATCH)))?;
        let Some(end) = batch.last() else { break };
        at = end.position;
        for entry in batch {
            let Some(entry) = posted(entry, &closed, zone) else { continue };
            // Between `next_from` and the end of the last closing lie entries of days that are closed already.
            if open.is_some_and(|open| entry.day < open) {
                continue;
            }
            let day = days.entry(entry.day).or_default();
            if day.entries == 0 {
                day.first = entry.position;
            }
            day.entries += 1;
            add(&mut day.tally, &entry.postings)?;
        }
    }
    Ok(days)
}

fn add(tally: &mut Tally, postings: &[Posting]) -> Result<(), BooksFault> {
    for posting in postings {
        tally.add(posting)?;
    }
    Ok(())
}
