//! Entries that post, read from the journal in order and by pages, each with the day of the books that it belongs to.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::books::{Account, BookDay, ClosedDays, Posting};
use tollhouse_core::id::LaneId;
use tollhouse_core::record::{Cause, ChangeKind, ReadError, Records, Revision};

use super::BooksFault;
use crate::store::Store;

/// Entries of the journal that are looked at for one page. A page may be empty and yet not be the last.
pub const SCAN_AT_ONCE: usize = 20_000;
/// Entries read from the journal at once.
const BATCH: usize = 1_000;

/// An entry of the journal as the books see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostedEntry {
    /// Its place in the journal: the voucher's number.
    pub position: Revision,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The day that it belongs to.
    pub day: NaiveDate,
    /// What happened, in a word.
    pub kind: ChangeKind,
    /// Where, if at a lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// What led to it.
    pub cause: Cause,
    /// What it posts.
    pub postings: Vec<Posting>,
}

impl PostedEntry {
    /// What happened, as the journal writes it.
    pub fn kind_word(&self) -> String {
        let word = serde_json::to_value(self.kind).ok();
        word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What led to it, in one line.
    pub fn cause_line(&self) -> String {
        let line = match &self.cause {
            Cause::Event { device, event_id } => format!("{device}/{event_id}"),
            Cause::Command(id) | Cause::Payment(id) => id.clone(),
            Cause::Driver => "driver".to_owned(),
            Cause::Person { name, reason } => format!("{name}: {reason}"),
            Cause::Time => "time".to_owned(),
            Cause::Box(what) => what.clone(),
        };
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Between {
    /// From this day on.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day.
    #[serde(default)]
    pub until: Option<NaiveDate>,
    /// Only what posts on this account; a name without detail means all of that name.
    #[serde(default)]
    pub account: Option<String>,
}

impl Between {
    fn wants(&self, entry: &PostedEntry) -> bool {
        let in_time =
            self.from.is_none_or(|from| entry.day >= from) && self.until.is_none_or(|until| entry.day <= until);
        let on_account = |account: &str| entry.postings.iter().any(|posting| is_of(&posting.account, account));
        in_time && self.account.as_deref().is_none_or(on_account)
    }
}

/// Whether an account is the one that is asked for, or one of that name.
pub(super) fn is_of(account: &Account, asked: &str) -> bool {
    let name = account.to_string();
    name == asked || name.split_once(':').is_some_and(|(first, _)| first == asked)
}

/// Some entries, and where to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// In the order of the journal.
    pub entries: Vec<PostedEntry>,
    /// Where the next page begins: after this entry. `None`: there are no more.
    #[serde(default)]
    pub next: Option<Revision>,
}

/// The entries after `after` that post and are wanted, at most `limit` of them.
pub fn entries(
    store: &Store,
    zone: Tz,
    wanted: &Between,
    after: Option<Revision>,
    limit: usize,
) -> Result<Page, BooksFault> {
    let records = store.snapshot();
    let until = records.position();
    let begin = match (after, wanted.from) {
        (Some(after), _) => after,
        (None, Some(from)) => begin_of(from, &records)?,
        (None, None) => 0,
    };
    let closed = closed_days(&records)?;
    let mut page = Page { entries: vec![], next: None };
    let (mut at, mut scanned) = (begin, 0);
    while at < until {
        let batch = store.follow(at, BATCH.min(usize::try_from(until - at).unwrap_or(BATCH)))?;
        if batch.is_empty() {
            break;
        }
        for entry in batch {
            at = entry.position;
            scanned += 1;
            if let Some(posted) = posted(entry, &closed, zone).filter(|entry| wanted.wants(entry)) {
                page.entries.push(posted);
            }
            if page.entries.len() >= limit || scanned >= SCAN_AT_ONCE {
                page.next = (at < until).then_some(at);
                return Ok(page);
            }
        }
    }
    Ok(page)
}

/// An entry as the books see it, if it posts.
pub(super) fn posted(entry: JournalEntry, closed: &ClosedDays, zone: Tz) -> Option<PostedEntry> {
    let change = entry.change;
    if change.postings.is_empty() {
        return None;
    }
    let day = closed.day_of(entry.position, change.at.with_timezone(&zone).date_naive());
    let (at, kind, lane, cause, postings) = (change.at, change.kind, change.lane, change.cause, change.postings);
    Some(PostedEntry { position: entry.position, at, day, kind, lane, cause, postings })
}

/// All closed days, as far as they say what belongs to which.
pub(super) fn closed_days(records: &impl Records) -> Result<ClosedDays, ReadError> {
    let mut days = vec![];
    let mut from = String::new();
    loop {
        let page = records.list::<BookDay>(&from, BATCH)?;
        let full = page.len() == BATCH;
        for kept in page {
            from = format!("{}\u{0}", kept.record.day);
            days.push((kept.record.through, kept.record.day));
        }
        if !full {
            return Ok(ClosedDays::new(days));
        }
    }
}

/// The entry after which a day's may begin.
fn begin_of(day: NaiveDate, records: &impl Records) -> Result<Revision, ReadError> {
    let before = day.pred_opt().map(|before| last_closed(before, records)).transpose()?.flatten();
    Ok(before.map_or(0, |day| day.next_from.saturating_sub(1)))
}

/// The last day at or before `day` that is closed and on record.
pub(super) fn last_closed(day: NaiveDate, records: &impl Records) -> Result<Option<BookDay>, ReadError> {
    // A day without postings has no record; a gap of more than a year is looked for from the beginning.
    let mut at = day;
    for _ in 0..400 {
        if let Some(kept) = records.get::<BookDay>(&BookDay::key_of(at))? {
            return Ok(Some(kept.record));
        }
        let Some(before) = at.pred_opt() else { return Ok(None) };
        at = before;
    }
    let (mut from, mut last) = (String::new(), None);
    loop {
        let page = records.list::<BookDay>(&from, BATCH)?;
        let full = page.len() == BATCH;
        for kept in page {
            if kept.record.day > day {
                return Ok(last);
            }
            from = format!("{}\u{0}", kept.record.day);
            last = Some(kept.record);
        }
        if !full {
            return Ok(last);
        }
    }
}
