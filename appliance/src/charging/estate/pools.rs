//! Pools of places that are not numbered: new ones, dated changes, and the way back.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::estate::Pool;
use tollhouse_core::charging::tables::read_pools;
use tollhouse_core::record::{By, ChangeKind, Kept, Records};
use utoipa::ToSchema;

use super::{EstateDesk, uses};
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, one_row};
use crate::charging::held::PoolCard;
use crate::charging::parts::Decided;
use crate::charging::reading::{Seen, all, each};
use crate::charging::view::NoteView;

/// A new pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPool {
    /// Its id.
    #[schema(example = "monthly")]
    pub id: String,
    /// The area that its places lie in.
    pub area: String,
    /// `open_air`, `underground` or `structure`.
    pub location: String,
    /// A use of the list that allows the tenure `rented`.
    #[serde(rename = "use")]
    pub usage: String,
    /// How many places it has.
    pub places: u32,
    /// The first day; today without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
}

/// What is to be different about a pool from a day on; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolChange {
    /// The first day.
    pub from: NaiveDate,
    /// How many places it then has.
    #[serde(default)]
    pub places: Option<u32>,
    /// `open_air`, `underground` or `structure`.
    #[serde(default)]
    pub location: Option<String>,
    /// A use of the list that allows the tenure `rented`.
    #[serde(default, rename = "use")]
    pub usage: Option<String>,
}

/// What a pool is from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolTermsView {
    /// The first day.
    pub from: NaiveDate,
    /// How many places it has.
    pub places: u32,
    /// `open_air`, `underground` or `structure`.
    pub location: String,
    /// Its use.
    #[serde(rename = "use")]
    pub usage: String,
    /// Who set it, and why.
    pub note: NoteView,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolView {
    /// Its id.
    pub id: String,
    /// The area that its places lie in.
    pub area: String,
    /// Places that cards hold today.
    pub held: u32,
    /// Places that are left today; fewer than none when it was made smaller since.
    pub free: i64,
    /// What it was and will be, the earliest first.
    pub history: Vec<PoolTermsView>,
}

/// How many places of a pool are held on a day.
pub(in crate::charging) fn held_on(records: &impl Records, pool: &Pool, day: NaiveDate) -> Result<u32, ChargingFault> {
    let mut count = 0;
    each(records, &format!("{}/", pool.id), |kept: Kept<PoolCard>| {
        count += kept.record.places.iter().filter(|held| held.span().is_some_and(|span| span.has(day))).count();
        Seen::More
    })?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

impl EstateDesk {
    /// The pools of the estate.
    pub fn pools(&self) -> Result<Vec<PoolView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        all::<Pool>(&records, "")?.iter().map(|pool| self.pool_view(&records, pool)).collect()
    }

    /// A pool.
    pub fn pool(&self, id: &str) -> Result<PoolView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let kept = records.get::<Pool>(id)?.ok_or_else(|| ChargingFault::unknown("pool", id))?;
        self.pool_view(&records, &kept.record)
    }

    fn pool_view(&self, records: &impl Records, pool: &Pool) -> Result<PoolView, ChargingFault> {
        let today = self.parts.today();
        let held = held_on(records, pool, today)?;
        let history = pool.terms.changes().iter().map(|change| PoolTermsView {
            from: change.from,
            places: change.value.places,
            location: change.value.location.as_str().to_owned(),
            usage: change.value.usage.to_string(),
            note: NoteView::from(&change.note),
        });
        Ok(PoolView {
            id: pool.id.to_string(),
            area: pool.area.to_string(),
            held,
            free: pool.free_on(today, held),
            history: history.collect(),
        })
    }

    /// Makes a pool.
    pub async fn add_pool(&self, by: &By, body: &NewPool) -> Result<PoolView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let (today, note) = (self.parts.today(), self.parts.note(by));
                let made = read_pools(&one_row(body), &uses(records)?, today, &note).map_err(of_fields)?;
                let Some(pool) = made.into_iter().next() else { return Err(ChargingFault::unknown("pool", &body.id)) };
                if records.get::<Pool>(pool.id.as_str())?.is_some() {
                    return Err(ChargingFault::exists("pool", &pool.id));
                }
                let mut change = self.parts.change(ChangeKind::EstateChanged, by);
                change.rely_on::<Pool>(pool.id.as_str(), None);
                change.put(&pool);
                Ok(Decided { change, outcome: self.pool_view(records, &pool)? })
            })
            .await
    }

    /// From a day on a pool is something else. It can be made smaller than what is held: no further place is then sold.
    pub async fn change_pool(&self, by: &By, id: &str, body: &PoolChange) -> Result<PoolView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Pool>(id)?.ok_or_else(|| ChargingFault::unknown("pool", id))?;
                let mut pool = kept.record.clone();
                let begins = pool.terms.begins();
                let Some(is) = pool.terms.on(body.from) else {
                    let (zh, en) =
                        (format!("此车位池从 {begins} 起才有"), format!("the pool is there from {begins} only"));
                    return Err(ChargingFault::wrong("from", zh, en));
                };
                let whole = NewPool {
                    id: pool.id.to_string(),
                    area: pool.area.to_string(),
                    location: body.location.clone().unwrap_or_else(|| is.location.as_str().to_owned()),
                    usage: body.usage.clone().unwrap_or_else(|| is.usage.to_string()),
                    places: body.places.unwrap_or(is.places),
                    from: Some(body.from),
                };
                let note = self.parts.note(by);
                let read = read_pools(&one_row(&whole), &uses(records)?, body.from, &note).map_err(of_fields)?;
                if let Some(read) = read.first() {
                    pool.terms.set(body.from, read.terms.last().clone(), note);
                }
                self.write_pool(by, records, &kept, &pool)
            })
            .await
    }

    /// Takes a change back. The opposite of [`EstateDesk::change_pool`].
    pub async fn take_back_pool(&self, by: &By, id: &str, from: NaiveDate) -> Result<PoolView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Pool>(id)?.ok_or_else(|| ChargingFault::unknown("pool", id))?;
                let mut pool = kept.record.clone();
                pool.terms.unset(from).map_err(ChargingFault::conflict)?;
                self.write_pool(by, records, &kept, &pool)
            })
            .await
    }

    fn write_pool(
        &self,
        by: &By,
        records: &impl Records,
        kept: &Kept<Pool>,
        pool: &Pool,
    ) -> Result<Decided<PoolView>, ChargingFault> {
        let mut change = self.parts.change(ChangeKind::EstateChanged, by);
        change.rely_on(pool.id.as_str(), Some(kept));
        change.put(pool);
        Ok(Decided { change, outcome: self.pool_view(records, pool)? })
    }
}
