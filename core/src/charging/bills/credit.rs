//! Credit notes: days of a line that are owed no longer, or a whole bill withdrawn. What was paid for them comes free.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::bill::{CardBill, Standing};
use super::compare::Surplus;
use super::line::{CardLine, CreditedDays, Nature};
use crate::charging::calendar::{Span, without};
use crate::charging::cards::Card;
use crate::charging::label::CardNumber;
use crate::charging::timeline::Note;
use crate::id::{BillId, CreditNoteId, IdKey};
use crate::money::Money;
use crate::record::{Record, Table};
use crate::words::Words;

/// What of a bill is owed no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Days of one line.
    Days {
        /// Which line.
        line: usize,
        /// Which days.
        span: Span,
    },
    /// What is still to be paid of a line that has no days: a deposit, say.
    Owed {
        /// Which line.
        line: usize,
    },
}

/// What the estate keeps of what was paid for a part that a holder gives up: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention(pub Decimal);

impl Retention {
    /// Nothing.
    pub const NONE: Self = Self(Decimal::ZERO);
}

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// A keyed hash of the bill and how many it had before.
    pub id: CreditNoteId,
    /// Of which card.
    pub card: CardNumber,
    /// Of which bill.
    pub bill: BillId,
    /// What is owed no longer.
    pub lines: Vec<CreditedLine>,
    /// Their sum.
    pub amount: Money,
    /// What had been paid for it and came free.
    pub freed: Money,
    /// Who and why.
    pub note: Note,
}

/// A line of a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditedLine {
    /// Of which line of the bill.
    pub line: usize,
    /// How much, and which days.
    #[serde(flatten)]
    pub credited: CreditedDays,
}

impl Record for CreditNote {
    const TABLE: Table = Table::CreditNotes;
    fn key(&self) -> String {
        format!("{}/{}", self.card, self.id)
    }
}

impl CardBill {
    /// Credits a part. `None` when there is nothing to credit.
    pub fn credit(
        &mut self,
        part: Part,
        on: NaiveDate,
        retention: Retention,
        key: &IdKey,
        note: Note,
    ) -> Option<CreditNote> {
        self.accrue(on);
        self.recover(on);
        let before: usize = self.lines.iter().map(|line| line.credited.len()).sum();
        let lines = match part {
            Part::Whole => (0..self.lines.len()).flat_map(|place| whole(&self.lines[place], place)).collect(),
            Part::Days { line, span } => days(self.lines.get(line)?, line, span),
            Part::Owed { line } => owed(self.lines.get(line)?, line),
        };
        if lines.is_empty() {
            return None;
        }
        for credited in &lines {
            self.lines[credited.line].credited.push(credited.credited);
        }
        if part == Part::Whole {
            self.late.waived = self.money(self.late.waived.minor() + self.late.outstanding());
            self.standing = Standing::Void;
        }
        let amount: i64 = lines.iter().map(|line| line.credited.amount.minor()).sum();
        let freed = self.free_excess(part);
        let kept = self.retain(freed, retention);
        Some(CreditNote {
            id: CreditNoteId::derive(key, &[&self.id.to_string(), &before.to_string()]),
            card: self.heading.card.clone(),
            bill: self.id,
            lines,
            amount: self.money(amount),
            freed: self.money(freed - kept),
            note,
        })
    }

    /// Takes from each line what was paid beyond what is kept, and gives it to what is still open of the bill. The rest.
    fn free_excess(&mut self, part: Part) -> i64 {
        let mut excess = 0;
        for line in &mut self.lines {
            let over = (line.paid.minor() - line.kept()).max(0);
            line.paid = Money::new(line.paid.minor() - over, line.amount.currency());
            if line.nature != Nature::Deposit && part == Part::Whole {
                line.returned = Money::new(line.returned.minor() + over, line.amount.currency());
            }
            excess += over;
        }
        let late = if part == Part::Whole { self.late.paid.minor() } else { 0 };
        self.late.paid = self.money(self.late.paid.minor() - late);
        self.late.waived = self.money(self.late.waived.minor() + late);
        excess += late;
        let again = excess.min(self.due().minor()).max(0);
        self.spread(again);
        excess - again
    }

    /// Keeps a part of what came free, as a line of its own that is paid at once.
    fn retain(&mut self, freed: i64, retention: Retention) -> i64 {
        let kept = (Decimal::from(freed) * retention.0).floor().to_i64().unwrap_or(0).clamp(0, freed);
        if kept == 0 {
            return 0;
        }
        let like = self.lines.iter().find(|line| line.nature == Nature::Service).unwrap_or(&self.lines[0]).clone();
        let amount = self.money(kept);
        self.lines.push(CardLine {
            text: Words::new("退订扣款", "Kept on cancellation"),
            days: None,
            price: amount.decimal(),
            amount,
            nature: Nature::Cancellation,
            credited: vec![],
            paid: amount,
            returned: self.money(0),
            written_off: self.money(0),
            ..like
        });
        kept
    }
}

impl Card {
    /// The card after a bill was withdrawn as a whole: its days are billed no longer, so the next run draws them again, by
    /// the price list as it then is. Days that were credited one by one stay billed: they were given away.
    #[must_use]
    pub fn freed(mut self, bill: &CardBill, note: &CreditNote) -> Self {
        for credited in &note.lines {
            let (Some(line), Some(span)) = (bill.lines.get(credited.line), credited.credited.span) else { continue };
            self.note_credited(&Surplus { place: line.place.clone(), source: line.source.clone(), span });
        }
        self
    }
}

/// All that is left of a line; a line with days by its live spans.
fn whole(line: &CardLine, place: usize) -> Vec<CreditedLine> {
    // Of a deposit, what was given back or used before stays as it was.
    let back = if line.nature == Nature::Deposit { line.returned.minor() } else { 0 };
    let kept = line.kept() - back;
    let spans = line.live_days();
    if line.days.is_none() {
        let credited = CreditedDays { span: None, amount: Money::new(kept, line.currency()) };
        return if kept == 0 { vec![] } else { vec![CreditedLine { line: place, credited }] };
    }
    let mut line = line.clone();
    let mut all = Vec::new();
    for span in spans {
        let amount = Money::new(line.credit_for(span), line.currency());
        let credited = CreditedDays { span: Some(span), amount };
        line.credited.push(credited);
        all.push(CreditedLine { line: place, credited });
    }
    all
}

/// What is still to be paid of a line without days.
fn owed(line: &CardLine, place: usize) -> Vec<CreditedLine> {
    let amount = Money::new(line.outstanding(), line.currency());
    if !amount.is_positive() || line.days.is_some() {
        return vec![];
    }
    vec![CreditedLine { line: place, credited: CreditedDays { span: None, amount } }]
}

/// The live days of a line within a span.
fn days(line: &CardLine, place: usize, span: Span) -> Vec<CreditedLine> {
    let mut line = line.clone();
    let mut all = Vec::new();
    for live in line.live_days().into_iter().filter_map(|live| live.and(span)) {
        let amount = Money::new(line.credit_for(live), line.currency());
        let credited = CreditedDays { span: Some(live), amount };
        line.credited.push(credited);
        all.push(CreditedLine { line: place, credited });
    }
    debug_assert!(all.iter().all(|one| one.credited.span.is_some_and(|days| without(days, &[span]).is_empty())));
    all
}
