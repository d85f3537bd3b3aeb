//! Random changes from a seed: few keys, so that they meet; some rely on what is not so.

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use tollhouse_core::books::{Account, Posting};
use tollhouse_core::id::{DeviceId, EventId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Cause, Change, ChangeKind, Memory, Op, Records, Relied, Stored, Table};

/// Numbers from a seed (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// True once in so many times.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

const TABLES: [Table; 4] = [Table::Stays, Table::Inside, Table::Passages, Table::Events];

/// A change that looks at `seen` (which may be behind) and writes a few records.
pub(super) fn random_change(dice: &mut Dice, seen: &impl Records) -> Change {
    let at = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(i64::try_from(dice.below(1 << 40)).expect("small"));
    let event_id = EventId::new(format!("e{}", dice.below(1000))).expect("valid");
    let cause = Cause::Event { device: DeviceId::new("cam-1").expect("valid"), event_id };
    let mut change = Change::new(ChangeKind::PassageDecided, at, cause);
    for _ in 0..=dice.below(5) {
        let (table, key) = place(dice);
        if dice.one_in(3) {
            let revision = seen.stored(table, &key).expect("readable").map(|stored| stored.revision);
            change.relied.push(Relied { table, key: key.clone(), revision });
        }
        if dice.one_in(5) {
            change.delete(table, &key);
        } else {
            let plate = format!("粤B{:05}", dice.below(9));
            let filler = "x".repeat(usize::try_from(dice.below(200)).expect("small"));
            let record = json!({"plate": plate, "note": format!("\"{plate}\" \\ {filler}"), "n": dice.below(1 << 50)});
            let record = serde_json::value::to_raw_value(&record).expect("JSON");
            change.ops.push(Op::Put { table: table.name().into(), key, record });
            change.personal(&plate);
        }
    }
    if dice.one_in(2) {
        let by = i64::try_from(dice.below(5)).expect("small") - 2;
        change.count(&format!("c{}", dice.below(2)), by, Some(6));
    }
    if dice.one_in(3) {
        let amount = Money::new(i64::try_from(dice.below(5000)).expect("small"), Currency::Cny);
        change.postings.push(Posting::debit(Account::Receivable, amount));
        change.postings.push(Posting::credit(Account::Revenue, amount));
    }
    change
}

fn place(dice: &mut Dice) -> (Table, String) {
    let table = TABLES[usize::try_from(dice.below(TABLES.len() as u64)).expect("small")];
    (table, format!("k{:02}-粤B{:05}", dice.below(12), dice.below(2)))
}

/// A change that writes one record.
pub(super) fn put(key: &str, value: u64) -> Change {
    let mut change = Change::new(ChangeKind::Housekeeping, DateTime::UNIX_EPOCH, Cause::Time);
    let record = serde_json::value::to_raw_value(&json!({ "value": value })).expect("JSON");
    change.ops.push(Op::Put { table: Table::Stays.name().into(), key: key.to_owned(), record });
    change
}

/// All rows of a view, read in small pieces so that ranges are put together from all layers.
pub(super) fn rows(records: &impl Records) -> Vec<(Table, String, Stored)> {
    let mut found = vec![];
    for table in Table::ALL {
        let mut from = String::new();
        loop {
            let piece = records.range(*table, &from, 3).expect("readable");
            let Some((last, _)) = piece.last() else { break };
            from = format!("{last}\0");
            found.extend(piece.into_iter().map(|(key, stored)| (*table, key, stored)));
        }
    }
    found
}

pub(super) fn model_rows(model: &Memory) -> Vec<(Table, String, Stored)> {
    model.all().map(|(table, key, stored)| (table, key.to_owned(), stored.clone())).collect()
}
