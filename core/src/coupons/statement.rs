//! A merchant's statement over a span of time: what it had, what it was charged, what it paid, what it has. It adds up
//! from the records; the balance at its end follows from the books.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::account::{MerchantCharge, MerchantMoney, credit_of, moment_key};
use super::refusal::CouponRefusal;
use crate::charging::label::MerchantId;
use crate::money::{Currency, Money};
use crate::record::{Kept, Record, Records};

/// Rows read at a time.
const PAGE: usize = 512;
/// Lines that a statement holds; what is beyond them is in its sums.
const MOST_LINES: usize = 20_000;

/// Which statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementOf {
    /// Whose.
    pub merchant: MerchantId,
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Before this one.
    pub until: DateTime<Utc>,
}

/// A statement. Balances are what the merchant has to its credit; negative: it owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// At its beginning.
    pub opening: Money,
    /// What the coupons were charged.
    pub charged: Money,
    /// What came from the merchant, less what went back.
    pub received: Money,
    /// At its end.
    pub closing: Money,
    /// In the order of time.
    pub lines: Vec<StatementLine>,
    /// Lines that it had no room for; its sums hold them.
    pub left_out: usize,
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum StatementLine {
    /// A coupon was charged.
    Charge(MerchantCharge),
    /// Money was moved.
    Money(MerchantMoney),
}

impl StatementLine {
    /// When.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Charge(charge) => charge.at,
            Self::Money(money) => money.at,
        }
    }

    /// What it adds to the merchant's credit.
    pub fn credit(&self) -> Money {
        match self {
            Self::Charge(charge) => charge.charged.negated(),
            Self::Money(money) => money.credit(),
        }
    }
}

fn each_since<T: Record>(
    merchant: &MerchantId,
    from: DateTime<Utc>,
    records: &impl Records,
    mut look: impl FnMut(T) -> Result<(), CouponRefusal>,
) -> Result<(), CouponRefusal> {
    let prefix = format!("{merchant}/");
    let mut start = format!("{prefix}{}", moment_key(from));
    loop {
        let page: Vec<Kept<T>> = records.list(&start, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            let key = kept.record.key();
            if !key.starts_with(&prefix) {
                return Ok(());
            }
            start = format!("{key}\u{0}");
            look(kept.record)?;
        }
        if !full {
            return Ok(());
        }
    }
}

/// Draws up a statement.
pub fn statement(of: &StatementOf, currency: Currency, records: &impl Records) -> Result<Statement, CouponRefusal> {
    let zero = Money::zero(currency);
    let (mut charged, mut received, mut later) = (zero, zero, zero);
    let mut lines = vec![];
    each_since(&of.merchant, of.from, records, |charge: MerchantCharge| {
        if charge.at >= of.until {
            later = later.minus(charge.charged)?;
        } else {
            charged = charged.plus(charge.charged)?;
            lines.push(StatementLine::Charge(charge));
        }
        Ok(())
    })?;
    each_since(&of.merchant, of.from, records, |money: MerchantMoney| {
        if money.at >= of.until {
            later = later.plus(money.credit())?;
        } else {
            received = received.plus(money.credit())?;
            lines.push(StatementLine::Money(money));
        }
        Ok(())
    })?;
    let closing = credit_of(&of.merchant, currency, records)?.minus(later)?;
    let opening = closing.minus(received)?.plus(charged)?;
    lines.sort_by_key(StatementLine::at);
    let left_out = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    Ok(Statement { opening, charged, received, closing, lines, left_out })
}
