//! Late fees (违约金): by day, on what is owed of the principal, with a cap. They bear none themselves.
//!
//! What has accrued is kept exact and rounded as a whole, so that looking every day and looking once give the same.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::line::rounded;
use crate::charging::calendar::days_after;
use crate::charging::fees::LateFeeRule;
use crate::money::Money;

/// The late fee of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// By which rule; as it was when the bill was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<LateFeeRule>,
    /// What has accrued, in smallest units, exact.
    pub exact: Decimal,
    /// Days before this one are in it.
    pub through: NaiveDate,
    /// Accepted for it.
    pub paid: Money,
    /// Forgiven, by a person or with the bill.
    pub waived: Money,
    /// Given up as lost.
    pub written_off: Money,
}

impl Late {
    /// Nothing yet, of a bill that is due on a day.
    pub fn new(rule: Option<LateFeeRule>, due_on: NaiveDate, zero: Money) -> Self {
        let grace = rule.as_ref().map_or(0, |rule| u32::from(rule.grace_days));
        let through = days_after(due_on, grace + 1);
        Self { rule, exact: Decimal::ZERO, through, paid: zero, waived: zero, written_off: zero }
    }

    /// Accrues up to the day before `as_of`: on `owed` smallest units that were open all the while, of a principal of so
    /// many. Looking back changes nothing.
    pub(super) fn accrue(&mut self, as_of: NaiveDate, owed: i64, principal: i64) {
        let days = (as_of - self.through).num_days();
        let Some(rule) = self.rule.as_ref().filter(|_| days > 0) else { return };
        let more = Decimal::from(owed) * rule.rate_per_day * Decimal::from(days);
        let most = rule.cap.map(|cap| cap * Decimal::from(principal));
        // The cap follows the principal, but what has accrued never falls by time passing.
        let capped = most.map_or(self.exact + more, |most| (self.exact + more).min(most));
        self.exact = capped.max(self.exact);
        self.through = as_of;
    }

    /// In smallest units: what is charged.
    pub(super) fn charged(&self) -> i64 {
        rounded(self.exact) - self.waived.minor()
    }

    /// In smallest units: what is still to be paid.
    pub(super) fn outstanding(&self) -> i64 {
        self.charged() - self.paid.minor() - self.written_off.minor()
    }
}
