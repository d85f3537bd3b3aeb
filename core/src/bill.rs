//! A bill (账单): what is owed, line by line. Here the temporary bill of a stay; the others join with property charging.
//!
//! A draft posts nothing: looking at a price never posts. An order, cash or the exit fixes it; after that it only grows
//! by further lines, and each growth is posted.

mod position;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::position::Position;
use crate::books::Posting;
use crate::coupons::{BillDiscount, Discount, MerchantCharge, Reduction, reduce};
use crate::id::{BillId, DiscountId, IdKey, OrderId, StayId};
use crate::money::{Money, MoneyError};
use crate::plate::Plate;
use crate::record::{Change, Record, Table};
use crate::stay::Stay;
use crate::tariff::{Assessment, FeeLine, PriceError, StayFacts, TariffBook};
use crate::words::Words;

/// What is owed for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Derived from what it is for; shown to the public.
    pub id: BillId,
    /// Which kind.
    pub kind: BillKind,
    /// The stay that it is for.
    pub stay: StayId,
    /// The car; the money belongs to the stay, not to the plate.
    pub plate: Plate,
    /// How it stands.
    pub state: BillState,
    /// Line by line.
    pub lines: Vec<FeeLine>,
    /// The sum of the lines.
    pub total: Money,
    /// Accepted so far; never more than `total`.
    pub paid: Money,
    /// How much of `total` the books know.
    pub posted: Money,
    /// How much tax of it the books know.
    pub posted_tax: Money,
    /// The tax rate of its lines.
    pub tax_rate: Decimal,
    /// Up to when it is assessed.
    pub assessed_to: DateTime<Utc>,
    /// Orders made for it that may still be paid, oldest first.
    #[serde(default)]
    pub orders: Vec<OrderId>,
    /// What its stay's reductions come to, in the order in which they were given; each has its lines too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<BillDiscount>,
}

/// Kinds of bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillKind {
    /// 临时
    Temporary,
    /// 周期
    Periodic,
    /// 独立
    Independent,
}

impl BillKind {
    /// Every kind.
    pub const ALL: &'static [BillKind] = &[BillKind::Temporary, BillKind::Periodic, BillKind::Independent];

    /// The word in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Periodic => "periodic",
            Self::Independent => "independent",
        }
    }
}

/// States of a bill; overdue is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    /// Looked at, not fixed.
    Draft,
    /// Owed.
    Open,
    /// Partly paid.
    PartPaid,
    /// Paid.
    Paid,
    /// Withdrawn as a whole before anything was paid.
    Void,
    /// Withdrawn as a whole, and what was paid given back.
    Refunded,
    /// Given up as lost.
    WrittenOff,
}

impl BillState {
    /// Every state.
    pub const ALL: &'static [BillState] = &[
        BillState::Draft,
        BillState::Open,
        BillState::PartPaid,
        BillState::Paid,
        BillState::Void,
        BillState::Refunded,
        BillState::WrittenOff,
    ];

    /// The word in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::PartPaid => "part_paid",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::Refunded => "refunded",
            Self::WrittenOff => "written_off",
        }
    }
}

/// Whether anything was brought up to date.
#[derive(PartialEq)]
enum Moved {
    Yes,
    No,
}

/// The counter of bills of a kind in a state.
pub fn bills_counter(kind: BillKind, state: BillState) -> String {
    format!("bills/{}/{}", kind.as_str(), state.as_str())
}

/// What of a stay its temporary bill is priced by, up to a moment; `zone` is the clock by which its pass has hours.
pub fn priced_facts(stay: &Stay, until: DateTime<Utc>, zone: Tz) -> StayFacts {
    StayFacts {
        areas: stay.areas(until),
        covered: stay.covered(until, zone),
        earlier: stay.earlier_visits(),
        version: stay.tariff.clone(),
        ..StayFacts::new(stay.entered_at, until, stay.colour)
    }
}

/// What the temporary bill of a stay says up to a moment, with a line for each part of it without a place of its card.
pub fn priced(stay: &Stay, until: DateTime<Utc>, tariff: &TariffBook) -> Result<Assessment, PriceError> {
    let zone = tariff.version(stay.tariff.as_deref(), stay.entered_at).file().time_zone;
    let mut priced = tariff.price(&priced_facts(stay, until, zone))?;
    stay.tell_of_places(&mut priced.lines, until, zone, Money::zero(tariff.currency()));
    Ok(priced)
}

impl Record for Bill {
    const TABLE: Table = Table::Bills;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Bill {
    /// What is still due; never negative.
    pub fn due(&self) -> Money {
        Money::new((self.total.minor() - self.paid.minor()).max(0), self.total.currency())
    }

    /// The temporary bill of a stay, assessed up to `until`: a new draft, or the one there is, grown by what has come.
    /// Settled, and within the exit grace, it does not grow.
    pub fn assessed(
        before: Option<&Bill>,
        stay: &Stay,
        until: DateTime<Utc>,
        tariff: &TariffBook,
        tax_rate: Decimal,
        key: &IdKey,
    ) -> Result<Bill, PriceError> {
        let in_grace = stay.leave_by.is_some_and(|leave_by| until <= leave_by);
        if let Some(bill) = before.filter(|bill| in_grace && bill.due().is_zero()) {
            return Ok(bill.clone());
        }
        let zone = tariff.version(stay.tariff.as_deref(), stay.entered_at).file().time_zone;
        let facts = priced_facts(stay, until, zone);
        let priced = priced(stay, until, tariff)?;
        let zero = Money::zero(tariff.currency());
        let paid = before.map_or(zero, |bill| bill.paid);
        // What was paid stays paid: a reduction takes off what is open, and no more.
        let most = priced.total.minus(paid)?;
        let reductions = reduce(&stay.discounts, &facts, &priced, most, tariff)?;
        if let Some(bill) = before {
            return Ok(bill.clone().grown_to(priced, &stay.discounts, &reductions, until)?);
        }
        let draft = Bill {
            id: BillId::derive(key, &[&stay.id.to_string()]),
            kind: BillKind::Temporary,
            stay: stay.id,
            plate: stay.plate.clone(),
            state: BillState::Draft,
            total: zero,
            lines: vec![],
            paid: zero,
            posted: zero,
            posted_tax: zero,
            tax_rate,
            assessed_to: until,
            orders: vec![],
            discounts: vec![],
        };
        Ok(draft.grown_to(priced, &stay.discounts, &reductions, until)?)
    }

    /// A draft takes the new lines; a fixed bill keeps its lines and gets one more for each difference, if there is one.
    fn grown_to(
        mut self,
        priced: Assessment,
        discounts: &[Discount],
        reductions: &[Reduction],
        until: DateTime<Utc>,
    ) -> Result<Bill, MoneyError> {
        let before = self.gross()?;
        if self.state == BillState::Draft {
            self.lines = priced.lines;
            self.total = priced.total;
            self.assessed_to = until;
            self.discounts.iter_mut().for_each(|one| one.amount = Money::zero(before.currency()));
            self.take_off(discounts, reductions)?;
            return Ok(self);
        }
        let more = priced.total.minus(before)?;
        if more.is_positive() {
            self.lines.push(FeeLine {
                text: Words::new("超时补缴", "Further parking after payment"),
                rule: "growth".into(),
                from: self.assessed_to,
                to: until,
                quantity: Decimal::ONE,
                unit_price: more.decimal(),
                amount: more,
            });
            self.total = self.total.plus(more)?;
        }
        if self.take_off(discounts, reductions)? == Moved::Yes || more.is_positive() {
            self.assessed_to = until;
            self.state = self.settled_state();
        }
        Ok(self)
    }

    /// Brings what each reduction takes off to what it comes to now, with a line for the difference.
    fn take_off(&mut self, discounts: &[Discount], reductions: &[Reduction]) -> Result<Moved, MoneyError> {
        let mut moved = Moved::No;
        for (place, (discount, reduction)) in discounts.iter().zip(reductions).enumerate() {
            if place == self.discounts.len() {
                self.discounts.push(BillDiscount::of(discount, self.total.currency()));
            }
            let known = &mut self.discounts[place];
            let more = reduction.amount.minus(known.amount)?;
            if more.is_zero() {
                continue;
            }
            known.amount = reduction.amount;
            self.total = self.total.minus(more)?;
            let amount = more.negated();
            self.lines.push(FeeLine { unit_price: amount.decimal(), amount, ..reduction.line.clone() });
            moved = Moved::Yes;
        }
        Ok(moved)
    }

    fn settled_state(&self) -> BillState {
        match (self.due().is_zero(), self.paid.is_zero()) {
            (true, _) => BillState::Paid,
            (false, true) => BillState::Open,
            (false, false) => BillState::PartPaid,
        }
    }

    /// What it comes to before its reductions.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.discounts.iter().try_fold(self.total, |sum, one| sum.plus(one.amount))
    }

    /// What a reduction of it takes off; `None`: it has no such reduction.
    pub fn discount(&self, id: DiscountId) -> Option<Money> {
        self.discounts.iter().find(|one| one.id == id).map(|one| one.amount)
    }

    /// What of it the books know that bears tax: all but what the lot's own reductions take off.
    pub fn taxed(&self) -> Result<Money, MoneyError> {
        self.discounts.iter().try_fold(self.posted, |sum, one| sum.plus(one.merchants_part(one.posted)))
    }

    /// Whether reductions take off what the books do not know yet.
    pub fn has_reductions_to_post(&self) -> bool {
        self.discounts.iter().any(|one| one.amount != one.posted)
    }

    /// Writes the bill, and counts it under its state instead of the one `before`.
    pub fn write(&self, change: &mut Change, before: Option<BillState>) {
        if before != Some(self.state) {
            change.count(&bills_counter(self.kind, self.state), 1, None);
            if let Some(before) = before {
                change.count(&bills_counter(self.kind, before), -1, None);
            }
        }
        for charge in self.charges() {
            change.put(&charge);
        }
        change.personal(self.plate.as_str());
        change.put(self);
    }

    /// What merchants are charged by it, as far as the books know.
    fn charges(&self) -> impl Iterator<Item = MerchantCharge> {
        self.discounts.iter().filter_map(|one| {
            Some(MerchantCharge {
                merchant: one.merchant.clone()?,
                at: one.posted_at?,
                coupon: one.id,
                bill: self.id,
                value: one.posted,
                charged: one.merchants_part(one.posted),
            })
        })
    }

    /// Fixes the bill as it stands: what the books do not know yet is posted. Nothing to post gives no postings.
    pub fn fix(&mut self, now: DateTime<Utc>) -> Result<Vec<Posting>, MoneyError> {
        if self.state == BillState::Draft {
            self.state = self.settled_state();
        }
        // The tax of all is split from the rounded gross of all, so that parts never drift from the whole.
        let known = self.discounts.iter().try_fold(self.posted, |sum, one| sum.plus(one.posted))?;
        let before = Position::of(known, &self.discounts, |one| one.posted, self.tax_rate)?;
        let after = Position::of(self.gross()?, &self.discounts, |one| one.amount, self.tax_rate)?;
        self.posted = self.total;
        self.posted_tax = after.tax();
        for one in &mut self.discounts {
            if one.posted != one.amount {
                one.posted = one.amount;
                one.posted_at.get_or_insert(now);
            }
        }
        after.less(&before)
    }

    /// Takes as much of `amount` as is due, and says how much that was.
    pub fn accept(&mut self, amount: Money) -> Result<Money, MoneyError> {
        let due = self.due();
        let accepted = if amount.minus(due)?.is_positive() { due } else { amount };
        self.paid = self.paid.plus(accepted)?;
        self.state = if self.due().is_zero() { BillState::Paid } else { BillState::PartPaid };
        Ok(accepted)
    }
}
