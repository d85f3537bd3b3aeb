//! Issuing a batch of coupons, and withdrawing one that nobody has redeemed.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use serde::{Deserialize, Serialize};

use super::batch::{Coupon, CouponBatch, CouponState, batch_key};
use super::code::CouponCode;
use super::discount::Worth;
use super::merchant::{Merchant, MerchantState};
use super::refusal::CouponRefusal;
use crate::charging::label::MerchantId;
use crate::id::{DiscountId, IdKey};
use crate::money::Money;
use crate::record::{Cause, Change, ChangeKind, Kept, Records};

/// The most coupons of one batch.
pub const MOST_COUPONS: u32 = 2_000;
/// Coupons are not issued for longer, in days.
const LONGEST_DAYS: i64 = 366;
const MOST_NOTE_CHARS: usize = 200;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchOrder {
    /// For whom.
    pub merchant: MerchantId,
    /// What each is worth.
    pub worth: Worth,
    /// Each comes to at most this.
    pub most: Option<Money>,
    /// How many hundredths the merchant pays.
    pub pays_percent: u8,
    /// How many.
    pub count: u32,
    /// The first day.
    pub valid_from: NaiveDate,
    /// The first day after.
    pub valid_until: NaiveDate,
    /// What for.
    pub note: String,
}

impl BatchOrder {
    fn check(&self, today: NaiveDate) -> Result<(), CouponRefusal> {
        let unsound = |why| Err(CouponRefusal::Unsound(why));
        if !self.worth.is_sound() {
            return unsound("a coupon is for 1 to 43200 minutes, an amount above zero, or 1 to 100 percent");
        }
        if self.most.is_some_and(|most| !most.is_positive()) || self.pays_percent > 100 {
            return unsound(
                "the most that a coupon comes to is above zero, and a merchant pays 0 to 100 percent of it",
            );
        }
        if !(1..=MOST_COUPONS).contains(&self.count) {
            return unsound("a batch has 1 to 2000 coupons");
        }
        if self.valid_until <= self.valid_from || self.valid_until <= today {
            return unsound("the last day of a batch is not before its first, and not over");
        }
        if self.valid_until - today > TimeDelta::days(LONGEST_DAYS) {
            return unsound("coupons are issued for at most a year ahead");
        }
        if self.note.chars().count() > MOST_NOTE_CHARS || self.note.chars().any(char::is_control) {
            return unsound("a note has at most 200 characters");
        }
        Ok(())
    }
}

/// Issues a batch: commit the change, then hand out the codes.
pub fn issue(
    order: &BatchOrder,
    by: &str,
    now: DateTime<Utc>,
    today: NaiveDate,
    key: &IdKey,
    records: &impl Records,
) -> Result<(Change, CouponBatch), CouponRefusal> {
    order.check(today)?;
    let merchant: Kept<Merchant> = records.get(order.merchant.as_str())?.ok_or(CouponRefusal::NoSuch("merchant"))?;
    if merchant.record.state == MerchantState::Closed {
        return Err(CouponRefusal::Closed);
    }
    let cause = Cause::Person { name: by.to_owned(), reason: order.note.clone() };
    let mut change = Change::new(ChangeKind::CouponsChanged, now, cause);
    change.rely_on(order.merchant.as_str(), Some(&merchant));
    let number = merchant.record.batches + 1;
    Merchant { batches: number, ..merchant.record }.write(&mut change);
    let batch = CouponBatch {
        merchant: order.merchant.clone(),
        number,
        worth: order.worth,
        most: order.most,
        pays_percent: order.pays_percent,
        count: order.count,
        stock: order.count,
        next: 1,
        valid_from: order.valid_from,
        valid_until: order.valid_until,
        note: order.note.clone(),
        issued_at: now,
        issued_by: by.to_owned(),
    };
    for coupon in 1..=order.count {
        let id = CouponCode::derive(key, &order.merchant, number, coupon).id(key);
        let merchant = order.merchant.clone();
        change.put(&Coupon { id, merchant, batch: number, number: coupon, state: CouponState::Issued });
    }
    change.put(&batch);
    Ok((change, batch))
}

/// A batch that was issued elsewhere, or before this box's records began, under the number that it has there: added to the
/// change. Its coupons have the codes of this box's key; those that are spent are withdrawn from the first.
pub fn move_in(
    change: &mut Change,
    (order, number): (&BatchOrder, u32),
    spent: &BTreeSet<u32>,
    by: &str,
    key: &IdKey,
    records: &impl Records,
) -> Result<(), CouponRefusal> {
    // Whether its days are over matters to nobody who only keeps it.
    order.check(order.valid_until.pred_opt().unwrap_or(order.valid_until))?;
    let merchant: Kept<Merchant> = records.get(order.merchant.as_str())?.ok_or(CouponRefusal::NoSuch("merchant"))?;
    change.rely_on(order.merchant.as_str(), Some(&merchant));
    change.rely_on::<CouponBatch>(&batch_key(&order.merchant, number), None);
    Merchant { batches: merchant.record.batches.max(number), ..merchant.record }.write(change);
    let at = change.at;
    let gone = |coupon: u32| spent.contains(&coupon);
    let left = (1..=order.count).filter(|coupon| !gone(*coupon));
    let batch = CouponBatch {
        merchant: order.merchant.clone(),
        number,
        worth: order.worth,
        most: order.most,
        pays_percent: order.pays_percent,
        count: order.count,
        stock: u32::try_from(left.clone().count()).unwrap_or(order.count),
        next: left.clone().next().unwrap_or(order.count + 1),
        valid_from: order.valid_from,
        valid_until: order.valid_until,
        note: order.note.clone(),
        issued_at: at,
        issued_by: by.to_owned(),
    };
    for coupon in 1..=order.count {
        let id = CouponCode::derive(key, &order.merchant, number, coupon).id(key);
        let state = if gone(coupon) {
            CouponState::Void { at, by: by.to_owned(), reason: "spent before it moved in".to_owned() }
        } else {
            CouponState::Issued
        };
        change.put(&Coupon { id, merchant: order.merchant.clone(), batch: number, number: coupon, state });
    }
    change.put(&batch);
    Ok(())
}

/// Withdraws a coupon that nobody has redeemed. Withdrawn before: nothing to do.
pub fn void(
    id: DiscountId,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<Change>, CouponRefusal> {
    let coupon: Kept<Coupon> = records.get(&id.to_string())?.ok_or(CouponRefusal::Unknown)?;
    match coupon.record.state {
        CouponState::Void { .. } => return Ok(None),
        CouponState::Redeemed { .. } => return Err(CouponRefusal::Used),
        CouponState::Issued => {}
    }
    let batch_key = batch_key(&coupon.record.merchant, coupon.record.batch);
    let batch: Kept<CouponBatch> = records.get(&batch_key)?.ok_or(CouponRefusal::NoSuch("batch"))?;
    let cause = Cause::Person { name: by.to_owned(), reason: reason.to_owned() };
    let mut change = Change::new(ChangeKind::CouponsChanged, now, cause);
    change.rely_on(&id.to_string(), Some(&coupon));
    change.rely_on(&batch_key, Some(&batch));
    change.put(&CouponBatch { stock: batch.record.stock.saturating_sub(1), ..batch.record });
    let state = CouponState::Void { at: now, by: by.to_owned(), reason: reason.to_owned() };
    change.put(&Coupon { state, ..coupon.record });
    Ok(Some(change))
}
