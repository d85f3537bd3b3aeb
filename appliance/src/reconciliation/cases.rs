//! Cases (待办): what the gate, payment and reconciliation leave to people; who has it, and what came of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::lane::Case;
use tollhouse_core::pay::{Order, PaymentCase};
use tollhouse_core::reconciliation::{DayState, Difference, Handling, HandlingState, Reconciliation};
use tollhouse_core::record::{By, Change, ChangeKind, Kept, ReadError, Record, Records};
use tollhouse_core::words::Words;

use crate::clock::BoxClock;
use crate::store::{Snapshot, Store, Undone};

/// The longest id of a case that is told back, in characters.
const MAX_CASE_CHARS: usize = 64;

/// A case as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseView {
    /// Its id.
    pub id: String,
    /// What kind: the gate's word, payment's, or the class of a difference.
    pub kind: String,
    /// When it was noted.
    pub at: DateTime<Utc>,
    /// For people.
    pub words: Words,
    /// The passage of the gate's case.
    pub passage: Option<String>,
    /// The stay of the gate's case.
    pub stay: Option<String>,
    /// The difference, both sides and what is proposed.
    pub difference: Option<Difference>,
    /// The money that waits, and of which order.
    #[serde(default)]
    pub money: Option<MoneyWaiting>,
    /// Who has it, and what was done.
    pub handling: Handling,
}

/// Money of a case of payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyWaiting {
    /// The case.
    pub case: PaymentCase,
    /// At which provider.
    pub provider: String,
    /// To which of our accounts there.
    pub merchant: String,
    /// The order's number there.
    pub number: String,
}

/// What is decided about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// This person has it from now on.
    Assigned(String),
    /// It is settled, and this is why.
    Resolved(String),
    /// It is open again, and this is why.
    Reopened(String),
}

/// Why nothing is decided.
#[derive(Debug, thiserror::Error)]
pub enum CaseRefusal {
    /// No such case.
    #[error("there is no case {0}")]
    Unknown(String),
    /// It is settled.
    #[error("the case is resolved: open it again first")]
    Resolved,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a case cannot be decided.
pub type CaseFault = Undone<CaseRefusal>;

/// The desk.
#[derive(Clone)]
pub struct CaseDesk {
    store: Store,
    clock: BoxClock,
}

fn handling(id: &str, records: &impl Records) -> Result<(Option<Kept<Handling>>, Handling), ReadError> {
    let kept = records.get::<Handling>(id)?;
    let handling = kept.as_ref().map_or_else(|| Handling::untouched(id), |kept| kept.record.clone());
    Ok((kept, handling))
}

/// A case of the gate.
pub(crate) fn of_gate(case: Case, records: &impl Records) -> Result<CaseView, ReadError> {
    Ok(CaseView {
        handling: handling(&case.id, records)?.1,
        kind: case.kind.as_str().to_owned(),
        at: case.at,
        words: case.words,
        passage: Some(case.passage.to_string()),
        stay: case.stay.map(|stay| stay.to_string()),
        difference: None,
        money: None,
        id: case.id,
    })
}

/// A case of payment.
pub(crate) fn of_payment(case: PaymentCase, records: &impl Records) -> Result<CaseView, ReadError> {
    let order = records.get::<Order>(&case.order.to_string())?.map(|kept| kept.record);
    let money = order.map(|order| MoneyWaiting {
        case: case.clone(),
        provider: order.provider,
        merchant: order.merchant,
        number: order.number,
    });
    Ok(CaseView {
        handling: handling(&case.id, records)?.1,
        kind: case.kind.as_str().to_owned(),
        at: case.at,
        words: case.kind.words(),
        passage: None,
        stay: None,
        difference: None,
        money,
        id: case.id,
    })
}

/// A case of reconciliation.
pub(crate) fn of_difference(difference: Difference, records: &impl Records) -> Result<CaseView, ReadError> {
    let id = difference.id.to_string();
    Ok(CaseView {
        handling: handling(&id, records)?.1,
        kind: difference.class.as_str().to_owned(),
        at: difference.at,
        words: difference.proposal.words(),
        passage: None,
        stay: None,
        difference: Some(difference),
        money: None,
        id,
    })
}

impl CaseDesk {
    /// Over this store.
    pub fn new(store: Store, clock: BoxClock) -> Self {
        Self { store, clock }
    }

    /// A case by its id.
    pub fn one(&self, id: &str) -> Result<Option<CaseView>, ReadError> {
        view(id, &self.store.snapshot())
    }

    /// Assigns, resolves or opens again. The day of a difference closes when its last one has an owner, in the same entry.
    pub async fn decide(&self, by: &By, id: &str, decided: &Decided) -> Result<CaseView, CaseFault> {
        let who: Arc<str> = by.name().into();
        let act = |records: &Snapshot| {
            let Some(mut case) = view(id, records)? else {
                return Err(CaseRefusal::Unknown(id.chars().take(MAX_CASE_CHARS).collect()));
            };
            let now = self.clock.now();
            let (kept, mut handling) = handling(id, records)?;
            let settled = handling.state == HandlingState::Resolved;
            let text = match decided {
                Decided::Assigned(_) | Decided::Resolved(_) if settled => return Err(CaseRefusal::Resolved),
                Decided::Assigned(owner) => {
                    handling.owner = Some(owner.clone());
                    handling.state = HandlingState::Assigned;
                    format!("assigned to {owner}")
                }
                Decided::Resolved(why) => {
                    handling.owner.get_or_insert_with(|| who.to_string());
                    handling.state = HandlingState::Resolved;
                    format!("resolved: {why}")
                }
                Decided::Reopened(why) => {
                    handling.state =
                        if handling.owner.is_some() { HandlingState::Assigned } else { HandlingState::Open };
                    format!("opened again: {why}")
                }
            };
            handling.note(now, &who, &text);
            let mut change = by.change(ChangeKind::CaseHandled, now);
            change.rely_on(id, kept.as_ref());
            change.put(&handling);
            if let Some(difference) = &case.difference {
                close_day(&mut change, difference, &handling, records)?;
            }
            case.handling = handling;
            Ok((case, Some(change)))
        };
        self.store.decide(by, act).await
    }
}

fn view(id: &str, records: &impl Records) -> Result<Option<CaseView>, ReadError> {
    if let Some(difference) = records.get::<Difference>(id)? {
        return of_difference(difference.record, records).map(Some);
    }
    if let Some(case) = records.get::<PaymentCase>(id)? {
        return of_payment(case.record, records).map(Some);
    }
    records.get::<Case>(id)?.map(|case| of_gate(case.record, records)).transpose()
}

/// The state of the difference's day, with this handling.
fn close_day(
    change: &mut Change,
    difference: &Difference,
    decided: &Handling,
    records: &impl Records,
) -> Result<(), ReadError> {
    let key = Reconciliation::key_of(&difference.provider, difference.day, &difference.merchant);
    let Some(kept) = records.get::<Reconciliation>(&key)? else { return Ok(()) };
    let mut owned = true;
    for id in &kept.record.differences {
        let id = id.to_string();
        owned &= if id == decided.case {
            decided.is_owned()
        } else {
            let other = records.get::<Handling>(&id)?;
            // Two people who decide at once on two differences of a day must not both leave it open.
            change.rely_on(&id, other.as_ref());
            other.is_some_and(|kept| kept.record.is_owned())
        };
    }
    let state = if owned { DayState::Closed } else { DayState::Open };
    if state != kept.record.state {
        change.rely_on(&key, Some(&kept));
        let day = Reconciliation { state, ..kept.record };
        debug_assert_eq!(day.key(), key);
        change.put(&day);
    }
    Ok(())
}
