//! A card's bill: periodic for owned spaces, independent and united for each term of a letting.
//!
//! It is never edited: payments, credits, late fees and write-offs are added to it, and its state follows from them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::late::Late;
use super::line::{CardLine, Nature, Source};
use crate::bill::{BillKind, BillState};
use crate::charging::calendar::Span;
use crate::charging::estate::Room;
use crate::charging::label::{CardNumber, HolderId};
use crate::id::BillId;
use crate::money::{Currency, Money};
use crate::record::{Record, Table};

/// What is owed by a card for one period, term or occasion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardBill {
    /// A keyed hash of card, source, period and the days that it covers first.
    pub id: BillId,
    /// Periodic or independent.
    pub kind: BillKind,
    /// Whose.
    #[serde(flatten)]
    pub heading: Heading,
    /// What it is for, where all lines have one source.
    pub source: Option<Source>,
    /// The period or term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Span>,
    /// When it counts as issued, whenever the run came.
    pub issued_on: NaiveDate,
    /// The last day on which it can be paid without being late.
    pub due_on: NaiveDate,
    /// Line by line; never empty.
    #[serde(deserialize_with = "crate::charging::timeline::at_least_one")]
    pub lines: Vec<CardLine>,
    /// Its late fee.
    pub late: Late,
    /// What people decided about it as a whole.
    pub standing: Standing,
    /// Where it has arrived.
    #[serde(default)]
    pub reached: Reached,
}

/// Whose bill it is, as it stood when it was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The card.
    pub card: CardNumber,
    /// Who owes it.
    pub payer: HolderId,
    /// By which clerks search and dun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
}

/// What people decided about a bill as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing: it is owed.
    Issued,
    /// It was withdrawn.
    Void,
    /// What was open is given up as lost.
    WrittenOff,
}

/// When each part of the box has it; shown on the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reached {
    /// The gate, as a pass.
    #[serde(default)]
    pub gate: Option<DateTime<Utc>>,
    /// Payment, as something payable.
    #[serde(default)]
    pub payment: Option<DateTime<Utc>>,
    /// The card.
    #[serde(default)]
    pub card: Option<DateTime<Utc>>,
}

impl Record for CardBill {
    const TABLE: Table = Table::CardBills;
    fn key(&self) -> String {
        format!("{}/{}", self.heading.card, self.id)
    }
}

impl CardBill {
    /// The currency of all of it.
    pub fn currency(&self) -> Currency {
        self.lines[0].currency()
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency())
    }

    /// In smallest units: all that is owed after credits, without late fees.
    pub(super) fn kept(&self) -> i64 {
        self.lines.iter().map(CardLine::kept).sum()
    }

    /// In smallest units: what of the principal bears late fees.
    fn principal_owed(&self) -> i64 {
        self.principal().map(CardLine::outstanding).sum()
    }

    fn principal(&self) -> impl Iterator<Item = &CardLine> {
        self.lines.iter().filter(|line| line.nature != Nature::Deposit)
    }

    /// What is owed in all after credits, with the late fee that has accrued.
    pub fn total(&self) -> Money {
        self.money(self.kept() + self.late.charged())
    }

    /// The late fee that has accrued, less what was forgiven.
    pub fn late_fee(&self) -> Money {
        self.money(self.late.charged())
    }

    /// What was accepted.
    pub fn paid(&self) -> Money {
        self.money(self.lines.iter().map(|line| line.paid.minor()).sum::<i64>() + self.late.paid.minor())
    }

    /// What is still due.
    pub fn due(&self) -> Money {
        self.money(self.lines.iter().map(CardLine::outstanding).sum::<i64>() + self.late.outstanding())
    }

    /// What of it is tax.
    pub fn tax(&self) -> Money {
        self.money(self.lines.iter().map(CardLine::tax_minor).sum())
    }

    /// How it stands.
    pub fn state(&self) -> BillState {
        let (paid, due) = (self.paid().minor(), self.due().minor());
        let refunded = self.lines.iter().any(|line| !line.credited.is_empty() && line.nature != Nature::Deposit);
        match self.standing {
            Standing::Void if refunded && self.was_paid() => BillState::Refunded,
            Standing::Void => BillState::Void,
            Standing::WrittenOff if due == 0 => BillState::WrittenOff,
            _ if due == 0 => BillState::Paid,
            _ if paid > 0 => BillState::PartPaid,
            _ => BillState::Open,
        }
    }

    /// Whether money had been accepted before the bill was withdrawn.
    fn was_paid(&self) -> bool {
        self.lines.iter().any(|line| line.returned.is_positive())
    }

    /// Whether it is late on a day.
    pub fn is_overdue(&self, on: NaiveDate) -> bool {
        on > self.due_on && self.due().is_positive() && self.standing == Standing::Issued
    }

    /// Lets late fees accrue up to the day before.
    pub fn accrue(&mut self, as_of: NaiveDate) {
        if self.standing == Standing::Issued {
            let (owed, principal) = (self.principal_owed(), self.principal().map(CardLine::kept).sum());
            self.late.accrue(as_of, owed, principal);
        }
    }

    /// Takes as much of `amount` as is due on a day, to principal, then deposit, then late fee; says how much that was.
    /// What was written off takes money again: it is recovered.
    pub fn accept(&mut self, amount: Money, on: NaiveDate) -> Money {
        self.accrue(on);
        if self.standing == Standing::WrittenOff {
            self.recover(on);
        }
        let accepted = amount.minor().clamp(0, self.due().minor());
        self.spread(accepted);
        self.money(accepted)
    }

    /// Puts money that is not more than due where it belongs.
    pub(super) fn spread(&mut self, money: i64) {
        let mut left = money;
        for deposits in [false, true] {
            for line in self.lines.iter_mut().filter(|line| (line.nature == Nature::Deposit) == deposits) {
                let taken = left.min(line.outstanding()).max(0);
                line.paid = Money::new(line.paid.minor() + taken, line.amount.currency());
                left -= taken;
            }
        }
        self.late.paid = self.money(self.late.paid.minor() + left);
    }

    /// Gives up as lost what is open.
    pub fn write_off(&mut self, on: NaiveDate) {
        self.accrue(on);
        for line in &mut self.lines {
            line.written_off = Money::new(line.written_off.minor() + line.outstanding(), line.amount.currency());
        }
        self.late.written_off = self.money(self.late.written_off.minor() + self.late.outstanding());
        self.standing = Standing::WrittenOff;
    }

    /// Claims again what was written off: the opposite of [`CardBill::write_off`]. No late fee for the days between.
    pub fn recover(&mut self, on: NaiveDate) {
        if self.standing != Standing::WrittenOff {
            return;
        }
        let zero = self.money(0);
        for line in &mut self.lines {
            line.written_off = zero;
        }
        self.late.written_off = zero;
        self.late.through = self.late.through.max(on);
        self.standing = Standing::Issued;
    }

    /// Forgives a late fee, as far as it is not paid; says how much that was.
    pub fn waive_late_fee(&mut self, on: NaiveDate) -> Money {
        self.accrue(on);
        let forgiven = self.late.outstanding();
        self.late.waived = self.money(self.late.waived.minor() + forgiven);
        self.money(forgiven)
    }

    /// Takes as much of `amount` out of the deposits that are held as there is: to give it back, or to use it for a
    /// bill. Says how much that was.
    pub fn return_deposit(&mut self, amount: Money) -> Money {
        let mut left = amount.minor();
        for line in self.lines.iter_mut().filter(|line| line.nature == Nature::Deposit) {
            let taken = left.min(line.paid.minor() - line.returned.minor()).max(0);
            line.returned = Money::new(line.returned.minor() + taken, line.amount.currency());
            left -= taken;
        }
        self.money(amount.minor() - left)
    }

    /// Holds a deposit again that was given back, as far as it was; says how much that is.
    pub fn take_deposit_again(&mut self, amount: Money) -> Money {
        let mut left = amount.minor();
        for line in self.lines.iter_mut().filter(|line| line.nature == Nature::Deposit) {
            let taken = left.min(line.returned.minor()).max(0);
            line.returned = Money::new(line.returned.minor() - taken, line.amount.currency());
            left -= taken;
        }
        self.money(amount.minor() - left)
    }
}
