//! One line of a card's bill: what for, which days, how much, and what became of it.
//!
//! A line never changes its amount: what is owed no longer stands beside it as credited days.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::books::split_tax;
use crate::charging::calendar::{Span, without};
use crate::charging::fees::{TaxPoint, TaxTerms};
use crate::charging::label::{FeeItemId, PackageId};
use crate::charging::place::Place;
use crate::money::{Currency, Money};
use crate::words::Words;

/// What a line comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A fee item.
    Item(FeeItemId),
    /// A package.
    Package(PackageId),
}

/// What a line is in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Billed before the service: deferred, and earned with each of its days.
    Service,
    /// Earned when billed: in arrears, or once.
    AtOnce,
    /// A liability.
    Deposit,
    /// What is kept of a part that was given up.
    Cancellation,
    /// Moved in from another system.
    Opening,
}

/// Days of a line that are owed no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditedDays {
    /// Which; `None`: the line has no days, and all of it is meant.
    pub span: Option<Span>,
    /// How much.
    pub amount: Money,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardLine {
    /// For people.
    pub text: Words,
    /// For which place.
    pub place: Place,
    /// What it comes from.
    pub source: Source,
    /// The period that `price` is for, and the days of it that are billed; `None`: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<BilledDays>,
    /// The price of the whole period, exact.
    pub price: Decimal,
    /// What the line comes to, with tax.
    pub amount: Money,
    /// What it is in the books.
    pub nature: Nature,
    /// Its tax and payee, as they were when it was drawn.
    pub tax: TaxTerms,
    /// What of it is owed no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credited: Vec<CreditedDays>,
    /// Accepted for it.
    pub paid: Money,
    /// Of a deposit: given back or used.
    pub returned: Money,
    /// Given up as lost.
    pub written_off: Money,
}

/// The days of a line within the period of its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledDays {
    /// The whole period.
    pub period: Span,
    /// The days billed; all of them lie in the period.
    pub span: Span,
}

/// Half up to the smallest unit.
pub(super) fn rounded(exact: Decimal) -> i64 {
    exact.round_dp_with_strategy(0, MidpointAwayFromZero).to_i64().expect("amounts are bounded when a bill is drawn")
}

/// `exact` yuan in fen, unrounded.
pub(super) fn in_minor(exact: Decimal, currency: Currency) -> Decimal {
    exact * Decimal::from(10i64.pow(currency.decimals()))
}

/// A price as money, rounded half up to the smallest unit. The price is bounded when its item is saved.
pub fn to_minor(price: Decimal, currency: Currency) -> Money {
    Money::new(rounded(in_minor(price, currency)), currency)
}

/// The part of a price that falls on so many days of a period, in smallest units, unrounded.
pub(super) fn part(price: Decimal, currency: Currency, days: i64, of: i64) -> Decimal {
    in_minor(price, currency) * Decimal::from(days) / Decimal::from(of)
}

impl CardLine {
    pub(super) fn currency(&self) -> Currency {
        self.amount.currency()
    }

    /// In smallest units: what is owed for it after credits.
    pub(super) fn kept(&self) -> i64 {
        self.amount.minor() - self.credited.iter().map(|credited| credited.amount.minor()).sum::<i64>()
    }

    /// In smallest units: what is still to be paid.
    pub(super) fn outstanding(&self) -> i64 {
        self.kept() - self.paid.minor() - self.written_off.minor()
    }

    /// What is still to be paid.
    pub fn owed(&self) -> Money {
        Money::new(self.outstanding(), self.currency())
    }

    /// The days that are billed and not credited, in order.
    pub fn live_days(&self) -> Vec<Span> {
        let Some(days) = self.days else { return vec![] };
        let credited: Vec<Span> = self.credited.iter().filter_map(|credited| credited.span).collect();
        without(days.span, &credited)
    }

    /// What it would come to without these further days: as if only the days that are left had been billed.
    pub(super) fn credit_for(&self, given_up: Span) -> i64 {
        let Some(days) = self.days else { return 0 };
        let left: i64 = self.live_days().iter().flat_map(|live| without(*live, &[given_up])).map(Span::days).sum();
        let exact = part(self.price, self.currency(), left, days.period.days());
        let remains = if left == 0 { 0 } else { rounded(exact) };
        (self.kept() - remains).max(0)
    }

    /// In smallest units: the tax of what is kept, taken from its rounded gross.
    pub(super) fn tax_minor(&self) -> i64 {
        if self.nature == Nature::Deposit || self.nature == Nature::Opening {
            return 0;
        }
        split_tax(Money::new(self.kept(), self.currency()), self.tax.rate).minor()
    }

    /// The share of its days that lie before a day, as days and of how many; all of it when it has none.
    fn served(&self, through: NaiveDate) -> (i64, i64) {
        if self.nature != Nature::Service {
            return (1, 1);
        }
        let live = self.live_days();
        let all: i64 = live.iter().map(|span| span.days()).sum();
        if all == 0 {
            return (1, 1);
        }
        (live.iter().map(|span| span.days_before(through)).sum(), all)
    }

    /// In smallest units: what of the net is earned by its days before `through`.
    pub(super) fn earned(&self, through: NaiveDate) -> i64 {
        share(self.kept() - self.tax_minor(), self.served(through))
    }

    /// Tells of each of its days from `from` on what it earns: of the net, and of a tax that falls due with the service.
    pub(super) fn schedule(&self, from: NaiveDate, mut each: impl FnMut(NaiveDate, i64, i64)) {
        if self.nature != Nature::Service {
            return;
        }
        let live = self.live_days();
        let all: i64 = live.iter().map(|span| span.days()).sum();
        let tax = self.tax_minor();
        let (net, tax) = (self.kept() - tax, if self.tax.point == TaxPoint::OnService { tax } else { 0 });
        let mut served: i64 = live.iter().map(|span| span.days_before(from)).sum();
        let mut before = (share(net, (served, all)), share(tax, (served, all)));
        for day in live.iter().flat_map(|span| span.from.max(from).iter_days().take_while(|day| *day < span.until)) {
            served += 1;
            let after = (share(net, (served, all)), share(tax, (served, all)));
            each(day, after.0 - before.0, after.1 - before.1);
            before = after;
        }
    }

    /// In smallest units: what of the tax is due.
    pub(super) fn tax_due(&self, through: NaiveDate) -> i64 {
        let tax = self.tax_minor();
        match self.tax.point {
            TaxPoint::OnBill => tax,
            TaxPoint::OnService => share(tax, self.served(through)),
            TaxPoint::OnReceipt if self.kept() == 0 => 0,
            TaxPoint::OnReceipt => share(tax, (self.paid.minor().min(self.kept()), self.kept())),
        }
    }
}

/// `amount × part ÷ whole`, half up; cumulative, so that the last part takes the rest. None of the three is negative.
fn share(amount: i64, (part, whole): (i64, i64)) -> i64 {
    if part == whole {
        return amount;
    }
    let (amount, part, whole) = (i128::from(amount), i128::from(part), i128::from(whole));
    i64::try_from((2 * amount * part + whole).div_euclid(2 * whole)).expect("a part is not more than the amount")
}
