//! A card as it is shown: its five parts together (holder, places, fees, packages, bills), its vehicles and its history.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::{CardBill, Source};
use tollhouse_core::charging::cards::{Card, CardAct, Term, TermKind, five_parts};
use tollhouse_core::charging::estate::Space;
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::charging::label::{HolderId, SpaceNumber};
use tollhouse_core::charging::tables::state_word;
use tollhouse_core::record::Records;
use utoipa::ToSchema;

use super::CardsDesk;
use super::acts::ActView;
use super::doing::bills_of;
use crate::charging::fault::ChargingFault;
use crate::charging::prices::fees;
use crate::charging::view::{NoteView, WordsView};

/// A holder of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderLine {
    /// Their id.
    pub id: String,
    /// Their name; empty where it was erased.
    pub name: String,
}

/// A place of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceLine {
    /// Which: `space/B1-001`, `pool/monthly/1`.
    pub place: String,
    /// The class of a numbered space today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after; absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A vehicle of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatedVehicle {
    /// Its plate.
    pub plate: String,
    /// `small`, `large` or `new_energy`.
    pub kind: String,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after; absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A fee item that is charged for a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeeView {
    /// Which place.
    pub place: String,
    /// Which item.
    pub item: String,
    /// For people.
    pub name: WordsView,
}

/// A term: of a letting, or of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TermView {
    /// 1 for the card's first.
    pub number: u32,
    /// `letting` or `package`.
    pub kind: String,
    /// The package, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The fee item, if it is plain rent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// The first day that was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<NaiveDate>,
    /// Whether it is in force today.
    pub in_force: bool,
    /// For which places.
    pub places: Vec<String>,
    /// Its one bill.
    pub bill: String,
}

/// A bill of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillLineView {
    /// Its id.
    pub id: String,
    /// `periodic` or `independent`.
    pub kind: String,
    /// How it stands.
    pub state: String,
    /// The first day of its period or term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The first day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The last day on which it can be paid without being late.
    pub due_on: NaiveDate,
    /// What it comes to.
    pub total: String,
    /// What of it is due.
    pub due: String,
}

/// A state that a card had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// Which.
    pub state: String,
    /// Who and why.
    pub note: NoteView,
}

/// A card: its five parts together, its vehicles and its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardView {
    /// Its number.
    pub number: String,
    /// How it stands: `pending`, `active`, `suspended`, `lost`, `expired` or `closed`.
    pub state: String,
    /// Who uses it.
    pub holder: HolderLine,
    /// Who pays.
    pub payer: HolderLine,
    /// The room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The day on which it was opened.
    pub opened_on: NaiveDate,
    /// Its places, past and to come.
    pub places: Vec<PlaceLine>,
    /// For how many cars it has places today.
    pub capacity: u32,
    /// Its vehicles, past and to come.
    pub vehicles: Vec<DatedVehicle>,
    /// The fee items that are charged for its places today.
    pub fees: Vec<FeeView>,
    /// Its terms: lettings and packages.
    pub terms: Vec<TermView>,
    /// Periodic fees are billed ahead up to this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_until: Option<NaiveDate>,
    /// Its bills, the latest first; the last 50.
    pub bills: Vec<BillLineView>,
    /// What is due in all.
    pub due: String,
    /// Of all amounts.
    pub currency: String,
    /// How it stood, the latest last.
    pub states: Vec<StateView>,
}

/// What was done to a card, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardDone {
    /// Which card.
    pub card: String,
    /// How it then stands.
    pub state: String,
    /// The act, by which it is undone.
    pub act: ActView,
    /// Bills that this drew, with what they come to.
    pub bills: Vec<BillLineView>,
    /// What they come to together; absent where it drew none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drew_total: Option<String>,
}

impl CardDone {
    pub(super) fn of(card: &Card, act: &CardAct, moved: &[CardBill]) -> Self {
        let drawn: Vec<&CardBill> = moved.iter().filter(|bill| act.drew.contains(&bill.id)).collect();
        let sum: i64 = drawn.iter().map(|bill| bill.total().minor()).sum();
        let total = drawn.first().map(|bill| tollhouse_core::money::Money::new(sum, bill.currency()).amount());
        Self {
            card: card.number.to_string(),
            state: state_word(card.state()),
            act: ActView::from(act),
            bills: drawn.into_iter().map(bill_line).collect(),
            drew_total: total,
        }
    }
}

/// A word as records write it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn bill_line(bill: &CardBill) -> BillLineView {
    BillLineView {
        id: bill.id.to_string(),
        kind: word(&bill.kind),
        state: word(&bill.state()),
        from: bill.period.map(|period| period.from),
        until: bill.period.map(|period| period.until),
        due_on: bill.due_on,
        total: bill.total().amount(),
        due: bill.due().amount(),
    }
}

fn term_view(term: &Term, today: NaiveDate) -> TermView {
    let (package, item) = match &term.source {
        Source::Package(id) => (Some(id.to_string()), None),
        Source::Item(id) => (None, Some(id.to_string())),
    };
    TermView {
        number: term.number,
        kind: if term.kind == TermKind::Letting { "letting" } else { "package" }.to_owned(),
        package,
        item,
        from: term.span.from,
        until: term.span.until,
        given_up: term.given_up,
        in_force: term.live().is_some_and(|live| live.has(today)),
        places: term.places.iter().map(|one| one.place.to_string()).collect(),
        bill: term.bill.to_string(),
    }
}

/// The most bills that a card shows.
const MOST_BILLS: usize = 50;

impl CardsDesk {
    /// A card with its five parts.
    pub fn card(&self, number: &str) -> Result<CardView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let card = Self::kept(&records, number)?.record;
        let today = self.parts.today();
        let mut bills: Vec<CardBill> = bills_of(&records, number)?.into_iter().map(|kept| kept.record).collect();
        let list = fees(&records)?;
        let estate = |number: &SpaceNumber| -> Option<Space> {
            records.get::<Space>(number.as_str()).ok().flatten().map(|kept| kept.record)
        };
        let currency = self.parts.currency();
        let five = five_parts(&card, &bills, &estate, &list, today, currency);
        let fees = five.fees.iter().filter_map(|(place, item)| {
            let name = WordsView::from(&list.item(item)?.name);
            Some(FeeView { place: place.to_string(), item: item.to_string(), name })
        });
        let places = card.holdings.iter().map(|held| PlaceLine {
            place: held.place.to_string(),
            class: five
                .places
                .iter()
                .find(|(place, _)| *place == held.place)
                .and_then(|(_, class)| class.as_ref().map(ToString::to_string)),
            from: held.from,
            until: held.until,
        });
        let vehicles = card.vehicles.iter().map(|held| DatedVehicle {
            plate: held.plate.to_string(),
            kind: word(&held.kind),
            from: held.from,
            until: held.until,
        });
        bills.sort_by_key(|bill| std::cmp::Reverse((bill.issued_on, bill.due_on, bill.id)));
        Ok(CardView {
            number: card.number.to_string(),
            state: state_word(card.state()),
            holder: holder_line(&records, &five.holder.0)?,
            payer: holder_line(&records, &five.holder.1)?,
            room: card.room.as_ref().map(ToString::to_string),
            opened_on: card.opened_on,
            places: places.collect(),
            capacity: five.capacity,
            vehicles: vehicles.collect(),
            fees: fees.collect(),
            terms: card.terms.iter().map(|term| term_view(term, today)).collect(),
            ahead_until: card.ahead_until,
            bills: bills.iter().take(MOST_BILLS).map(bill_line).collect(),
            due: five.due.amount(),
            currency: currency.code().to_owned(),
            states: card
                .states
                .iter()
                .map(|change| StateView { state: state_word(change.state), note: NoteView::from(&change.note) })
                .collect(),
        })
    }
}

fn holder_line(records: &impl Records, id: &HolderId) -> Result<HolderLine, ChargingFault> {
    let name = records.get::<Holder>(id.as_str())?.map(|kept| kept.record.name).unwrap_or_default();
    Ok(HolderLine { id: id.to_string(), name })
}
