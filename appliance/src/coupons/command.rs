//! What `tollhouse merchant ...` and `tollhouse coupon ...` ask of the desk.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{BatchOrder, Merchant, MerchantMoney, MoneyKind, Received, Statement};
use tollhouse_core::id::DiscountId;
use tollhouse_core::money::Money;
use tollhouse_core::record::{By, Records};

use super::desk::{Month, NewMerchant};
use super::shown::{ShownBatch, ShownCoupon, ShownMerchant};
use crate::desks::{DeskCommand, Desks};

/// The most merchants and coupons of one answer.
const MOST: usize = 5_000;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponCommand {
    /// Open an account.
    Open(MerchantId, NewMerchant, By),
    /// Change it.
    Change(MerchantId, NewMerchant, By),
    /// Show all accounts.
    Merchants,
    /// Book money from or to a merchant, under a reference.
    Money(MerchantId, MoneyKind, Money, Received, String, By),
    /// Draw up a statement.
    Statement(MerchantId, Month),
    /// Issue coupons.
    Issue(BatchOrder, By),
    /// Show the coupons of a batch.
    Coupons(MerchantId, u32),
    /// Withdraw a coupon, for a reason.
    Void(DiscountId, String, By),
}

/// What the desk answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponAnswer {
    /// An account, as it is now.
    Merchant(ShownMerchant),
    /// Accounts.
    Merchants(Vec<ShownMerchant>),
    /// What was booked.
    Money(MerchantMoney),
    /// A statement.
    Statement(Statement),
    /// What was issued, with the codes.
    Batch(ShownBatch),
    /// Coupons.
    Coupons(Vec<ShownCoupon>),
}

impl DeskCommand for CouponCommand {
    const DESK: &'static str = "coupons";
    type Answer = CouponAnswer;

    async fn carry_out(self, desks: &Desks) -> Result<CouponAnswer, String> {
        let desk = &desks.coupons;
        Ok(match self {
            Self::Open(id, new, by) => CouponAnswer::Merchant(desk.open(&id, &new, &by).await.map_err(said)?),
            Self::Change(id, new, by) => CouponAnswer::Merchant(desk.change(&id, &new, &by).await.map_err(said)?),
            Self::Merchants => {
                let records = desks.records();
                let all = records.list::<Merchant>("", MOST).map_err(said)?.into_iter();
                let shown: Result<_, _> = all.map(|kept| desk.shown(kept.record, &records)).collect();
                CouponAnswer::Merchants(shown.map_err(said)?)
            }
            Self::Money(id, kind, amount, through, reference, by) => {
                let money = desk.move_money(&id, (kind, amount, through), &reference, &by).await;
                CouponAnswer::Money(money.map_err(said)?)
            }
            Self::Statement(id, month) => CouponAnswer::Statement(desk.statement(&id, month).map_err(said)?),
            Self::Issue(order, by) => CouponAnswer::Batch(desk.issue(&order, &by).await.map_err(said)?),
            Self::Coupons(merchant, batch) => {
                CouponAnswer::Coupons(desk.coupons(&merchant, batch, 0, MOST).map_err(said)?)
            }
            Self::Void(id, reason, by) => CouponAnswer::Coupons(vec![desk.void(id, &reason, &by).await.map_err(said)?]),
        })
    }
}

fn said(refusal: impl std::fmt::Display) -> String {
    refusal.to_string()
}
