//! Coupons (优惠券) as records: a batch that was issued together, and each of its coupons under the hash of its code.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::discount::Worth;
use super::issue::BatchOrder;
use crate::charging::label::MerchantId;
use crate::id::{DiscountId, StayId};
use crate::money::Money;
use crate::record::{Record, Table};

/// Coupons that were issued together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponBatch {
    /// Whose.
    pub merchant: MerchantId,
    /// Its number among the merchant's batches, from 1.
    pub number: u32,
    /// What each is worth.
    pub worth: Worth,
    /// Each comes to at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Money>,
    /// How many hundredths of it the merchant pays; the lot bears the rest.
    pub pays_percent: u8,
    /// How many coupons.
    pub count: u32,
    /// How many of them are left: neither taken nor withdrawn.
    pub stock: u32,
    /// From this number on there may be one left.
    pub next: u32,
    /// The first of the lot's days on which they are taken.
    pub valid_from: NaiveDate,
    /// The first day on which they are taken no longer.
    pub valid_until: NaiveDate,
    /// What for, in the issuer's words.
    #[serde(default)]
    pub note: String,
    /// When they were issued.
    pub issued_at: DateTime<Utc>,
    /// By whom.
    pub issued_by: String,
}

/// The key of a batch.
pub fn batch_key(merchant: &MerchantId, number: u32) -> String {
    format!("{merchant}/{number:06}")
}

impl Record for CouponBatch {
    const TABLE: Table = Table::CouponBatches;
    fn key(&self) -> String {
        batch_key(&self.merchant, self.number)
    }
}

impl CouponBatch {
    /// As it was asked for.
    pub fn order(&self) -> BatchOrder {
        BatchOrder {
            merchant: self.merchant.clone(),
            worth: self.worth,
            most: self.most,
            pays_percent: self.pays_percent,
            count: self.count,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            note: self.note.clone(),
        }
    }
}

/// One coupon. Its code is not in it: it follows from the box's key, the batch and the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    /// The hash of its code.
    pub id: DiscountId,
    /// Whose.
    pub merchant: MerchantId,
    /// Of which of its batches.
    pub batch: u32,
    /// Its number in the batch, from 1.
    pub number: u32,
    /// How it stands.
    pub state: CouponState,
}

impl Record for Coupon {
    const TABLE: Table = Table::Coupons;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// How a coupon stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponState {
    /// It can be redeemed.
    Issued,
    /// It has been, once and for all.
    Redeemed {
        /// For which stay.
        stay: StayId,
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: RedeemedBy,
    },
    /// It was withdrawn before anybody redeemed it.
    Void {
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
}

/// Who redeemed a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemedBy {
    /// The driver, who typed its code at the pay page.
    Driver,
    /// An account of the box: the merchant itself, or the attendant.
    Account(String),
}
