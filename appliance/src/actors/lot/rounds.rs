//! What the lot does every second: totals, metrics, a look at the clock; and every minute: old marks of events go.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::bill::{BillKind, BillState, bills_counter};
use tollhouse_core::charging::bills::DayCursor;
use tollhouse_core::id::AreaId;
use tollhouse_core::lane::EventSeen;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::pay::taken_counter;
use tollhouse_core::record::{Cause, Change, ChangeKind, Counter, ReadError, Record, Records};
use tollhouse_core::stay::{Basis, inside_counter};

use super::Outbox;
use crate::clock::{BoxClock, ClockCheck};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::store::Store;

/// Marks of events are kept so long: a camera that was away for longer sends its backlog under new marks.
const EVENT_MARKS_KEPT: TimeDelta = TimeDelta::days(7);
/// So many marks are looked at in one go, so that no lane ever waits for it.
const MARKS_AT_ONCE: usize = 500;
const ROUNDS_BETWEEN_HOUSEKEEPING: u32 = 60;

/// What the rounds need.
pub struct Rounds {
    /// What is told.
    pub live: Arc<Live>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is read and pruned.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// The lot's zone.
    pub zone: chrono_tz::Tz,
    /// Its currency.
    pub currency: Currency,
    /// Its areas.
    pub areas: Vec<AreaId>,
    /// Unanswered commands.
    pub outbox: Arc<Outbox>,
    /// The data folder, whose disk is watched.
    pub data: PathBuf,
    /// How far the housekeeping has come.
    pub place: HousekeepingPlace,
}

/// How far the housekeeping has come in the table of marks.
#[derive(Debug, Default)]
pub struct HousekeepingPlace {
    rounds: u32,
    from: String,
}

impl Rounds {
    /// One round.
    pub fn go(&mut self) {
        if let ClockCheck::Jumped(by) = self.clock.check() {
            tracing::warn!(milliseconds = by.num_milliseconds(), "the machine's clock has jumped");
            self.metrics.clock_jumped();
            self.journal_jump(by);
        }
        let now = self.clock.now();
        let (depth, age) = self.outbox.depth_and_age(now);
        self.metrics.outbox(depth, age);
        match crate::commands::check::free_bytes(&self.data) {
            Ok(free) => self.metrics.disk_free(free),
            Err(fault) => tracing::warn!(%fault, "the disk's free space cannot be read"),
        }
        if let Err(fault) = self.totals(now).and_then(|()| self.housekeeping(now)) {
            tracing::error!(%fault, "the rounds could not read the store");
        }
    }

    /// A jump is on record, so that times around it can be explained.
    fn journal_jump(&self, by: TimeDelta) {
        let cause = Cause::Box(format!("the clock jumped by {} ms", by.num_milliseconds()));
        let change = Change::new(ChangeKind::ClockJumped, self.clock.now(), cause);
        if self.store.submit(change, |_| {}).is_err() {
            tracing::warn!("the store is busy: the jump of the clock is not on record");
        }
    }

    fn totals(&self, now: DateTime<Utc>) -> Result<(), ReadError> {
        let records = self.store.snapshot();
        let count = |counter: &str| -> Result<i64, ReadError> {
            Ok(records.get::<Counter>(counter)?.map_or(0, |kept| kept.record.value))
        };
        let grounds = [Basis::Temporary, Basis::Pass { card: String::new() }, Basis::Free];
        let mut inside = 0;
        for area in &self.areas {
            for basis in &grounds {
                let cars = count(&inside_counter(area, basis))?;
                self.metrics.cars_inside(area, basis.tenure(), cars);
                inside += cars;
            }
        }
        for kind in BillKind::ALL {
            for state in BillState::ALL {
                self.metrics.bills(kind.as_str(), state.as_str(), count(&bills_counter(*kind, *state))?);
            }
        }
        if let Some(cursor) = records.get::<DayCursor>(DayCursor::KEY)? {
            let behind = records.position().saturating_sub(cursor.record.position);
            self.metrics.bill_days_behind(i64::try_from(behind).unwrap_or(i64::MAX));
        }
        let today = now.with_timezone(&self.zone).date_naive();
        let taken = Money::new(count(&taken_counter(today))?, self.currency);
        self.live.totals(inside, Some(taken));
        Ok(())
    }

    /// Drops marks of events that are older than anything a device still sends, a few at a time.
    fn housekeeping(&mut self, now: DateTime<Utc>) -> Result<(), ReadError> {
        self.place.rounds += 1;
        if self.place.rounds < ROUNDS_BETWEEN_HOUSEKEEPING {
            return Ok(());
        }
        let marks = self.store.snapshot().list::<EventSeen>(&self.place.from, MARKS_AT_ONCE)?;
        let mut change = Change::new(ChangeKind::Housekeeping, now, Cause::Time);
        for mark in marks.iter().filter(|mark| now - mark.record.at > EVENT_MARKS_KEPT) {
            change.delete(EventSeen::TABLE, &mark.record.key());
        }
        // The next page follows at once; after the last one the walk rests for a minute.
        match marks.last() {
            Some(last) if marks.len() == MARKS_AT_ONCE => self.place.from = format!("{}\u{0}", last.record.key()),
            _ => self.place = HousekeepingPlace::default(),
        }
        if !change.ops.is_empty() && self.store.submit(change, |_| {}).is_err() {
            tracing::debug!("the store is busy: housekeeping waits");
        }
        Ok(())
    }
}
