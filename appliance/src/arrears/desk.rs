//! The desk of arrears.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::arrears::{self, Arrears, ForgiveRefusal, Owed};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::bill::Bill;
use tollhouse_core::id::{BillId, IdKey, StayId};
use tollhouse_core::lane::{Case, CaseKind, LaneFault};
use tollhouse_core::lot::Lot;
use tollhouse_core::money::Money;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, Cause, Change, ChangeKind, Op, ReadError, Record, Records, Refusal, Revision, Table};
use tollhouse_core::stay::{Stay, StayState};
use tollhouse_core::tariff::TariffBook;

use crate::clock::BoxClock;
use crate::store::journal::JournalFault;
use crate::store::{CommitError, Snapshot, Store, Undone};

/// Entries that are read in one round.
const AT_ONCE: usize = 1_000;
/// The cursor is written when it is so far behind.
const CURSOR_EVERY: Revision = 10_000;
/// So often a claim is decided again when somebody else was faster.
const MOST_TRIES: usize = 20;

/// How far the journal has been read for claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ArrearsCursor {
    position: Revision,
}

impl Record for ArrearsCursor {
    const TABLE: Table = Table::Cursors;
    fn key(&self) -> String {
        "arrears".to_owned()
    }
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// Something is due.
    Open,
    /// It is paid.
    Paid,
    /// What was left of it was given up.
    Forgiven,
}

impl ClaimState {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Forgiven => "forgiven",
        }
    }
}

/// A claim with what is due of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim.
    pub arrears: Arrears,
    /// What is still due.
    pub due: Money,
    /// What its bill came to.
    pub total: Money,
    /// How it stands.
    pub state: ClaimState,
}

impl Claim {
    /// Of a claim and the bill as it stands.
    pub fn of(arrears: Arrears, records: &impl Records) -> Result<Option<Self>, ReadError> {
        let Some(bill) = records.get::<Bill>(&arrears.bill.to_string())? else { return Ok(None) };
        let (due, total) = (bill.record.due(), bill.record.total);
        let state = match (due.is_positive(), arrears.forgiven.is_empty()) {
            (true, _) => ClaimState::Open,
            (false, true) => ClaimState::Paid,
            (false, false) => ClaimState::Forgiven,
        };
        Ok(Some(Self { arrears, due, total, state }))
    }
}

/// What arrears work with.
#[derive(Clone)]
pub struct ArrearsParts {
    /// Where claims are read and committed.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// The lot: its tax.
    pub lot: Arc<Lot>,
    /// What a stay costs, for exits that were missed.
    pub tariff: Arc<TariffBook>,
}

/// Why nothing is done about a claim.
#[derive(Debug, thiserror::Error)]
pub enum ArrearsRefusal {
    /// Forgiving.
    #[error(transparent)]
    Forgive(#[from] ForgiveRefusal),
    /// No such stay.
    #[error("there is no stay {0}")]
    UnknownStay(StayId),
    /// Its exit was not missed, or nothing would be owed up to that time.
    #[error("nothing can be claimed: the exit of this stay was not missed, or nothing was owed up to that time")]
    NothingToClaim,
    /// The stay cannot be priced.
    #[error("the stay cannot be priced: {0}")]
    Price(String),
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<LaneFault> for ArrearsRefusal {
    fn from(fault: LaneFault) -> Self {
        match fault {
            LaneFault::Read(fault) => Self::Read(fault),
            fault => Self::Price(fault.to_string()),
        }
    }
}

/// Why claims cannot be noted now; the next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum NoteFault {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] JournalFault),
    /// The records cannot be read.
    #[error(transparent)]
    Lane(#[from] LaneFault),
    /// It cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The desk.
#[derive(Clone)]
pub struct ArrearsDesk {
    parts: Arc<ArrearsParts>,
    read_to: Arc<Mutex<Option<Revision>>>,
}

impl ArrearsDesk {
    /// With these parts.
    pub fn new(parts: ArrearsParts) -> Self {
        Self { parts: Arc::new(parts), read_to: Arc::default() }
    }

    /// Reads on in the journal and notes claims; says how many entries it has read. Blocks for as long as it reads.
    pub async fn round(&self) -> Result<usize, NoteFault> {
        let store = &self.parts.store;
        let known = *self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = store.snapshot().get::<ArrearsCursor>("arrears").map_err(LaneFault::from)?;
        let written = kept.as_ref().map_or(0, |kept| kept.record.position);
        let after = known.unwrap_or(written);
        let entries = store.follow(after, AT_ONCE)?;
        let Some(last) = entries.last().map(|entry| entry.position) else { return Ok(0) };
        for case in entries.iter().flat_map(cases) {
            self.note(&case).await?;
        }
        if last - written >= CURSOR_EVERY {
            let mut change = Change::new(ChangeKind::CursorMoved, self.parts.clock.now(), Cause::Time);
            change.put(&ArrearsCursor { position: last });
            store.commit(change).await?;
        }
        *self.read_to.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        Ok(entries.len())
    }

    async fn note(&self, case: &Case) -> Result<(), NoteFault> {
        for _ in 0..MOST_TRIES {
            let records = self.parts.store.snapshot();
            let why = Cause::Box(format!("case {}", case.id));
            let mut change = Change::new(ChangeKind::ArrearsChanged, self.parts.clock.now(), why);
            arrears::note(case, &mut change, &records)?;
            drop(records);
            if change.ops.is_empty() {
                return Ok(());
            }
            match self.parts.store.commit(change).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Refused(Refusal::Stale { .. })) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// The claims on a car, the oldest first.
    pub fn of(&self, plate: &Plate) -> Result<Vec<Claim>, ReadError> {
        let records = self.parts.store.snapshot();
        let claims = arrears::claims_of(plate, &records)?.into_iter();
        claims.filter_map(|claim| Claim::of(claim, &records).transpose()).collect()
    }

    /// What is asked of a car now beside the bill that it looks at.
    pub fn asked(&self, plate: &Plate, beside: Option<BillId>) -> Result<Vec<Owed>, ReadError> {
        let mut owed = arrears::look(plate, &self.parts.store.snapshot())?;
        owed.retain(|one| Some(one.bill.id) != beside);
        Ok(owed)
    }

    /// What is due of a claim.
    pub fn one(&self, plate: &Plate, bill: BillId) -> Result<Option<Claim>, ReadError> {
        let records = self.parts.store.snapshot();
        let kept = records.get::<Arrears>(&Arrears::key_of(plate, bill))?;
        kept.map_or(Ok(None), |kept| Claim::of(kept.record, &records))
    }

    /// Gives up a claim, or a part of it. Whether the person may is the asker's to know.
    pub async fn forgive(
        &self,
        by: &By,
        (plate, bill): (&Plate, BillId),
        amount: Option<Money>,
        reason: &str,
    ) -> Result<Claim, Undone<ArrearsRefusal>> {
        let decide = |records: &Snapshot| {
            let unknown = || ForgiveRefusal::Unknown(plate.clone());
            let kept = records.get::<Arrears>(&Arrears::key_of(plate, bill))?.ok_or_else(unknown)?;
            let before = Claim::of(kept.record.clone(), records)?.ok_or_else(unknown)?;
            let (change, claim, given) =
                arrears::forgive(&kept, amount, (by.name(), reason), self.parts.clock.now(), records)?;
            let due = before.due.minus(given).map_err(ForgiveRefusal::from)?;
            let total = before.total.minus(given).map_err(ForgiveRefusal::from)?;
            let state = if due.is_positive() { ClaimState::Open } else { ClaimState::Forgiven };
            Ok((Claim { arrears: claim, due, total, state }, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Claims what a car owes that was not seen to leave, up to when it must have left.
    pub async fn claim_missed_exit(
        &self,
        by: &By,
        stay: StayId,
        until: DateTime<Utc>,
    ) -> Result<Claim, Undone<ArrearsRefusal>> {
        let decide = |records: &Snapshot| {
            let kept = records.get::<Stay>(&stay.to_string())?.ok_or(ArrearsRefusal::UnknownStay(stay))?;
            if kept.record.state != StayState::ExitMissed {
                return Err(ArrearsRefusal::NothingToClaim);
            }
            let passage = missed_at(&kept.record, records)?.ok_or(ArrearsRefusal::NothingToClaim)?;
            let mut change = by.change(ChangeKind::ArrearsChanged, self.parts.clock.now());
            let terms = (self.parts.tariff.as_ref(), self.parts.lot.tax_rate, &self.parts.key);
            let claim = arrears::missed_exit(&kept, until, passage.passage, terms, &mut change, records)?;
            let claim = claim.ok_or(ArrearsRefusal::NothingToClaim)?;
            let bill = change.ops.iter().find_map(written_bill).ok_or(ArrearsRefusal::NothingToClaim)?;
            let (due, total) = (bill.due(), bill.total);
            Ok((Claim { arrears: claim, due, total, state: ClaimState::Open }, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }
}

/// The cases that an entry writes and that may be claims.
fn cases(entry: &JournalEntry) -> Vec<Case> {
    let of_op = |op: &Op| match op {
        Op::Put { table, record, .. } if *table == Table::Cases.name() => {
            let case: Option<Case> = serde_json::from_str(record.get()).ok();
            case.filter(|case| matches!(case.kind, CaseKind::LeftUnpaid | CaseKind::ExitMissed))
        }
        _ => None,
    };
    entry.change.ops.iter().filter_map(of_op).collect()
}

fn written_bill(op: &Op) -> Option<Bill> {
    match op {
        Op::Put { table, record, .. } if *table == Table::Bills.name() => serde_json::from_str(record.get()).ok(),
        _ => None,
    }
}

/// The case in which the gate noted that a stay's exit was missed.
fn missed_at(stay: &Stay, records: &impl Records) -> Result<Option<Case>, ReadError> {
    let mut from = format!("{}-", CaseKind::ExitMissed.as_str());
    let prefix = from.clone();
    loop {
        let page = records.list::<Case>(&from, AT_ONCE)?;
        let full = page.len() == AT_ONCE;
        for kept in page {
            if !kept.record.id.starts_with(&prefix) {
                return Ok(None);
            }
            if kept.record.stay == Some(stay.id) {
                return Ok(Some(kept.record));
            }
            from = format!("{}\u{0}", kept.record.id);
        }
        if !full {
            return Ok(None);
        }
    }
}
