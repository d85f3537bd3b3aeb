//! A package as the operator writes it.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::charging::calendar::{Span, days_after, in_bounds, months_after};
use crate::charging::estate::SpaceClass;
use crate::charging::fees::{LateFeeRule, Selector, TaxTerms};
use crate::charging::label::{Charge, PackageId};
use crate::plate::VehicleKind;
use crate::record::{Record, Table};
use crate::words::Words;

/// How long a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// 1, 3, 6 or 12 months; a short month ends on its last day.
    Months(u8),
    /// So many days.
    Days(u16),
}

/// What a package costs, from what its charges would cost without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceRule {
    /// This, per place and term, whatever the charges cost.
    Fixed(Decimal),
    /// So much less: `0.15` is 15 % off.
    PercentOff(Decimal),
    /// So many terms at once for the price of fewer.
    TermsForPrice {
        /// Terms that it lasts.
        terms: u8,
        /// Terms that are paid.
        price_of: u8,
    },
    /// By the number of places taken: the last tier that is reached counts for all of them.
    Tiers(Vec<Tier>),
}

/// A tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// From so many places on; the first tier begins with 1.
    pub from_places: u32,
    /// What each then costs.
    pub rule: TierRule,
}

/// What a place costs within a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierRule {
    /// This, per term.
    Fixed(Decimal),
    /// So much less.
    PercentOff(Decimal),
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// For people.
    pub name: Words,
    /// How long one term is.
    pub length: Length,
    /// For which classes; a class has to be among one of these.
    pub classes: Vec<Selector>,
    /// For which vehicles; none: for all.
    #[serde(default)]
    pub vehicles: Vec<VehicleKind>,
    /// The charges that it bundles: no fee item of theirs is charged for its places and dates.
    pub bundles: Vec<Charge>,
    /// What it costs.
    pub rule: PriceRule,
    /// The first day on which it is on sale.
    pub on_sale_from: NaiveDate,
    /// The first day on which it is no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_sale_until: Option<NaiveDate>,
    /// Tax and payee.
    pub tax: TaxTerms,
    /// What being late costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<LateFeeRule>,
    /// Days from the sale to the due date.
    pub due_days: u16,
}

impl Record for Package {
    const TABLE: Table = Table::Packages;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Why a package makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackageFault {
    /// A length that there is not.
    #[error("a term is 1, 3, 6 or 12 months, or 1 to 1000 days")]
    Length,
    /// For no class.
    #[error("a package is for at least one selection of classes")]
    Classes,
    /// It bundles nothing.
    #[error("a package bundles at least one charge")]
    Bundles,
    /// A price below zero, above ten million, or with more than four decimals; a discount beyond 0 to 1.
    #[error("a price is 0 to 10,000,000 with at most four decimals, a discount 0 to 1")]
    Price,
    /// `n for m` with m of 0 or above n, or more than 60.
    #[error("so many terms for the price of fewer: at most 60, and at least 1 paid")]
    Terms,
    /// Tiers that do not begin with 1 or do not rise.
    #[error("tiers begin with 1 place and rise")]
    Tiers,
    /// It goes off sale before it comes on.
    #[error("a package comes on sale before it goes off, between 1900 and 2399")]
    Dates,
}

impl Package {
    /// Everything that is wrong with it.
    pub fn faults(&self) -> Vec<PackageFault> {
        let mut faults = Vec::new();
        if !matches!(self.length, Length::Months(1 | 3 | 6 | 12) | Length::Days(1..=1000)) {
            faults.push(PackageFault::Length);
        }
        if self.classes.is_empty() {
            faults.push(PackageFault::Classes);
        }
        if self.bundles.is_empty() {
            faults.push(PackageFault::Bundles);
        }
        faults.extend(self.rule_fault());
        let dates = [Some(self.on_sale_from), self.on_sale_until];
        if !dates.into_iter().flatten().all(in_bounds) || self.on_sale_until.is_some_and(|end| end <= self.on_sale_from)
        {
            faults.push(PackageFault::Dates);
        }
        faults
    }

    fn rule_fault(&self) -> Option<PackageFault> {
        let price = |value: &Decimal| {
            (Decimal::ZERO..=Decimal::from(10_000_000)).contains(value) && value.normalize().scale() <= 4
        };
        let off = |value: &Decimal| (Decimal::ZERO..=Decimal::ONE).contains(value) && value.normalize().scale() <= 4;
        match &self.rule {
            PriceRule::Fixed(value) => (!price(value)).then_some(PackageFault::Price),
            PriceRule::PercentOff(value) => (!off(value)).then_some(PackageFault::Price),
            PriceRule::TermsForPrice { terms, price_of } => {
                (*terms > 60 || *price_of == 0 || price_of > terms).then_some(PackageFault::Terms)
            }
            PriceRule::Tiers(tiers) => {
                let rise = tiers.windows(2).all(|pair| pair[0].from_places < pair[1].from_places);
                if tiers.first().is_none_or(|first| first.from_places != 1) || !rise {
                    return Some(PackageFault::Tiers);
                }
                let fits = tiers.iter().all(|tier| match &tier.rule {
                    TierRule::Fixed(value) => price(value),
                    TierRule::PercentOff(value) => off(value),
                });
                (!fits).then_some(PackageFault::Price)
            }
        }
    }

    /// Whether it can be bought on a day.
    pub fn is_on_sale(&self, on: NaiveDate) -> bool {
        self.on_sale_from <= on && self.on_sale_until.is_none_or(|until| on < until)
    }

    /// Whether it is for spaces of this class.
    pub fn is_for(&self, class: &SpaceClass) -> bool {
        self.classes.iter().any(|selector| selector.matches(class))
    }

    /// Whether it covers a vehicle of this kind.
    pub fn takes(&self, kind: VehicleKind) -> bool {
        self.vehicles.is_empty() || self.vehicles.contains(&kind)
    }

    /// The days of one purchase.
    pub fn term_from(&self, from: NaiveDate) -> Span {
        let many = if let PriceRule::TermsForPrice { terms, .. } = self.rule { terms } else { 1 };
        let until = match self.length {
            Length::Months(months) => months_after(from, i32::from(months) * i32::from(many)),
            Length::Days(days) => days_after(from, u32::from(days) * u32::from(many)),
        };
        Span { from, until: until.max(days_after(from, 1)) }
    }

    /// What one place costs for one purchase, when one term of its charges costs `base` and so many places are taken.
    pub fn price(&self, base: Decimal, places: u32) -> Decimal {
        let less = |off: Decimal| base * (Decimal::ONE - off);
        match &self.rule {
            PriceRule::Fixed(price) => *price,
            PriceRule::PercentOff(off) => less(*off),
            PriceRule::TermsForPrice { price_of, .. } => base * Decimal::from(*price_of),
            PriceRule::Tiers(tiers) => {
                let reached = tiers.iter().rev().find(|tier| tier.from_places <= places).or(tiers.first());
                match reached.map(|tier| tier.rule) {
                    Some(TierRule::Fixed(price)) => price,
                    Some(TierRule::PercentOff(off)) => less(off),
                    None => base,
                }
            }
        }
    }
}
