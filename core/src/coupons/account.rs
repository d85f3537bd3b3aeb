//! A merchant's money: what it was charged for its coupons, what it paid, and what is reserved for coupons that are taken
//! and not yet in the books. Its balance is that of the account `merchant:ID`, and follows from these records
//! (`tollhouse verify` proves it).

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::merchant::Merchant;
use super::refusal::CouponRefusal;
use crate::books::{Account, Posting, balance_key};
use crate::charging::label::MerchantId;
use crate::id::{BillId, DiscountId, IdKey, StayId};
use crate::money::{Currency, Money, MoneyError};
use crate::record::{Balance, Cause, Change, ChangeKind, Kept, ReadError, Record, Records, Table};
use crate::stay::{Stay, StayState};

/// A moment as it stands in keys: in the order of time.
pub(super) fn moment_key(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What a merchant was charged for one coupon; it follows the bill if that grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantCharge {
    /// Whom.
    pub merchant: MerchantId,
    /// When it was first posted: it stands in the statement of that month.
    pub at: DateTime<Utc>,
    /// For which coupon.
    pub coupon: DiscountId,
    /// On which bill.
    pub bill: BillId,
    /// What the coupon came to.
    pub value: Money,
    /// What of it the merchant pays.
    pub charged: Money,
}

impl Record for MerchantCharge {
    const TABLE: Table = Table::MerchantCharges;
    fn key(&self) -> String {
        format!("{}/{}/{}", self.merchant, moment_key(self.at), self.coupon)
    }
}

/// Money from or to a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantMoney {
    /// Derived from whose, when and under which reference.
    pub id: DiscountId,
    /// Whose.
    pub merchant: MerchantId,
    /// What for.
    pub kind: MoneyKind,
    /// How much, above zero.
    pub amount: Money,
    /// Where it came in, or went out.
    pub through: Received,
    /// The bank's or the clerk's reference.
    pub reference: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who booked it.
    pub by: String,
}

impl Record for MerchantMoney {
    const TABLE: Table = Table::MerchantMoney;
    fn key(&self) -> String {
        format!("{}/{}/{}", self.merchant, moment_key(self.at), self.id)
    }
}

impl MerchantMoney {
    /// What it adds to the merchant's credit.
    pub fn credit(&self) -> Money {
        if self.kind == MoneyKind::Returned { self.amount.negated() } else { self.amount }
    }
}

/// What money was moved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// Paid in before.
    TopUp,
    /// A statement was settled.
    Settlement,
    /// Given back to the merchant.
    Returned,
}

/// Where money came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// At the bank.
    Bank,
    /// At a payment provider.
    Provider(String),
}

/// What of a merchant's balance is spoken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantStanding {
    /// Whose.
    pub merchant: MerchantId,
    /// Coupons of cars that are inside, not yet in the books.
    pub reserved: Vec<Reserved>,
}

/// What one coupon may come to for its merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The coupon.
    pub coupon: DiscountId,
    /// The stay that it is for.
    pub stay: StayId,
    /// What it may come to.
    pub worth: Money,
}

impl Record for MerchantStanding {
    const TABLE: Table = Table::MerchantStandings;
    fn key(&self) -> String {
        self.merchant.to_string()
    }
}

impl MerchantStanding {
    /// As it is on record, without what belongs to stays that have ended: those are in the books.
    pub(super) fn read(merchant: &MerchantId, records: &impl Records) -> Result<(Option<Kept<Self>>, Self), ReadError> {
        let kept: Option<Kept<Self>> = records.get(merchant.as_str())?;
        let mut reserved = vec![];
        for one in kept.iter().flat_map(|kept| &kept.record.reserved) {
            let stay: Option<Kept<Stay>> = records.get(&one.stay.to_string())?;
            if stay.is_some_and(|kept| kept.record.state == StayState::Open) {
                reserved.push(one.clone());
            }
        }
        Ok((kept, Self { merchant: merchant.clone(), reserved }))
    }

    /// What is spoken for in all.
    pub fn sum(&self, currency: Currency) -> Result<Money, MoneyError> {
        self.reserved.iter().try_fold(Money::zero(currency), |sum, one| sum.plus(one.worth))
    }
}

/// What a merchant has to its credit in the books; negative: it owes.
pub(super) fn credit_of(merchant: &MerchantId, currency: Currency, records: &impl Records) -> Result<Money, ReadError> {
    let key = balance_key(&Account::Merchant(merchant.to_string()), currency);
    let stored = records.stored(Table::Balances, &key)?;
    let Some(stored) = stored else { return Ok(Money::zero(currency)) };
    let balance: Balance = serde_json::from_str(&stored.json).map_err(|fault| ReadError::Damaged {
        table: Table::Balances,
        key,
        detail: fault.to_string(),
    })?;
    Ok(balance.sum.negated())
}

/// Books money from or to a merchant: clearing or bank against the merchant, or the other way for what is given back.
pub fn move_money(
    money: (MoneyKind, Money, Received),
    merchant: &MerchantId,
    reference: &str,
    by: &str,
    now: DateTime<Utc>,
    key: &IdKey,
    records: &impl Records,
) -> Result<(Change, MerchantMoney), CouponRefusal> {
    let (kind, amount, through) = money;
    if !amount.is_positive() {
        return Err(CouponRefusal::Unsound("an amount above zero is wanted here"));
    }
    if reference.trim().is_empty() || reference.chars().count() > 100 || reference.chars().any(char::is_control) {
        return Err(CouponRefusal::Unsound("a reference has 1 to 100 characters"));
    }
    let kept: Kept<Merchant> = records.get(merchant.as_str())?.ok_or(CouponRefusal::NoSuch("merchant"))?;
    let id = DiscountId::derive(key, &["money", merchant.as_str(), reference, &moment_key(now)]);
    let money = MerchantMoney {
        id,
        merchant: merchant.clone(),
        kind,
        amount,
        through: through.clone(),
        reference: reference.to_owned(),
        at: now,
        by: by.to_owned(),
    };
    let cause = Cause::Person { name: by.to_owned(), reason: reference.to_owned() };
    let mut change = Change::new(ChangeKind::MerchantMoney, now, cause);
    change.rely_on(merchant.as_str(), Some(&kept));
    change.rely_on::<MerchantMoney>(&money.key(), None);
    let place = match through {
        Received::Bank => Account::Bank,
        Received::Provider(provider) => Account::Clearing(provider),
    };
    let credit = money.credit();
    change.postings =
        vec![Posting::debit(place, credit), Posting::credit(Account::Merchant(merchant.to_string()), credit)];
    change.put(&money);
    Ok((change, money))
}

/// What a merchant has to its credit in the books, and what of it is spoken for.
pub fn available(
    merchant: &MerchantId,
    currency: Currency,
    records: &impl Records,
) -> Result<(Money, Money), CouponRefusal> {
    let (_, standing) = MerchantStanding::read(merchant, records)?;
    Ok((credit_of(merchant, currency, records)?, standing.sum(currency)?))
}
