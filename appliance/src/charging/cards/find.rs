//! Finding cards: by plate, space, holder, room or state.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::{Card, CardState};
use tollhouse_core::charging::estate::{Pool, Space};
use tollhouse_core::charging::holders::{OnCard, PlateCards};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::tables::state_word;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::Records;
use utoipa::ToSchema;

use super::CardsDesk;
use crate::charging::estate::in_room;
use crate::charging::fault::ChargingFault;
use crate::charging::held::SpaceCards;
use crate::charging::reading::{Page, page};

/// Which cards are listed; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// With this plate, now or ever.
    pub plate: Option<String>,
    /// Holding this space, now or ever.
    pub space: Option<String>,
    /// Of this holder, as user or payer.
    pub holder: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    pub room: Option<String>,
    /// With a place in this area today.
    pub area: Option<String>,
    /// In this state.
    pub state: Option<CardState>,
}

/// A card in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardSummary {
    /// Its number.
    pub number: String,
    /// Who uses it.
    pub holder: String,
    /// Who pays.
    pub payer: String,
    /// The room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// How it stands.
    pub state: String,
    /// Its places today.
    pub places: Vec<String>,
    /// Its plates today.
    pub plates: Vec<String>,
    /// The day on which its last term ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_until: Option<NaiveDate>,
}

impl CardFilter {
    /// Whether it takes a card.
    pub(super) fn takes(&self, records: &impl Records, card: &Card, today: NaiveDate) -> Result<bool, ChargingFault> {
        let room = card.room.as_ref().map(ToString::to_string).unwrap_or_default();
        let of = |wanted: &str| card.holder.as_str() == wanted || card.payer().as_str() == wanted;
        let plain = self.holder.as_deref().is_none_or(of)
            && self.room.as_deref().is_none_or(|wanted| in_room(&room, wanted))
            && self.state.is_none_or(|state| card.state() == state);
        let Some(area) = self.area.as_deref().filter(|_| plain) else { return Ok(plain) };
        for place in card.places_on(today) {
            let lies_in = match place {
                Place::Space(number) => records.get::<Space>(number.as_str())?.map(|kept| kept.record.area),
                Place::Pool(pool, _) => records.get::<Pool>(pool.as_str())?.map(|kept| kept.record.area),
                Place::Card => None,
            };
            if lies_in.is_some_and(|lies_in| lies_in.as_str() == area) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl CardsDesk {
    /// Cards after a number.
    pub fn find(
        &self,
        filter: &CardFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<CardSummary>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let today = self.parts.today();
        if let Some(known) = indexed(&records, filter)? {
            let mut items = vec![];
            for number in known {
                let past = after.is_none_or(|after| number.as_str() > after);
                let kept = records.get::<Card>(&number)?.filter(|_| past);
                if let Some(kept) = kept
                    && filter.takes(&records, &kept.record, today)?
                {
                    items.push(summary(&kept.record, today));
                }
            }
            return Ok(Page { items, next: None });
        }
        let mut fault = None;
        let wanted = |card: &Card| match filter.takes(&records, card, today) {
            Ok(takes) => takes,
            Err(why) => {
                fault = Some(why);
                false
            }
        };
        let Page { items, next } = page(&records, after, limit, wanted)?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        Ok(Page { items: items.iter().map(|card| summary(card, today)).collect(), next })
    }
}

/// The cards that an index knows for a plate or a space, in order; `None` where the filter names neither.
fn indexed(records: &impl Records, filter: &CardFilter) -> Result<Option<Vec<String>>, ChargingFault> {
    let numbers = |cards: Vec<OnCard>| {
        let mut numbers: Vec<String> = cards.into_iter().map(|held| held.card.to_string()).collect();
        numbers.sort();
        numbers.dedup();
        numbers
    };
    let by_plate = match &filter.plate {
        Some(text) => {
            let plate = Plate::new(text);
            let plate = plate.map_err(|why| ChargingFault::wrong("plate", "车牌不正确", why.to_string()))?;
            let kept = records.get::<PlateCards>(plate.as_str())?;
            Some(numbers(kept.map(|kept| kept.record.cards).unwrap_or_default()))
        }
        None => None,
    };
    let by_space = match &filter.space {
        Some(space) => {
            let kept = records.get::<SpaceCards>(space)?;
            Some(numbers(kept.map(|kept| kept.record.cards).unwrap_or_default()))
        }
        None => None,
    };
    Ok(match (by_plate, by_space) {
        (Some(some), Some(other)) => Some(some.into_iter().filter(|number| other.contains(number)).collect()),
        (one, other) => one.or(other),
    })
}

fn summary(card: &Card, today: NaiveDate) -> CardSummary {
    CardSummary {
        number: card.number.to_string(),
        holder: card.holder.to_string(),
        payer: card.payer().to_string(),
        room: card.room.as_ref().map(ToString::to_string),
        state: state_word(card.state()),
        places: card.places_on(today).map(ToString::to_string).collect(),
        plates: card.vehicles_on(today).map(|held| held.plate.to_string()).collect(),
        sold_until: card.sold_until(),
    }
}
