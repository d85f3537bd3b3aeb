//! Paying early: what is owed at a moment, after what was paid before it.
//!
//! Once the exit grace has run out the fee counts from the entry, less what was paid, so that nobody wins by paying early.
//! It must not know orders or bills.

use chrono::{DateTime, TimeDelta, Utc};

use super::PriceError;
use super::book::Versions;
use super::skip::Alike;
use super::stay::assess;
use crate::money::Money;
use crate::tariff::model::{EarlyPayment, Record};
use crate::tariff::{Assessment, FeeLine, StayFacts};

/// What is owed at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The fee: within the exit grace that of the moment of payment.
    pub assessment: Assessment,
    /// What was paid by then.
    pub paid: Money,
    /// What is still owed; never negative.
    pub due: Money,
    /// Arriving at the exit by then, the car owes no more; if all was paid.
    pub leave_by: Option<DateTime<Utc>>,
}

/// How the account stands while payments are gone through.
struct Account<'a> {
    book: Versions<'a>,
    facts: &'a StayFacts,
    grace: TimeDelta,
    /// From which payment the present fee counts, if not from the entry.
    afresh: Option<DateTime<Utc>>,
    /// The lines of what was priced and paid before that.
    before: Vec<FeeLine>,
    paid: Money,
    /// When all was paid, and what the fee was.
    settled: Option<(DateTime<Utc>, Assessment)>,
}

pub(super) fn owed(book: Versions<'_>, facts: &StayFacts) -> Result<Owed, PriceError> {
    let file = &book.version(facts.version.as_deref(), facts.entered_at).file;
    let grace = TimeDelta::seconds(file.exit_grace.seconds());
    let paid = Money::zero(file.currency);
    let mut account = Account { book, facts, grace, afresh: None, before: vec![], paid, settled: None };
    let mut payments: Vec<_> = facts.payments.iter().filter(|payment| payment.at <= facts.until).collect();
    payments.sort_by_key(|payment| payment.at);
    for payment in payments {
        let fee = account.fee(payment.at)?;
        let due = fee.total.minus(account.paid)?;
        let amount = payment.amount.unwrap_or(if due.is_positive() { due } else { Money::zero(due.currency()) });
        account.paid = account.paid.plus(amount)?;
        // A payment while nothing is owed buys no grace, however large: else a fen now and then would stretch it.
        if due.is_positive() && !fee.total.minus(account.paid)?.is_positive() {
            account.settled = Some((payment.at, fee));
        }
    }
    let assessment = account.fee(facts.until)?;
    let rest = assessment.total.minus(account.paid)?;
    let due = if rest.is_positive() { rest } else { Money::zero(rest.currency()) };
    let leave_by = account.settled.map(|(at, _)| at + grace).filter(|_| due.is_zero());
    Ok(Owed { assessment, paid: account.paid, due, leave_by })
}

impl Account<'_> {
    /// The fee as of a moment, from the entry on.
    fn fee(&mut self, now: DateTime<Utc>) -> Result<Assessment, PriceError> {
        if let Some((at, fee)) = &self.settled {
            if now.timestamp() <= (*at + self.grace).timestamp() {
                return Ok(fee.clone());
            }
            let plan = self.book.version(self.facts.version.as_deref(), self.facts.entered_at);
            if plan.file.early_payment == EarlyPayment::FromPayment {
                let (at, fee) = (*at, fee.lines.clone());
                (self.afresh, self.before, self.settled) = (Some(at), fee, None);
            }
        }
        let mut facts = StayFacts { until: now, ..self.facts.clone() };
        if let Some(at) = self.afresh {
            // A stay of its own, whose beginning is known, whatever was before it.
            (facts.entered_at, facts.earlier, facts.record) = (at, vec![], Record::Known);
        }
        let mut found = assess(self.book, &facts, Alike::Skipped)?;
        if !self.before.is_empty() {
            let lines = self.before.iter().cloned().chain(found.lines).collect();
            found = Assessment::of(found.tariff, lines, self.paid.currency())?;
        }
        Ok(found)
    }
}
