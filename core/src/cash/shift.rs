//! A shift (班次): opened with a counted float, counted when it is closed or handed over (交接班); a difference has a name.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CashFor, CashReceipt, CashRefusal, MAX_ATTENDANT_CHARS, Pieces, Way, check_amount, checked_reason, sum};
use crate::books::{Account, Posting};
use crate::id::{IdKey, ShiftId};
use crate::money::{Currency, Money, MoneyError};
use crate::record::{Cause, Change, ChangeKind, Kept, Record, Records, Revision, Table};

/// One attendant's time at the till.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Derived from attendant and opening.
    pub id: ShiftId,
    /// Whose.
    pub attendant: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// What was in the drawer then, counted.
    pub float: Money,
    /// What went in since, net of change.
    pub taken: Money,
    /// What went out since.
    pub paid_out: Money,
    /// How many receipts it has.
    pub receipts: u32,
    /// The shift that handed over to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ShiftId>,
    /// Entries of the journal up to this one came before it.
    #[serde(default)]
    pub opened_after: Revision,
    /// How it stands.
    pub state: ShiftState,
    /// How it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

/// How a shift stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShiftState {
    /// Its drawer is in use.
    Open,
    /// It was counted.
    Closed,
}

/// How a shift was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: DateTime<Utc>,
    /// What should have been there: float + in - out.
    pub expected: Money,
    /// What was there.
    pub counted: Money,
    /// Counted less expected.
    pub difference: Money,
    /// Piece by piece, if it was counted so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Pieces>,
    /// Why there is a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The shift that it handed over to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_to: Option<ShiftId>,
}

impl Record for Shift {
    const TABLE: Table = Table::Shifts;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Which shift of an attendant is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenShift {
    /// Whose.
    pub attendant: String,
    /// Which.
    pub shift: ShiftId,
}

impl Record for OpenShift {
    const TABLE: Table = Table::OpenShifts;
    fn key(&self) -> String {
        self.attendant.clone()
    }
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The sum.
    pub sum: Money,
    /// Piece by piece; empty when only the sum was counted.
    pub pieces: Vec<Pieces>,
}

impl Count {
    fn checked(&self, currency: Currency) -> Result<(), CashRefusal> {
        check_amount(self.sum, currency, 0)?;
        let pieces = sum(&self.pieces, currency)?;
        if self.pieces.is_empty() || pieces == self.sum {
            return Ok(());
        }
        Err(CashRefusal::Count { pieces, sum: self.sum })
    }
}

/// Under what a shift is opened or closed.
#[derive(Debug, Clone, Copy)]
pub struct ShiftTerms<'k> {
    /// When.
    pub now: DateTime<Utc>,
    /// The newest entry of the journal that was seen.
    pub after: Revision,
    /// From which ids are derived.
    pub key: &'k IdKey,
}

/// Which way cash goes between drawer and safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovedCash {
    /// From the drawer into the safe (缴款).
    ToSafe,
    /// From the safe into the drawer.
    FromSafe,
}

impl Shift {
    /// The account of its drawer.
    pub fn account(&self) -> Account {
        Account::Cash(self.id.to_string())
    }

    /// What should be in the drawer.
    pub fn expected(&self) -> Result<Money, MoneyError> {
        self.float.plus(self.taken)?.minus(self.paid_out)
    }

    /// The open shift of an attendant.
    pub fn of(attendant: &str, records: &impl Records) -> Result<Kept<Self>, CashRefusal> {
        let none = || CashRefusal::NoShift(attendant.chars().take(MAX_ATTENDANT_CHARS).collect());
        let open = records.get::<OpenShift>(attendant)?.ok_or_else(none)?;
        records.get::<Self>(&open.record.shift.to_string())?.ok_or_else(none)
    }

    /// Writes the shift with one more receipt, which says how much the drawer gained or lost.
    pub(super) fn book(&mut self, change: &mut Change, mut receipt: CashReceipt) -> Result<CashReceipt, CashRefusal> {
        let side = match receipt.way {
            Way::In => &mut self.taken,
            Way::Out => &mut self.paid_out,
        };
        *side = side.plus(receipt.amount)?;
        let there = self.expected()?;
        if there.minor() < 0 {
            let wanted = receipt.amount;
            return Err(CashRefusal::NotThere { there: there.plus(wanted)?, wanted });
        }
        self.receipts = self.receipts.saturating_add(1);
        receipt.number = self.receipts;
        change.put(&receipt);
        change.put(self);
        Ok(receipt)
    }

    /// A receipt of this shift, to be filled in.
    pub(super) fn receipt(&self, at: DateTime<Utc>, way: Way, amount: Money, subject: CashFor) -> CashReceipt {
        let zero = Money::zero(amount.currency());
        let (tendered, change, rounding) = (amount, zero, zero);
        CashReceipt { shift: self.id, number: 0, at, way, amount, tendered, change, rounding, subject, reason: None }
    }
}

fn person(attendant: &str, reason: &str) -> Cause {
    Cause::Person { name: attendant.to_owned(), reason: reason.to_owned() }
}

fn checked_attendant(attendant: &str) -> Result<(), CashRefusal> {
    let length = attendant.chars().take(MAX_ATTENDANT_CHARS + 1).count();
    let sound = (1..=MAX_ATTENDANT_CHARS).contains(&length) && attendant.trim() == attendant;
    if sound { Ok(()) } else { Err(CashRefusal::Attendant) }
}

/// Begins a shift in `change`: nobody has two.
fn begin(
    change: &mut Change,
    attendant: &str,
    float: &Count,
    from: Option<ShiftId>,
    terms: &ShiftTerms<'_>,
    records: &impl Records,
) -> Result<Shift, CashRefusal> {
    checked_attendant(attendant)?;
    let currency = float.sum.currency();
    float.checked(currency)?;
    if records.get::<OpenShift>(attendant)?.is_some() {
        return Err(CashRefusal::OpenAlready(attendant.to_owned()));
    }
    change.rely_on::<OpenShift>(attendant, None);
    let zero = Money::zero(currency);
    let shift = Shift {
        id: ShiftId::derive(terms.key, &[attendant, &change.at.timestamp_micros().to_string()]),
        attendant: attendant.to_owned(),
        opened_at: change.at,
        float: float.sum,
        taken: zero,
        paid_out: zero,
        receipts: 0,
        from,
        opened_after: terms.after,
        state: ShiftState::Open,
        closing: None,
    };
    change.rely_on::<Shift>(&shift.id.to_string(), None);
    change.put(&OpenShift { attendant: attendant.to_owned(), shift: shift.id });
    change.put(&shift);
    if float.sum.is_positive() {
        change.postings.extend([Posting::debit(shift.account(), float.sum), Posting::credit(Account::Safe, float.sum)]);
    }
    Ok(shift)
}

/// Opens a shift with a counted float, which comes out of the safe.
pub fn open(
    attendant: &str,
    float: &Count,
    terms: &ShiftTerms<'_>,
    records: &impl Records,
) -> Result<(Change, Shift), CashRefusal> {
    let mut change = Change::new(ChangeKind::ShiftOpened, terms.now, person(attendant, "shift opened"));
    let shift = begin(&mut change, attendant, float, None, terms, records)?;
    Ok((change, shift))
}

/// Closes a shift by its count: the drawer goes into the safe, and what differs to over and short. With `next` it is handed
/// over: the next attendant's shift begins with that float in the same entry, so that no money is between two drawers.
pub fn close(
    attendant: &str,
    count: &Count,
    reason: Option<&str>,
    next: Option<(&str, &Count)>,
    terms: &ShiftTerms<'_>,
    records: &impl Records,
) -> Result<(Change, Shift, Option<Shift>), CashRefusal> {
    let kept = Shift::of(attendant, records)?;
    let mut shift = kept.record.clone();
    count.checked(shift.float.currency())?;
    let expected = shift.expected()?;
    let difference = count.sum.minus(expected)?;
    let reason = reason.map(checked_reason).transpose()?;
    if !difference.is_zero() && reason.is_none() {
        return Err(CashRefusal::DifferenceUnnamed(difference));
    }
    let why = reason.clone().unwrap_or_else(|| "shift closed".to_owned());
    let mut change = Change::new(ChangeKind::ShiftClosed, terms.now, person(attendant, &why));
    change.rely_on(&kept.record.id.to_string(), Some(&kept));
    let postings = [
        Posting::debit(Account::Safe, count.sum),
        Posting::debit(Account::OverShort, difference.negated()),
        Posting::credit(shift.account(), expected),
    ];
    change.postings.extend(postings.into_iter().filter(|posting| !posting.amount.is_zero()));
    change.delete(Table::OpenShifts, attendant);
    let next = match next {
        Some((next, float)) if next != attendant => {
            if float.sum.minus(count.sum)?.is_positive() {
                return Err(CashRefusal::NotThere { there: count.sum, wanted: float.sum });
            }
            Some(begin(&mut change, next, float, Some(shift.id), terms, records)?)
        }
        Some((next, _)) => return Err(CashRefusal::OpenAlready(next.to_owned())),
        None => None,
    };
    shift.state = ShiftState::Closed;
    shift.closing = Some(Closing {
        at: terms.now,
        expected,
        counted: count.sum,
        difference,
        pieces: count.pieces.clone(),
        reason,
        handed_to: next.as_ref().map(|next| next.id),
    });
    change.put(&shift);
    Ok((change, shift, next))
}

/// Moves cash between a drawer and the safe while the shift goes on.
pub fn move_cash(
    attendant: &str,
    which: MovedCash,
    amount: Money,
    reason: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, CashReceipt), CashRefusal> {
    let reason = checked_reason(reason)?;
    let kept = Shift::of(attendant, records)?;
    check_amount(amount, kept.record.float.currency(), 1)?;
    let mut change = Change::new(ChangeKind::CashMoved, now, person(attendant, &reason));
    change.rely_on(&kept.record.id.to_string(), Some(&kept));
    let mut shift = kept.record;
    let (way, to, from) = match which {
        MovedCash::ToSafe => (Way::Out, Account::Safe, shift.account()),
        MovedCash::FromSafe => (Way::In, shift.account(), Account::Safe),
    };
    change.postings.extend([Posting::debit(to, amount), Posting::credit(from, amount)]);
    let receipt = CashReceipt { reason: Some(reason), ..shift.receipt(now, way, amount, CashFor::Safe) };
    let receipt = shift.book(&mut change, receipt)?;
    Ok((change, receipt))
}
