//! A bill run over all cards, a chunk at a time, so that nobody who writes waits for it.
//!
//! Owns the record of a run (how far it has come and what it drew) and what one chunk writes. A chunk is one change: its
//! bills, its cards and how far the run is then stand or fall together, so a run that was interrupted goes on where it
//! was, and a period is never billed twice. It must not know who runs it, and how cards are read.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::bill::CardBill;
use super::book::{BillBooks, Moved};
use super::compare::Estate;
use super::credit::Retention;
use super::draw::{Bounds, Parked, run_card};
use super::pay::bills_of;
use super::repair::{Terms, repair};
use crate::books::{Account, Payee};
use crate::charging::cards::Card;
use crate::charging::fees::FeeList;
use crate::charging::label::CardNumber;
use crate::charging::timeline::Note;
use crate::id::{BillId, IdKey};
use crate::money::Currency;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Record, Records, Table};

/// So many parked cards are named; the rest is counted.
const MOST_PARKED: usize = 100;

/// One bill run: what it drew, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillRun {
    /// As of which day it draws.
    pub as_of: NaiveDate,
    /// When it began, for the first time.
    pub began_at: DateTime<Utc>,
    /// When it was through; `None`: it is under way, or was interrupted and goes on.
    #[serde(default)]
    pub ended_at: Option<DateTime<Utc>>,
    /// The last card that it looked at.
    #[serde(default)]
    pub after: Option<CardNumber>,
    /// What it did.
    #[serde(default)]
    pub sums: RunSums,
}

/// What a run did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunSums {
    /// Cards that it looked at.
    pub cards: u64,
    /// Bills that it drew.
    pub bills: u64,
    /// What they come to, in smallest units.
    pub drawn_minor: i64,
    /// Of it tax, in smallest units.
    pub tax_minor: i64,
    /// Of it the owners' public income, in smallest units.
    pub owners_minor: i64,
    /// Credit notes for days that were billed and should not be.
    pub credit_notes: u64,
    /// What they come to, in smallest units.
    pub credited_minor: i64,
    /// Cards that were left for a person.
    pub parked: u64,
    /// The first of them, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked_cards: Vec<ParkedCard>,
}

/// A card that a run left for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedCard {
    /// Which.
    pub card: CardNumber,
    /// Why.
    pub why: String,
}

impl Record for BillRun {
    const TABLE: Table = Table::BillRuns;
    fn key(&self) -> String {
        self.as_of.to_string()
    }
}

impl BillRun {
    /// A run that begins.
    pub fn new(as_of: NaiveDate, now: DateTime<Utc>) -> Self {
        Self { as_of, began_at: now, ended_at: None, after: None, sums: RunSums::default() }
    }

    /// The run as it goes on: where it was interrupted, or over all cards again when it was through. What was drawn as of
    /// its day stays counted.
    #[must_use]
    pub fn again(mut self) -> Self {
        if self.ended_at.take().is_some() {
            self.after = None;
            (self.sums.cards, self.sums.parked) = (0, 0);
            self.sums.parked_cards.clear();
        }
        self
    }
}

/// Under what cards are billed.
#[derive(Debug, Clone)]
pub struct RunTerms<'r> {
    /// The price list.
    pub fees: &'r FeeList,
    /// As of which day.
    pub as_of: NaiveDate,
    /// The lot's date.
    pub today: NaiveDate,
    /// Of the lot.
    pub currency: Currency,
    /// What a run may do to one card.
    pub bounds: Bounds,
    /// For the ids.
    pub key: &'r IdKey,
}

/// What one card's part of a run writes.
#[derive(Debug, Clone)]
pub struct CardStep {
    /// The card, with what is billed noted on it.
    pub card: Card,
    /// Bills drawn and credited.
    pub moves: Vec<Moved>,
    /// For days that should not have been billed.
    pub notes: Vec<super::credit::CreditNote>,
}

/// Bills one card: what is missing is drawn, what is too much is credited. `Ok(None)`: nothing is to be done.
///
/// The caller puts the card and the credit notes into the change, and writes the moves through [`BillBooks`] with
/// [`Account::Credit`] as the other side: what had been paid for days that are credited is the holder's again.
pub fn bill_card(
    card: &Card,
    estate: &impl Estate,
    terms: &RunTerms<'_>,
    note: &Note,
    records: &impl Records,
) -> Result<Result<Option<CardStep>, Parked>, ReadError> {
    let outcome = run_card(card, estate, terms.fees, terms.as_of, terms.currency, terms.bounds, terms.key);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(parked) => return Ok(Err(parked)),
    };
    let mut moves: Vec<Moved> = outcome.bills.into_iter().map(Moved::drawn).collect();
    let (mut billed, mut notes) = (outcome.card, vec![]);
    if !outcome.surplus.is_empty() {
        let kept = bills_of(&card.number, records)?;
        let mut bills: Vec<CardBill> = kept.iter().map(|kept| kept.record.clone()).collect();
        let terms = Terms {
            on: terms.today,
            retention: Retention::NONE,
            currency: terms.currency,
            key: terms.key,
            note: note.clone(),
        };
        notes = repair(&mut billed, &mut bills, &outcome.surplus, &terms).notes;
        let touched = kept.into_iter().zip(bills).filter(|(before, after)| before.record != *after);
        moves.extend(touched.map(|(before, after)| Moved { before: Some(before), after }));
    }
    if billed == *card && moves.is_empty() {
        return Ok(Ok(None));
    }
    Ok(Ok(Some(CardStep { card: billed, moves, notes })))
}

/// A chunk of a run: what to commit, and the run as it is then.
#[derive(Debug)]
pub struct Chunk {
    /// All of it, in one change.
    pub change: Change,
    /// As it is then.
    pub run: BillRun,
    /// What was drawn.
    pub drawn: Vec<BillId>,
}

/// Bills a chunk of cards, the ones that come after `run.after` in order. An empty chunk ends the run.
pub fn run_chunk(
    before: Option<&Kept<BillRun>>,
    run: &BillRun,
    cards: &[Kept<Card>],
    estate: &impl Estate,
    terms: &RunTerms<'_>,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Chunk, ReadError> {
    let note = Note::new(now, terms.today, "run", &format!("bill run as of {}", terms.as_of));
    let mut change = Change::new(ChangeKind::BillsRun, now, Cause::Box(format!("bill run as of {}", terms.as_of)));
    let mut run = run.clone();
    change.rely_on(&run.key(), before);
    let (mut moves, mut drawn) = (Vec::new(), Vec::new());
    for kept in cards {
        run.sums.cards += 1;
        run.after = Some(kept.record.number.clone());
        match bill_card(&kept.record, estate, terms, &note, records)? {
            Err(why) => run.sums.park(&kept.record.number, &why),
            Ok(None) => {}
            Ok(Some(step)) => {
                run.sums.add(&step);
                change.rely_on(&kept.record.key(), Some(kept));
                step.card.write(&mut change);
                for note in &step.notes {
                    change.put(note);
                }
                drawn.extend(step.moves.iter().filter(|one| one.before.is_none()).map(|one| one.after.id));
                moves.extend(step.moves);
            }
        }
    }
    if cards.is_empty() {
        run.ended_at = Some(now);
    }
    change.put(&run);
    BillBooks::open(records, terms.today)?.write(&mut change, moves, &Account::Credit);
    Ok(Chunk { change, run, drawn })
}

impl RunSums {
    /// Adds what was done for a card.
    pub fn add(&mut self, step: &CardStep) {
        for bill in step.moves.iter().filter(|one| one.before.is_none()).map(|one| &one.after) {
            self.bills += 1;
            self.drawn_minor += bill.total().minor();
            self.tax_minor += bill.tax().minor();
            let owners = bill.lines.iter().filter(|line| line.tax.payee == Payee::Owners);
            self.owners_minor += owners.map(|line| line.amount.minor()).sum::<i64>();
        }
        self.credit_notes += step.notes.len() as u64;
        self.credited_minor += step.notes.iter().map(|note| note.amount.minor()).sum::<i64>();
    }

    /// Notes a card that was left.
    pub fn park(&mut self, card: &CardNumber, why: &Parked) {
        self.parked += 1;
        if self.parked_cards.len() < MOST_PARKED {
            self.parked_cards.push(ParkedCard { card: card.clone(), why: why.to_string() });
        }
    }
}

/// Lets the late fee of an open bill accrue up to a day. `None`: what is charged stays as it is, and nothing is written.
pub fn late_fee(kept: Kept<CardBill>, today: NaiveDate) -> Option<Moved> {
    let before = kept.record.late.charged();
    let moved = Moved::from(kept, |bill| bill.accrue(today));
    (moved.after.late.charged() != before).then_some(moved)
}
