//! The invariants of cash, stored value, clearing and the liabilities (payments.md, invariants 13, 14, 15, 16 and 17).
//! They see postings and records; they must not know which desk wrote them.

use std::collections::BTreeMap;

use super::charging::each;
use super::invariants::{Faults, puts};
use super::{Invariant, JournalEntry};
use crate::bill::Bill;
use crate::books::{Account, Posting, split_tax};
use crate::cash::{CashReceipt, Shift, ShiftState, StoredValue, Way};
use crate::charging::bills::{CardBill, Nature};
use crate::money::Currency;
use crate::pay::{Order, Payment, Refund, RefundState};
use crate::record::{ChangeKind, Record, Records};

/// The balances as the postings give them.
#[derive(Default)]
struct Sums(BTreeMap<(Account, Currency), i64>);

impl Sums {
    fn add(&mut self, posting: &Posting) {
        let place = (posting.account.clone(), posting.amount.currency());
        *self.0.entry(place).or_default() += posting.amount.minor();
    }

    fn of(&self, account: &Account) -> i64 {
        self.0.iter().filter(|((of, _), _)| of == account).map(|(_, sum)| sum).sum()
    }
}

/// Float + in - out = counted, or a difference that has a name; and the drawer's account says the same.
#[derive(Default)]
pub(super) struct ShiftsAddUp {
    drawers: Sums,
}

impl Invariant for ShiftsAddUp {
    fn name(&self) -> &'static str {
        "each shift's float, receipts and count agree with its drawer in the books"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for posting in entry.change.postings.iter().filter(|posting| matches!(posting.account, Account::Cash(_))) {
            self.drawers.add(posting);
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let (mut faults, mut count) = (Faults::default(), 0);
        each::<Shift>(records, "", |shift| {
            count += 1;
            let (mut taken, mut out, mut receipts) = (0, 0, 0);
            each::<CashReceipt>(records, &format!("{}/", shift.id), |receipt| {
                receipts += 1;
                match receipt.way {
                    Way::In => taken += receipt.amount.minor(),
                    Way::Out => out += receipt.amount.minor(),
                }
                Ok(())
            })?;
            if (taken, out, receipts) != (shift.taken.minor(), shift.paid_out.minor(), shift.receipts) {
                faults.add(format!("the receipts of shift {} are not what it took and gave", shift.id));
            }
            let expected = shift.float.minor() + taken - out;
            let drawer = if shift.state == ShiftState::Open { expected } else { 0 };
            if self.drawers.of(&shift.account()) != drawer {
                faults.add(format!("the drawer of shift {} is not {drawer} in the books", shift.id));
            }
            if let Some(closing) = &shift.closing {
                let difference = closing.counted.minor() - expected;
                if closing.difference.minor() != difference || (difference != 0 && closing.reason.is_none()) {
                    faults.add(format!("shift {} differs by {difference} without a name", shift.id));
                }
            }
            Ok(())
        })?;
        faults.verdict(count)
    }
}

/// What cards hold is what the books owe them.
#[derive(Default)]
pub(super) struct StoredValueHeld {
    sums: Sums,
}

impl Invariant for StoredValueHeld {
    fn name(&self) -> &'static str {
        "stored value in the books is what the cards hold"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for posting in entry.change.postings.iter().filter(|posting| posting.account == Account::Stored) {
            self.sums.add(posting);
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let (mut faults, mut count, mut held) = (Faults::default(), 0, 0);
        each::<StoredValue>(records, "", |value| {
            count += 1;
            held += value.balance.minor();
            if value.balance.minor() < 0 {
                faults.add(format!("card {} holds less than nothing", value.card));
            }
            Ok(())
        })?;
        if -self.sums.of(&Account::Stored) != held {
            faults.add(format!("the cards hold {held}, the books owe them {}", -self.sums.of(&Account::Stored)));
        }
        faults.verdict(count)
    }
}

/// Deferred revenue and deposits are never below zero, and deposits held are what was received and not given back.
#[derive(Default)]
pub(super) struct LiabilitiesHold {
    sums: Sums,
    faults: Faults,
}

/// What is held for somebody else or not earned yet: never on the debit side.
const HELD: [Account; 5] =
    [Account::Deferred, Account::PublicDeferred, Account::TaxPending, Account::Deposit, Account::Stored];

impl Invariant for LiabilitiesHold {
    fn name(&self) -> &'static str {
        "deferred revenue, pending tax and deposits are never below zero; deposits held are received less returned"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for posting in entry.change.postings.iter().filter(|posting| HELD.contains(&posting.account)) {
            self.sums.add(posting);
        }
        for ((account, currency), sum) in &self.sums.0 {
            if *sum > 0 && entry.change.postings.iter().any(|posting| posting.account == *account) {
                self.faults.add(format!("entry {} brings {account} to {} {currency} below zero", entry.position, sum));
            }
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let (mut held, mut count) = (0, 0);
        each::<CardBill>(records, "", |bill| {
            for line in bill.lines.iter().filter(|line| line.nature == Nature::Deposit) {
                count += 1;
                held += line.paid.minor() - line.returned.minor();
            }
            Ok(())
        })?;
        if -self.sums.of(&Account::Deposit) != held {
            self.faults.add(format!("{held} of deposits is held, the books say {}", -self.sums.of(&Account::Deposit)));
        }
        self.faults.verdict(count)
    }
}

/// Clearing = captured - refunded - fees - payouts, for each provider.
#[derive(Default)]
pub(super) struct ClearingExplained {
    captured: BTreeMap<String, i64>,
    /// Clearing and what it went to besides payers: fees, discounts, the bank, merchants' accounts.
    booked: BTreeMap<String, i64>,
    count: u64,
}

impl Invariant for ClearingExplained {
    fn name(&self) -> &'static str {
        "what providers hold is captured less refunded, fees and payouts"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for payment in puts::<Payment>(entry).flatten() {
            self.count += 1;
            *self.captured.entry(payment.provider).or_default() += payment.amount.minor();
        }
        let provider = entry.change.postings.iter().find_map(|posting| match &posting.account {
            Account::Clearing(provider) => Some(provider.clone()),
            _ => None,
        });
        let Some(provider) = provider else { return };
        let besides = |account: &Account| {
            matches!(account, Account::Clearing(_) | Account::ProviderFee | Account::ProviderDiscount | Account::Bank)
                || (entry.change.kind == ChangeKind::MerchantMoney && matches!(account, Account::Merchant(_)))
        };
        let moved = entry.change.postings.iter().filter(|posting| besides(&posting.account));
        *self.booked.entry(provider).or_default() += moved.map(|posting| posting.amount.minor()).sum::<i64>();
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut faults = Faults::default();
        let mut explained = self.captured.clone();
        each::<Refund>(records, "", |refund| {
            let order = records.stored(Order::TABLE, &refund.order.to_string()).map_err(|fault| fault.to_string())?;
            let order = order.and_then(|stored| serde_json::from_str::<Order>(&stored.json).ok());
            if let (RefundState::Done, Some(order)) = (refund.state, order) {
                *explained.entry(order.provider).or_default() -= refund.amount.minor();
            }
            Ok(())
        })?;
        for provider in self.booked.keys().chain(self.captured.keys()) {
            let of = |sums: &BTreeMap<String, i64>| sums.get(provider).copied().unwrap_or(0);
            if of(&self.booked) != of(&explained) {
                let (booked, explained) = (of(&self.booked), of(&explained));
                faults.add(format!("{provider}: payments less refunds are {explained}, the books say {booked}"));
            }
        }
        faults.verdict(self.count)
    }
}

/// The tax that the books know of a stay's bill is the tax of what they know of it.
#[derive(Default)]
pub(super) struct TaxOfBills {
    faults: Faults,
    count: u64,
}

impl Invariant for TaxOfBills {
    fn name(&self) -> &'static str {
        "the tax of a bill is the tax of what is posted of it"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for bill in puts::<Bill>(entry).flatten() {
            self.count += 1;
            let known = bill.taxed().map(|sum| split_tax(sum, bill.tax_rate));
            if known != Ok(bill.posted_tax) {
                self.faults.add(format!("entry {}: bill {} has tax {}", entry.position, bill.id, bill.posted_tax));
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.count)
    }
}
