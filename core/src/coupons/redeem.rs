//! Redeeming a coupon, and giving a discount by hand: both note a reduction on the open stay and draw its bill up again.
//!
//! A coupon is taken at most once. What is paid stays paid: a reduction takes off what is still due and no more, so that
//! nothing has to be given back. An order that is open at its old amount is paid at that, and the excess goes back by
//! itself, as any excess does.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::account::{MerchantStanding, Reserved, credit_of};
use super::batch::{Coupon, CouponBatch, CouponState, RedeemedBy, batch_key};
use super::code::CouponCode;
use super::discount::{Discount, Given, Worth};
use super::merchant::{Merchant, MerchantState, MerchantTerms};
use super::reduce::MOST_PER_STAY;
use super::refusal::CouponRefusal;
use crate::bill::{Bill, BillState};
use crate::charging::label::MerchantId;
use crate::id::{DiscountId, IdKey, StayId};
use crate::money::Money;
use crate::record::{Cause, Change, ChangeKind, Counter, Kept, Records};
use crate::stay::{Stay, StayState};
use crate::tariff::TariffBook;

/// A merchant's balance can be spoken for by so many cars inside.
const MOST_RESERVED: usize = 5_000;
const MOST_REASON_CHARS: usize = 200;

/// By what a stay is priced.
#[derive(Debug, Clone, Copy)]
pub struct Pricing<'a> {
    /// The lot's tariff.
    pub tariff: &'a TariffBook,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// From which ids and codes are derived.
    pub key: &'a IdKey,
    /// The lot's zone, for its days.
    pub zone: Tz,
}

/// Which coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one with this code.
    Code(CouponCode),
    /// The next one of this batch that is left.
    NextOf(MerchantId, u32),
}

/// What redeeming found.
#[derive(Debug)]
pub enum Redeemed {
    /// Commit this.
    Now(Box<Change>, Box<Taken>),
    /// This coupon was redeemed for this stay before: nothing to do.
    Before(Box<Coupon>),
}

/// What a reduction has done.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The reduction.
    pub discount: Discount,
    /// The stay with it.
    pub stay: Stay,
    /// Its bill as of now, with the reduction's line.
    pub bill: Bill,
    /// What it takes off as of now; more may come while the fee grows.
    pub value: Money,
}

/// A discount that a person gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manual {
    /// What it is worth.
    pub worth: Worth,
    /// Who gives it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What they may give for one stay at most; `None`: no limit.
    pub limit: Option<Money>,
}

/// Redeems a coupon for a stay.
pub fn redeem(
    which: &Which,
    stay: StayId,
    by: &RedeemedBy,
    now: DateTime<Utc>,
    pricing: Pricing<'_>,
    records: &impl Records,
) -> Result<Redeemed, CouponRefusal> {
    let coupon = find(which, pricing.key, records)?;
    match &coupon.record.state {
        CouponState::Redeemed { stay: other, .. } if *other == stay => {
            return Ok(Redeemed::Before(Box::new(coupon.record)));
        }
        CouponState::Redeemed { .. } => return Err(CouponRefusal::Used),
        CouponState::Void { .. } => return Err(CouponRefusal::Void),
        CouponState::Issued => {}
    }
    let batch_key = batch_key(&coupon.record.merchant, coupon.record.batch);
    let batch: Kept<CouponBatch> = records.get(&batch_key)?.ok_or(CouponRefusal::NoSuch("batch"))?;
    let merchant: Kept<Merchant> =
        records.get(batch.record.merchant.as_str())?.ok_or(CouponRefusal::NoSuch("merchant"))?;
    let today = now.with_timezone(&pricing.zone).date_naive();
    in_force(&batch.record, &merchant.record, today)?;
    let most = [batch.record.most, merchant.record.limits.most_per_coupon].into_iter().flatten();
    let discount = Discount {
        id: coupon.record.id,
        worth: batch.record.worth,
        most: most.min_by_key(|most| most.minor()),
        given: Given::Merchant {
            merchant: merchant.record.id.clone(),
            name: merchant.record.name.clone(),
            pays_percent: batch.record.pays_percent,
        },
        at: now,
    };
    let cause = match by {
        RedeemedBy::Driver => Cause::Driver,
        RedeemedBy::Account(name) => Cause::Person { name: name.clone(), reason: "coupon".to_owned() },
    };
    let mut change = Change::new(ChangeKind::CouponRedeemed, now, cause);
    change.rely_on(&coupon.record.id.to_string(), Some(&coupon));
    change.rely_on(&batch_key, Some(&batch));
    change.rely_on(merchant.record.id.as_str(), Some(&merchant));
    let taken = reduce_stay(&mut change, stay, discount, now, pricing, records)?;
    within_limits(&mut change, &merchant.record, &taken, today, records)?;
    let next = if batch.record.next == coupon.record.number { coupon.record.number + 1 } else { batch.record.next };
    change.put(&CouponBatch { stock: batch.record.stock.saturating_sub(1), next, ..batch.record });
    let state = CouponState::Redeemed { stay, at: now, by: by.clone() };
    change.put(&Coupon { state, ..coupon.record });
    Ok(Redeemed::Now(Box::new(change), Box::new(taken)))
}

/// Gives a discount by hand, with a reason and within what this person may give.
pub fn give_by_hand(
    manual: &Manual,
    stay: StayId,
    now: DateTime<Utc>,
    pricing: Pricing<'_>,
    records: &impl Records,
) -> Result<(Change, Taken), CouponRefusal> {
    if !manual.worth.is_sound() {
        return Err(CouponRefusal::Unsound(
            "a discount is 1 to 43200 minutes, an amount above zero, or 1 to 100 percent",
        ));
    }
    let length = manual.reason.trim().chars().count();
    if length == 0 || length > MOST_REASON_CHARS || manual.reason.chars().any(char::is_control) {
        return Err(CouponRefusal::Unsound("a discount needs a reason of 1 to 200 characters"));
    }
    let kept: Kept<Stay> = records.get(&stay.to_string())?.ok_or(CouponRefusal::NotInside)?;
    let number = kept.record.discounts.len().to_string();
    let discount = Discount {
        id: DiscountId::derive(pricing.key, &["manual", &stay.to_string(), &number]),
        worth: manual.worth,
        most: None,
        given: Given::Person { name: manual.by.clone(), reason: manual.reason.clone() },
        at: now,
    };
    let cause = Cause::Person { name: manual.by.clone(), reason: manual.reason.clone() };
    let mut change = Change::new(ChangeKind::DiscountGiven, now, cause.clone());
    let mut taken = reduce_stay(&mut change, stay, discount.clone(), now, pricing, records)?;
    if let Some(limit) = manual.limit {
        let before = kept.record.discounts.iter().filter(|one| matches!(one.given, Given::Person { .. }));
        let given = before.map(|one| taken.bill.discount(one.id).map_or(0, Money::minor)).sum::<i64>();
        let left = Money::new((limit.minor() - given).max(0), limit.currency());
        let asked = match manual.worth {
            Worth::Amount(amount) => amount,
            _ => taken.value,
        };
        if asked.minus(left)?.is_positive() {
            return Err(CouponRefusal::AboveLimit(left));
        }
        // The fee may still grow, and what a part of it comes to with it: the limit holds then too.
        change = Change::new(ChangeKind::DiscountGiven, now, cause);
        taken = reduce_stay(&mut change, stay, Discount { most: Some(left), ..discount }, now, pricing, records)?;
    }
    Ok((change, taken))
}

fn find(which: &Which, key: &IdKey, records: &impl Records) -> Result<Kept<Coupon>, CouponRefusal> {
    let (merchant, batch) = match which {
        Which::Code(code) => return records.get(&code.id(key).to_string())?.ok_or(CouponRefusal::Unknown),
        Which::NextOf(merchant, batch) => (merchant, *batch),
    };
    let kept: Option<Kept<CouponBatch>> = records.get(&batch_key(merchant, batch))?;
    let found = kept.ok_or(CouponRefusal::NoSuch("batch"))?.record;
    for number in found.next..=found.count {
        let id = CouponCode::derive(key, merchant, batch, number).id(key);
        let coupon: Option<Kept<Coupon>> = records.get(&id.to_string())?;
        if let Some(coupon) = coupon.filter(|kept| kept.record.state == CouponState::Issued) {
            return Ok(coupon);
        }
    }
    Err(CouponRefusal::NoStock)
}

fn in_force(batch: &CouponBatch, merchant: &Merchant, today: NaiveDate) -> Result<(), CouponRefusal> {
    if merchant.state == MerchantState::Closed {
        return Err(CouponRefusal::Closed);
    }
    if today < batch.valid_from {
        return Err(CouponRefusal::Early(batch.valid_from));
    }
    if today >= batch.valid_until {
        return Err(CouponRefusal::Late(batch.valid_until.pred_opt().unwrap_or(batch.valid_until)));
    }
    Ok(())
}

/// Notes a reduction on an open stay, and draws its bill up again: as of the exit if the car stands there, else as of now.
fn reduce_stay(
    change: &mut Change,
    stay: StayId,
    discount: Discount,
    now: DateTime<Utc>,
    pricing: Pricing<'_>,
    records: &impl Records,
) -> Result<Taken, CouponRefusal> {
    let Pricing { tariff, tax_rate, key, .. } = pricing;
    let kept: Kept<Stay> = records.get(&stay.to_string())?.ok_or(CouponRefusal::NotInside)?;
    if kept.record.state != StayState::Open {
        return Err(CouponRefusal::NotInside);
    }
    change.rely_on(&stay.to_string(), Some(&kept));
    let mut stay = kept.record;
    let until = stay.clock_stopped_at.unwrap_or(now);
    stay.look_at_pass(until, records)?;
    if !stay.is_charged() {
        return Err(CouponRefusal::NotCharged);
    }
    if stay.discounts.len() >= MOST_PER_STAY {
        return Err(CouponRefusal::TooMany);
    }
    let before: Option<Kept<Bill>> = match stay.bill {
        Some(id) => records.get(&id.to_string())?,
        None => None,
    };
    let known = before.as_ref().map(|kept| &kept.record);
    let plain = Bill::assessed(known, &stay, until, tariff, tax_rate, key)?;
    let stands = stay.clock_stopped_at.is_some();
    let in_free_time = plain.gross()?.is_zero() && !stands;
    if plain.due().is_zero() && !in_free_time {
        return Err(CouponRefusal::NothingDue);
    }
    stay.discounts.push(discount.clone());
    let mut bill = Bill::assessed(known, &stay, until, tariff, tax_rate, key)?;
    let value = bill.discount(discount.id).unwrap_or(Money::zero(tariff.currency()));
    let is_fixed = stands || known.is_some_and(|bill| bill.state != BillState::Draft);
    if is_fixed && value.is_zero() {
        return Err(CouponRefusal::TakesNothingOff);
    }
    if stands || before.is_some() {
        change.rely_on(&bill.id.to_string(), before.as_ref());
        if is_fixed {
            change.postings.extend(bill.fix(now)?);
        }
        bill.write(change, before.as_ref().map(|kept| kept.record.state));
        stay.bill = Some(bill.id);
    }
    change.personal(stay.plate.as_str());
    change.put(&stay);
    Ok(Taken { discount, stay, bill, value })
}

/// Holds a coupon against the limits of its merchant, and speaks for what it may come to.
fn within_limits(
    change: &mut Change,
    merchant: &Merchant,
    taken: &Taken,
    today: NaiveDate,
    records: &impl Records,
) -> Result<(), CouponRefusal> {
    let limits = &merchant.limits;
    let of_merchant = |one: &&Discount| one.merchant().is_some_and(|(id, _)| *id == merchant.id);
    let before = taken.stay.discounts.iter().filter(of_merchant).count() - 1;
    if limits.per_stay.is_some_and(|most| before >= usize::from(most)) {
        return Err(CouponRefusal::Limit("coupons for one stay"));
    }
    let pays = taken.discount.merchant().map_or(0, |(_, percent)| percent);
    let may_come_to = match (taken.discount.worth, taken.discount.most) {
        (Worth::Amount(amount), Some(most)) => Money::new(amount.minor().min(most.minor()), amount.currency()),
        (Worth::Amount(amount), None) => amount,
        (_, Some(most)) => most,
        (_, None) => taken.value,
    };
    let (day, month) = (today.to_string(), format!("{}-{:02}", today.year(), today.month()));
    let counts =
        [(&day, limits.coupons_per_day, "coupons of a day"), (&month, limits.coupons_per_month, "coupons of a month")];
    for (when, most, what) in counts {
        bounded(change, &format!("coupons/{}/{when}", merchant.id), 1, most.map(i64::from), what, records)?;
    }
    let values = [
        (&day, limits.value_per_day, "value of a day's coupons"),
        (&month, limits.value_per_month, "value of a month's coupons"),
    ];
    for (when, most, what) in values {
        let counter = format!("coupon_value/{}/{when}", merchant.id);
        bounded(change, &counter, may_come_to.minor(), most.map(Money::minor), what, records)?;
    }
    reserve(change, merchant, taken, hundredths_up(may_come_to, pays), records)
}

/// So many hundredths, rounded up: what is spoken for is never less than what is charged.
fn hundredths_up(of: Money, percent: u8) -> Money {
    let hundred = of.minor().saturating_mul(i64::from(percent));
    Money::new((hundred + 99).div_euclid(100), of.currency())
}

fn bounded(
    change: &mut Change,
    counter: &str,
    by: i64,
    most: Option<i64>,
    what: &'static str,
    records: &impl Records,
) -> Result<(), CouponRefusal> {
    let Some(most) = most else { return Ok(()) };
    let so_far = records.get::<Counter>(counter)?.map_or(0, |kept| kept.record.value);
    if so_far.saturating_add(by) > most {
        return Err(CouponRefusal::Limit(what));
    }
    change.count(counter, by, Some(most));
    Ok(())
}

/// A prepaid balance, or what a monthly account may owe, has to cover every coupon that is taken.
fn reserve(
    change: &mut Change,
    merchant: &Merchant,
    taken: &Taken,
    worth: Money,
    records: &impl Records,
) -> Result<(), CouponRefusal> {
    let currency = worth.currency();
    let credit = match merchant.terms {
        MerchantTerms::Monthly { credit: None } => return Ok(()),
        MerchantTerms::Monthly { credit: Some(credit) } => credit,
        MerchantTerms::Prepaid => Money::zero(currency),
    };
    let (kept, mut standing) = MerchantStanding::read(&merchant.id, records)?;
    let free = credit_of(&merchant.id, currency, records)?.plus(credit)?.minus(standing.sum(currency)?)?;
    if worth.minus(free)?.is_positive() {
        let available = Money::new(free.minor().max(0), currency);
        return Err(CouponRefusal::Balance { available, worth });
    }
    if standing.reserved.len() >= MOST_RESERVED {
        return Err(CouponRefusal::Limit("coupons of cars that are inside"));
    }
    change.rely_on(merchant.id.as_str(), kept.as_ref());
    let reserved = Reserved { coupon: taken.discount.id, stay: taken.stay.id, worth };
    standing.reserved.push(reserved);
    change.put(&standing);
    Ok(())
}
