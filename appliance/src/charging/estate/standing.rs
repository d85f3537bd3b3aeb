//! Who stands where on the spaces of a card that are built for several cars, and who blocks whom. It follows from the
//! order of entry and can be corrected; it never alters gate or fee.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{Layout, Row, Space, SpaceStanding, stand};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::place::Place;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind, Records};
use tollhouse_core::stay::{Inside, Stay};
use utoipa::ToSchema;

use super::EstateDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::held::SpaceCards;
use crate::charging::parts::Decided;

/// A car on a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoodCar {
    /// Its plate.
    pub plate: String,
    /// The cars that have to move before it can drive out, the nearest first; none for the outermost.
    pub blocked_by: Vec<String>,
}

/// Who stands where on a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandingView {
    /// The space.
    pub space: String,
    /// For how many cars it is built.
    pub capacity: u8,
    /// The cars, the innermost first.
    pub cars: Vec<StoodCar>,
}

impl EstateDesk {
    /// Who stands on a space.
    pub fn standing(&self, number: &str) -> Result<StandingView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let (number, layout, row) = self.row(&records, number)?;
        Ok(view(&number, layout, &row))
    }

    /// Somebody has looked: the cars stand in this order, the innermost first.
    pub async fn correct_standing(
        &self,
        by: &By,
        number: &str,
        order: &[String],
    ) -> Result<StandingView, ChargingFault> {
        let read = |text: &String| {
            Plate::new(text).map_err(|fault| ChargingFault::wrong("cars", "车牌不正确", fault.to_string()))
        };
        let order: Vec<Plate> = order.iter().map(read).collect::<Result<_, _>>()?;
        self.parts
            .carry_out(by, |records| {
                let (number, layout, mut row) = self.row(records, number)?;
                row.correct(order.clone()).map_err(ChargingFault::conflict)?;
                let mut change = self.parts.change(ChangeKind::EstateChanged, by);
                for plate in &order {
                    change.personal(plate.as_str());
                }
                let note = self.parts.note(by);
                change.put(&SpaceStanding { space: number.clone(), cars: order.clone(), note });
                Ok(Decided { change, outcome: view(&number, layout, &row) })
            })
            .await
    }

    fn row(&self, records: &impl Records, number: &str) -> Result<(SpaceNumber, Layout, Row), ChargingFault> {
        let today = self.parts.today();
        let space = records.get::<Space>(number)?.ok_or_else(|| ChargingFault::unknown("space", number))?.record;
        let begins = space.attributes.begins();
        let is = space.attributes.on(today);
        let is = is.ok_or_else(|| ChargingFault::conflict(format!("space {number} is there from {begins} only")))?;
        let layout = is.layout;
        let held = records.get::<SpaceCards>(number)?.map(|kept| kept.record.cards).unwrap_or_default();
        let holder = held.iter().find(|held| held.span().is_some_and(|span| span.has(today)));
        let Some(held) = holder else { return Ok((space.number, layout, Row::new(layout))) };
        let Some(card) = records.get::<Card>(held.card.as_str())? else {
            return Ok((space.number, layout, Row::new(layout)));
        };
        let card = card.record;
        let mut spaces = vec![];
        for place in card.places_on(today) {
            let Place::Space(number) = place else { continue };
            let Some(space) = records.get::<Space>(number.as_str())? else { continue };
            let Some(is) = space.record.attributes.on(today) else { continue };
            let corrected = records.get::<SpaceStanding>(number.as_str())?.map(|kept| kept.record.cars);
            spaces.push((number.clone(), is.layout, corrected.unwrap_or_default()));
        }
        let rows = stand(spaces, &inside(records, &card, today)?);
        let row = rows.into_iter().find(|(number, _)| *number == space.number).map(|(_, row)| row);
        Ok((space.number, layout, row.unwrap_or_else(|| Row::new(layout))))
    }
}

/// The card's cars inside, in the order of their entry.
fn inside(records: &impl Records, card: &Card, today: chrono::NaiveDate) -> Result<Vec<Plate>, ChargingFault> {
    let mut entered = vec![];
    for vehicle in card.vehicles_on(today) {
        let Some(inside) = records.get::<Inside>(vehicle.plate.as_str())? else { continue };
        if let Some(stay) = records.get::<Stay>(&inside.record.stay.to_string())? {
            entered.push((stay.record.entered_at, vehicle.plate.clone()));
        }
    }
    entered.sort();
    Ok(entered.into_iter().map(|(_, plate)| plate).collect())
}

fn view(number: &SpaceNumber, layout: Layout, row: &Row) -> StandingView {
    let car = |plate: &Plate| {
        let blocked_by = row.blocked_by(plate).unwrap_or_default().iter().map(ToString::to_string).collect();
        StoodCar { plate: plate.to_string(), blocked_by }
    };
    StandingView { space: number.to_string(), capacity: layout.capacity(), cars: row.cars().iter().map(car).collect() }
}
