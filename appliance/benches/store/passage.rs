//! What one entry of a car writes: five records, a counter and two postings.

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use tollhouse_core::books::{Account, Posting};
use tollhouse_core::id::{DeviceId, EventId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Cause, Change, ChangeKind, Op, Table};

/// The change of the `number`th passage.
pub(crate) fn passage(number: u64) -> Change {
    let milliseconds = i64::try_from(number).expect("small");
    let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds(milliseconds);
    let event_id = EventId::new(format!("event-{number}")).expect("valid");
    let cause = Cause::Event { device: DeviceId::new("cam-in-1").expect("valid"), event_id };
    let mut change = Change::new(ChangeKind::PassageDecided, at, cause);
    let plate = format!("粤B{:05}", number % 100_000);
    let stay = format!("stay-{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let lane = number % 64;
    let records = [
        (
            Table::Stays,
            stay.clone(),
            json!({"stay": stay, "plate": plate, "entered_at": at, "lane": lane, "state": "open"}),
        ),
        (Table::Inside, plate.clone(), json!({"plate": plate, "stay": stay})),
        (
            Table::Passages,
            format!("passage-{number:016x}"),
            json!({"stay": stay, "plate": plate, "at": at, "lane": lane, "code": "temporary_entry", "confidence": 0.97,
                "command": format!("cmd-{number}"), "device": "gate-in-1", "expires_at": at}),
        ),
        (Table::Lanes, format!("in-{lane}"), json!({"lane": lane, "in_hand": stay, "since": at})),
        (Table::Events, format!("cam-in-1/event-{number}"), json!({"digest": format!("{number:064x}"), "at": at})),
    ];
    for (table, key, record) in records {
        let record = serde_json::value::to_raw_value(&record).expect("JSON");
        change.ops.push(Op::Put { table: table.name().into(), key, record });
    }
    change.count("inside", 1, None);
    let amount = Money::new(500, Currency::Cny);
    change.postings = vec![Posting::debit(Account::Receivable, amount), Posting::credit(Account::Revenue, amount)];
    change.personal(&plate);
    change
}
