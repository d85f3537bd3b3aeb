//! Opening a card: holder, places, vehicles and package are bound, and its first bill is drawn, in one entry.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::{Act, Card, CardState, Order, StateChange};
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::charging::label::{CardNumber, HolderId, PoolId};
use tollhouse_core::charging::packages::{Which, first_extras};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::tables::read_cards;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, Counter, Records};
use utoipa::ToSchema;

use super::CardsDesk;
use super::acts::OPENED;
use super::doing::Doing;
use super::show::CardDone;
use crate::charging::fault::{ChargingFault, Finding};
use crate::charging::form::{of_fields, one_row};
use crate::charging::prices::{fees, kind_of, sold_places};

/// Counts the numbers that were given out.
const NUMBERS: &str = "cards/numbers";

/// A vehicle of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVehicle {
    /// Its plate.
    #[schema(example = "粤C12345")]
    pub plate: String,
    /// `small`, `large` or `new_energy`; without it as it is registered, else by the form of its plate.
    #[serde(default)]
    pub kind: Option<String>,
}

/// A card that is to be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// Its number; the next free one without it.
    #[serde(default)]
    #[schema(example = "C000001")]
    pub number: Option<String>,
    /// Who uses it.
    pub holder: String,
    /// Who pays, where that is another.
    #[serde(default)]
    pub payer: Option<String>,
    /// The room; the holder's without it.
    #[serde(default)]
    pub room: Option<String>,
    /// Its places: spaces' numbers, and `pool/ID` for a place of a pool.
    #[schema(example = json!(["B1-001", "pool/monthly"]))]
    pub places: Vec<String>,
    /// Its vehicles.
    #[serde(default)]
    pub vehicles: Vec<NewVehicle>,
    /// The first day; today without it.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// A package; without it rented places are let by the month, owned ones pay their periodic fees.
    #[serde(default)]
    pub package: Option<String>,
    /// Months of the first letting without a package: 1 to 60, 1 without it.
    #[serde(default)]
    pub months: Option<u8>,
}

/// Places as people name them; a place of a pool without a number is the card's next one there.
pub(super) fn places(texts: &[String], card: Option<&Card>) -> Result<Vec<Place>, ChargingFault> {
    let mut next: BTreeMap<PoolId, u32> = BTreeMap::new();
    for held in card.into_iter().flat_map(|card| &card.holdings) {
        if let Place::Pool(pool, number) = &held.place {
            let most = next.entry(pool.clone()).or_default();
            *most = (*most).max(*number);
        }
    }
    let mut read = vec![];
    for text in texts {
        let wrong = || {
            let (zh, en) =
                (format!("“{text}”应为车位号或 pool/车位池"), format!("{text:?} is no space's number or pool/ID"));
            ChargingFault::wrong("places", zh, en)
        };
        let place = match text.strip_prefix("pool/") {
            Some(pool) if !pool.contains('/') => {
                let pool = PoolId::new(pool).map_err(|_| wrong())?;
                let number = next.entry(pool.clone()).or_default();
                *number += 1;
                Place::Pool(pool, *number)
            }
            Some(_) => text.parse().map_err(|_| wrong())?,
            None => format!("space/{}", text.trim_start_matches("space/")).parse().map_err(|_| wrong())?,
        };
        read.push(place);
    }
    Ok(read)
}

/// The cells of an import's row that a call has.
#[derive(Serialize)]
struct Row<'r> {
    number: &'r str,
    holder: &'r str,
    payer: Option<&'r str>,
    room: Option<&'r str>,
    places: &'r str,
}

impl CardsDesk {
    /// Opens a card.
    pub async fn open(&self, by: &By, body: &NewCard) -> Result<CardDone, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let today = self.parts.today();
                let from = body.from.unwrap_or(today);
                let (card, numbered) = self.new_card(by, records, body)?;
                let places = places(&body.places, None)?;
                let held = places.iter().map(|place| Act::HoldPlace { place: place.clone(), from, until: None });
                let mut acts: Vec<Act> = held.collect();
                for vehicle in &body.vehicles {
                    let (plate, kind) = Self::vehicle(records, vehicle)?;
                    acts.push(Act::AddVehicle { plate, kind, from, until: None });
                }
                let mut orders = vec![Order::Act(Act::All(acts))];
                orders.extend(self.first_sales(records, body, &places, from)?);
                let doing = Doing::of(OPENED, orders);
                let mut decided = self.carry(by, records, None, &card, &doing, None)?;
                if numbered {
                    decided.change.count(NUMBERS, 1, None);
                }
                Ok(decided)
            })
            .await
    }

    /// The card before anything is bound to it, and whether its number was given out here.
    fn new_card(&self, by: &By, records: &impl Records, body: &NewCard) -> Result<(Card, bool), ChargingFault> {
        let (number, numbered) = match &body.number {
            Some(number) => (number.clone(), false),
            None => (next_number(records)?.to_string(), true),
        };
        // Read as a row of an import, so that every fault of it is told.
        let row = Row {
            number: &number,
            holder: &body.holder,
            payer: body.payer.as_deref(),
            room: body.room.as_deref(),
            places: "any",
        };
        let mut rows = read_cards(&one_row(&row)).map_err(of_fields)?;
        let Some(row) = rows.pop() else { return Err(ChargingFault::unknown("holder", &body.holder)) };
        if body.places.is_empty() {
            return Err(ChargingFault::wrong("places", "至少一个车位", "a card has at least one place"));
        }
        if records.get::<Card>(row.number.as_str())?.is_some() {
            return Err(ChargingFault::exists("card", &row.number));
        }
        let holder = known_holder(records, &row.holder)?;
        if let Some(payer) = &row.payer {
            known_holder(records, payer)?;
        }
        let state = StateChange { state: CardState::Pending, note: self.parts.note(by) };
        let card = Card {
            number: row.number,
            holder: row.holder,
            payer: row.payer,
            room: row.room.or(holder.room),
            opened_on: self.parts.today(),
            states: vec![state],
            holdings: vec![],
            vehicles: vec![],
            terms: vec![],
            ahead_until: None,
            rests: vec![],
            billed: vec![],
        };
        Ok((card, numbered))
    }

    /// A vehicle as it is written, with its kind.
    pub(super) fn vehicle(
        records: &impl Records,
        vehicle: &NewVehicle,
    ) -> Result<(Plate, tollhouse_core::plate::VehicleKind), ChargingFault> {
        let plate = Plate::new(&vehicle.plate);
        let plate = plate.map_err(|why| ChargingFault::wrong("plate", "车牌不正确", why.to_string()))?;
        let said = match &vehicle.kind {
            Some(word) => Some(serde_json::from_value(word.as_str().into()).map_err(|_| {
                ChargingFault::wrong("kind", "应为 small、large、new_energy", "one of: small, large, new_energy")
            })?),
            None => None,
        };
        let kind = kind_of(records, &plate, said)?;
        Ok((plate, kind))
    }

    /// What is sold with the opening: rented places are let, owned ones have their package, if there is one.
    fn first_sales(
        &self,
        records: &impl Records,
        body: &NewCard,
        places: &[Place],
        from: NaiveDate,
    ) -> Result<Vec<Order>, ChargingFault> {
        let list = fees(records)?;
        let (on, currency) = (self.parts.today(), self.parts.currency());
        let sold = sold_places(records, places, from)?;
        if let Some(one) = sold.iter().find(|one| one.class.tenure == Tenure::Temporary) {
            let why = format!("{} is for temporary cars on {from}: change its tenure first", one.place);
            return Err(ChargingFault::conflict(why));
        }
        let (owned, rented): (Vec<_>, Vec<_>) = sold.into_iter().partition(|one| one.class.tenure == Tenure::Owned);
        let package = Self::wanted_package(records, body.package.as_deref())?;
        let mut orders = vec![];
        let mut taken = package.is_none();
        let for_rented = package.as_ref().filter(|package| rented.iter().all(|one| package.is_for(&one.class)));
        if !rented.is_empty() {
            let mut offer = match for_rented {
                Some(package) => self.package_offer(package, &rented, from, &list)?,
                None => self.rent(&rented, from, body.months.unwrap_or(1), Which::First, &list)?,
            };
            if for_rented.is_some() {
                taken = true;
                offer.extras = first_extras(&rented, on, &list, currency);
            }
            orders.push(Order::Sell(Box::new(offer)));
        }
        if !owned.is_empty() {
            if let Some(package) = package.as_ref().filter(|package| owned.iter().all(|one| package.is_for(&one.class)))
            {
                let offer = self.package_offer(package, &owned, from, &list)?;
                orders.push(Order::Sell(Box::new(offer)));
                taken = true;
            }
            if rented.is_empty() {
                let once = first_extras(&owned, on, &list, currency);
                orders.extend(once.into_iter().map(|extra| Order::Charge(Box::new(extra))));
            }
        }
        if !taken {
            let name = body.package.as_deref().unwrap_or_default();
            let (zh, en) = (format!("套餐 {name} 不适用于这些车位"), format!("package {name} is not for these places"));
            return Err(ChargingFault::Wrong(vec![Finding::of("package", &tollhouse_core::words::Words::new(zh, en))]));
        }
        Ok(orders)
    }
}

/// A holder who is on record.
pub(super) fn known_holder(records: &impl Records, id: &HolderId) -> Result<Holder, ChargingFault> {
    let kept = records.get::<Holder>(id.as_str())?;
    Ok(kept.ok_or_else(|| ChargingFault::unknown("holder", id))?.record)
}

/// The next number that no card has.
fn next_number(records: &impl Records) -> Result<CardNumber, ChargingFault> {
    let mut number = records.get::<Counter>(NUMBERS)?.map_or(0, |kept| kept.record.value);
    loop {
        number += 1;
        let text = CardNumber::new(&format!("C{number:06}")).expect("letters and digits");
        if records.get::<Card>(text.as_str())?.is_none() {
            return Ok(text);
        }
    }
}
