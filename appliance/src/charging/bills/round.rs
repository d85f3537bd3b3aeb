//! What property charging does by itself: it reads the journal's temporary bills in timed batches, earns the days that are
//! over, draws the day's bills at a set hour, lets late fees accrue, and reminds.
//!
//! Owns when each of these is due. All of them look at the records and not at a memory of their own, so a box that was
//! off for a night or for months does on its first round what it would have done.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, NaiveTime};
use tollhouse_core::books::Account;
use tollhouse_core::charging::bills::{BillBooks, BillRun, OpenBill, earn_days, late_fee};
use tollhouse_core::charging::bills::{CardBill, Moved};
use tollhouse_core::record::{By, Cause, Change, ChangeKind, Kept, Record, Records, Table};

use super::super::{ChargingFault, ChargingParts};
use super::committing::{Committed, commit};
use super::days::DayBooks;
use super::remind::{Notifier, Reminders};
use super::run::BillRunner;

/// How often it is looked whether anything is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Open bills of one change.
const AT_ONCE: usize = 200;
/// So often a change is decided anew.
const MOST_TRIES: usize = 50;

/// When the box bills by itself, and whom it reminds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillTimes {
    /// The time of the lot's clock from which the day's bills are drawn; `None`: a person draws them.
    pub run_at: Option<NaiveTime>,
    /// How often temporary bills reach property charging.
    pub batch_every: Duration,
    /// When holders are reminded: days after the due date, before it when negative.
    pub remind_on: Vec<i32>,
}

impl Default for BillTimes {
    /// At three in the morning, each minute, and seven days and one day before the due date, and 1, 7, 15 and 30 after it.
    fn default() -> Self {
        Self {
            run_at: NaiveTime::from_hms_opt(3, 0, 0),
            batch_every: Duration::from_secs(60),
            remind_on: vec![-7, -1, 1, 7, 15, 30],
        }
    }
}

/// The round on its thread. Dropping it ends it, after the change that is in hand.
pub struct BillClock {
    _stop: Sender<()>,
}

/// The round. It blocks while it works, so it has a thread of its own.
pub struct BillRound {
    parts: ChargingParts,
    runner: BillRunner,
    days: DayBooks,
    reminders: Reminders,
    notifier: Arc<dyn Notifier>,
    times: BillTimes,
    batched: Option<Instant>,
    done_for: Option<NaiveDate>,
}

impl BillRound {
    /// With these parts; runs go through `runner`, so that one is at work at a time.
    pub fn new(runner: BillRunner, parts: ChargingParts, notifier: Arc<dyn Notifier>, times: BillTimes) -> Self {
        let reminders = Reminders::new(parts.clone(), times.remind_on.clone());
        let days = DayBooks::new(parts.clone());
        Self { parts, runner, days, reminders, notifier, times, batched: None, done_for: None }
    }

    /// Lets it go on a thread of its own, until what this gives is dropped.
    pub fn start(mut self) -> io::Result<BillClock> {
        let (stop, stopped) = channel::<()>();
        std::thread::Builder::new().name("bills".to_owned()).spawn(move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Err(fault) = self.look() {
                    tracing::warn!(%fault, "the round of the bills did not end; it is tried again");
                }
            }
        })?;
        Ok(BillClock { _stop: stop })
    }

    /// Does what is due now.
    pub fn look(&mut self) -> Result<(), ChargingFault> {
        if self.batched.is_none_or(|at| at.elapsed() >= self.times.batch_every) {
            self.days.catch_up()?;
            self.batched = Some(Instant::now());
        }
        let local = self.parts.now().with_timezone(&self.parts.lot.zone);
        let today = local.date_naive();
        earn(&self.parts)?;
        let due = self.times.run_at.is_some_and(|at| local.time() >= at);
        if self.done_for == Some(today) || !due {
            return Ok(());
        }
        let records = self.parts.store.snapshot();
        if records.range(Table::Cards, "", 1)?.is_empty() {
            // A lot without cards is left alone.
            return Ok(());
        }
        let run = records.get::<BillRun>(&today.to_string())?;
        drop(records);
        if run.is_none_or(|kept| kept.record.ended_at.is_none()) {
            let run = self.runner.run(today, &By::the_box("the day's bill run"), |_| ())?;
            tracing::info!(as_of = %today, cards = run.sums.cards, bills = run.sums.bills, parked = run.sums.parked, "the day's bills are drawn");
        }
        let late = accrue(&self.parts)?;
        let reminded = self.reminders.round(&*self.notifier)?;
        tracing::info!(late, reminded, "late fees have accrued, and holders are reminded");
        self.done_for = Some(today);
        Ok(())
    }
}

/// Earns the days that are over, of all bills at once.
pub fn earn(parts: &ChargingParts) -> Result<(), ChargingFault> {
    for _ in 0..MOST_TRIES {
        let Some(change) = earn_days(&parts.store.snapshot(), parts.now(), parts.today(), parts.currency())? else {
            return Ok(());
        };
        commit(&parts.store, change)?;
    }
    Err(ChargingFault::Busy)
}

/// Lets the late fees of all overdue bills accrue up to today. Says of how many bills they grew.
pub fn accrue(parts: &ChargingParts) -> Result<u64, ChargingFault> {
    let today = parts.today();
    let (mut from, mut grown) = (String::new(), 0);
    loop {
        let page = parts.store.snapshot().list::<OpenBill>(&from, AT_ONCE)?;
        let Some(last) = page.last().map(|kept| kept.record.clone()) else { return Ok(grown) };
        from = format!("{}\u{0}", last.key());
        let whole = page.len() == AT_ONCE && last.due_on < today;
        let overdue: Vec<OpenBill> =
            page.into_iter().map(|kept| kept.record).filter(|open| open.due_on < today).collect();
        grown += accrue_some(parts, &overdue, today)?;
        if !whole {
            return Ok(grown);
        }
    }
}

fn accrue_some(parts: &ChargingParts, overdue: &[OpenBill], today: NaiveDate) -> Result<u64, ChargingFault> {
    for _ in 0..MOST_TRIES {
        let records = parts.store.snapshot();
        let mut moves: Vec<Moved> = Vec::new();
        for open in overdue {
            let kept: Option<Kept<CardBill>> = records.get(&format!("{}/{}", open.card, open.bill))?;
            moves.extend(kept.and_then(|kept| late_fee(kept, today)));
        }
        if moves.is_empty() {
            return Ok(0);
        }
        let grown = moves.len() as u64;
        let mut change = Change::new(ChangeKind::BillsLate, parts.now(), Cause::Time);
        BillBooks::open(&records, today)?.write(&mut change, moves, &Account::Suspense);
        drop(records);
        match commit(&parts.store, change)? {
            Committed::Durable(_) => return Ok(grown),
            Committed::Stale => {}
        }
    }
    Err(ChargingFault::Busy)
}
