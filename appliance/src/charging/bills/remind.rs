//! Reminders before and after the due date: each bill at most once in each stage, on record before it goes out.
//!
//! Owns the stages and what a reminder says. How it reaches a person is a notifier's: a log file as long as nothing else
//! is there; SMS and messengers join behind the same trait.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::{CardBill, OpenBill, Reminder};
use tollhouse_core::id::BillId;
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Record, Records};
use tollhouse_core::words::Words;

use super::super::{ChargingFault, ChargingParts};
use super::committing::{Committed, commit};

/// So often reminders are decided anew when others write their bills meanwhile.
const MOST_TRIES: usize = 20;
/// Open bills looked at in one go, and reminders of one change.
const AT_ONCE: usize = 200;
/// The log file is set aside when it has become as large as this, in bytes.
const MOST_LOG_BYTES: u64 = 64 << 20;

/// Something to tell a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// To whom.
    pub holder: String,
    /// The holder's room.
    pub room: Option<String>,
    /// Of which card.
    pub card: String,
    /// Of which bill; its pay page has this id.
    pub bill: BillId,
    /// The stage: days after the due date, before it when negative.
    pub stage: i32,
    /// The last day on which it can be paid without being late.
    pub due_on: NaiveDate,
    /// What is due.
    pub amount: String,
    /// In which currency.
    pub currency: String,
    /// In so many words.
    pub text: Words,
}

/// A way to reach holders.
pub trait Notifier: Send + Sync {
    /// Its name, for the log.
    fn name(&self) -> &'static str;

    /// Sends all of them. They are on record already, and are not sent again.
    fn notify(&self, notices: &[Notice]) -> io::Result<()>;
}

/// Writes notices to a file, one line of JSON each.
pub struct NoticeLog {
    path: PathBuf,
    writing: Mutex<()>,
}

impl NoticeLog {
    /// To this file; it is made when there is something to write.
    pub fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }
}

impl Notifier for NoticeLog {
    fn name(&self) -> &'static str {
        "log file"
    }

    fn notify(&self, notices: &[Notice]) -> io::Result<()> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() > MOST_LOG_BYTES) {
            std::fs::rename(&self.path, self.path.with_extension("1.jsonl"))?;
        }
        let mut lines = Vec::new();
        for notice in notices {
            serde_json::to_writer(&mut lines, notice)?;
            lines.push(b'\n');
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?.write_all(&lines)
    }
}

/// Reminds holders.
#[derive(Clone)]
pub struct Reminders {
    parts: ChargingParts,
    stages: Vec<i32>,
}

impl Reminders {
    /// With these stages: days after the due date, before it when negative.
    pub fn new(parts: ChargingParts, mut stages: Vec<i32>) -> Self {
        stages.sort_unstable();
        stages.dedup();
        Self { parts, stages }
    }

    /// The stage in which a bill is on a day: the last one that was reached, so that a box that was off does not send all.
    fn stage(&self, due_on: NaiveDate, today: NaiveDate) -> Option<i32> {
        let late = (today - due_on).num_days();
        self.stages.iter().rev().copied().find(|stage| i64::from(*stage) <= late)
    }

    /// Reminds of every open bill that has come into a stage. Says how many that were.
    pub fn round(&self, notifier: &dyn Notifier) -> Result<u64, ChargingFault> {
        let Some(first) = self.stages.first() else { return Ok(0) };
        let today = self.parts.today();
        let ahead = u64::try_from(-i64::from(*first)).unwrap_or(0);
        let horizon = today.checked_add_days(Days::new(ahead)).unwrap_or(today);
        let (mut from, mut sent) = (String::new(), 0);
        loop {
            let page = self.parts.store.snapshot().list::<OpenBill>(&from, AT_ONCE)?;
            let Some(last) = page.last() else { return Ok(sent) };
            from = format!("{}\u{0}", last.record.key());
            let whole = page.len() == AT_ONCE && last.record.due_on <= horizon;
            sent += self.remind(&page, today, notifier)?;
            if !whole {
                return Ok(sent);
            }
        }
    }

    fn remind(&self, open: &[Kept<OpenBill>], today: NaiveDate, notifier: &dyn Notifier) -> Result<u64, ChargingFault> {
        for _ in 0..MOST_TRIES {
            let (change, notices) = self.decide(open, today)?;
            if notices.is_empty() {
                return Ok(0);
            }
            // One was paid meanwhile: the others are reminded all the same.
            if commit(&self.parts.store, change)? == Committed::Stale {
                continue;
            }
            if let Err(fault) = notifier.notify(&notices) {
                tracing::error!(%fault, by = notifier.name(), count = notices.len(), "reminders did not go out");
            }
            return Ok(notices.len() as u64);
        }
        Err(ChargingFault::Busy)
    }

    fn decide(&self, open: &[Kept<OpenBill>], today: NaiveDate) -> Result<(Change, Vec<Notice>), ChargingFault> {
        let (now, records) = (self.parts.now(), self.parts.store.snapshot());
        let mut change = Change::new(ChangeKind::BillsReminded, now, Cause::Time);
        let mut notices = Vec::new();
        for open in open.iter().map(|kept| &kept.record) {
            let Some(stage) = self.stage(open.due_on, today) else { continue };
            let reminder = Reminder { card: open.card.clone(), bill: open.bill, stage, at: now };
            if records.get::<Reminder>(&reminder.key())?.is_some() {
                continue;
            }
            let key = format!("{}/{}", open.card, open.bill);
            let Some(bill) = records.get::<CardBill>(&key)? else { continue };
            if !bill.record.due().is_positive() {
                continue;
            }
            change.rely_on(&key, Some(&bill));
            change.rely_on::<Reminder>(&reminder.key(), None);
            notices.push(notice(&bill.record, &reminder));
            change.put(&reminder);
        }
        Ok((change, notices))
    }
}

fn notice(bill: &CardBill, reminder: &Reminder) -> Notice {
    let (due, on) = (bill.due(), bill.due_on);
    let text = match reminder.stage {
        before if before < 0 => Words::new(
            format!("您的停车费账单 {due} 将于 {on} 到期，请按时缴纳。"),
            format!("Your parking bill of {due} is due on {on}."),
        ),
        0 => Words::new(
            format!("您的停车费账单 {due} 今天（{on}）到期。"),
            format!("Your parking bill of {due} is due today ({on})."),
        ),
        days => Words::new(
            format!("您的停车费账单 {due} 已于 {on} 到期，逾期 {days} 天，请尽快缴纳。"),
            format!("Your parking bill of {due} was due on {on}, {days} days ago. Please pay it."),
        ),
    };
    let heading = &bill.heading;
    Notice {
        at: reminder.at,
        holder: heading.payer.to_string(),
        room: heading.room.as_ref().map(ToString::to_string),
        card: heading.card.to_string(),
        bill: bill.id,
        stage: reminder.stage,
        due_on: on,
        amount: due.amount(),
        currency: due.currency().code().to_owned(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_lines_of_json_in_a_file_of_the_owners_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let log = NoticeLog::new(folder.path().join("reminders.jsonl"));
        let notice = Notice {
            at: DateTime::UNIX_EPOCH,
            holder: "H1".into(),
            room: Some("3-2-1201".into()),
            card: "C1".into(),
            bill: BillId::from_bytes([1; 16]),
            stage: -7,
            due_on: NaiveDate::from_ymd_opt(2026, 1, 16).expect("a date"),
            amount: "310.00".into(),
            currency: "CNY".into(),
            text: Words::new("请缴费", "please pay"),
        };
        log.notify(&[notice.clone(), notice.clone()]).expect("written");
        log.notify(std::slice::from_ref(&notice)).expect("appended");
        let path = folder.path().join("reminders.jsonl");
        let text = std::fs::read_to_string(&path).expect("there");
        let read: Vec<Notice> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(read, vec![notice; 3]);
        assert_eq!(std::fs::metadata(path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
