//! The desk: one provider's day from its statement to its record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::{DifferenceId, IdKey};
use tollhouse_core::lot::Lot;
use tollhouse_core::money::{Money, MoneyError};
use tollhouse_core::pay::{NumberedOrder, Payment};
use tollhouse_core::reconciliation::three_way::{self, ThreeWay};
use tollhouse_core::reconciliation::{
    Classed, Day, DayState, Difference, Handling, OrderOf, Reconciliation, Seen, Side, partition, proposal,
};
use tollhouse_core::record::{By, Cause, Change, ChangeKind, Once, OnceRefusal, ReadError, Records, Refusal};

use super::marks::{marks, settle_gone};
use super::ours::{Books, Whose, each, gather};
use super::repair::{Repairs, change_for};
use super::statement::{Statement, StatementFault, bounds, is_of_day, of_day, read};
use super::sums::{costs, post_costs, totals};
use crate::actors::payment::alipay::ALIPAY;
use crate::actors::payment::provider::{Accounts, StatementAt};
use crate::actors::payment::sandbox::{BANK_FILE, SANDBOX};
use crate::clock::BoxClock;
use crate::store::{CommitError, Snapshot, Store};
use crate::tariffs;

/// A row so near to the end of the day may stand in the next statement.
const SLACK: TimeDelta = TimeDelta::hours(1);
/// A statement is there at the latest so long after its day, or there was no trade.
const STATEMENT_BY: TimeDelta = TimeDelta::hours(24);
/// Marks of one change.
const MARKS_AT_ONCE: usize = 400;
/// So often a day is matched anew when something was booked meanwhile.
const MOST_ROUNDS: usize = 5;

/// What reconciliation works with.
struct Parts {
    store: Store,
    clock: BoxClock,
    key: IdKey,
    lot: Arc<Lot>,
    around: OnceLock<Surroundings>,
}

/// Where statements come from. A stopped box has no accounts that it could ask, and takes files.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The accounts at providers.
    pub accounts: Accounts,
    /// The data folder, where the sandbox's book lies.
    pub data: PathBuf,
}

/// Where a statement comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The provider is asked for it.
    Fetch,
    /// This file, as it was downloaded.
    File(Vec<u8>),
}

/// What came of a day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The day's record.
    pub reconciliation: Reconciliation,
    /// What differs, both sides.
    pub differences: Vec<Difference>,
    /// Rows that this run booked from the statement.
    pub repaired_now: u32,
}

/// Why a day cannot be reconciled. What was repaired before stands.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileFault {
    /// The statement.
    #[error(transparent)]
    Statement(#[from] StatementFault),
    /// The provider has none for that day, or not yet.
    #[error("{0}")]
    NoStatement(String),
    /// The records cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// It cannot be written.
    #[error("it cannot be written: {0}; try again")]
    Commit(#[from] CommitError),
    /// A row cannot be booked.
    #[error("a row of the statement cannot be booked: {0}")]
    Repair(String),
    /// The request's key stands for another request.
    #[error("this Idempotency-Key stands for another request: use a new one")]
    KeyReused,
}

impl From<OnceRefusal> for ReconcileFault {
    fn from(refusal: OnceRefusal) -> Self {
        match refusal {
            OnceRefusal::KeyReused => Self::KeyReused,
            OnceRefusal::Read(fault) => Self::Read(fault),
        }
    }
}

/// The desk.
#[derive(Clone)]
pub struct Reconciler {
    parts: Arc<Parts>,
}

/// What a run has found so far.
pub(super) struct Found {
    pub(super) books: Books,
    pub(super) classed: Vec<Classed>,
}

impl Reconciler {
    /// Over this store.
    pub fn new(store: Store, clock: BoxClock, key: IdKey, lot: Arc<Lot>) -> Self {
        Self { parts: Arc::new(Parts { store, clock, key, lot, around: OnceLock::new() }) }
    }

    /// Tells it where statements come from; once, before it is asked.
    pub fn settle_in(&self, around: Surroundings) {
        // Told twice, the first word counts.
        let _ = self.parts.around.set(around);
    }

    fn around(&self) -> &Surroundings {
        self.parts.around.get_or_init(Surroundings::default)
    }

    /// Reconciles a day of a provider: of each account there, or of the one that a file is about. Under the key of `by` it is
    /// done once, and what came of it stands in the entry that puts the last account's day on record.
    pub async fn run(
        &self,
        by: &By,
        provider: &str,
        day: NaiveDate,
        source: &Source,
    ) -> Result<Vec<Report>, ReconcileFault> {
        if let Some(before) = self.done_before(by)? {
            return Ok(before);
        }
        let statements = self.statements(provider, day, source).await?;
        let mut reports: Vec<Report> = vec![];
        let last = statements.len().saturating_sub(1);
        for (place, (merchant, statement)) in statements.iter().enumerate() {
            let once = by.once.as_ref().filter(|_| place == last);
            let answer = once.map(|once| (once, reports.iter().map(|report| &report.reconciliation).collect()));
            let report = self.reconcile(by, (provider, merchant.as_str(), day), statement, answer).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// What came of this request when it was made before. Differences that are settled since are not in it.
    fn done_before(&self, by: &By) -> Result<Option<Vec<Report>>, ReconcileFault> {
        let records = self.parts.store.snapshot();
        let Some(once) = &by.once else { return Ok(None) };
        let Some(days) = once.before::<Vec<Reconciliation>>(&records)? else { return Ok(None) };
        let mut reports = vec![];
        for reconciliation in days {
            let mut differences = vec![];
            for id in &reconciliation.differences {
                differences.extend(records.get::<Difference>(&id.to_string())?.map(|kept| kept.record));
            }
            reports.push(Report { reconciliation, differences, repaired_now: 0 });
        }
        Ok(Some(reports))
    }

    /// The statements of a day, each with our account that it is about.
    async fn statements(
        &self,
        provider: &str,
        day: NaiveDate,
        source: &Source,
    ) -> Result<Vec<(String, Statement)>, ReconcileFault> {
        let merchants = self.merchants(provider)?;
        if let Source::File(bytes) = source {
            let first = merchants.first().cloned().unwrap_or_default();
            let statement = self.read(provider, &first, day, bytes)?;
            let about = |merchant: &String| statement.rows.iter().any(|row| row.merchant == *merchant);
            let merchant = merchants.iter().find(|merchant| about(merchant)).cloned().unwrap_or(first);
            return Ok(vec![(merchant, statement)]);
        }
        let mut statements = vec![];
        for merchant in merchants {
            let statement = match self.fetch(provider, &merchant, day).await? {
                Some(bytes) => self.read(provider, &merchant, day, &bytes)?,
                None => Statement::empty(),
            };
            statements.push((merchant, statement));
        }
        Ok(statements)
    }

    fn read(&self, provider: &str, merchant: &str, day: NaiveDate, bytes: &[u8]) -> Result<Statement, StatementFault> {
        let statement = read(provider, merchant, bytes)?;
        let bounds = bounds(provider, day, self.parts.lot.zone);
        if provider == SANDBOX {
            return Ok(of_day(statement, bounds));
        }
        is_of_day(&statement, day, bounds)?;
        Ok(statement)
    }

    /// Our accounts there: as configured, else those that the books know.
    fn merchants(&self, provider: &str) -> Result<Vec<String>, ReconcileFault> {
        let mut merchants: Vec<String> =
            self.around().accounts.at(provider).map(|account| account.merchant().to_owned()).collect();
        if merchants.is_empty() {
            let mut known = BTreeSet::new();
            each::<Payment>(&self.parts.store.snapshot(), &format!("{provider}/"), |payment| {
                known.insert(payment.merchant);
                Ok(())
            })?;
            merchants.extend(known);
        }
        if merchants.is_empty() {
            let text = format!("the box has no account at {provider:?}, and its books know of none");
            return Err(ReconcileFault::NoStatement(text));
        }
        Ok(merchants)
    }

    /// `None`: there was no trade on that day.
    async fn fetch(&self, provider: &str, merchant: &str, day: NaiveDate) -> Result<Option<Vec<u8>>, ReconcileFault> {
        if provider == SANDBOX {
            return self.sandbox_book().map(Some);
        }
        let away =
            |why: String| ReconcileFault::NoStatement(format!("{why}; give the downloaded file with --statement"));
        let account = self.around().accounts.of(provider, merchant);
        let account = account.ok_or_else(|| away(format!("the statement of {provider} cannot be fetched here")))?;
        match account.statement(day).await {
            Ok(StatementAt::File(bytes)) => Ok(Some(bytes)),
            Ok(StatementAt::NoTrade) => Ok(None),
            // Alipay says no more of a day without a trade. A day later it is one: what the books have of it is missing there.
            Ok(StatementAt::NotYet) if provider == ALIPAY && self.is_long_over(provider, day) => Ok(None),
            Ok(StatementAt::NotYet) => Err(away(format!("{provider} has no statement of {day} yet"))),
            Err(fault) => Err(away(format!("{provider} does not give the statement of {day}: {fault}"))),
        }
    }

    fn is_long_over(&self, provider: &str, day: NaiveDate) -> bool {
        let (_, until) = bounds(provider, day, self.parts.lot.zone);
        self.parts.clock.now() - until > STATEMENT_BY
    }

    /// The sandbox's book, as a statement of all its days. Where nobody has paid yet, there is none.
    fn sandbox_book(&self) -> Result<Vec<u8>, ReconcileFault> {
        let path = self.around().data.join(BANK_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
            Err(fault) => {
                let text = format!("the sandbox's book {} cannot be read: {fault}", path.display());
                Err(ReconcileFault::NoStatement(text))
            }
        }
    }

    /// Matches a day's statement with the books, books what it proves, and puts the day on record. Run again, it changes
    /// nothing.
    async fn reconcile(
        &self,
        by: &By,
        (provider, merchant, day): (&str, &str, NaiveDate),
        statement: &Statement,
        answer: Option<(&Once, Vec<&Reconciliation>)>,
    ) -> Result<Report, ReconcileFault> {
        let (from, until) = bounds(provider, day, self.parts.lot.zone);
        let whose = Whose { provider, merchant, day, from, until };
        let mut repaired = 0;
        for _ in 0..MOST_ROUNDS {
            let records = self.parts.store.snapshot();
            let found = self.find(&whose, statement, &records)?;
            let changes = self.repairs(&whose, statement, &found, &records)?;
            drop(records);
            if changes.is_empty() {
                break;
            }
            for change in changes {
                match self.parts.store.commit(change).await {
                    Ok(_) => repaired += 1,
                    // Somebody was faster: the next round sees what they did.
                    Err(CommitError::Refused(Refusal::Stale { .. } | Refusal::Full(_))) => {}
                    Err(fault) => return Err(fault.into()),
                }
            }
        }
        self.put_on_record(&whose, statement, repaired, by, answer).await
    }

    fn find(&self, whose: &Whose<'_>, statement: &Statement, records: &Snapshot) -> Result<Found, ReadError> {
        let books = gather(whose, &statement.rows, &self.parts.key, records)?;
        let classed = partition(&Day {
            from: whose.from,
            until: whose.until,
            slack: SLACK,
            merchant: whose.merchant,
            theirs: &statement.rows,
            ours: &books.rows,
            captured: &books.captured,
        });
        Ok(Found { books, classed })
    }

    fn repairs(
        &self,
        whose: &Whose<'_>,
        statement: &Statement,
        found: &Found,
        records: &Snapshot,
    ) -> Result<Vec<Change>, ReconcileFault> {
        let tariff = tariffs::on_record(records)
            .ok_or_else(|| ReconcileFault::Repair("the box has never loaded a tariff: start it once".to_owned()))?;
        let repairs = Repairs {
            provider: whose.provider,
            tariff: &tariff,
            key: &self.parts.key,
            zone: self.parts.lot.zone,
            now: self.parts.clock.now(),
        };
        let change = |one| change_for(one, &statement.rows, &found.books.rows, &repairs, records);
        let changes: Result<Vec<_>, String> = found.classed.iter().filter_map(|one| change(one).transpose()).collect();
        changes.map_err(ReconcileFault::Repair)
    }

    async fn put_on_record(
        &self,
        whose: &Whose<'_>,
        statement: &Statement,
        repaired: u32,
        by: &By,
        answer: Option<(&Once, Vec<&Reconciliation>)>,
    ) -> Result<Report, ReconcileFault> {
        for _ in 0..MOST_ROUNDS {
            let records = self.parts.store.snapshot();
            let found = self.find(whose, statement, &records)?;
            let marks = marks(whose, &found, &records)?;
            let (mut change, report) = self.record(whose, statement, &found, repaired, &records)?;
            if matches!(by.cause, Cause::Person { .. }) {
                change.cause = by.cause.clone();
            }
            if let Some((once, before)) = &answer {
                let days: Vec<&Reconciliation> = before.iter().copied().chain([&report.reconciliation]).collect();
                once.keep(&mut change, &days);
            }
            drop(records);
            for marks in marks.chunks(MARKS_AT_ONCE) {
                let mut change = Change::new(ChangeKind::StatementMatched, self.parts.clock.now(), cause(whose));
                for mark in marks {
                    change.put(mark);
                }
                self.parts.store.commit(change).await?;
            }
            match self.parts.store.commit(change).await {
                Ok(_) => return Ok(report),
                Err(CommitError::Refused(Refusal::Stale { .. })) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(ReconcileFault::NoStatement("the day is being reconciled by somebody else: try again".to_owned()))
    }

    fn record(
        &self,
        whose: &Whose<'_>,
        statement: &Statement,
        found: &Found,
        repaired: u32,
        records: &Snapshot,
    ) -> Result<(Change, Report), ReconcileFault> {
        let (now, currency) = (self.parts.clock.now(), self.parts.lot.currency);
        let key = Reconciliation::key_of(whose.provider, whose.day, whose.merchant);
        let before = records.get::<Reconciliation>(&key)?;
        let mut change = Change::new(ChangeKind::StatementMatched, now, cause(whose));
        change.rely_on(&key, before.as_ref());
        let before = before.map(|kept| kept.record);
        let differences = self.differences(whose, statement, found, now, records)?;
        settle_gone(&mut change, before.as_ref(), &differences, records)?;
        let mut owned = true;
        for difference in &differences {
            if records.get::<Difference>(&difference.id.to_string())?.is_none() {
                change.put(difference);
            }
            owned &= records.get::<Handling>(&difference.id.to_string())?.is_some_and(|kept| kept.record.is_owned());
        }
        let costs = costs(statement, found, currency)?;
        let (fees, discounts) = (costs.fees, costs.discounts);
        let zero = Money::zero(currency);
        let posted = before.as_ref().map_or((zero, zero), |before| (before.fees, before.discounts));
        post_costs(&mut change, whose, fees.minus(posted.0)?, discounts.minus(posted.1)?);
        let rows = u32::try_from(statement.rows.len()).unwrap_or(u32::MAX);
        let reconciliation = Reconciliation {
            provider: whose.provider.to_owned(),
            merchant: whose.merchant.to_owned(),
            day: whose.day,
            at: now,
            statement: Seen { sha256: statement.sha256.clone(), rows },
            classes: totals(statement, found, currency)?,
            repaired: before.map_or(0, |before| before.repaired).saturating_add(repaired),
            fees,
            discounts,
            differences: differences.iter().map(|difference| difference.id).collect(),
            state: if owned { DayState::Closed } else { DayState::Open },
        };
        change.put(&reconciliation);
        Ok((change, Report { reconciliation, differences, repaired_now: repaired }))
    }

    fn differences(
        &self,
        whose: &Whose<'_>,
        statement: &Statement,
        found: &Found,
        now: DateTime<Utc>,
        records: &Snapshot,
    ) -> Result<Vec<Difference>, ReadError> {
        let mut differences = vec![];
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for one in found.classed.iter().filter(|one| one.class.is_difference()) {
            let theirs = one.theirs.map(|place| &statement.rows[place]);
            let ours = one.ours.map(|place| &found.books.rows[place]);
            let Some(key) = theirs.map(|row| &row.key).or(ours.map(|row| &row.key)) else { continue };
            let numbered = NumberedOrder::key_of(whose.provider, &key.order);
            let known = records.get::<NumberedOrder>(&numbered)?.is_some();
            let order = if known { OrderOf::Known } else { OrderOf::Unknown };
            let Some(proposal) = proposal(one.class, key.kind, order) else { continue };
            let text = key.text();
            let time = times.entry(format!("{}/{text}", one.class.as_str())).or_default();
            *time += 1;
            let day = whose.day.to_string();
            let of = [whose.provider, whose.merchant, &day, one.class.as_str(), &text, &time.to_string()];
            differences.push(Difference {
                id: DifferenceId::derive(&self.parts.key, &of),
                provider: whose.provider.to_owned(),
                merchant: whose.merchant.to_owned(),
                day: whose.day,
                class: one.class,
                theirs: theirs.map(|row| side(&row.key, row.at, row.amount, format!("line {}", row.line))),
                ours: ours.map(|row| side(&row.key, row.at, row.amount, row.record.clone())),
                proposal,
                at: now,
            });
        }
        Ok(differences)
    }

    /// The three-way check of one of the lot's days: releases, bills, money.
    pub fn three_way(&self, day: NaiveDate) -> Result<ThreeWay, ReadError> {
        let (from, until) = bounds("lot", day, self.parts.lot.zone);
        three_way::check(from, until, &self.parts.store.snapshot())
    }
}

fn cause(whose: &Whose<'_>) -> Cause {
    Cause::Box(format!("statement of {} for {}", whose.provider, whose.day))
}

fn side(key: &tollhouse_core::reconciliation::Key, at: DateTime<Utc>, amount: Money, place: String) -> Side {
    let (transaction, order, refund) = (key.transaction.clone(), key.order.clone(), key.refund.clone());
    Side { kind: key.kind, at, transaction, order, refund, amount, place }
}
