//! What the reductions of a stay come to: in the order minutes, amount, percent, manual, never below zero.
//!
//! Minutes price the stay with its entry moved later; its free time still counts from the true entry, so the part after
//! them brings no new free minutes. It must not know bills that exist; it is told what may be taken off at most.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::discount::{Discount, Worth};
use crate::charging::label::MerchantId;
use crate::id::DiscountId;
use crate::money::{Currency, Money};
use crate::tariff::model::CoveredSpan;
use crate::tariff::{Assessment, FeeLine, PriceError, StayFacts, TariffBook};

/// So many reductions can one stay have.
pub const MOST_PER_STAY: usize = 8;

/// A reduction on a bill: what it comes to, and how much of that the books know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillDiscount {
    /// Which reduction of the stay.
    pub id: DiscountId,
    /// The merchant that bears a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// How many hundredths of it the merchant pays.
    #[serde(default)]
    pub pays_percent: u8,
    /// What it comes to; never negative.
    pub amount: Money,
    /// How much of it the books know.
    pub posted: Money,
    /// When the books heard of it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<DateTime<Utc>>,
}

impl BillDiscount {
    /// A reduction that takes nothing off yet.
    pub(crate) fn of(discount: &Discount, currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let (merchant, pays_percent) =
            discount.merchant().map_or((None, 0), |(merchant, percent)| (Some(merchant.clone()), percent));
        Self { id: discount.id, merchant, pays_percent, amount: zero, posted: zero, posted_at: None }
    }

    /// What the merchant pays of a part of it.
    pub fn merchants_part(&self, of: Money) -> Money {
        hundredths(of, if self.merchant.is_some() { self.pays_percent } else { 0 })
    }
}

/// So many hundredths, rounded half up to the smallest unit.
fn hundredths(of: Money, percent: u8) -> Money {
    let exact = Decimal::from(of.minor()) * Decimal::new(i64::from(percent), 2);
    let minor = exact.round_dp_with_strategy(0, MidpointAwayFromZero).to_i64();
    Money::new(minor.expect("a part of an amount is no larger"), of.currency())
}

/// One reduction with its line.
#[derive(Debug, Clone)]
pub struct Reduction {
    /// What it comes to.
    pub amount: Money,
    /// Its line, negative.
    pub line: FeeLine,
}

impl Reduction {
    fn of(discount: &Discount, amount: Money, facts: &StayFacts) -> Self {
        let line = FeeLine {
            text: discount.words(),
            rule: discount.rule().to_owned(),
            from: facts.entered_at,
            to: facts.until.max(facts.entered_at),
            quantity: Decimal::ONE,
            unit_price: amount.negated().decimal(),
            amount: amount.negated(),
        };
        Self { amount, line }
    }
}

/// What each reduction comes to, in the order of `discounts`; together at most `most`.
pub fn reduce(
    discounts: &[Discount],
    facts: &StayFacts,
    gross: &Assessment,
    most: Money,
    tariff: &TariffBook,
) -> Result<Vec<Reduction>, PriceError> {
    let zero = Money::zero(gross.total.currency());
    let mut amounts = vec![zero; discounts.len()];
    let mut order: Vec<usize> = (0..discounts.len()).collect();
    order.sort_by_key(|place| (discounts[*place].rank(), discounts[*place].at));
    // What is still to be paid, and what may still be taken off.
    let (mut left, mut open) = (gross.total, smaller(most, gross.total));
    let (mut minutes, mut priced) = (0, gross.total);
    for place in order {
        let discount = &discounts[place];
        let wanted = match discount.worth {
            Worth::Minutes(more) if discount.rank() == 0 => {
                minutes += more;
                let after = tariff.price(&moved(facts, minutes))?.total;
                // Nobody pays more because of a coupon: where the later entry is the dearer one, it is worth nothing.
                let after = smaller(after, priced);
                let less = priced.minus(after)?;
                priced = after;
                less
            }
            Worth::Minutes(more) => {
                let after = tariff.price(&moved(facts, minutes + more))?.total;
                priced.minus(smaller(after, priced))?
            }
            Worth::Amount(amount) => amount,
            Worth::Percent(percent) => hundredths(left, percent),
            Worth::Free => left,
        };
        let amount = smaller(smaller(wanted, discount.most.unwrap_or(wanted)), smaller(left, open));
        left = left.minus(amount)?;
        open = open.minus(amount)?;
        amounts[place] = amount;
    }
    let told = discounts.iter().zip(amounts);
    Ok(told.map(|(discount, amount)| Reduction::of(discount, amount, facts)).collect())
}

fn smaller(one: Money, other: Money) -> Money {
    Money::new(one.minor().min(other.minor()).max(0), one.currency())
}

/// The same stay with its entry so many minutes later: the first that no pass covers are covered.
fn moved(facts: &StayFacts, minutes: u32) -> StayFacts {
    let mut covered = facts.covered.clone();
    covered.sort_by_key(|span| span.from);
    let mut left = TimeDelta::minutes(i64::from(minutes));
    let mut begins = facts.entered_at;
    let mut more = vec![];
    for (from, to) in covered.iter().map(|span| (span.from, span.to)).chain([(facts.until, facts.until)]) {
        let ends = from.min(facts.until);
        if begins < ends && left > TimeDelta::zero() {
            let taken = left.min(ends - begins);
            more.push(CoveredSpan { from: begins, to: begins + taken });
            left -= taken;
        }
        begins = begins.max(to);
    }
    covered.extend(more);
    StayFacts { covered, ..facts.clone() }
}
