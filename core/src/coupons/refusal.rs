//! Why a coupon is not taken, or a reduction not given; each in words for the person who asked.

use crate::money::{Money, MoneyError};
use crate::record::ReadError;
use crate::tariff::PriceError;
use crate::words::Words;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CouponRefusal {
    /// No coupon has this code.
    #[error("there is no such coupon: check the code")]
    Unknown,
    /// No such merchant or batch.
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    /// Its days have not begun.
    #[error("this coupon is taken from {0} on")]
    Early(chrono::NaiveDate),
    /// Its days are over.
    #[error("this coupon was taken until {0}")]
    Late(chrono::NaiveDate),
    /// It was redeemed before, for another stay.
    #[error("this coupon has been used")]
    Used,
    /// It was withdrawn.
    #[error("this coupon was withdrawn")]
    Void,
    /// The merchant's account is closed.
    #[error("the coupons of this merchant are not taken now")]
    Closed,
    /// None of the batch is left.
    #[error("no coupon of this batch is left: issue more")]
    NoStock,
    /// The car is not inside.
    #[error("this car is not inside")]
    NotInside,
    /// A pass covers it, or it is on the free list.
    #[error("this car is not charged by the hour, so there is nothing to take off")]
    NotCharged,
    /// All is paid.
    #[error("nothing is due any more: a coupon has to be used before paying")]
    NothingDue,
    /// At the exit it would take nothing off.
    #[error("this coupon would take nothing off this bill, so it was not used")]
    TakesNothingOff,
    /// The stay has as many reductions as it may.
    #[error("this stay has as many reductions as it may have")]
    TooMany,
    /// A limit of the merchant's.
    #[error("the merchant's limit is reached: {0}")]
    Limit(&'static str),
    /// The merchant's balance does not cover it.
    #[error("the merchant's balance covers {available}, this coupon may come to {worth}: top up first")]
    Balance {
        /// What is available.
        available: Money,
        /// What the coupon may come to.
        worth: Money,
    },
    /// More than this person may give.
    #[error("at most {0} may be given by this account")]
    AboveLimit(Money),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Unsound(&'static str),
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A stay that the tariff cannot price.
    #[error(transparent)]
    Price(#[from] PriceError),
}

impl CouponRefusal {
    /// The same for the driver at the pay page.
    pub fn words(&self) -> Words {
        let (zh, en) = match self {
            Self::Unknown | Self::NoSuch(_) | Self::Unsound(_) => {
                ("券码无效，请核对后重试。", "No coupon has this code. Please check it.")
            }
            Self::Early(_) => ("该券尚未生效。", "This coupon is not valid yet."),
            Self::Late(_) => ("该券已过期。", "This coupon has expired."),
            Self::Used => ("该券已被使用。", "This coupon has been used."),
            Self::Void | Self::NoStock => ("该券已作废。", "This coupon was withdrawn."),
            Self::NotInside | Self::NotCharged => ("该车辆无需使用停车券。", "This car needs no coupon."),
            Self::NothingDue => ("账单已结清，无法再用券。", "Nothing is due any more; the coupon was not used."),
            Self::TakesNothingOff => {
                ("该券对本账单不产生减免，未使用。", "It would take nothing off this bill; the coupon was not used.")
            }
            Self::TooMany => ("本次停车可用券数已达上限。", "This stay has as many coupons as it may have."),
            Self::Closed | Self::Limit(_) | Self::Balance { .. } | Self::AboveLimit(_) => {
                ("商户额度不足，请联系商户。", "The merchant's account does not allow it now. Please ask the merchant.")
            }
            Self::Read(_) | Self::Money(_) | Self::Price(_) => {
                ("系统繁忙，请稍后再试。", "The box is busy. Please try again.")
            }
        };
        Words::new(zh, en)
    }
}
