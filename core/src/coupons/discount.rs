//! What a stay is reduced by, as it is noted on the stay. It must not know what that comes to: the bill says that.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::MerchantId;
use crate::id::DiscountId;
use crate::money::Money;
use crate::words::Words;

/// No coupon is for more minutes: 30 days.
pub const MOST_MINUTES: u32 = 43_200;

/// What a reduction is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// The stay is priced with its entry so many minutes later.
    Minutes(u32),
    /// So much of the fee.
    Amount(Money),
    /// So many hundredths of the fee, 1 to 100.
    Percent(u8),
    /// All of it.
    Free,
}

impl Worth {
    /// Whether it makes sense by itself.
    pub fn is_sound(self) -> bool {
        match self {
            Self::Minutes(minutes) => (1..=MOST_MINUTES).contains(&minutes),
            Self::Amount(amount) => amount.is_positive(),
            Self::Percent(percent) => (1..=100).contains(&percent),
            Self::Free => true,
        }
    }
}

/// One reduction of one stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// The coupon's id, or one of its own if a person gave it.
    pub id: DiscountId,
    /// What it is worth.
    pub worth: Worth,
    /// It never comes to more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Money>,
    /// Who gives it.
    pub given: Given,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// Who gives a reduction, and so who bears it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A merchant, by a coupon.
    Merchant {
        /// Which.
        merchant: MerchantId,
        /// As the driver knows it.
        name: String,
        /// How many hundredths of it the merchant pays; the lot bears the rest.
        pays_percent: u8,
    },
    /// A person of the lot, which bears it.
    Person {
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Discount {
    /// In which order reductions apply: minutes, amount, percent, manual.
    pub(super) fn rank(&self) -> u8 {
        match (&self.given, self.worth) {
            (Given::Person { .. }, _) => 3,
            (_, Worth::Minutes(_)) => 0,
            (_, Worth::Amount(_)) => 1,
            (_, Worth::Percent(_) | Worth::Free) => 2,
        }
    }

    /// The merchant that bears a part of it, and how many hundredths.
    pub fn merchant(&self) -> Option<(&MerchantId, u8)> {
        match &self.given {
            Given::Merchant { merchant, pays_percent, .. } => Some((merchant, *pays_percent)),
            Given::Person { .. } => None,
        }
    }

    /// Its line on the bill, for the driver.
    pub(super) fn words(&self) -> Words {
        let (zh, en) = match self.worth {
            Worth::Minutes(minutes) => (format!("减免 {minutes} 分钟"), format!("{minutes} minutes")),
            Worth::Amount(amount) => (format!("减免 {} 元", amount.amount()), format!("{amount} off")),
            Worth::Percent(percent) => (format!("减免 {percent}%"), format!("{percent} % off")),
            Worth::Free => ("全免".to_owned(), "free of charge".to_owned()),
        };
        match &self.given {
            Given::Merchant { name, .. } => Words::new(format!("{name}优惠：{zh}"), format!("{name}: {en}")),
            Given::Person { .. } => Words::new(format!("人工优惠：{zh}"), format!("Given by hand: {en}")),
        }
    }

    /// The rule that stands on its line.
    pub(super) fn rule(&self) -> &'static str {
        match (&self.given, self.worth) {
            (Given::Person { .. }, _) => "discount.manual",
            (_, Worth::Minutes(_)) => "discount.minutes",
            (_, Worth::Amount(_)) => "discount.amount",
            (_, Worth::Percent(_)) => "discount.percent",
            (_, Worth::Free) => "discount.free",
        }
    }
}
