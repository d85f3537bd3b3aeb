//! Printed notices (催缴单): what each room owes, by building, unit and room, as one page that a browser prints on A4.
//!
//! Owns what stands on a notice and in which order. Sending reminders is another matter (`remind`); what is owed is core's.

use std::collections::BTreeMap;

use askama::Template;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::CardBill;
use tollhouse_core::charging::estate::Room;
use tollhouse_core::money::Money;
use tollhouse_core::words::Language;

use super::super::ChargingFault;
use super::desk::BillDesk;
use super::list::{BillQuery, Wanted};

/// Notices of one page at most; a building has fewer rooms.
const MOST_ROOMS: usize = 5_000;
/// Bills read at once.
const AT_ONCE: usize = 500;

/// Which bills stand on the notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOf {
    /// Those whose due date is over.
    #[default]
    Overdue,
    /// All on which something is due.
    Unpaid,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeQuery {
    /// A building, a unit of one (`3-2`), or a room; all where it is left out.
    pub building: Option<String>,
    /// Which bills.
    pub of: NoticeOf,
    /// In which language.
    pub language: Language,
}

/// What a room owes; holders without a room have none.
type Owing = (Option<Room>, Vec<CardBill>);

/// One line of a notice.
struct NoticeLine {
    text: String,
    due_on: NaiveDate,
    amount: String,
    paid: String,
    late_fee: String,
    due: String,
}

/// What one room owes.
struct RoomNotice {
    room: String,
    cards: String,
    lines: Vec<NoticeLine>,
    due: String,
    oldest: i64,
}

/// All rooms of one building.
struct BuildingNotices {
    name: String,
    rooms: Vec<RoomNotice>,
    due: String,
    bills: usize,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticePage {
    language: Language,
    lot: String,
    today: String,
    currency: String,
    buildings: Vec<BuildingNotices>,
}

impl NoticePage {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

/// As people of either language write a date.
fn date(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Zh => day.format("%Y年%-m月%-d日").to_string(),
        Language::En => day.format("%-d %B %Y").to_string(),
    }
}

impl BillDesk {
    /// The notices as a page. There is nothing to print when nobody owes anything: that is told instead.
    pub fn notices(&self, query: &NoticeQuery) -> Result<String, ChargingFault> {
        let today = self.parts().today();
        let rooms = self.owing_rooms(query)?;
        if rooms.is_empty() {
            return Err(ChargingFault::conflict("there is nothing to print: no room owes anything of that kind"));
        }
        let lot = &self.parts().lot;
        let mut buildings: Vec<BuildingNotices> = Vec::new();
        let mut sums: Vec<i64> = Vec::new();
        for (room, bills) in rooms {
            let name = room.as_ref().map(|room| room.building().to_owned()).unwrap_or_default();
            if buildings.last().is_none_or(|last| last.name != name) {
                buildings.push(BuildingNotices { name, rooms: vec![], due: String::new(), bills: 0 });
                sums.push(0);
            }
            let due: i64 = bills.iter().map(|bill| bill.due().minor()).sum();
            if let (Some(building), Some(sum)) = (buildings.last_mut(), sums.last_mut()) {
                building.bills += bills.len();
                building.rooms.push(room_notice(room.as_ref(), &bills, Money::new(due, lot.currency), today, query));
                *sum += due;
            }
        }
        for (building, sum) in buildings.iter_mut().zip(sums) {
            building.due = Money::new(sum, lot.currency).amount();
        }
        let page = NoticePage {
            language: query.language,
            lot: lot.name.clone(),
            today: date(today, query.language),
            currency: lot.currency.code().to_owned(),
            buildings,
        };
        page.render().map_err(|fault| ChargingFault::conflict(format!("the page cannot be written: {fault}")))
    }

    /// What is owed by room; holders without a room come last.
    fn owing_rooms(&self, query: &NoticeQuery) -> Result<Vec<Owing>, ChargingFault> {
        let today = self.parts().today();
        let state = match query.of {
            NoticeOf::Overdue => Wanted::Overdue,
            NoticeOf::Unpaid => Wanted::Unpaid,
        };
        let wanted = BillQuery { room: query.building.clone(), state: Some(state), ..BillQuery::default() };
        let mut rooms: BTreeMap<(bool, Option<Room>), Vec<CardBill>> = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.list(&wanted, after.as_deref(), AT_ONCE)?;
            for kept in page.bills {
                let mut bill = kept.record;
                bill.accrue(today);
                let room = bill.heading.room.clone();
                rooms.entry((room.is_none(), room)).or_default().push(bill);
            }
            if rooms.len() > MOST_ROOMS {
                return Err(ChargingFault::conflict(format!(
                    "more than {MOST_ROOMS} rooms owe something: print them by building"
                )));
            }
            after = page.next;
            if after.is_none() {
                return Ok(rooms.into_iter().map(|((_, room), bills)| (room, bills)).collect());
            }
        }
    }
}

fn room_notice(
    room: Option<&Room>,
    bills: &[CardBill],
    due: Money,
    today: NaiveDate,
    query: &NoticeQuery,
) -> RoomNotice {
    let mut cards: Vec<String> = bills.iter().map(|bill| bill.heading.card.to_string()).collect();
    cards.sort();
    cards.dedup();
    let unassigned = match query.language {
        Language::Zh => "无房号",
        Language::En => "no room",
    };
    RoomNotice {
        room: room.map_or_else(|| unassigned.to_owned(), ToString::to_string),
        cards: cards.join(match query.language {
            Language::Zh => "、",
            Language::En => ", ",
        }),
        lines: bills.iter().map(|bill| notice_line(bill, query.language)).collect(),
        due: due.amount(),
        oldest: bills.iter().map(|bill| (today - bill.due_on).num_days()).max().unwrap_or(0),
    }
}

fn notice_line(bill: &CardBill, language: Language) -> NoticeLine {
    let lines = bill.lines.iter().filter(|line| line.amount.is_positive());
    let texts: Vec<&str> = lines.map(|line| line.text.in_language(language)).collect();
    let principal = bill.total().minor() - bill.late_fee().minor();
    NoticeLine {
        text: texts.join(match language {
            Language::Zh => "；",
            Language::En => "; ",
        }),
        due_on: bill.due_on,
        amount: Money::new(principal, bill.currency()).amount(),
        paid: bill.paid().amount(),
        late_fee: bill.late_fee().amount(),
        due: bill.due().amount(),
    }
}
