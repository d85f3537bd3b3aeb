//! A bill (账单): what is owed, line by line. Here the temporary bill of a stay; the others join with property charging.
//!
//! A draft posts nothing: looking at a price never posts. An order, cash or the exit fixes it; after that it only grows
//! by further lines, and each growth is posted.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::books::{Posting, grown, split_tax};
use crate::id::{BillId, IdKey, OrderId, StayId};
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
        let priced = tariff.price(&priced_facts(stay, until, zone))?;
        if let Some(bill) = before {
            return Ok(bill.clone().grown_to(priced, until)?);
        }
        let zero = Money::zero(tariff.currency());
        Ok(Bill {
            id: BillId::derive(key, &[&stay.id.to_string()]),
            kind: BillKind::Temporary,
            stay: stay.id,
            plate: stay.plate.clone(),
            state: BillState::Draft,
            total: priced.total,
            lines: priced.lines,
            paid: zero,
            posted: zero,
            posted_tax: zero,
            tax_rate,
            assessed_to: until,
            orders: vec![],
        })
    }

    /// A draft takes the new lines; a fixed bill keeps its lines and gets one more for the difference, if there is one.
    fn grown_to(mut self, priced: Assessment, until: DateTime<Utc>) -> Result<Bill, MoneyError> {
        if self.state == BillState::Draft {
            self.lines = priced.lines;
            self.total = priced.total;
            self.assessed_to = until;
            return Ok(self);
        }
        let more = priced.total.minus(self.total)?;
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
            self.total = priced.total;
            self.assessed_to = until;
            self.state = if self.paid.is_zero() { BillState::Open } else { BillState::PartPaid };
        }
        Ok(self)
    }

    /// Writes the bill, and counts it under its state instead of the one `before`.
    pub fn write(&self, change: &mut Change, before: Option<BillState>) {
        if before != Some(self.state) {
            change.count(&bills_counter(self.kind, self.state), 1, None);
            if let Some(before) = before {
                change.count(&bills_counter(self.kind, before), -1, None);
            }
        }
        change.personal(self.plate.as_str());
        change.put(self);
    }

    /// Fixes the bill as it stands: what the books do not know yet is posted. Nothing to post gives no postings.
    pub fn fix(&mut self) -> Result<Vec<Posting>, MoneyError> {
        let growth = self.total.minus(self.posted)?;
        if self.state == BillState::Draft {
            self.state = BillState::Open;
        }
        if growth.is_zero() {
            return Ok(vec![]);
        }
        // The tax of all is split from the rounded gross of all, so that parts never drift from the whole.
        let tax = split_tax(self.total, self.tax_rate);
        let tax_growth = tax.minus(self.posted_tax)?;
        self.posted = self.total;
        self.posted_tax = tax;
        Ok(grown(growth, tax_growth))
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
