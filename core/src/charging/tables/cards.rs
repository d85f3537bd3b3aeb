//! Cards as a table, one row each: what clerks read and write, and in the last column the whole record as an export wrote
//! it. A row without a record is a card that comes from elsewhere: opened before, perhaps in the middle of a term.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cells::{KINDS, Read, date, days_text, decimal, list, name, one_of, place, plate, with_days, word};
use super::holders::room;
use super::{Rows, may, must, names};
use crate::charging::calendar::Span;
use crate::charging::cards::{Card, CardState};
use crate::charging::estate::Room;
use crate::charging::label::{CardNumber, HolderId};
use crate::charging::place::Place;
use crate::charging::table::{Column, Line, RECORD, RowFault, read_rows, recorded};
use crate::plate::{Plate, VehicleKind};
use crate::words::Words;

const COLUMNS: [Column; 15] = [
    must("number", "卡号"),
    must("holder", "用户编号"),
    may("payer", "缴费人"),
    may("room", "房号"),
    may("state", "状态"),
    may("opened_on", "开卡日期"),
    must("places", "车位"),
    may("vehicles", "车辆"),
    may("ahead_until", "预缴至"),
    may("billed_until", "已缴至"),
    may("term_of", "套餐"),
    may("term_from", "期始"),
    may("term_until", "期末"),
    may("term_price", "期价"),
    may(RECORD, "完整记录"),
];
/// The columns that an export writes of a record: those before `billed_until`.
const OF_RECORD: usize = 9;

const STATES: [(&str, &str, CardState); 6] = [
    ("pending", "待生效", CardState::Pending),
    ("active", "正常", CardState::Active),
    ("suspended", "停用", CardState::Suspended),
    ("lost", "挂失", CardState::Lost),
    ("expired", "过期", CardState::Expired),
    ("closed", "已退", CardState::Closed),
];

/// A place or vehicle of a row, with its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<T> {
    /// Which.
    pub what: T,
    /// The first day; `None`: when the card was opened.
    pub from: Option<NaiveDate>,
    /// The first day after; `None`: for good.
    pub until: Option<NaiveDate>,
}

/// A card in the middle of what was paid for elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MidTerm {
    /// Periodic fees of owned spaces are paid up to this day, excluded.
    pub billed_until: Option<NaiveDate>,
    /// The term of a letting or package: from when to when, what it cost for all places, and of which package, if of one.
    pub term: Option<(Span, Decimal, Option<String>)>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// The card's number.
    pub number: CardNumber,
    /// Who uses it.
    pub holder: HolderId,
    /// Who pays, where that is another.
    pub payer: Option<HolderId>,
    /// The room.
    pub room: Option<Room>,
    /// How it stands.
    pub state: CardState,
    /// When it was opened, if the row says so.
    pub opened_on: Option<NaiveDate>,
    /// Its places.
    pub places: Vec<Held<Place>>,
    /// Its vehicles; without a kind that of the registered vehicle, or of the plate's form.
    pub vehicles: Vec<Held<(Plate, Option<VehicleKind>)>>,
    /// Its fees are billed ahead up to a day.
    pub ahead_until: Option<NaiveDate>,
    /// What of it was paid elsewhere.
    pub mid: MidTerm,
    /// The whole record, as an export wrote it.
    pub record: Option<Box<Card>>,
}

/// The columns of the table.
pub fn card_columns() -> Vec<String> {
    names(&COLUMNS)
}

/// The word for a state.
pub fn state_word(state: CardState) -> String {
    word(&state, &STATES)
}

/// The state of a word, in either language.
pub fn state_by_word(text: &str) -> Result<CardState, Words> {
    one_of(text, &STATES)
}

/// Cards of a table, each number once.
pub fn read_cards(table: &[Vec<String>]) -> Result<Vec<CardRow>, Vec<RowFault>> {
    let mut made: Vec<CardRow> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    read_rows(table, &COLUMNS, |line| {
        let Some(row) = read_row(line) else { return };
        if !known.insert(row.number.clone()) {
            line.fault("number", &Words::new("此卡号出现两次", "this card is there twice"));
        }
        made.push(row);
    })?;
    Ok(made)
}

fn read_row(line: &mut Line<'_>) -> Option<CardRow> {
    let number = line.must("number", name::<CardNumber>);
    let holder = line.must("holder", name::<HolderId>);
    let payer = line.may("payer", name::<HolderId>);
    let room = line.may("room", room);
    let state = line.may("state", state_by_word).unwrap_or(CardState::Active);
    let opened_on = line.may("opened_on", date);
    let places = line.must("places", |text| list(text, held_place));
    let vehicles = line.may("vehicles", |text| list(text, held_vehicle)).unwrap_or_default();
    let ahead_until = line.may("ahead_until", date);
    let mid = mid_term(line);
    let record = recorded::<Card>(line, &names(&COLUMNS[..OF_RECORD]), cells);
    let places = places.or_else(|| record.as_ref().map(|_| vec![]))?;
    let row = line.row;
    Some(CardRow {
        row,
        number: number?,
        holder: holder?,
        payer,
        room,
        state,
        opened_on,
        places,
        vehicles,
        ahead_until,
        mid,
        record: record.map(Box::new),
    })
}

fn held_place(text: &str) -> Read<Held<Place>> {
    let (head, from, until) = with_days(text)?;
    Ok(Held { what: place(head)?, from, until })
}

fn held_vehicle(text: &str) -> Read<Held<(Plate, Option<VehicleKind>)>> {
    // `PLATE`, `PLATE KIND`, `PLATE DAYS`, `PLATE KIND DAYS`.
    let dated =
        text.rsplit_once(' ').is_some_and(|(_, last)| last.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let (head, from, until) = if dated { with_days(text)? } else { (text, None, None) };
    let (plate_text, kind) = match head.rsplit_once(' ') {
        Some((head, kind)) => (head, Some(one_of(kind, &KINDS)?)),
        None => (head, None),
    };
    Ok(Held { what: (plate(plate_text)?, kind), from, until })
}

fn mid_term(line: &mut Line<'_>) -> MidTerm {
    let billed_until = line.may("billed_until", date);
    let of = line.may("term_of", |text| Ok(text.to_owned()));
    let from = line.may("term_from", date);
    let until = line.may("term_until", date);
    let price = line.may("term_price", decimal);
    let term = match (from, until, price) {
        (Some(from), Some(until), Some(price)) => {
            let span = Span::new(from, until);
            if span.is_none() {
                line.fault("term_until", &Words::new("期末应晚于期始", "a term ends after it begins"));
            }
            span.map(|span| (span, price, of))
        }
        (None, None, None) => None,
        _ => {
            line.fault(
                "term_from",
                &Words::new("期始、期末、期价应一起填写", "term_from, term_until and term_price go together"),
            );
            None
        }
    };
    MidTerm { billed_until, term }
}

/// What a row shows of a card, up to the columns that come from elsewhere.
fn cells(card: &Card) -> Vec<String> {
    let places = card.holdings.iter().map(|held| {
        let shown = match &held.place {
            Place::Space(number) => number.to_string(),
            other => other.to_string(),
        };
        format!("{shown} {}", days_text(held.from, held.until))
    });
    let vehicles = card
        .vehicles
        .iter()
        .map(|held| format!("{} {} {}", held.plate, word(&held.kind, &KINDS), days_text(held.from, held.until)));
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    vec![
        card.number.to_string(),
        card.holder.to_string(),
        card.payer.as_ref().map(ToString::to_string).unwrap_or_default(),
        card.room.as_ref().map(ToString::to_string).unwrap_or_default(),
        state_word(card.state()),
        card.opened_on.to_string(),
        places.collect::<Vec<_>>().join("; "),
        vehicles.collect::<Vec<_>>().join("; "),
        day(card.ahead_until),
    ]
}

/// The table that [`read_cards`] reads back, each with its whole record.
pub fn export_cards<'c>(cards: impl IntoIterator<Item = &'c Card>) -> Rows {
    let mut table = vec![card_columns()];
    table.extend(cards.into_iter().map(|card| {
        let mut row = cells(card);
        row.resize(COLUMNS.len() - 1, String::new());
        row.push(serde_json::to_string(card).expect("records serialise: text keys, no fallible types"));
        row
    }));
    table
}
