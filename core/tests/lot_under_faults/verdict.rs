//! What must be true when the faults have stopped: everybody is where they want to be, and the money is where it belongs.

use std::collections::{BTreeMap, BTreeSet};

use tollhouse_core::bill::{Bill, BillKind, BillState, bills_counter};
use tollhouse_core::charging::cards::Cover;
use tollhouse_core::pay::{OpenRefund, Order, Payment, Refund, RefundState};
use tollhouse_core::record::{Balance, Counter, Record, Records, Table};
use tollhouse_core::stay::{Basis, Stay, StayState, inside_counter};

use crate::cars::{Crossing, Stands, TANDEM};
use crate::desk::transaction;
use crate::world::World;

impl World {
    pub(crate) fn verdict(&mut self) -> Result<(), String> {
        self.watch.audit()?;
        for (number, car) in self.cars.iter().enumerate() {
            if car.stands != Stands::Content {
                return Err(format!("car {number} {car:?} is not where it wants to be"));
            }
        }
        self.money_is_where_it_belongs()?;
        self.areas_are_as_driven()?;
        self.places_are_taken_by_who_is_inside()?;
        self.counters_count()
    }

    fn rows<T: Record>(&self) -> Result<Vec<T>, String> {
        let rows = self.watch.records.list::<T>("", usize::MAX).map_err(|fault| fault.to_string())?;
        Ok(rows.into_iter().map(|kept| kept.record).collect())
    }

    fn balances(&self) -> Result<BTreeMap<String, i64>, String> {
        let rows = self.watch.records.range(Table::Balances, "", usize::MAX).map_err(|fault| fault.to_string())?;
        let sum = |json: &str| serde_json::from_str::<Balance>(json).map(|balance| balance.sum.minor());
        rows.into_iter().map(|(key, row)| Ok((key, sum(&row.json).map_err(|fault| fault.to_string())?))).collect()
    }

    fn money_is_where_it_belongs(&self) -> Result<(), String> {
        let balances = self.balances()?;
        let balance = |account: &str| balances.get(&format!("{account}/CNY")).copied().unwrap_or(0);
        equal("the ledger", balances.values().sum(), 0)?;
        let mut paid: BTreeMap<String, i64> = BTreeMap::new();
        let mut net = 0;
        for (order, amount) in self.bank.all_paid() {
            if !self.watch.is_captured(&transaction(order)) {
                return Err(format!("the payment of {order:?} was never captured"));
            }
            let back = self.bank.given_back.get(&order).copied().unwrap_or(0);
            let on_record = self.watch.record::<Order>(&order.to_string())?.record;
            let bill = on_record.pays.bill().ok_or("an order that pays no bill")?;
            *paid.entry(bill.to_string()).or_default() += amount - back;
            net += amount - back;
        }
        equal("clearing against the wallets", balance("clearing:sandbox"), net)?;
        let (mut posted, mut accepted) = (0, 0);
        for bill in self.rows::<Bill>()? {
            equal(
                &format!("what was kept for bill {}", bill.id),
                paid.remove(&bill.id.to_string()).unwrap_or(0),
                bill.paid.minor(),
            )?;
            posted += bill.posted.minor();
            accepted += bill.paid.minor();
        }
        equal("receivables against the bills", balance("receivable"), posted - accepted)?;
        equal("revenue and tax against the bills", balance("revenue") + balance("tax_due"), -posted)?;
        equal("what is due back", balance("refund_due"), 0)?;
        equal("suspense", balance("suspense"), 0)?;
        let excess: i64 = self.rows::<Payment>()?.iter().map(|payment| payment.excess.minor()).sum();
        let back: i64 = self.bank.given_back.values().sum();
        equal("overpayments against what went back", back, excess)?;
        if !self.rows::<OpenRefund>()?.is_empty()
            || self.rows::<Refund>()?.iter().any(|one| one.state != RefundState::Done)
        {
            return Err("a refund is not done".into());
        }
        Ok(())
    }

    /// The cars of the card with two places that are inside are the ones that its record holds.
    fn places_are_taken_by_who_is_inside(&self) -> Result<(), String> {
        let on_card = |stay: &Stay| matches!(&stay.basis, Basis::Pass { card } if card == TANDEM);
        let open = self.rows::<Stay>()?.into_iter().filter(|stay| stay.state == StayState::Open && on_card(stay));
        let inside: BTreeSet<_> = open.map(|stay| stay.id).collect();
        let covers = self.rows::<Cover>()?;
        let held: BTreeSet<_> = covers.iter().flat_map(|cover| &cover.cars).map(|car| car.stay).collect();
        if inside == held { Ok(()) } else { Err(format!("{inside:?} are inside, and {held:?} on places")) }
    }

    /// Every move of a stay is in order and leads somewhere; and where no device is late or silent, each car that
    /// drove through a lane between areas moved there.
    fn areas_are_as_driven(&self) -> Result<(), String> {
        let stays = self.rows::<Stay>()?;
        for stay in &stays {
            let last = stay.moves.last();
            if !stay.moves.is_sorted_by_key(|one| one.at) || last.is_some_and(|last| last.into != stay.area) {
                return Err(format!("the moves of stay {} do not lead to where it is: {:?}", stay.id, stay.moves));
            }
        }
        if !self.faults.leave_reads_alone() {
            return Ok(());
        }
        for Crossing { car, lane, from, to } in &self.crossings {
            let (plate, name) = (&self.cars[*car].plate, &self.rules[*lane].lane);
            let own = stays.iter().filter(|stay| stay.plate.as_str() == plate && stay.state != StayState::Voided);
            let mut moves = own.flat_map(|stay| &stay.moves);
            // More than one is a car that stood there beyond its authorisation: it costs nothing to be seen again.
            if !moves.any(|one| one.lane == *name && (*from..=*to).contains(&one.at)) {
                return Err(format!("{plate} drove through {name} and did not move, {from} to {to}"));
            }
        }
        Ok(())
    }

    fn counters_count(&self) -> Result<(), String> {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for stay in self.rows::<Stay>()? {
            if stay.state == StayState::Open {
                *expected.entry(inside_counter(&stay.area, &stay.basis)).or_default() += 1;
            }
        }
        for bill in self.rows::<Bill>()? {
            *expected.entry(bills_counter(BillKind::Temporary, bill.state)).or_default() += 1;
            if bill.state == BillState::Paid && bill.due().is_positive() {
                return Err(format!("bill {} is paid and owes", bill.id));
            }
        }
        for counter in self.rows::<Counter>()? {
            if !counter.counter.starts_with("taken/") {
                equal(&counter.counter, counter.value, expected.remove(&counter.counter).unwrap_or(0))?;
            }
        }
        expected.into_iter().try_for_each(|(counter, value)| equal(&counter, 0, value))
    }
}

fn equal(what: &str, is: i64, ought: i64) -> Result<(), String> {
    if is == ought { Ok(()) } else { Err(format!("{what}: {is} instead of {ought}")) }
}
