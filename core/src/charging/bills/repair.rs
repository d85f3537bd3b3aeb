//! Taking back what is billed and should not be: credit notes for the days of each bill, the newest bill first.

use chrono::NaiveDate;

use super::bill::{CardBill, Standing};
use super::compare::Surplus;
use super::credit::{CreditNote, Part, Retention};
use crate::charging::cards::Card;
use crate::charging::timeline::Note;
use crate::id::IdKey;
use crate::money::{Currency, Money};

/// Under what a repair is made.
#[derive(Debug, Clone)]
pub struct Terms<'r> {
    /// The lot's date.
    pub on: NaiveDate,
    /// What the estate keeps of what was paid.
    pub retention: Retention,
    /// Of the bills.
    pub currency: Currency,
    /// For the ids of credit notes.
    pub key: &'r IdKey,
    /// Who and why.
    pub note: Note,
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Credit notes, one for each line that had such days.
    pub notes: Vec<CreditNote>,
    /// What had been paid for those days and is the payer's again.
    pub freed: Money,
}

/// Credits the surplus days of the card's bills, and notes on the card that they are billed no longer.
pub fn repair(card: &mut Card, bills: &mut [CardBill], surplus: &[Surplus], terms: &Terms<'_>) -> Repaired {
    let mut notes = Vec::new();
    for too_much in surplus {
        for bill in bills.iter_mut().filter(|bill| bill.standing != Standing::Void) {
            for line in 0..bill.lines.len() {
                let is = &bill.lines[line];
                if is.place == too_much.place && is.source == too_much.source {
                    let part = Part::Days { line, span: too_much.span };
                    notes.extend(bill.credit(part, terms.on, terms.retention, terms.key, terms.note.clone()));
                }
            }
        }
        card.note_credited(too_much);
    }
    let freed = notes.iter().map(|note| note.freed.minor()).sum();
    Repaired { notes, freed: Money::new(freed, terms.currency) }
}
