//! The desk of merchants and coupons: decides in `core` against a snapshot and commits.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use tollhouse_core::bill::Bill;
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{
    self, BatchOrder, Contact, Coupon, CouponBatch, CouponCode, CouponRefusal, CouponState, FreeEntry, FreeRefusal,
    Limits, Manual, Merchant, MerchantMoney, MerchantState, MerchantTerms, MoneyKind, Pricing, Received, Redeemed,
    RedeemedBy, Statement, StatementOf, Which, batch_key,
};
use tollhouse_core::id::{BillId, DiscountId, IdKey, StayId, UserName};
use tollhouse_core::lot::Lot;
use tollhouse_core::money::Money;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, Cause, ChangeKind, Kept, Records};
use tollhouse_core::stay::Inside;
use tollhouse_core::tariff::TariffBook;

use super::shown::{ShownBatch, ShownCoupon, ShownMerchant, ShownTaken};
use crate::clock::BoxClock;
use crate::store::{Snapshot, Store, Undone};

/// The most accounts that act for one merchant.
const MOST_ACCOUNTS: usize = 20;

/// What the desk is made of.
#[derive(Clone)]
pub struct CouponParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids and codes are derived.
    pub key: IdKey,
    /// The lot.
    pub lot: Arc<Lot>,
}

/// The desk.
#[derive(Clone)]
pub struct CouponDesk {
    parts: CouponParts,
}

/// A merchant's account that is opened or changed; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewMerchant {
    /// As drivers know it.
    pub name: Option<String>,
    /// Whom the lot calls.
    pub contact: Option<Contact>,
    /// The accounts that act for it, by name.
    pub accounts: Option<Vec<UserName>>,
    /// How it pays.
    pub terms: Option<MerchantTerms>,
    /// What it may give away.
    pub limits: Option<Limits>,
    /// Whether its coupons are taken.
    pub state: Option<MerchantState>,
}

/// Which stay.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// That of a car that is inside.
    Plate(Plate),
    /// That of a bill.
    Bill(BillId),
    /// This one.
    Stay(StayId),
}

/// A month of the lot's, such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Month(NaiveDate);

impl std::str::FromStr for Month {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = format!("{text}-01").parse::<NaiveDate>();
        first.ok().filter(|_| text.len() == 7).map(Self).ok_or("a month is written like \"2026-11\"")
    }
}

type Told<T> = Result<T, Undone<CouponRefusal>>;

fn plain(text: &str, most: usize, what: &'static str) -> Result<String, CouponRefusal> {
    let text = text.trim();
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(CouponRefusal::Unsound(what)) }
}

impl CouponDesk {
    /// With these parts.
    pub fn new(parts: CouponParts) -> Self {
        Self { parts }
    }

    fn now(&self) -> DateTime<Utc> {
        self.parts.clock.now()
    }

    /// The lot's day.
    pub fn today(&self) -> NaiveDate {
        self.now().with_timezone(&self.parts.lot.zone).date_naive()
    }

    /// Opens an account.
    pub async fn open(&self, id: &MerchantId, new: &NewMerchant, by: &By) -> Told<ShownMerchant> {
        let now = self.now();
        let shown = |merchant: Merchant, records: &Snapshot| self.shown(merchant, records);
        self.parts
            .store
            .decide(by, |records| {
                let before: Option<Kept<Merchant>> = records.get(id.as_str())?;
                if before.is_some() {
                    return Err(CouponRefusal::Unsound("this merchant has an account already: change it"));
                }
                let blank = Merchant {
                    id: id.clone(),
                    name: id.to_string(),
                    contact: None,
                    accounts: vec![],
                    terms: MerchantTerms::Prepaid,
                    limits: Limits::default(),
                    state: MerchantState::Open,
                    batches: 0,
                    since: now,
                };
                let merchant = new.applied_to(blank)?;
                let mut change = by.change(ChangeKind::MerchantChanged, now);
                change.rely_on::<Merchant>(id.as_str(), None);
                merchant.write(&mut change);
                Ok((shown(merchant, records)?, Some(change)))
            })
            .await
    }

    /// Changes an account.
    pub async fn change(&self, id: &MerchantId, new: &NewMerchant, by: &By) -> Told<ShownMerchant> {
        let now = self.now();
        self.parts
            .store
            .decide(by, |records| {
                let kept: Kept<Merchant> = records.get(id.as_str())?.ok_or(CouponRefusal::NoSuch("merchant"))?;
                let merchant = new.applied_to(kept.record.clone())?;
                let mut change = by.change(ChangeKind::MerchantChanged, now);
                change.rely_on(id.as_str(), Some(&kept));
                merchant.write(&mut change);
                Ok((self.shown(merchant, records)?, Some(change)))
            })
            .await
    }

    /// An account with its balance.
    pub fn merchant(&self, id: &str) -> Result<ShownMerchant, CouponRefusal> {
        let records = self.parts.store.snapshot();
        let kept: Kept<Merchant> = records.get(id)?.ok_or(CouponRefusal::NoSuch("merchant"))?;
        self.shown(kept.record, &records)
    }

    /// The same of a record that is at hand.
    pub fn shown(&self, merchant: Merchant, records: &Snapshot) -> Result<ShownMerchant, CouponRefusal> {
        ShownMerchant::of(merchant, self.parts.lot.currency, records)
    }

    /// Books money from or to a merchant.
    pub async fn move_money(
        &self,
        id: &MerchantId,
        money: (MoneyKind, Money, Received),
        reference: &str,
        by: &By,
    ) -> Told<MerchantMoney> {
        let now = self.now();
        self.parts
            .store
            .decide(by, |records| {
                let booked = money.clone();
                let (change, money) =
                    coupons::move_money(booked, id, reference, by.name(), now, &self.parts.key, records)?;
                Ok((money, Some(change)))
            })
            .await
    }

    /// A merchant's statement of a month of the lot's.
    pub fn statement(&self, id: &MerchantId, month: Month) -> Result<Statement, CouponRefusal> {
        let records = self.parts.store.snapshot();
        if records.get::<Merchant>(id.as_str())?.is_none() {
            return Err(CouponRefusal::NoSuch("merchant"));
        }
        let next = month.0.checked_add_months(chrono::Months::new(1)).unwrap_or(month.0);
        let of = StatementOf { merchant: id.clone(), from: self.midnight(month.0), until: self.midnight(next) };
        coupons::statement(&of, self.parts.lot.currency, &records)
    }

    /// The first moment of one of the lot's days; where the clock skips midnight, the first there is.
    fn midnight(&self, day: NaiveDate) -> DateTime<Utc> {
        let zone = self.parts.lot.zone;
        let mut hours = (0..3).filter_map(|hour| NaiveTime::from_hms_opt(hour, 0, 0));
        let found = hours.find_map(|time| zone.from_local_datetime(&day.and_time(time)).earliest());
        found.map_or_else(|| day.and_time(NaiveTime::MIN).and_utc(), |at| at.to_utc())
    }

    /// Issues a batch, and gives it with the codes of its coupons.
    pub async fn issue(&self, order: &BatchOrder, by: &By) -> Told<ShownBatch> {
        let (now, today) = (self.now(), self.today());
        let mut batch: CouponBatch = self
            .parts
            .store
            .decide(by, |records| {
                let (change, batch) = coupons::issue(order, by.name(), now, today, &self.parts.key, records)?;
                Ok((batch, Some(change)))
            })
            .await?;
        batch.stock = batch.stock.min(batch.count);
        let codes = (1..=batch.count).map(|number| self.code(&batch.merchant, batch.number, number)).collect();
        Ok(ShownBatch { batch, codes })
    }

    fn code(&self, merchant: &MerchantId, batch: u32, number: u32) -> String {
        CouponCode::derive(&self.parts.key, merchant, batch, number).to_string()
    }

    /// A batch, without its codes.
    pub fn batch(&self, merchant: &MerchantId, number: u32) -> Result<CouponBatch, CouponRefusal> {
        let kept = self.parts.store.snapshot().get(&batch_key(merchant, number))?;
        kept.map(|kept: Kept<CouponBatch>| kept.record).ok_or(CouponRefusal::NoSuch("batch"))
    }

    /// The coupons of a batch in the order of their numbers, after one of them, at most so many.
    pub fn coupons(
        &self,
        merchant: &MerchantId,
        batch: u32,
        after: u32,
        most: usize,
    ) -> Result<Vec<ShownCoupon>, CouponRefusal> {
        let found = self.batch(merchant, batch)?;
        let records = self.parts.store.snapshot();
        let mut shown = vec![];
        for number in (after + 1..=found.count).take(most) {
            let code = CouponCode::derive(&self.parts.key, merchant, batch, number);
            let coupon: Option<Kept<Coupon>> = records.get(&code.id(&self.parts.key).to_string())?;
            shown.extend(coupon.map(|kept| ShownCoupon::of(&kept.record, Some(code.to_string()))));
        }
        Ok(shown)
    }

    /// One coupon by its id. Its code is not told: who may see it lists the batch.
    pub fn coupon(&self, id: DiscountId) -> Result<ShownCoupon, CouponRefusal> {
        let kept: Option<Kept<Coupon>> = self.parts.store.snapshot().get(&id.to_string())?;
        kept.map(|kept| ShownCoupon::of(&kept.record, None)).ok_or(CouponRefusal::Unknown)
    }

    /// Withdraws a coupon.
    pub async fn void(&self, id: DiscountId, reason: &str, by: &By) -> Told<ShownCoupon> {
        let now = self.now();
        let reason = plain(reason, 200, "a coupon is withdrawn with a reason of 1 to 200 characters");
        let reason = reason.map_err(Undone::Refused)?;
        self.parts.store.decide(by, |records| Ok(((), coupons::void(id, by.name(), &reason, now, records)?))).await?;
        self.coupon(id).map_err(Undone::Refused)
    }

    fn stay(target: &Target, records: &Snapshot) -> Result<StayId, CouponRefusal> {
        match target {
            Target::Stay(stay) => Ok(*stay),
            Target::Plate(plate) => {
                let inside: Option<Kept<Inside>> = records.get(plate.as_str())?;
                inside.map(|kept| kept.record.stay).ok_or(CouponRefusal::NotInside)
            }
            Target::Bill(bill) => {
                let bill: Option<Kept<Bill>> = records.get(&bill.to_string())?;
                bill.map(|kept| kept.record.stay).ok_or(CouponRefusal::NotInside)
            }
        }
    }

    fn pricing<'a>(&'a self, tariff: &'a TariffBook) -> Pricing<'a> {
        let lot = &self.parts.lot;
        Pricing { tariff, tax_rate: lot.tax_rate, key: &self.parts.key, zone: lot.zone }
    }

    /// Redeems a coupon. Redeemed before for the same stay, it answers the same.
    pub async fn redeem(&self, which: &Which, target: &Target, by: &By, tariff: &TariffBook) -> Told<ShownTaken> {
        let now = self.now();
        let redeemed_by = match &by.cause {
            Cause::Person { name, .. } => RedeemedBy::Account(name.clone()),
            _ => RedeemedBy::Driver,
        };
        self.parts
            .store
            .decide(by, |records| {
                let stay = Self::stay(target, records)?;
                match coupons::redeem(which, stay, &redeemed_by, now, self.pricing(tariff), records)? {
                    Redeemed::Now(change, taken) => Ok((ShownTaken::of(&taken), Some(*change))),
                    Redeemed::Before(coupon) => {
                        Ok((ShownTaken::before(&coupon, stay, self.parts.lot.currency, records)?, None))
                    }
                }
            })
            .await
    }

    /// Gives a discount by hand.
    pub async fn give(&self, manual: &Manual, target: &Target, by: &By, tariff: &TariffBook) -> Told<ShownTaken> {
        let now = self.now();
        self.parts
            .store
            .decide(by, |records| {
                let stay = Self::stay(target, records)?;
                let (change, taken) = coupons::give_by_hand(manual, stay, now, self.pricing(tariff), records)?;
                Ok((ShownTaken::of(&taken), Some(change)))
            })
            .await
    }

    /// Puts a car on the free list until the end of one of the lot's days.
    pub async fn list_free(&self, entry: &FreeEntry, by: &By) -> Result<FreeEntry, Undone<FreeRefusal>> {
        let now = self.now();
        let entry = FreeEntry { since: now, by: by.name().to_owned(), ..entry.clone() };
        self.parts
            .store
            .decide(by, |records| Ok((entry.clone(), Some(coupons::list_free(&entry, now, records)?))))
            .await
    }

    /// The last moment of one of the lot's days.
    pub fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        self.midnight(next) - chrono::TimeDelta::milliseconds(1)
    }

    /// Takes a car off the free list.
    pub async fn drop_free(&self, plate: &Plate, reason: &str, by: &By) -> Result<(), Undone<FreeRefusal>> {
        let now = self.now();
        self.parts
            .store
            .decide(by, |records| Ok(((), Some(coupons::drop_free(plate, by.name(), reason, now, records)?))))
            .await
    }
}

impl NewMerchant {
    fn applied_to(&self, merchant: Merchant) -> Result<Merchant, CouponRefusal> {
        let name = match &self.name {
            Some(name) => plain(name, 40, "a merchant's name has 1 to 40 characters")?,
            None => merchant.name,
        };
        let contact = match &self.contact {
            Some(contact) => {
                let what = "a contact has a name and a telephone number of 1 to 40 characters each";
                Some(Contact { name: plain(&contact.name, 40, what)?, phone: plain(&contact.phone, 40, what)? })
            }
            None => merchant.contact,
        };
        let limits = self.limits.unwrap_or(merchant.limits);
        let amounts = [limits.value_per_day, limits.value_per_month, limits.most_per_coupon];
        if amounts.into_iter().flatten().any(|amount| !amount.is_positive()) {
            return Err(CouponRefusal::Unsound("a limit is an amount above zero; leave it out for none"));
        }
        let terms = self.terms.unwrap_or(merchant.terms);
        let accounts = self.accounts.clone().unwrap_or(merchant.accounts);
        if accounts.len() > MOST_ACCOUNTS {
            return Err(CouponRefusal::Unsound("at most 20 accounts act for one merchant"));
        }
        let state = self.state.unwrap_or(merchant.state);
        Ok(Merchant { name, contact, accounts, limits, terms, state, ..merchant })
    }
}

/// Whether a coupon can still be redeemed.
pub(super) fn word(state: &CouponState) -> &'static str {
    match state {
        CouponState::Issued => "issued",
        CouponState::Redeemed { .. } => "redeemed",
        CouponState::Void { .. } => "void",
    }
}
