//! Finding card bills: by card, holder, room, building, kind and state, a page at a time.
//!
//! Owns how a page is gathered. A page reads a bounded number of rows, so it may be short and still not be the last.

use std::str::FromStr;

use tollhouse_core::bill::{BillKind, BillState};
use tollhouse_core::charging::bills::{CardBill, OpenBill};
use tollhouse_core::charging::label::{CardNumber, HolderId};
use tollhouse_core::record::{Kept, Record, Records};

use super::super::ChargingFault;
use super::desk::BillDesk;
use crate::store::Snapshot;

/// Rows that one page reads at most.
const MOST_READ: usize = 4_000;
/// Rows read at once.
const AT_ONCE: usize = 500;

/// How bills stand that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// In this state.
    State(BillState),
    /// Something is due.
    Unpaid,
    /// Something is due, and the due date is over.
    Overdue,
}

impl FromStr for Wanted {
    type Err = ChargingFault;
    fn from_str(text: &str) -> Result<Self, ChargingFault> {
        match text {
            "overdue" => Ok(Self::Overdue),
            "unpaid" => Ok(Self::Unpaid),
            other => {
                BillState::ALL.iter().find(|state| state.as_str() == other).copied().map(Self::State).ok_or_else(|| {
                    ChargingFault::wrong(
                        "state",
                        "状态须为 open、part_paid、paid、void、refunded、written_off、unpaid 或 overdue",
                        "a state is open, part_paid, paid, void, refunded, written_off, unpaid or overdue",
                    )
                })
            }
        }
    }
}

/// Which bills are looked for; what is left out does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BillQuery {
    /// Of this card.
    pub card: Option<CardNumber>,
    /// Owed by this holder.
    pub holder: Option<HolderId>,
    /// Of this room, or of all rooms whose number begins like it (`3`, `3-2`).
    pub room: Option<String>,
    /// Of this kind.
    pub kind: Option<BillKind>,
    /// Standing like this.
    pub state: Option<Wanted>,
}

/// A page of bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillPage {
    /// The bills.
    pub bills: Vec<Kept<CardBill>>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<String>,
}

/// The parts of a room's number that are asked for, held against those that it has.
fn in_room(wanted: &str, room: Option<&tollhouse_core::charging::estate::Room>) -> bool {
    let Some(room) = room else { return false };
    let parts: Vec<&str> = wanted.split('-').map(str::trim).collect();
    let has = [room.building(), room.unit(), room.number()];
    match parts[..] {
        [building] => building == has[0],
        [building, second] => building == has[0] && (second == has[1] || (has[1].is_empty() && second == has[2])),
        [building, unit, number] => [building, unit, number] == has,
        _ => false,
    }
}

impl BillQuery {
    fn takes(&self, bill: &CardBill, today: chrono::NaiveDate) -> bool {
        let heading = &bill.heading;
        self.card.as_ref().is_none_or(|card| heading.card == *card)
            && self.holder.as_ref().is_none_or(|holder| heading.payer == *holder)
            && self.room.as_ref().is_none_or(|room| in_room(room, heading.room.as_ref()))
            && self.kind.is_none_or(|kind| bill.kind == kind)
            && self.state.is_none_or(|wanted| match wanted {
                Wanted::State(state) => bill.state() == state,
                Wanted::Unpaid => bill.due().is_positive(),
                Wanted::Overdue => bill.is_overdue(today),
            })
    }

    /// Only bills on which something is due can match: they are found by due date, without the paid ones.
    fn only_open(&self) -> bool {
        let open =
            [Wanted::Unpaid, Wanted::Overdue, Wanted::State(BillState::Open), Wanted::State(BillState::PartPaid)];
        self.card.is_none() && self.state.is_some_and(|state| open.contains(&state))
    }
}

/// Rows of a table that lead to bills: the key to go on from, and the bill.
type Row = (String, Kept<CardBill>);

fn rows(query: &BillQuery, from: &str, records: &Snapshot) -> Result<Vec<Row>, ChargingFault> {
    if !query.only_open() {
        let bills = records.list::<CardBill>(from, AT_ONCE)?;
        return Ok(bills.into_iter().map(|kept| (kept.record.key(), kept)).collect());
    }
    let mut rows = Vec::new();
    for open in records.list::<OpenBill>(from, AT_ONCE)? {
        let bill = records.get::<CardBill>(&format!("{}/{}", open.record.card, open.record.bill))?;
        rows.extend(bill.map(|bill| (open.record.key(), bill)));
    }
    Ok(rows)
}

impl BillDesk {
    /// A page of the bills that are looked for, after a cursor that an earlier page gave. By card, or by due date where
    /// only open ones are asked for.
    pub fn list(&self, query: &BillQuery, after: Option<&str>, limit: usize) -> Result<BillPage, ChargingFault> {
        let (records, today) = (self.parts().store.snapshot(), self.parts().today());
        let prefix = query.card.as_ref().map(|card| format!("{card}/")).unwrap_or_default();
        let mut from = match after {
            Some(after) if after.starts_with(&prefix) => format!("{after}\u{0}"),
            Some(_) => {
                return Err(ChargingFault::wrong("after", "该游标不属于此查询", "this cursor is of another list"));
            }
            None => prefix.clone(),
        };
        let (mut bills, mut read) = (Vec::new(), 0);
        loop {
            let page = rows(query, &from, &records)?;
            let full = page.len() == AT_ONCE;
            for (key, kept) in page {
                if !key.starts_with(&prefix) {
                    return Ok(BillPage { bills, next: None });
                }
                read += 1;
                from = format!("{key}\u{0}");
                if query.takes(&kept.record, today) {
                    bills.push(kept);
                }
                if bills.len() == limit || read == MOST_READ {
                    return Ok(BillPage { bills, next: Some(key) });
                }
            }
            if !full {
                return Ok(BillPage { bills, next: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_building_a_unit_or_a_room_is_asked_for_by_the_beginning_of_its_number() {
        let room = "3-2-1201".parse().expect("a room");
        let without_unit = "A-301".parse().expect("a room");
        let cases = [("3", true), ("3-2", true), ("3-2-1201", true), ("32", false), ("3-1", false), ("3-2-12", false)];
        for (wanted, found) in cases {
            assert_eq!(in_room(wanted, Some(&room)), found, "{wanted}");
        }
        assert!(in_room("A-301", Some(&without_unit)) && in_room("A", Some(&without_unit)));
        assert!(!in_room("A", None));
    }
}
