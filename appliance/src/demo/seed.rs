//! What the sample estate begins with, moved in through the desks as any estate is: spaces, prices, holders, and the cards
//! of a few residents, one of them overdue; a car on the free list, and one on the block list.
//!
//! It must not know how a card comes to its pass: it waits until the gate has all of them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use tollhouse_core::charging::gate::GateCard;
use tollhouse_core::coupons::{FreeEntry, FreeReason};
use tollhouse_core::pass::{GatePass, Grants};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind, Records};

use crate::charging::exchange::{Kind, Mode};
use crate::charging::sheets::{Format, Sheet, read};
use crate::clock::BoxClock;
use crate::config::Config;
use crate::desks::{self, DeskParts, Desks};
use crate::secret;
use crate::store::Store;

/// The sample estate that anybody can import.
const TABLES: [(&str, &str); 6] = [
    ("spaces", include_str!("../../estates/sample/spaces.csv")),
    ("pools", include_str!("../../estates/sample/pools.csv")),
    ("fee-items", include_str!("../../estates/sample/fee-items.csv")),
    ("packages", include_str!("../../estates/sample/packages.csv")),
    ("holders", include_str!("../../estates/sample/holders.csv")),
    ("vehicles", include_str!("../../estates/sample/vehicles.csv")),
];
/// The cards of the residents who drive.
const CARDS: [&str; 4] = ["O-0101", "O-0102", "R-0203", "O-0104"];
/// The fire brigade's car, and one that is blocked.
const FREE: &str = "粤C0119X";
const BLOCKED: &str = "粤C44404";
/// The gate has what is seeded within this time, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Cars with a pass: residents, one with an overdue bill, the fire brigade, one that is blocked.
pub const KNOWN_CARS: &[(&str, &str)] = &[
    ("粤C88888", "blue"),
    ("粤CD12345", "green"),
    ("粤C5K678", "blue"),
    ("粤C2B226", "blue"),
    (FREE, "white"),
    (BLOCKED, "blue"),
];

/// Moves the estate in, and waits until the gate has it.
pub async fn seed(config: &Config, store: &Store, clock: &BoxClock) -> Result<(), String> {
    let key = secret::box_key(&config.store.data).map_err(|fault| fault.to_string())?;
    let lot = Arc::new(desks::lot(config));
    let desks = Desks::new(&DeskParts { store: store.clone(), clock: clock.clone(), key, lot, admin: None });
    let by = By::the_box("the demo's sample estate");
    let sheets = sheets(desks.coupons.today())?;
    let told = desks.charging.exchange.import_sheets(&by, Kind::Estate, sheets, Mode::Write).await;
    let told = told.map_err(|fault| fault.to_string())?;
    if let Some(fault) = told.faults.first() {
        return Err(fault.to_string());
    }
    lists(&desks, &by).await?;
    until_at_the_gate(store).await
}

/// The tables of the estate as of a day.
fn sheets(today: NaiveDate) -> Result<Vec<Sheet>, String> {
    let day = |days: i64| match u64::try_from(days) {
        Ok(days) => today + Days::new(days),
        Err(_) => today - Days::new(days.unsigned_abs()),
    };
    let (opened, soon, later) = (day(-60), day(90), day(200));
    let cards = format!(
        "number,holder,room,state,opened_on,places,vehicles,billed_until,term_from,term_until,term_price\n\
         O-0101,H001,1-1-101,active,{opened},AO-1,粤C88888,{later},,,\n\
         O-0102,H004,1-1-104,active,{opened},BO-2,粤CD12345 new_energy,{soon},,,\n\
         R-0203,H005,2-1-105,active,{opened},BR-1,粤C5K678,,{},{},700.00\n\
         O-0104,H007,1-1-107,active,{opened},PO-1,粤C2B226,{soon},,,\n",
        day(-20),
        day(40)
    );
    let bills = format!("card,due_on,amount,text\nO-0104,{},80.00,车位管理费（上月）\n", day(-30));
    let given = [("cards", cards.as_str()), ("bills", bills.as_str())];
    let sheet = |(name, text): (&str, &str)| {
        let table = read(text.as_bytes(), Format::Csv).map_err(|fault| fault.to_string())?;
        let rows = table.into_iter().next().map(|sheet| sheet.rows).unwrap_or_default();
        Ok(Sheet { name: name.to_owned(), rows })
    };
    TABLES.into_iter().chain(given).map(sheet).collect()
}

async fn lists(desks: &Desks, by: &By) -> Result<(), String> {
    let plate = |text: &str| Plate::new(text).map_err(|fault| fault.to_string());
    let entry = FreeEntry {
        plate: plate(FREE)?,
        reason: FreeReason::Official,
        note: "消防 fire brigade".to_owned(),
        until: desks.coupons.end_of(desks.coupons.today() + Days::new(360)),
        since: desks.clock.now(),
        by: String::new(),
    };
    desks.coupons.list_free(&entry, by).await.map_err(|fault| fault.to_string())?;
    let blocked = Grants::Blocked { reason: "多次逃费 repeatedly left unpaid".to_owned() };
    let mut change = by.change(ChangeKind::PassWritten, desks.clock.now());
    change.personal(BLOCKED);
    change.put(&GatePass::new(plate(BLOCKED)?, blocked));
    desks.store.commit(change).await.map(drop).map_err(|fault| fault.to_string())
}

fn has_all(store: &Store) -> bool {
    let records = store.snapshot();
    let told =
        |card: &&str| records.get::<GateCard>(card).ok().flatten().is_some_and(|kept| !kept.record.plates.is_empty());
    CARDS.iter().all(told)
}

async fn until_at_the_gate(store: &Store) -> Result<(), String> {
    let mut durable = store.durable();
    let there = async {
        while !has_all(store) {
            if durable.changed().await.is_err() {
                return;
            }
        }
    };
    let late = "the gate did not follow the sample estate; look at the log, or give another --data DIR";
    tokio::time::timeout(PATIENCE, there).await.map_err(|_| late.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_estate_is_a_kind_that_is_imported() {
        let sheets = sheets(NaiveDate::from_ymd_opt(2026, 11, 30).expect("a day")).expect("tables");
        for sheet in &sheets {
            let kind: Kind = sheet.name.parse().expect("a kind");
            assert!(Kind::OF_ESTATE.contains(&kind) && sheet.rows.len() > 1, "{kind}");
        }
    }
}
