//! What each event posts, as in the table of payments.md, 'Books'. Tax is taken from the rounded gross of a line.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Account, Posting};
use crate::money::Money;

/// The tax contained in `gross`, for a rate such as 0.09, rounded half up to the smallest unit.
pub fn split_tax(gross: Money, rate: Decimal) -> Money {
    let gross_minor = Decimal::from(gross.minor());
    let net = gross_minor / (Decimal::ONE + rate);
    let tax = (gross_minor - net).round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    let minor = tax.to_i64().expect("the tax of an amount is smaller than the amount");
    Money::new(minor, gross.currency())
}

/// A temporary bill grows by `gross`, of which `tax` is tax: receivable / revenue, tax due.
pub fn grown(gross: Money, tax: Money) -> Vec<Posting> {
    let net = Money::new(gross.minor() - tax.minor(), gross.currency());
    let lines = [
        Posting::debit(Account::Receivable, gross),
        Posting::credit(Account::Revenue, net),
        Posting::credit(Account::TaxDue, tax),
    ];
    lines.into_iter().filter(|line| !line.amount.is_zero()).collect()
}

/// A provider took money: `to_bill` of it settles the bill, `excess` goes back to the payer, `unknown` waits in suspense.
pub fn captured(provider: &str, to_bill: Money, excess: Money, unknown: Money) -> Vec<Posting> {
    let clearing = Account::Clearing(provider.to_owned());
    let pairs = [(to_bill, Account::Receivable), (excess, Account::RefundDue), (unknown, Account::Suspense)];
    let lines = pairs.into_iter().filter(|(amount, _)| !amount.is_zero());
    lines.flat_map(|(amount, to)| [Posting::debit(clearing.clone(), amount), Posting::credit(to, amount)]).collect()
}

/// What of a captured payment never comes, because the provider gave it for coupons of our own: provider discount / clearing.
pub fn never_settled(provider: &str, discount: Option<Money>) -> Vec<Posting> {
    let Some(discount) = discount.filter(|discount| discount.is_positive()) else { return vec![] };
    let clearing = Account::Clearing(provider.to_owned());
    vec![Posting::debit(Account::ProviderDiscount, discount), Posting::credit(clearing, discount)]
}

/// A refund has succeeded: refund due / clearing.
pub fn refunded(provider: &str, amount: Money) -> Vec<Posting> {
    vec![Posting::debit(Account::RefundDue, amount), Posting::credit(Account::Clearing(provider.to_owned()), amount)]
}

#[cfg(test)]
mod tests {
    use super::super::sum_is_zero;
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn yuan(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    #[test]
    fn tax_is_taken_from_the_gross_and_rounded_half_up() {
        let nine_percent = Decimal::new(9, 2);
        let cases = [(0, 0), (500, 41), (1500, 124), (10900, 900), (1, 0)];
        for (gross, tax) in cases {
            assert_eq!(split_tax(yuan(gross), nine_percent), yuan(tax), "{gross}");
        }
    }

    proptest! {
        #[test]
        fn every_event_posts_a_sum_of_zero(gross in 0i64..1_000_000_000, permille in 0i64..300, cut in 0i64..1_000) {
            let tax = split_tax(yuan(gross), Decimal::new(permille, 3));
            prop_assert_eq!(sum_is_zero(&grown(yuan(gross), tax)), Ok(()));
            let excess = gross * cut / 1_000;
            let postings = captured("sandbox", yuan(gross - excess), yuan(excess), yuan(cut));
            prop_assert_eq!(sum_is_zero(&postings), Ok(()));
            prop_assert_eq!(sum_is_zero(&refunded("sandbox", yuan(excess))), Ok(()));
        }
    }
}
