//! One payment for several bills: a part payment goes to the oldest. What is too much stays the payer's.

use chrono::NaiveDate;

use super::bill::{CardBill, Standing};
use crate::id::BillId;
use crate::money::Money;

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocated {
    /// Accepted by each bill that took something, the oldest first.
    pub to: Vec<(BillId, Money)>,
    /// What no bill took.
    pub rest: Money,
}

/// Gives `amount` to the bills, the one that fell due first first.
pub fn allocate(bills: &mut [CardBill], amount: Money, on: NaiveDate) -> Allocated {
    let mut order: Vec<usize> = (0..bills.len()).filter(|place| bills[*place].standing == Standing::Issued).collect();
    order.sort_by_key(|place| (bills[*place].due_on, bills[*place].issued_on, bills[*place].id));
    let mut left = amount;
    let mut to = Vec::new();
    for place in order {
        let bill = &mut bills[place];
        if !left.is_positive() || bill.currency() != left.currency() {
            continue;
        }
        let accepted = bill.accept(left, on);
        if accepted.is_positive() {
            left = Money::new(left.minor() - accepted.minor(), left.currency());
            to.push((bill.id, accepted));
        }
    }
    Allocated { to, rest: left }
}
