//! The actor: makes the rounds of the desks of money.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use tollhouse_core::lot::Lot;
use tollhouse_core::pay::Payment;
use tollhouse_core::reconciliation::{DayState, Handling, Reconciliation};
use tollhouse_core::record::{By, ReadError, Records};

use crate::arrears::ArrearsDesk;
use crate::books::BooksDesk;
use crate::clock::BoxClock;
use crate::metrics::Metrics;
use crate::reconciliation::{Reconciler, Source};
use crate::store::Store;

/// How often claims are looked for.
const ARREARS_EVERY: Duration = Duration::from_secs(2);
/// How often days are closed and reconciliations looked for.
const ROUND_EVERY: Duration = Duration::from_secs(60);
/// A day that could not be reconciled is tried again.
const TRY_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(10);
/// A box that was off catches up so many days; WeChat Pay keeps statements for three months.
const DAYS_BACK: u64 = 30;
/// Records read at once.
const PAGE: usize = 500;

/// What the ledger works with.
#[derive(Clone)]
pub struct LedgerParts {
    /// Where it reads.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// The lot: its midnight.
    pub lot: Arc<Lot>,
    /// The books.
    pub books: BooksDesk,
    /// Claims on cars.
    pub arrears: ArrearsDesk,
    /// Reconciliation.
    pub reconciler: Reconciler,
    /// Whose days are reconciled.
    pub providers: Vec<String>,
    /// At which of the lot's hours yesterday is.
    pub at: NaiveTime,
    /// What it counts.
    pub metrics: Arc<Metrics>,
}

/// Whether any day of a provider is on record, as far back as is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Something,
    Nothing,
}

/// The actor.
pub struct LedgerActor {
    parts: Arc<LedgerParts>,
    failed_at: Option<DateTime<Utc>>,
}

impl LedgerActor {
    /// Over these parts.
    pub fn new(parts: LedgerParts) -> Self {
        Self { parts: Arc::new(parts), failed_at: None }
    }

    fn look_for_arrears(&mut self, ctx: &mut Context<Self>) {
        let parts = Arc::clone(&self.parts);
        let round = async move {
            match parts.arrears.round().await {
                Ok(read) => read,
                Err(fault) => {
                    tracing::warn!(%fault, "claims cannot be noted now; they are looked for again");
                    0
                }
            }
        };
        let round =
            actix::ActorFutureExt::map(round.into_actor(self), |read, _: &mut Self, ctx: &mut Context<Self>| {
                // While there is more to read, it reads on.
                let pause = if read > 500 { Duration::from_millis(10) } else { ARREARS_EVERY };
                ctx.run_later(pause, Self::look_for_arrears);
            });
        ctx.spawn(round);
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let (parts, failed_at) = (Arc::clone(&self.parts), self.failed_at);
        let round = async move { parts.round(failed_at).await };
        let round =
            actix::ActorFutureExt::map(round.into_actor(self), |failed_at, of: &mut Self, ctx: &mut Context<Self>| {
                of.failed_at = failed_at;
                ctx.run_later(ROUND_EVERY, Self::round);
            });
        ctx.spawn(round);
    }
}

impl Actor for LedgerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look_for_arrears(ctx);
        self.round(ctx);
    }
}

impl LedgerParts {
    /// Closes days and reconciles what is due; says when it last failed, if it did.
    async fn round(&self, failed_at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match self.books.close_days().await {
            Ok(0) => {}
            Ok(closed) => tracing::info!(closed, "days of the books are closed"),
            Err(fault) => tracing::warn!(%fault, "a day of the books cannot be closed now; it is tried again"),
        }
        let now = self.clock.now();
        let mut failed = failed_at.filter(|at| now - *at < TRY_AGAIN_AFTER);
        if failed.is_none() {
            let by = By::the_box("the day's reconciliation");
            for (provider, day) in self.due(now) {
                match self.reconciler.run(&by, &provider, day, &Source::Fetch).await {
                    Ok(reports) => reports.iter().for_each(|report| {
                        let state = report.reconciliation.state.as_str();
                        let differences = report.differences.len();
                        tracing::info!(provider, %day, state, differences, "a day is reconciled");
                    }),
                    Err(fault) => {
                        tracing::warn!(provider, %day, %fault, "a day cannot be reconciled; it is tried again");
                        failed = Some(now);
                    }
                }
            }
        }
        if let Err(fault) = self.count() {
            tracing::warn!(%fault, "differences cannot be counted");
        }
        failed
    }

    /// Days that are over and past their hour, and are not reconciled yet: from the first day of which there is a record.
    fn due(&self, now: DateTime<Utc>) -> Vec<(String, NaiveDate)> {
        let mut due = vec![];
        for provider in &self.providers {
            let (mut missing, known) = self.missing(provider, now);
            // Without a record to go on from, only yesterday is asked for: before that there was no box.
            if known == Known::Nothing {
                missing.truncate(1);
            }
            due.extend(missing.into_iter().rev().map(|day| (provider.clone(), day)));
        }
        due
    }

    /// Days that have been due for a day and are not reconciled still, because nobody could: they are open too.
    fn overdue(&self, now: DateTime<Utc>) -> Result<i64, ReadError> {
        let mut days = 0;
        for provider in &self.providers {
            let (missing, known) = self.missing(provider, now - TimeDelta::days(1));
            let paid = self.store.snapshot().list::<Payment>(&format!("{provider}/"), 1)?;
            let has_paid = paid.first().is_some_and(|kept| kept.record.provider == *provider);
            days += match known {
                Known::Something => i64::try_from(missing.len()).unwrap_or(i64::MAX),
                Known::Nothing => i64::from(has_paid && !missing.is_empty()),
            };
        }
        Ok(days)
    }

    /// Days of a provider without a record, the last first, back to one that has it.
    fn missing(&self, provider: &str, now: DateTime<Utc>) -> (Vec<NaiveDate>, Known) {
        let local = now.with_timezone(&self.lot.zone).naive_local();
        let yesterday = if local.time() >= self.at { 1 } else { 2 };
        let Some(last) = local.date().checked_sub_days(chrono::Days::new(yesterday)) else {
            return (vec![], Known::Nothing);
        };
        let records = self.store.snapshot();
        let mut missing = vec![];
        for back in 0..DAYS_BACK {
            let Some(day) = last.checked_sub_days(chrono::Days::new(back)) else { break };
            let known = records.list::<Reconciliation>(&Reconciliation::key_of(provider, day, ""), 1);
            let done = known.is_ok_and(|known| {
                known.first().is_some_and(|kept| kept.record.provider == *provider && kept.record.day == day)
            });
            if done {
                return (missing, Known::Something);
            }
            missing.push(day);
        }
        (missing, Known::Nothing)
    }

    /// Counts differences that nobody has, and days that stay open.
    fn count(&self) -> Result<(), ReadError> {
        let records = self.store.snapshot();
        let (mut differences, mut days, mut from) = (0, 0, String::new());
        loop {
            let page = records.list::<Reconciliation>(&from, PAGE)?;
            let full = page.len() == PAGE;
            for kept in page {
                let day = kept.record;
                from = format!("{}\u{0}", Reconciliation::key_of(&day.provider, day.day, &day.merchant));
                if day.state == DayState::Closed {
                    continue;
                }
                days += 1;
                for id in &day.differences {
                    let handling = records.get::<Handling>(&id.to_string())?;
                    differences += i64::from(!handling.is_some_and(|kept| kept.record.is_owned()));
                }
            }
            if !full {
                break;
            }
        }
        days += self.overdue(self.clock.now())?;
        self.metrics.reconciliation_differences(differences);
        self.metrics.reconciliation_open_days(days);
        Ok(())
    }
}
