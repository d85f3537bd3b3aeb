//! Renewing and extending: the next term of rented places, a package for owned ones, periodic fees billed ahead.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::calendar::months_after;
use tollhouse_core::charging::cards::{Act, Billing, Card, CardState, Offer, Order, TermKind};
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::fees::FeeList;
use tollhouse_core::charging::packages::{Package, SoldPlace, Which, offer, rent_offer};
use tollhouse_core::charging::place::Place;
use tollhouse_core::record::{By, Records};
use utoipa::ToSchema;

use super::CardsDesk;
use super::doing::Doing;
use super::show::CardDone;
use crate::charging::fault::ChargingFault;
use crate::charging::prices::{fees, sold_places};

/// The most months that are sold or billed ahead at once.
pub(super) const MOST_MONTHS: u8 = 60;

/// A further term.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedRenewal {
    /// A package; without it rented places are let by the month.
    #[serde(default)]
    pub package: Option<String>,
    /// Months of a letting without a package: 1 to 60, 1 without it.
    #[serde(default)]
    pub months: Option<u8>,
    /// The first day; the day on which the last term ends without it, today if that is over longer than the days of grace.
    #[serde(default)]
    pub from: Option<NaiveDate>,
}

/// So many months more: rented places are let on, periodic fees of owned ones are billed ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedExtension {
    /// 1 to 60.
    pub months: u8,
}

/// Months within their bounds.
pub(super) fn checked_months(months: u8) -> Result<u8, ChargingFault> {
    if (1..=MOST_MONTHS).contains(&months) {
        return Ok(months);
    }
    Err(ChargingFault::wrong("months", "应为 1 到 60 个月", "1 to 60 months"))
}

impl CardsDesk {
    /// A package by its id.
    pub(super) fn wanted_package(records: &impl Records, id: Option<&str>) -> Result<Option<Package>, ChargingFault> {
        let Some(id) = id else { return Ok(None) };
        let kept = records.get::<Package>(id)?.ok_or_else(|| ChargingFault::unknown("package", id))?;
        Ok(Some(kept.record))
    }

    /// What a package costs for places from a day on.
    pub(super) fn package_offer(
        &self,
        package: &Package,
        places: &[SoldPlace],
        from: NaiveDate,
        list: &FeeList,
    ) -> Result<Offer, ChargingFault> {
        let on = self.parts.today();
        offer(package, places, from, on, list, self.parts.currency())
            .map_err(|why| ChargingFault::wrong("package", "此套餐不能购买", why.to_string()))
    }

    /// What plain rent costs for places from a day on.
    pub(super) fn rent(
        &self,
        places: &[SoldPlace],
        from: NaiveDate,
        months: u8,
        which: Which,
        list: &FeeList,
    ) -> Result<Offer, ChargingFault> {
        let due_days = self.parts.policy().due_days;
        rent_offer(places, from, checked_months(months)?, which, list, self.parts.currency(), due_days)
            .map_err(|why| ChargingFault::wrong("places", "没有适用的租金项目", why.to_string()))
    }

    /// Sells a further term.
    pub async fn renew(&self, by: &By, number: &str, wanted: &WantedRenewal) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| self.renewal(records, card, wanted)).await
    }

    pub(super) fn renewal(
        &self,
        records: &impl Records,
        card: &Card,
        wanted: &WantedRenewal,
    ) -> Result<Doing, ChargingFault> {
        let list = fees(records)?;
        let package = Self::wanted_package(records, wanted.package.as_deref())?;
        let from = wanted.from.unwrap_or_else(|| self.goes_on(card));
        let places: Vec<Place> = card.places_on(from).cloned().collect();
        let sold = sold_places(records, &places, from)?;
        let (owned, rented): (Vec<_>, Vec<_>) = sold.into_iter().partition(|one| one.class.tenure == Tenure::Owned);
        let fits = |places: &[SoldPlace]| {
            package.as_ref().is_some_and(|package| places.iter().all(|one| package.is_for(&one.class)))
        };
        let offer = match &package {
            Some(package) if !rented.is_empty() && fits(&rented) => {
                self.package_offer(package, &rented, from, &list)?
            }
            Some(package) if !owned.is_empty() => self.package_offer(package, &owned, from, &list)?,
            Some(package) => self.package_offer(package, &rented, from, &list)?,
            None if rented.is_empty() => {
                let en = "an owned space has no term: name a package, or extend the card by months";
                return Err(ChargingFault::wrong("package", "产权车位没有租期：请选套餐，或按月预缴", en));
            }
            None => self.rent(&rented, from, wanted.months.unwrap_or(1), Which::Renewal, &list)?,
        };
        let mut orders = vec![Order::Sell(Box::new(offer))];
        if card.state() == CardState::Expired {
            orders.push(Order::Act(Act::Stand(CardState::Active)));
        }
        Ok(Doing::of("renewed", orders))
    }

    /// Where the next term begins: where the last one ends, unless that is over longer than the days of grace.
    fn goes_on(&self, card: &Card) -> NaiveDate {
        let today = self.parts.today();
        let grace = i64::from(self.parts.policy().grace_days);
        let lettings = card.terms.iter().filter_map(tollhouse_core::charging::cards::Term::live).map(|live| live.until);
        lettings.max().filter(|until| (today - *until).num_days() < grace.max(1)).unwrap_or(today)
    }

    /// So many months more.
    pub async fn extend(&self, by: &By, number: &str, wanted: &WantedExtension) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| self.extension(records, card, wanted.months)).await
    }

    pub(super) fn extension(&self, records: &impl Records, card: &Card, months: u8) -> Result<Doing, ChargingFault> {
        let months = checked_months(months)?;
        let lets = card.terms.iter().any(|term| term.kind == TermKind::Letting);
        if lets {
            let wanted = WantedRenewal { months: Some(months), ..WantedRenewal::default() };
            return Ok(Doing { what: "extended", ..self.renewal(records, card, &wanted)? });
        }
        let today = self.parts.today();
        let billed = card.billed.iter().filter(|billed| matches!(billed.of, Billing::Fee { .. }));
        let billed = billed.flat_map(|billed| &billed.spans).map(|span| span.until).max();
        let begins = [Some(today), billed, card.ahead_until].into_iter().flatten().max().unwrap_or(today);
        let until = months_after(begins, i32::from(months));
        Ok(Doing::of("extended", vec![Order::Act(Act::PayAhead(Some(until)))]))
    }
}
