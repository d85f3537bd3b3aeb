//! The invariants of first light: what must hold over every journal of every box (payments.md, 'What must always be true').

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::bill_books::{CreditIsHolders, DeferredIsWhatBillsSay, OpenBillsListed};
use super::charging::{CardBillsAddUp, DaysBilledOnce};
use super::coupons::{CouponsRedeemedOnce, MerchantsAddUp};
use super::covers::{CoveredWithinPlaces, UnplacedOnce};
use super::invoices::{NumbersWithoutGaps, YuanInvoicedOnce};
use super::money::{ClearingExplained, LiabilitiesHold, ShiftsAddUp, StoredValueHeld, TaxOfBills};
use super::{Invariant, JournalEntry};
use crate::bill::Bill;
use crate::lane::{Grant, Passage};
use crate::money::Money;
use crate::pay::{Payment, Refund, RefundState};
use crate::record::{ChangeKind, Op, Record, Records, Table};
use crate::stay::{Inside, Stay, StayState};

/// Rows read at a time.
pub(super) const PAGE: usize = 512;
/// Faults that are told in full; the rest is counted.
const MOST_TOLD: usize = 5;

/// All invariants of the domain.
pub fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::<EventsTakenOnce>::default(),
        Box::<StaysBegunOnce>::default(),
        Box::<OpeningsHaveOneCause>::default(),
        Box::<PaymentsCapturedOnce>::default(),
        Box::<BillsNeverOverpaid>::default(),
        Box::<RefundsWithinPayments>::default(),
        Box::new(WhoIsInside),
        Box::new(DaysBilledOnce),
        Box::new(CardBillsAddUp),
        Box::<DeferredIsWhatBillsSay>::default(),
        Box::new(OpenBillsListed),
        Box::new(CreditIsHolders),
        Box::<ShiftsAddUp>::default(),
        Box::<StoredValueHeld>::default(),
        Box::<LiabilitiesHold>::default(),
        Box::<ClearingExplained>::default(),
        Box::<TaxOfBills>::default(),
        Box::<CoveredWithinPlaces>::default(),
        Box::<UnplacedOnce>::default(),
        Box::<CouponsRedeemedOnce>::default(),
        Box::new(MerchantsAddUp),
        Box::<NumbersWithoutGaps>::default(),
        Box::<YuanInvoicedOnce>::default(),
    ]
}

/// What does not hold, the first few of it in full.
#[derive(Default)]
pub(super) struct Faults {
    told: Vec<String>,
    more: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: String) {
        if self.told.len() < MOST_TOLD { self.told.push(fault) } else { self.more += 1 }
    }

    pub(super) fn verdict(&self, count: u64) -> Result<u64, String> {
        match (self.told.is_empty(), self.more) {
            (true, _) => Ok(count),
            (false, 0) => Err(self.told.join("; ")),
            (false, more) => Err(format!("{}; and {more} more", self.told.join("; "))),
        }
    }
}

/// The records of one type that an entry writes.
pub(super) fn puts<T: Record + DeserializeOwned>(entry: &JournalEntry) -> impl Iterator<Item = Result<T, String>> {
    let position = entry.position;
    entry.change.ops.iter().filter_map(move |op| match op {
        Op::Put { table, key, record } if table == T::TABLE.name() => {
            let read = serde_json::from_str(record.get());
            Some(read.map_err(|fault| format!("entry {position} writes {table}/{key}, which cannot be read: {fault}")))
        }
        _ => None,
    })
}

/// No device event was taken twice.
#[derive(Default)]
struct EventsTakenOnce {
    taken: BTreeSet<String>,
    count: u64,
    faults: Faults,
}

impl Invariant for EventsTakenOnce {
    fn name(&self) -> &'static str {
        "each device event was taken once"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for op in &entry.change.ops {
            match op {
                Op::Put { table, key, .. } if table == Table::Events.name() => {
                    self.count += 1;
                    if !self.taken.insert(key.clone()) {
                        self.faults.add(format!("entry {} takes event {key} again", entry.position));
                    }
                }
                // After the mark was dropped for its age, the same id may come again.
                Op::Delete { table, key } if table == Table::Events.name() => {
                    self.taken.remove(key);
                }
                _ => {}
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.count)
    }
}

/// No stay was begun twice: not by one event, and not for a plate whose stay is open.
#[derive(Default)]
struct StaysBegunOnce {
    open: BTreeMap<String, String>,
    state: BTreeMap<String, StayState>,
    count: u64,
    faults: Faults,
}

impl Invariant for StaysBegunOnce {
    fn name(&self) -> &'static str {
        "no stay twice: one open stay for each plate"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        // What ends within an entry ends before what begins in it.
        let mut stays: Vec<Stay> = vec![];
        for stay in puts::<Stay>(entry) {
            match stay {
                Ok(stay) => stays.push(stay),
                Err(fault) => self.faults.add(fault),
            }
        }
        stays.sort_by_key(|stay| stay.state == StayState::Open);
        for stay in stays {
            let (id, plate) = (stay.id.to_string(), stay.plate.to_string());
            let before = self.state.insert(id.clone(), stay.state);
            match (before, stay.state) {
                (None | Some(StayState::Open), StayState::Open) => {
                    self.count += u64::from(before.is_none());
                    if let Some(other) = self.open.insert(plate.clone(), id.clone()).filter(|other| *other != id) {
                        self.faults.add(format!("entry {}: {plate} is in stays {other} and {id}", entry.position));
                    }
                }
                // It had ended by a guess, and its car backed out.
                (Some(StayState::Closed), StayState::Open) if entry.change.kind == ChangeKind::PassageLapsed => {
                    self.open.insert(plate.clone(), id.clone());
                }
                (Some(_), StayState::Open) => {
                    self.faults.add(format!("entry {} opens stay {id} again", entry.position));
                }
                _ => {
                    if self.open.get(&plate) == Some(&id) {
                        self.open.remove(&plate);
                    }
                }
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.count)
    }
}

/// Every opening command follows from one authorisation, which names one cause, and a further one only from a further
/// attempt.
#[derive(Default)]
struct OpeningsHaveOneCause {
    granted: BTreeMap<String, Grant>,
    commands: BTreeSet<String>,
    faults: Faults,
}

impl Invariant for OpeningsHaveOneCause {
    fn name(&self) -> &'static str {
        "no command without its decision, and each opening names one cause"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for passage in puts::<Passage>(entry) {
            let passage = match passage {
                Ok(passage) => passage,
                Err(fault) => {
                    self.faults.add(fault);
                    continue;
                }
            };
            let Some(grant) = passage.grant else { continue };
            let (id, command) = (passage.id.to_string(), grant.command.cmd_id.to_string());
            let deciding = matches!(
                entry.change.kind,
                ChangeKind::PassageDecided
                    | ChangeKind::PassageGranted
                    | ChangeKind::PassageReadAgain
                    | ChangeKind::PassageCommand
            );
            match self.granted.get(&id) {
                None if !deciding => {
                    self.faults.add(format!("entry {} opens passage {id} without deciding", entry.position));
                }
                Some(before) if grant.command.attempt < before.command.attempt => {
                    self.faults.add(format!("entry {} takes back an attempt of passage {id}", entry.position));
                }
                Some(before) if grant.command.attempt == before.command.attempt => {
                    if before.command.cmd_id != grant.command.cmd_id {
                        self.faults.add(format!("entry {} gives an attempt of {id} two commands", entry.position));
                    }
                }
                _ => {
                    if !self.commands.insert(command.clone()) {
                        self.faults.add(format!("entry {} uses command {command} again", entry.position));
                    }
                }
            }
            self.granted.insert(id, grant);
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.commands.len() as u64)
    }
}

/// Each transaction is captured once, and its parts are its whole.
#[derive(Default)]
struct PaymentsCapturedOnce {
    captured: BTreeSet<String>,
    faults: Faults,
}

impl Invariant for PaymentsCapturedOnce {
    fn name(&self) -> &'static str {
        "each payment is captured once, and its parts are its whole"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for payment in puts::<Payment>(entry) {
            match payment {
                Ok(payment) => {
                    let key = payment.key();
                    let parts = payment.to_bill.plus(payment.excess).and_then(|sum| sum.plus(payment.suspense));
                    if parts != Ok(payment.amount) {
                        self.faults.add(format!("payment {key} is not the sum of its parts"));
                    }
                    if !self.captured.insert(key.clone()) {
                        self.faults.add(format!("entry {} captures payment {key} again", entry.position));
                    }
                }
                Err(fault) => self.faults.add(fault),
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.captured.len() as u64)
    }
}

/// Accepted to a bill is never more than due; what the books know of a bill is its total.
#[derive(Default)]
struct BillsNeverOverpaid {
    count: u64,
    faults: Faults,
}

impl Invariant for BillsNeverOverpaid {
    fn name(&self) -> &'static str {
        "no bill is paid beyond its total, and its lines are its total"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for bill in puts::<Bill>(entry) {
            let bill = match bill {
                Ok(bill) => bill,
                Err(fault) => {
                    self.faults.add(fault);
                    continue;
                }
            };
            self.count += 1;
            let zero = Money::zero(bill.total.currency());
            let lines = bill.lines.iter().try_fold(zero, |sum, line| sum.plus(line.amount));
            if lines != Ok(bill.total) {
                self.faults.add(format!("entry {}: the lines of bill {} are not its total", entry.position, bill.id));
            }
            if bill.paid.minor() > bill.total.minor() || bill.posted.minor() > bill.total.minor() {
                self.faults.add(format!("entry {}: bill {} is paid beyond its total", entry.position, bill.id));
            }
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        self.faults.verdict(self.count)
    }
}

/// Refunds of an order never exceed what was captured for it.
#[derive(Default)]
struct RefundsWithinPayments {
    captured: BTreeMap<String, i64>,
    refunds: BTreeMap<String, (String, i64)>,
    done: BTreeSet<String>,
    explained: BTreeSet<String>,
    faults: Faults,
}

impl Invariant for RefundsWithinPayments {
    fn name(&self) -> &'static str {
        "refunds never exceed what was captured, and each is done once"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for payment in puts::<Payment>(entry).flatten() {
            *self.captured.entry(payment.order.to_string()).or_default() += payment.amount.minor();
        }
        for refund in puts::<Refund>(entry).flatten() {
            let id = refund.id.to_string();
            let again = refund.state == RefundState::Done && !self.done.insert(id.clone());
            // One of the provider's console is written once more when it is explained.
            if again && (refund.explained.is_none() || !self.explained.insert(id.clone())) {
                self.faults.add(format!("entry {} does refund {id} again", entry.position));
            }
            self.refunds.insert(id, (refund.order.to_string(), refund.amount.minor()));
        }
    }

    fn end(&mut self, _: &dyn Records) -> Result<u64, String> {
        let mut by_order: BTreeMap<&str, i64> = BTreeMap::new();
        for (order, amount) in self.refunds.values() {
            *by_order.entry(order).or_default() += amount;
        }
        for (order, amount) in by_order {
            if amount > self.captured.get(order).copied().unwrap_or(0) {
                self.faults.add(format!("order {order} is refunded beyond what was captured"));
            }
        }
        self.faults.verdict(self.refunds.len() as u64)
    }
}

/// The index of who is inside is exactly the open stays.
struct WhoIsInside;

impl Invariant for WhoIsInside {
    fn name(&self) -> &'static str {
        "the index of who is inside is exactly the open stays"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let inside: BTreeSet<String> =
            all_rows::<Inside>(records)?.into_iter().map(|inside| inside.stay.to_string()).collect();
        let stays = all_rows::<Stay>(records)?.into_iter().filter(|stay| stay.state == StayState::Open);
        let open: BTreeSet<String> = stays.map(|stay| stay.id.to_string()).collect();
        let mut faults = Faults::default();
        for stay in inside.symmetric_difference(&open) {
            faults.add(format!("stay {stay} is open or inside, and not both"));
        }
        faults.verdict(open.len() as u64)
    }
}

/// Shows every record of a type, a page at a time.
pub(super) fn each_row<T: Record>(records: &dyn Records, mut look: impl FnMut(T)) -> Result<(), String> {
    let mut from = String::new();
    loop {
        let page = records.range(T::TABLE, &from, PAGE).map_err(|fault| fault.to_string())?;
        let full = page.len() == PAGE;
        for (key, stored) in page {
            look(serde_json::from_str(&stored.json).map_err(|fault| format!("{key} cannot be read: {fault}"))?);
            from = format!("{key}\u{0}");
        }
        if !full {
            return Ok(());
        }
    }
}

pub(super) fn all_rows<T: Record>(records: &dyn Records) -> Result<Vec<T>, String> {
    let mut rows = vec![];
    each_row(records, |row| rows.push(row))?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Texts;
    use crate::id::{DeviceId, EventId, IdKey, StayId};
    use crate::lane::EventSeen;
    use crate::plate::{Colour, Plate, VehicleKind};
    use crate::record::{Cause, Change, Memory};
    use crate::stay::Basis;
    use chrono::DateTime;

    fn change(put: impl Fn(&mut Change)) -> Change {
        let mut change = Change::new(ChangeKind::PassageDecided, DateTime::UNIX_EPOCH, Cause::Time);
        put(&mut change);
        change
    }

    /// The names of the invariants that do not hold over these changes.
    fn broken(changes: Vec<Change>) -> Vec<&'static str> {
        let (mut memory, mut invariants) = (Memory::new(), all());
        for (place, change) in changes.into_iter().enumerate() {
            memory.take(&change).expect("taken");
            let entry = JournalEntry { position: place as u64 + 1, change, texts: Texts::Whole };
            for invariant in &mut invariants {
                invariant.entry(&entry);
            }
        }
        let mut names = vec![];
        for invariant in &mut invariants {
            if invariant.end(&memory).is_err() {
                names.push(invariant.name());
            }
        }
        names
    }

    fn stay(number: &str) -> Stay {
        Stay {
            id: StayId::derive(&IdKey::new([1; 32]), &[number]),
            plate: Plate::new("粤C12345").expect("a plate"),
            colour: Colour::Blue,
            kind: VehicleKind::Small,
            area: crate::id::AreaId::new("main").expect("a name"),
            basis: Basis::Temporary,
            entered_at: DateTime::UNIX_EPOCH,
            entry_lane: crate::id::LaneId::new("in-1").expect("a name"),
            tariff: None,
            bill: None,
            leave_by: None,
            clock_stopped_at: None,
            state: StayState::Open,
            exited_at: None,
            exit_lane: None,
            moves: vec![],
            cover: None,
            unplaced: vec![],
            earlier: vec![],
            discounts: vec![],
        }
    }

    fn begin(number: &str) -> Change {
        let stay = stay(number);
        change(|change| {
            change.put(&stay);
            change.put(&Inside { plate: stay.plate.clone(), stay: stay.id });
        })
    }

    #[test]
    fn a_sound_journal_breaks_nothing() {
        assert_eq!(broken(vec![begin("1")]), Vec::<&str>::new());
    }

    #[test]
    fn an_event_that_is_taken_twice_is_found() {
        let seen = EventSeen {
            device: DeviceId::new("cam").expect("a name"),
            event_id: EventId::new("e1").expect("a name"),
            fingerprint: String::new(),
            at: DateTime::UNIX_EPOCH,
        };
        let taken = || change(|change| change.put(&seen));
        assert_eq!(broken(vec![taken(), taken()]), ["each device event was taken once"]);
    }

    #[test]
    fn a_plate_with_two_open_stays_is_found() {
        let found = broken(vec![begin("1"), begin("2")]);
        assert!(found.contains(&"no stay twice: one open stay for each plate"), "{found:?}");
        assert!(found.contains(&"the index of who is inside is exactly the open stays"), "{found:?}");
    }
}
