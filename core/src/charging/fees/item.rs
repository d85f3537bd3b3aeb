//! One fee item. A price is with tax and may have more places than the currency: what is rounded is a line.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::selector::Selector;
use crate::books::Payee;
use crate::charging::calendar::{Cycle, in_bounds};
use crate::charging::estate::{SpaceClass, SquareMetres, Tenure};
use crate::charging::label::{Charge, FeeItemId};
use crate::charging::timeline::Timeline;
use crate::record::{Record, Table};
use crate::words::Words;

/// One priced charge for a set of space classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeItem {
    /// Its id.
    pub id: FeeItemId,
    /// For people, on bills.
    pub name: Words,
    /// What for. Items of one charge compete for a space, items of different charges add up.
    pub charge: Charge,
    /// For which classes.
    pub selector: Selector,
    /// How it is charged.
    pub kind: FeeKind,
    /// The price with tax, over time.
    pub price: Timeline<Decimal>,
    /// The first day on which it is no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Tax and whose money it is.
    pub tax: TaxTerms,
    /// What being late costs; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<LateFeeRule>,
}

impl Record for FeeItem {
    const TABLE: Table = Table::FeeItems;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// How an item is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    /// A periodic fee of an owned space.
    Periodic(PeriodicTerms),
    /// Rent of a rented space or pool place, per term of a letting.
    Rent(PricePer),
    /// Temporary stays, by a tariff: its id. The price of the item plays no part.
    Tariff(String),
    /// Once, on an occasion.
    OneOff(Occasion),
    /// 押金: taken with a letting and given back at its end. A liability, not income.
    Deposit,
}

/// What a price is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePer {
    /// Per space for so many months.
    Space {
        /// 1, 3, 6 or 12.
        months: u8,
    },
    /// Per square metre and month.
    SquareMetre,
}

impl PricePer {
    /// What a space costs for so many months, exactly.
    pub fn for_months(self, price: Decimal, months: u8, size: SquareMetres) -> Decimal {
        let wanted = Decimal::from(months);
        match self {
            Self::Space { months } => price * wanted / Decimal::from(months),
            Self::SquareMetre => price * size.decimal() * wanted,
        }
    }
}

/// When a periodic fee is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodicTerms {
    /// What the price is per.
    pub per: PricePer,
    /// The months of a period: 1, 3, 6 or 12.
    pub months: u8,
    /// Where periods begin.
    pub alignment: Alignment,
    /// Whether it is billed before or after.
    pub timing: Timing,
    /// Days from the issue of a bill to the last day on which it can be paid without being late.
    pub due_days: u16,
}

impl PeriodicTerms {
    /// The grid of periods of a card that began on a day.
    pub fn cycle(&self, began: NaiveDate) -> Cycle {
        match self.alignment {
            Alignment::Calendar => Cycle::calendar(self.months),
            Alignment::Anniversary => Cycle::anniversary(self.months, began),
            Alignment::Day(day) => Cycle::on_day(self.months, began, u32::from(day)),
        }
    }
}

/// Where the periods of a card begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// On the 1st; quarters and years with the calendar's.
    Calendar,
    /// On the day on which the holding began.
    Anniversary,
    /// On this day of the month, 1 to 31, counted from the month in which the holding began.
    Day(u8),
}

/// Whether a period is billed before it or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// So many days before it begins.
    InAdvance {
        /// Days.
        lead_days: u16,
    },
    /// On the day after its last.
    InArrears,
}

/// What a one-off charge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A card is issued.
    CardIssue,
    /// A lost card is replaced.
    LostCard,
    /// A card passes to another holder.
    Transfer,
}

/// When tax falls due, unless an invoice is issued earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxPoint {
    /// With the money.
    OnReceipt,
    /// With the bill.
    OnBill,
    /// With each day of the service.
    OnService,
}

/// The tax of an item. Configuration, not our opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxTerms {
    /// The rate, such as `0.09`; prices contain it.
    pub rate: Decimal,
    /// When it falls due.
    pub point: TaxPoint,
    /// Whose money it is.
    pub payee: Payee,
    /// The category code on invoices; empty where none are issued.
    #[serde(default)]
    pub invoice_category: String,
}

/// 违约金: by day on what is owed of the principal, from the day after the last day of grace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateFeeRule {
    /// Of the principal, per day, such as `0.0005`.
    pub rate_per_day: Decimal,
    /// Days after the due date that cost nothing.
    pub grace_days: u16,
    /// At most this part of the bill's principal, such as `0.2`; `None`: no cap.
    pub cap: Option<Decimal>,
}

/// Why an item makes no sense by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidItem {
    /// Below zero, above a million, or with more than four decimals.
    #[error("a price is 0 to 1,000,000 with at most four decimals")]
    Price,
    /// Not 0 to 0.5.
    #[error("a tax rate is 0 to 0.5, such as 0.09")]
    TaxRate,
    /// A length that does not divide a year.
    #[error("months are 1, 3, 6 or 12")]
    Months,
    /// A day of the month that there is not.
    #[error("a day of the month is 1 to 31")]
    Day,
    /// It ends before it begins, or outside the calendar.
    #[error("an item ends after its first price begins, between 1900 and 2399")]
    Dates,
    /// The selector fixes a tenure that this kind is never charged for.
    #[error("a periodic fee is for owned spaces, rent and deposit for rented ones, a tariff for temporary ones")]
    Tenure,
    /// A late fee that eats up the principal in a day, or is negative.
    #[error("a late fee is 0 to 0.1 of the principal per day, its cap 0 to 1")]
    LateFee,
}

impl FeeItem {
    /// The only tenure for which its kind is charged; `None`: any.
    pub fn tenure(&self) -> Option<Tenure> {
        match self.kind {
            FeeKind::Periodic(_) => Some(Tenure::Owned),
            FeeKind::Rent(_) | FeeKind::Deposit => Some(Tenure::Rented),
            FeeKind::Tariff(_) => Some(Tenure::Temporary),
            FeeKind::OneOff(_) => None,
        }
    }

    /// Whether it is charged for spaces of this class.
    pub fn is_for(&self, class: &SpaceClass) -> bool {
        self.tenure().is_none_or(|tenure| tenure == class.tenure) && self.selector.matches(class)
    }

    /// Everything that is wrong with it by itself.
    pub fn faults(&self) -> Vec<InvalidItem> {
        let mut faults = Vec::new();
        let between = |value: Decimal, most: Decimal| value >= Decimal::ZERO && value <= most;
        let price = |value: Decimal| between(value, Decimal::from(1_000_000)) && value.normalize().scale() <= 4;
        if !self.price.changes().iter().all(|change| price(change.value)) {
            faults.push(InvalidItem::Price);
        }
        if !between(self.tax.rate, Decimal::new(5, 1)) {
            faults.push(InvalidItem::TaxRate);
        }
        let per = match self.kind {
            FeeKind::Periodic(terms) => Some((terms.per, terms.months, terms.alignment)),
            FeeKind::Rent(per) => Some((per, 1, Alignment::Calendar)),
            _ => None,
        };
        let divides = |months: u8| matches!(months, 1 | 3 | 6 | 12);
        if let Some((per, months, alignment)) = per {
            if !divides(months) || matches!(per, PricePer::Space { months } if !divides(months)) {
                faults.push(InvalidItem::Months);
            }
            if matches!(alignment, Alignment::Day(day) if !(1..=31).contains(&day)) {
                faults.push(InvalidItem::Day);
            }
        }
        let begins = self.price.begins();
        let dates = self.price.changes().iter().map(|change| change.from).chain(self.until);
        if !dates.into_iter().all(in_bounds) || self.until.is_some_and(|until| until <= begins) {
            faults.push(InvalidItem::Dates);
        }
        if self.tenure().is_some_and(|tenure| self.selector.tenure.is_some_and(|fixed| fixed != tenure)) {
            faults.push(InvalidItem::Tenure);
        }
        let late = |rule: &LateFeeRule| {
            between(rule.rate_per_day, Decimal::new(1, 1)) && rule.cap.is_none_or(|cap| between(cap, Decimal::ONE))
        };
        if !self.late_fee.as_ref().is_none_or(late) {
            faults.push(InvalidItem::LateFee);
        }
        faults
    }
}
