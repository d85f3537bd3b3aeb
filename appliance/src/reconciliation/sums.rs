//! What a day's rows come to: the provider's fees and discounts, and each class with its rows and its money.

use std::collections::BTreeMap;

use tollhouse_core::books::{Account, Posting};
use tollhouse_core::money::{Currency, Money, MoneyError};
use tollhouse_core::reconciliation::{Class, ClassTotal, Kind, Ours, Theirs};
use tollhouse_core::record::Change;

use super::desk::Found;
use super::ours::Whose;
use super::statement::Statement;

/// What the provider kept and gave, by its statement; rows that are not ours, or stand there twice, do not count.
pub(super) struct Costs {
    pub(super) fees: Money,
    pub(super) discounts: Money,
}

pub(super) fn costs(statement: &Statement, found: &Found, currency: Currency) -> Result<Costs, MoneyError> {
    let zero = Money::zero(currency);
    let mut costs = Costs { fees: zero, discounts: zero };
    for one in found.classed.iter().filter(|one| !matches!(one.class, Class::Foreign | Class::Twice)) {
        let Some(row) = one.theirs.map(|place| &statement.rows[place]) else { continue };
        costs.fees = costs.fees.plus(row.fee)?;
        // What was given to the payer of our money is booked with the payment; a refund gives its part back.
        if row.key.kind == Kind::Refund {
            costs.discounts = costs.discounts.plus(row.settled.minus(row.amount)?)?;
        }
    }
    Ok(costs)
}

/// Posts what the provider has kept and given since the day was posted last.
pub(super) fn post_costs(change: &mut Change, whose: &Whose<'_>, fees: Money, discounts: Money) {
    let clearing = Account::Clearing(whose.provider.to_owned());
    for (account, amount) in [(Account::ProviderFee, fees), (Account::ProviderDiscount, discounts)] {
        if !amount.is_zero() {
            change.postings.extend([Posting::debit(account, amount), Posting::credit(clearing.clone(), amount)]);
        }
    }
}

fn signed(kind: Kind, amount: Money) -> Money {
    if kind == Kind::Paid { amount } else { amount.negated() }
}

/// Rows and money of each class.
pub(super) fn totals(
    statement: &Statement,
    found: &Found,
    currency: Currency,
) -> Result<BTreeMap<Class, ClassTotal>, MoneyError> {
    let mut totals = BTreeMap::new();
    for one in &found.classed {
        let theirs: Option<&Theirs> = one.theirs.map(|place| &statement.rows[place]);
        let ours: Option<&Ours> = one.ours.map(|place| &found.books.rows[place]);
        let amount = theirs.map(|row| signed(row.key.kind, row.amount));
        let amount = amount.or(ours.map(|row| signed(row.key.kind, row.amount))).unwrap_or(Money::zero(currency));
        let total = totals.entry(one.class).or_insert(ClassTotal { rows: 0, amount: Money::zero(currency) });
        total.rows += 1;
        total.amount = total.amount.plus(amount)?;
    }
    Ok(totals)
}
