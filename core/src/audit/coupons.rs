//! The invariants of coupons and merchants. They must not know how a coupon came to be redeemed.

use std::collections::BTreeMap;

use super::invariants::{Faults, all_rows, each_row, puts};
use super::{Invariant, JournalEntry};
use crate::coupons::{Coupon, CouponBatch, CouponState, MerchantCharge, MerchantMoney, batch_key};
use crate::record::{Balance, Record, Records, Table};
use crate::stay::Stay;

/// Each coupon was redeemed once, for a stay that has it once, and each batch knows how many are left.
#[derive(Default)]
pub(super) struct CouponsRedeemedOnce {
    redeemed: BTreeMap<String, String>,
    faults: Faults,
}

impl Invariant for CouponsRedeemedOnce {
    fn name(&self) -> &'static str {
        "each coupon was redeemed once, for one stay, and each batch knows what is left of it"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for coupon in puts::<Coupon>(entry) {
            match coupon {
                Ok(Coupon { id, state: CouponState::Redeemed { stay, .. }, .. }) => {
                    if self.redeemed.insert(id.to_string(), stay.to_string()).is_some() {
                        self.faults.add(format!("entry {} redeems coupon {id} again", entry.position));
                    }
                }
                Ok(Coupon { id, .. }) => {
                    if self.redeemed.contains_key(&id.to_string()) {
                        self.faults.add(format!("entry {} takes back that coupon {id} was redeemed", entry.position));
                    }
                }
                Err(fault) => self.faults.add(fault),
            }
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut on_stays: BTreeMap<String, usize> = BTreeMap::new();
        each_row::<Stay>(records, |stay| {
            for discount in stay.discounts.iter().filter(|one| one.merchant().is_some()) {
                let id = discount.id.to_string();
                if self.redeemed.get(&id) != Some(&stay.id.to_string()) {
                    self.faults.add(format!("stay {} has coupon {id}, which was not redeemed for it", stay.id));
                }
                *on_stays.entry(id).or_default() += 1;
            }
        })?;
        for (id, times) in on_stays.iter().filter(|(_, times)| **times != 1) {
            self.faults.add(format!("coupon {id} stands {times} times on stays"));
        }
        let mut left: BTreeMap<String, u32> = BTreeMap::new();
        each_row::<Coupon>(records, |coupon| {
            let left = left.entry(batch_key(&coupon.merchant, coupon.batch)).or_default();
            *left += u32::from(coupon.state == CouponState::Issued);
        })?;
        for batch in all_rows::<CouponBatch>(records)? {
            let left = left.get(&batch.key()).copied().unwrap_or(0);
            if left != batch.stock {
                self.faults.add(format!("batch {} says that {} are left, and {left} are", batch.key(), batch.stock));
            }
        }
        self.faults.verdict(self.redeemed.len() as u64)
    }
}

/// The balance of each merchant in the books is what it was charged less what it paid.
pub(super) struct MerchantsAddUp;

impl Invariant for MerchantsAddUp {
    fn name(&self) -> &'static str {
        "each merchant's balance is what it was charged less what it paid"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        let mut count = 0;
        let account = |merchant: &str, currency: &str| format!("merchant:{merchant}/{currency}");
        each_row::<MerchantCharge>(records, |charge| {
            let key = account(charge.merchant.as_str(), charge.charged.currency().code());
            *sums.entry(key).or_default() += charge.charged.minor();
            count += 1;
        })?;
        each_row::<MerchantMoney>(records, |money| {
            let key = account(money.merchant.as_str(), money.amount.currency().code());
            *sums.entry(key).or_default() -= money.credit().minor();
            count += 1;
        })?;
        let mut faults = Faults::default();
        let page = records.range(Table::Balances, "merchant:", usize::MAX).map_err(|fault| fault.to_string())?;
        for (key, stored) in page.into_iter().take_while(|(key, _)| key.starts_with("merchant:")) {
            let balance: Balance = serde_json::from_str(&stored.json).map_err(|fault| format!("{key}: {fault}"))?;
            let expected = sums.remove(&key).unwrap_or(0);
            if balance.sum.minor() != expected {
                faults
                    .add(format!("{key} is {} in the books, and {expected} by its charges and payments", balance.sum));
            }
        }
        for (key, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
            faults.add(format!("{key} should be {sum}, and the books do not know it"));
        }
        faults.verdict(count)
    }
}
