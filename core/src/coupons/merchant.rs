//! A merchant (商户): who gives coupons to its customers and pays for them. Its balance is in the books
//! (`merchant:ID`), not here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charging::label::MerchantId;
use crate::id::UserName;
use crate::money::Money;
use crate::record::{Change, Record, Table};

/// A merchant's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Its id, as it stands in the books.
    pub id: MerchantId,
    /// As drivers know it: it stands on their bills.
    pub name: String,
    /// Whom the lot calls; personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The accounts of the box that act for it: they see it and redeem its coupons, and no other's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<UserName>,
    /// How it pays.
    pub terms: MerchantTerms,
    /// What it may give away.
    #[serde(default)]
    pub limits: Limits,
    /// Whether its coupons are taken.
    pub state: MerchantState,
    /// How many batches were ever issued to it: the next one's number is one more.
    #[serde(default)]
    pub batches: u32,
    /// When the account was opened.
    pub since: DateTime<Utc>,
}

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// A person.
    pub name: String,
    /// Their telephone number.
    pub phone: String,
}

/// How a merchant pays for its coupons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MerchantTerms {
    /// Before: no coupon is taken that its balance does not cover.
    Prepaid,
    /// Afterwards, by its statement; `credit` is what may be open at most.
    Monthly {
        /// The most that may be open; `None`: no limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit: Option<Money>,
    },
}

/// What a merchant may give away. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Coupons taken in one of the lot's days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupons_per_day: Option<u32>,
    /// Coupons taken in a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupons_per_month: Option<u32>,
    /// What the coupons of a day come to, as reckoned when each is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_per_day: Option<Money>,
    /// The same of a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_per_month: Option<Money>,
    /// What one coupon may come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_per_coupon: Option<Money>,
    /// Coupons of this merchant for one stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_stay: Option<u8>,
}

/// Whether a merchant's coupons are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MerchantState {
    /// They are.
    Open,
    /// Not now; what it owes it owes.
    Closed,
}

impl Record for Merchant {
    const TABLE: Table = Table::Merchants;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Merchant {
    /// Writes it, its contact as a personal text.
    pub fn write(&self, change: &mut Change) {
        if let Some(contact) = &self.contact {
            change.personal(&contact.name);
            change.personal(&contact.phone);
        }
        change.put(self);
    }
}
