//! Merchants, batches of coupons and the free list, in and out. A merchant's balance stays where its money is booked.

use std::collections::{BTreeMap, BTreeSet};

use tollhouse_core::charging::tables::{
    BatchRow, Rows, export_coupons, export_free_list, export_merchants, read_coupons, read_free_list, read_merchants,
};
use tollhouse_core::coupons::{
    Coupon, CouponBatch, CouponRefusal, CouponState, FreeEntry, Merchant, batch_key, move_in,
};
use tollhouse_core::pass::{GatePass, Grants};
use tollhouse_core::record::{By, Change, Kept, Record, Records};

use super::plain::{Plain, rows};
use super::write::{Over, Row, Wrote};
use super::{ExchangeDesk, Kind};
use crate::charging::fault::ChargingFault;
use crate::charging::form::of_rows;
use crate::charging::reading::{Seen, all, each};

impl ExchangeDesk {
    pub(super) fn merchant_rows(&self, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let merchants = read_merchants(table, self.parts.currency(), self.parts.now()).map_err(of_rows)?;
        let check = |merchant: &Merchant, _: &Over<'_>, change: &mut Change| {
            for text in merchant.contact.iter().flat_map(|contact| [&contact.name, &contact.phone]) {
                change.personal(text);
            }
            Ok(())
        };
        let shown = |merchant: &Merchant| export_merchants([merchant]);
        Ok(rows(merchants, Plain { kind: Kind::Merchants, what: "merchant", shown, check }))
    }

    pub(super) fn coupon_rows(&self, by: &By, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_coupons(table, self.parts.currency()).map_err(of_rows)?;
        Ok(read.into_iter().map(|row| self.coupon_row(by, row)).collect())
    }

    fn coupon_row(&self, by: &By, row: BatchRow) -> Row {
        let (key, by, line) = (self.parts.key.clone(), by.name().to_owned(), row.row);
        let write = move |records: &Over<'_>, change: &mut Change| {
            let BatchRow { number, order, spent, .. } = &row;
            let name = batch_key(&order.merchant, *number);
            if let Some(there) = records.get::<CouponBatch>(&name)? {
                // What of it is spent moves on from day to day.
                let same = there.record.order() == *order;
                return if same { Ok(Wrote::ThereAlready) } else { Err(ChargingFault::exists("batch", name)) };
            }
            move_in(change, (order, *number), spent, &by, &key, records)
                .map_err(|why| refused(why, order.merchant.as_str()))?;
            Ok(Wrote::Written)
        };
        Row { kind: Kind::Coupons, line, write: Box::new(write) }
    }

    pub(super) fn free_rows(&self, by: &By, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let now = self.parts.now();
        let entries = read_free_list(table, self.parts.lot.zone, (now, by.name())).map_err(of_rows)?;
        let check = |entry: &FreeEntry, records: &Over<'_>, change: &mut Change| {
            let key = entry.plate.as_str();
            let pass = records.get::<GatePass>(key)?;
            if pass.as_ref().is_some_and(|kept| matches!(kept.record.grants, Grants::Blocked { .. })) {
                let zh = format!("{key} 在黑名单上，请先移出");
                return Err(ChargingFault::wrong(
                    "plate",
                    zh,
                    format!("{key} is on the block list: take it off first"),
                ));
            }
            change.rely_on(key, pass.as_ref());
            change.personal(key);
            change.put(&GatePass::new(entry.plate.clone(), Grants::Free { until: Some(entry.until) }));
            Ok(())
        };
        let shown = |entry: &FreeEntry| export_free_list([entry]);
        Ok(rows(entries, Plain { kind: Kind::FreeList, what: "car on the free list", shown, check }))
    }
}

fn refused(why: CouponRefusal, merchant: &str) -> ChargingFault {
    match why {
        CouponRefusal::Read(fault) => fault.into(),
        CouponRefusal::NoSuch(_) => ChargingFault::unknown("merchant", merchant),
        other => ChargingFault::conflict(other),
    }
}

/// Batches with what of them is spent.
pub(super) fn coupons(records: &impl Records) -> Result<Rows, ChargingFault> {
    let mut spent: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    each(records, "", |kept: Kept<Coupon>| {
        let coupon = kept.record;
        if coupon.state != CouponState::Issued {
            spent.entry(batch_key(&coupon.merchant, coupon.batch)).or_default().insert(coupon.number);
        }
        Seen::More
    })?;
    let batches = all::<CouponBatch>(records, "")?.into_iter();
    Ok(export_coupons(batches.map(|batch| {
        let spent = spent.remove(&batch.key()).unwrap_or_default();
        (batch, spent)
    })))
}
