//! What is shown of merchants and coupons, and what is kept as the outcome of a request.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::bill::Bill;
use tollhouse_core::coupons::{
    Coupon, CouponBatch, CouponRefusal, CouponState, Merchant, MerchantTerms, Taken, available,
};
use tollhouse_core::id::{BillId, DiscountId, StayId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::stay::Stay;

use super::desk::word;
use crate::store::Snapshot;

/// A merchant's account with its balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMerchant {
    /// The account.
    pub merchant: Merchant,
    /// What it has to its credit in the books; negative: it owes.
    pub balance: Money,
    /// What of it is spoken for by coupons of cars that are inside.
    pub reserved: Money,
    /// What its coupons may still come to; `None`: no limit.
    pub available: Option<Money>,
}

impl ShownMerchant {
    pub(super) fn of(merchant: Merchant, currency: Currency, records: &Snapshot) -> Result<Self, CouponRefusal> {
        let (balance, reserved) = available(&merchant.id, currency, records)?;
        let credit = match merchant.terms {
            MerchantTerms::Prepaid => Some(Money::zero(currency)),
            MerchantTerms::Monthly { credit } => credit,
        };
        let available = match credit {
            Some(credit) => Some(balance.plus(credit)?.minus(reserved)?),
            None => None,
        };
        Ok(Self { merchant, balance, reserved, available })
    }
}

/// A batch with the codes of its coupons, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownBatch {
    /// The batch.
    pub batch: CouponBatch,
    /// The codes: whoever has one can redeem it.
    pub codes: Vec<String>,
}

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCoupon {
    /// How it is called where it is withdrawn.
    pub id: DiscountId,
    /// Whose.
    pub merchant: String,
    /// Of which batch.
    pub batch: u32,
    /// Its number in it.
    pub number: u32,
    /// `issued`, `redeemed`, `void`.
    pub state: String,
    /// When it was redeemed or withdrawn.
    pub at: Option<DateTime<Utc>>,
    /// For which stay it was redeemed.
    pub stay: Option<StayId>,
    /// Its code, where it is told.
    pub code: Option<String>,
}

impl ShownCoupon {
    pub(super) fn of(coupon: &Coupon, code: Option<String>) -> Self {
        let (at, stay) = match &coupon.state {
            CouponState::Issued => (None, None),
            CouponState::Redeemed { at, stay, .. } => (Some(*at), Some(*stay)),
            CouponState::Void { at, .. } => (Some(*at), None),
        };
        Self {
            id: coupon.id,
            merchant: coupon.merchant.to_string(),
            batch: coupon.batch,
            number: coupon.number,
            state: word(&coupon.state).to_owned(),
            at,
            stay,
            code,
        }
    }
}

/// What a reduction has done to a stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTaken {
    /// The reduction.
    pub id: DiscountId,
    /// The stay.
    pub stay: StayId,
    /// Its bill, where it is on record already.
    pub bill: Option<BillId>,
    /// What the reduction takes off as of now.
    pub value: Money,
    /// What is due as of now.
    pub due: Money,
}

impl ShownTaken {
    pub(super) fn of(taken: &Taken) -> Self {
        Self {
            id: taken.discount.id,
            stay: taken.stay.id,
            bill: taken.stay.bill,
            value: taken.value,
            due: taken.bill.due(),
        }
    }

    /// Of a coupon that was redeemed before.
    pub(super) fn before(
        coupon: &Coupon,
        stay: StayId,
        currency: Currency,
        records: &Snapshot,
    ) -> Result<Self, CouponRefusal> {
        let kept: Kept<Stay> = records.get(&stay.to_string())?.ok_or(CouponRefusal::NotInside)?;
        let bill: Option<Kept<Bill>> = match kept.record.bill {
            Some(bill) => records.get(&bill.to_string())?,
            None => None,
        };
        let bill = bill.map(|kept| kept.record);
        let zero = Money::zero(currency);
        let value = bill.as_ref().and_then(|bill| bill.discount(coupon.id)).unwrap_or(zero);
        let due = bill.as_ref().map_or(zero, Bill::due);
        Ok(Self { id: coupon.id, stay, bill: bill.map(|bill| bill.id), value, due })
    }
}
