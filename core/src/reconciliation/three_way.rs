//! The three-way check: each release of the gate has a bill that is settled, a pass, nothing owed or a named reason; each
//! bill has its money or an open claim. It tells what does not fit and changes nothing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::bill::{Bill, BillState};
use crate::lane::{Direction, GrantCause, Passage, PassageState};
use crate::record::{ReadError, Record, Records};
use crate::stay::{Stay, StayState};

/// Records read at once.
const PAGE: usize = 512;
/// Findings that are told in full; the rest is counted.
pub const MOST_TOLD: usize = 1_000;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfit {
    /// It was released as paid, and its bill is not.
    ReleasedUnpaid,
    /// It was released as owing nothing, and its bill is open.
    ReleasedOwing,
    /// It went out without an authorisation.
    NoCause,
    /// The stay is over, and the books do not know its bill.
    BillNotPosted,
    /// More was accepted than the books know of it.
    PaidBeyondBooks,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub misfit: Misfit,
    /// The passage or the bill.
    pub about: String,
}

/// What a check saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreeWay {
    /// Releases at exits, by what let them go: settled, nothing due, pass, policy, manual.
    pub releases: std::collections::BTreeMap<String, u64>,
    /// Bills whose stay ended in the time.
    pub bills: u64,
    /// Of these, with their money.
    pub settled: u64,
    /// Of these, with an open claim.
    pub claims: u64,
    /// What does not fit, the first thousand of it.
    pub findings: Vec<Finding>,
    /// How much does not fit in all.
    pub misfits: u64,
}

impl ThreeWay {
    fn find(&mut self, misfit: Misfit, about: String) {
        self.misfits += 1;
        if self.findings.len() < MOST_TOLD {
            self.findings.push(Finding { misfit, about });
        }
    }

    fn passage(&mut self, passage: &Passage, records: &impl Records) -> Result<(), ReadError> {
        let Some(grant) = &passage.grant else {
            // A car that was booked late had gone before the box heard of it: its camera or the attendant let it out.
            if passage.ended.as_ref().is_some_and(|ended| ended.by != crate::lane::EndedBy::Backlog) {
                self.find(Misfit::NoCause, passage.id.to_string());
            }
            return Ok(());
        };
        let word = match grant.cause {
            GrantCause::Settled => "settled",
            GrantCause::NothingDue => "nothing_due",
            GrantCause::Pass => "pass",
            GrantCause::Policy => "policy",
            GrantCause::Manual => "manual",
        };
        *self.releases.entry(word.to_owned()).or_default() += 1;
        let bill = match passage.bill {
            Some(bill) => records.get::<Bill>(&bill.to_string())?,
            None => None,
        };
        let owes = bill.is_some_and(|bill| bill.record.due().is_positive());
        match grant.cause {
            GrantCause::Settled if owes => self.find(Misfit::ReleasedUnpaid, passage.id.to_string()),
            GrantCause::NothingDue if owes => self.find(Misfit::ReleasedOwing, passage.id.to_string()),
            _ => {}
        }
        Ok(())
    }

    fn stay(&mut self, stay: &Stay, records: &impl Records) -> Result<(), ReadError> {
        let Some(bill) = stay.bill else { return Ok(()) };
        let Some(bill) = records.get::<Bill>(&bill.to_string())? else { return Ok(()) };
        let bill = bill.record;
        self.bills += 1;
        let about = bill.id.to_string();
        if bill.due().is_positive() {
            self.claims += 1;
            let known = bill.posted == bill.total && bill.state != BillState::Draft;
            if !known && stay.state == StayState::Closed {
                self.find(Misfit::BillNotPosted, about);
            }
        } else {
            self.settled += 1;
            if bill.paid.minor() > bill.posted.minor() {
                self.find(Misfit::PaidBeyondBooks, about);
            }
        }
        Ok(())
    }
}

fn each<T: Record>(records: &impl Records, mut look: impl FnMut(T) -> Result<(), ReadError>) -> Result<(), ReadError> {
    let mut from = String::new();
    loop {
        let page = records.list::<T>(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            from = format!("{}\u{0}", kept.record.key());
            look(kept.record)?;
        }
        if !full {
            return Ok(());
        }
    }
}

/// Checks what left between two moments.
pub fn check(from: DateTime<Utc>, until: DateTime<Utc>, records: &impl Records) -> Result<ThreeWay, ReadError> {
    let mut found = ThreeWay::default();
    let within = |at: DateTime<Utc>| from <= at && at < until;
    each::<Passage>(records, |passage| {
        let out = passage.direction == Direction::Exit && passage.state == PassageState::Passed;
        if out && within(passage.captured_at) { found.passage(&passage, records) } else { Ok(()) }
    })?;
    each::<Stay>(records, |stay| {
        let over = stay.state != StayState::Voided && stay.exited_at.is_some_and(within);
        if over { found.stay(&stay, records) } else { Ok(()) }
    })?;
    Ok(found)
}
