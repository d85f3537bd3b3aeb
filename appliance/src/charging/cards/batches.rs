//! The same for many cards: extend, reprice, suspend or resume. A preview carries it out and writes nothing down. Each card
//! is an entry of its own: one that refuses holds up no other, and what was done is not done again under the same key.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::cards::{Card, CardState, Order};
use tollhouse_core::charging::fees::FeeList;
use tollhouse_core::record::{By, Kept, Once, Records};
use utoipa::ToSchema;

use super::CardsDesk;
use super::doing::Doing;
use super::find::CardFilter;
use super::show::CardDone;
use crate::charging::fault::ChargingFault;
use crate::charging::prices::fees;
use crate::charging::reading::{Seen, each};

/// The most cards of one batch.
const MOST_CARDS: usize = 5_000;

/// What is done to each card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchKind {
    /// So many months more.
    Extend,
    /// Periodic fees from a day on are credited and billed anew at the prices of now.
    Reprice,
    /// They are suspended.
    Suspend,
    /// Suspended ones are in force again.
    Resume,
}

/// A batch: what, and for which cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// What is done.
    pub kind: BatchKind,
    /// These cards; without it all that the filters take.
    #[serde(default)]
    pub cards: Vec<String>,
    /// Cards of this room, or of rooms that begin so: `3` is a building.
    #[serde(default)]
    pub room: Option<String>,
    /// Cards with places in this area.
    #[serde(default)]
    pub area: Option<String>,
    /// To extend: how many months.
    #[serde(default)]
    pub months: Option<u8>,
    /// To reprice: the first day.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub preview: bool,
}

/// What came of a card, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchCard {
    /// Which.
    pub card: String,
    /// Whether it was done, or would be.
    pub done: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the bills come to that it draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drew: Option<String>,
    /// Money that comes free and leaves the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed: Option<String>,
}

/// What came of a batch, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchOutcome {
    /// Whether nothing was written down.
    pub preview: bool,
    /// Cards for which it was done, or would be.
    pub done: usize,
    /// Cards that refused.
    pub refused: usize,
    /// Of all amounts.
    pub currency: String,
    /// Card by card.
    pub cards: Vec<BatchCard>,
}

impl CardsDesk {
    /// Carries a batch out, or previews it.
    pub async fn batch(&self, by: &By, batch: &Batch) -> Result<BatchOutcome, ChargingFault> {
        let numbers = self.cards_of(batch)?;
        let mut cards = Vec::with_capacity(numbers.len());
        let list = fees(&self.parts.store.snapshot())?;
        for number in numbers {
            let done = if batch.preview {
                self.would(by, &number, batch, &list)
            } else {
                // Under the request's key each card is done once, however often the batch is sent.
                let once = by.once.as_ref();
                let once =
                    once.map(|once| Once { key: format!("{} {number}", once.key), request: once.request.clone() });
                let by = By { cause: by.cause.clone(), once };
                self.act(&by, &number, |records, card| self.plan(records, card, batch)).await
            };
            match done {
                Err(busy @ (ChargingFault::Busy | ChargingFault::Broken(_))) => return Err(busy),
                done => cards.push(outcome(number, done)),
            }
        }
        let done = cards.iter().filter(|card| card.done).count();
        let refused = cards.len() - done;
        let currency = self.parts.currency().code().to_owned();
        Ok(BatchOutcome { preview: batch.preview, done, refused, currency, cards })
    }

    fn would(&self, by: &By, number: &str, batch: &Batch, list: &FeeList) -> Result<CardDone, ChargingFault> {
        let records = self.parts.store.snapshot();
        let kept = Self::kept(&records, number)?;
        let doing = self.plan(&records, &kept.record, batch)?;
        Ok(self.carry(by, &records, Some(&kept), &kept.record, &doing, Some(list))?.outcome)
    }

    fn plan(&self, records: &impl Records, card: &Card, batch: &Batch) -> Result<Doing, ChargingFault> {
        match batch.kind {
            BatchKind::Extend => self.extension(records, card, batch.months.unwrap_or(0)),
            BatchKind::Suspend => Self::standing(card, CardState::Suspended),
            BatchKind::Resume => Self::standing(card, CardState::Active),
            BatchKind::Reprice => {
                let from = batch.from.ok_or_else(|| {
                    ChargingFault::wrong("from", "请给出起始日期", "name the first day from which is billed anew")
                })?;
                Ok(Doing::of("repriced", vec![Order::Reprice { from }]))
            }
        }
    }

    fn cards_of(&self, batch: &Batch) -> Result<Vec<String>, ChargingFault> {
        let too_many = || {
            let (zh, en) = (format!("每批最多 {MOST_CARDS} 张卡"), format!("a batch has at most {MOST_CARDS} cards"));
            ChargingFault::wrong("cards", zh, en)
        };
        if !batch.cards.is_empty() {
            let mut cards = batch.cards.clone();
            cards.sort();
            cards.dedup();
            return if cards.len() > MOST_CARDS { Err(too_many()) } else { Ok(cards) };
        }
        if batch.room.is_none() && batch.area.is_none() {
            return Err(ChargingFault::wrong("cards", "请给出卡号、房号或区域", "name cards, a room or an area"));
        }
        let records = self.parts.store.snapshot();
        let filter = CardFilter { room: batch.room.clone(), area: batch.area.clone(), ..CardFilter::default() };
        let states = match batch.kind {
            BatchKind::Resume => &[CardState::Suspended][..],
            _ => &[CardState::Active, CardState::Lost, CardState::Expired],
        };
        let today = self.parts.today();
        let (mut found, mut fault) = (vec![], None);
        // Through all cards: a page of a list may be short, and a batch must not forget anybody.
        each(&records, "", |kept: Kept<Card>| {
            match filter.takes(&records, &kept.record, today) {
                Ok(takes) if takes && states.contains(&kept.record.state()) => {
                    found.push(kept.record.number.to_string());
                }
                Ok(_) => {}
                Err(why) => fault = Some(why),
            }
            if fault.is_some() || found.len() > MOST_CARDS { Seen::Enough } else { Seen::More }
        })?;
        match fault {
            Some(fault) => Err(fault),
            None if found.len() > MOST_CARDS => Err(too_many()),
            None => Ok(found),
        }
    }
}

fn outcome(card: String, done: Result<CardDone, ChargingFault>) -> BatchCard {
    match done {
        Ok(done) => BatchCard { card, done: true, why: None, drew: done.drew_total, freed: done.act.freed },
        Err(why) => BatchCard { card, done: false, why: Some(why.to_string()), drew: None, freed: None },
    }
}
