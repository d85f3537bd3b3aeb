//! What a temporary bill is in the books: its balance on each account, from what it comes to before reductions and what
//! each reduction takes off. An event posts the difference of two positions, so books and bill agree by construction.

use rust_decimal::Decimal;

use crate::books::{Account, Posting, split_tax};
use crate::coupons::BillDiscount;
use crate::money::{Money, MoneyError};

/// A balance on each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    receivable: Money,
    revenue: Money,
    discount: Money,
    tax_due: Money,
    merchants: Vec<(String, Money)>,
}

impl Position {
    /// Of a bill of `gross` before reductions, of which `part` says how much each takes off.
    ///
    /// What a merchant pays is income like any other. What the lot bears is not: it lowers the tax with the fee, and
    /// stands apart, net, on `discount`.
    pub(super) fn of(
        gross: Money,
        discounts: &[BillDiscount],
        part: impl Fn(&BillDiscount) -> Money,
        rate: Decimal,
    ) -> Result<Self, MoneyError> {
        let mut merchants: Vec<(String, Money)> = vec![];
        let (mut left, mut own) = (gross, Money::zero(gross.currency()));
        for discount in discounts {
            let amount = part(discount);
            let paid = discount.merchants_part(amount);
            left = left.minus(amount)?;
            own = own.plus(amount.minus(paid)?)?;
            if let Some(merchant) = &discount.merchant {
                merchants.push((merchant.to_string(), paid));
            }
        }
        let tax_of_all = split_tax(gross, rate);
        let tax = split_tax(gross.minus(own)?, rate);
        Ok(Self {
            receivable: left,
            revenue: gross.minus(tax_of_all)?.negated(),
            discount: own.minus(tax_of_all.minus(tax)?)?,
            tax_due: tax.negated(),
            merchants,
        })
    }

    /// The tax that it makes due.
    pub(super) fn tax(&self) -> Money {
        self.tax_due.negated()
    }

    /// What has to be posted to come here from there; `before` has no reduction that this one lacks.
    pub(super) fn less(&self, before: &Self) -> Result<Vec<Posting>, MoneyError> {
        let mut postings = vec![
            Posting::debit(Account::Receivable, self.receivable.minus(before.receivable)?),
            Posting::debit(Account::Revenue, self.revenue.minus(before.revenue)?),
            Posting::debit(Account::TaxDue, self.tax_due.minus(before.tax_due)?),
            Posting::debit(Account::Discount, self.discount.minus(before.discount)?),
        ];
        for (place, (merchant, paid)) in self.merchants.iter().enumerate() {
            let known = before.merchants.get(place).map_or(Money::zero(paid.currency()), |(_, paid)| *paid);
            postings.push(Posting::debit(Account::Merchant(merchant.clone()), paid.minus(known)?));
        }
        postings.retain(|posting| !posting.amount.is_zero());
        Ok(postings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::books::{balance_key, sum_is_zero};
    use crate::charging::label::MerchantId;
    use crate::id::DiscountId;
    use crate::money::Currency;

    fn yuan(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    fn discount(number: u8, amount: i64, pays_percent: u8, merchant: Option<&str>) -> BillDiscount {
        let merchant = merchant.map(|name| MerchantId::new(name).expect("a name"));
        let id = DiscountId::from_bytes([number; 16]);
        BillDiscount { id, merchant, pays_percent, amount: yuan(amount), posted: yuan(0), posted_at: None }
    }

    fn posted(gross: i64, discounts: &[BillDiscount]) -> Vec<(String, i64)> {
        let rate = Decimal::new(9, 2);
        let none = Position::of(yuan(0), &[], |one| one.amount, rate).expect("adds up");
        let all = Position::of(yuan(gross), discounts, |one| one.amount, rate).expect("adds up");
        let postings = all.less(&none).expect("adds up");
        postings.iter().map(|one| (balance_key(&one.account, Currency::Cny), one.amount.minor())).collect()
    }

    #[test]
    fn a_merchant_pays_its_share_and_the_lot_bears_the_rest_with_its_tax() {
        let cases = [
            (vec![], vec![("receivable/CNY", 1_500), ("revenue/CNY", -1_376), ("tax_due/CNY", -124)]),
            (
                vec![discount(1, 500, 100, Some("shop"))],
                vec![
                    ("receivable/CNY", 1_000),
                    ("revenue/CNY", -1_376),
                    ("tax_due/CNY", -124),
                    ("merchant:shop/CNY", 500),
                ],
            ),
            (
                vec![discount(1, 500, 0, None)],
                vec![("receivable/CNY", 1_000), ("revenue/CNY", -1_376), ("tax_due/CNY", -83), ("discount/CNY", 459)],
            ),
            (
                vec![discount(1, 500, 50, Some("shop"))],
                vec![
                    ("receivable/CNY", 1_000),
                    ("revenue/CNY", -1_376),
                    ("tax_due/CNY", -103),
                    ("discount/CNY", 229),
                    ("merchant:shop/CNY", 250),
                ],
            ),
        ];
        for (discounts, expected) in cases {
            let expected: Vec<(String, i64)> = expected.iter().map(|(key, sum)| ((*key).to_owned(), *sum)).collect();
            assert_eq!(posted(1_500, &discounts), expected, "{discounts:?}");
        }
    }

    proptest! {
        #[test]
        fn every_growth_and_every_reduction_posts_a_sum_of_zero(
            gross in 0i64..1_000_000,
            parts in proptest::collection::vec((0i64..100, 0u8..=100, any::<bool>()), 0..8),
            more in 0i64..1_000_000,
        ) {
            let discounts: Vec<BillDiscount> = parts.iter().zip(0u8..).map(|((part, pays, shop), number)| {
                discount(number, gross * part / 800, *pays, shop.then_some("shop"))
            }).collect();
            let rate = Decimal::new(6, 2);
            let none = Position::of(yuan(0), &[], |one| one.amount, rate).expect("adds up");
            let plain = Position::of(yuan(gross), &[], |one| one.amount, rate).expect("adds up");
            let with = Position::of(yuan(gross), &discounts, |one| one.amount, rate).expect("adds up");
            let grown = Position::of(yuan(gross + more), &discounts, |one| one.amount, rate).expect("adds up");
            for (now, before) in [(&plain, &none), (&with, &plain), (&grown, &with)] {
                prop_assert_eq!(sum_is_zero(&now.less(before).expect("adds up")), Ok(()));
            }
        }
    }
}
