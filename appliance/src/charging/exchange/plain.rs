//! Kinds whose rows are records by themselves: uses, spaces, pools, fee items, packages, holders, vehicles, tariffs. A
//! record that is there and says the same is there already; one that says something else is a fault.

use std::sync::Arc;

use tollhouse_core::charging::estate::{Pool, Space, Use, UseList, export_spaces, import_spaces};
use tollhouse_core::charging::fees::FeeItem;
use tollhouse_core::charging::holders::{Holder, RegisteredVehicle};
use tollhouse_core::charging::packages::Package;
use tollhouse_core::charging::tables::{
    Rows, export_fee_items, export_holders, export_packages, export_pools, export_uses, export_vehicles,
    read_fee_items, read_holders, read_packages, read_pools, read_uses, read_vehicles,
};
use tollhouse_core::charging::timeline::Note;
use tollhouse_core::record::{By, Change, Record, Records};
use tollhouse_core::tariff::{TariffVersion, parse};
use tollhouse_core::words::Words;

use super::run::is_there;
use super::write::{Over, Row, Wrote};
use super::{ExchangeDesk, Kind};
use crate::charging::estate::uses;
use crate::charging::fault::{ChargingFault, Finding};
use crate::charging::form::of_rows;
use crate::charging::prices::{fees, of_fees};

/// A record that is written unless it is there: what it is called, and how its table shows it.
pub(super) struct Plain<T> {
    pub(super) kind: Kind,
    pub(super) what: &'static str,
    pub(super) shown: fn(&T) -> Rows,
    /// What has to hold beside, and what is written beside.
    pub(super) check: fn(&T, &Over<'_>, &mut Change) -> Result<(), ChargingFault>,
}

impl<T: Record + Send + Sync + 'static> Plain<T> {
    fn row(self: &Arc<Self>, record: T) -> Row {
        let this = Arc::clone(self);
        let kind = self.kind;
        Row {
            kind,
            line: 0,
            write: Box::new(move |records, change| {
                let key = record.key();
                if let Some(there) = records.get::<T>(&key)? {
                    if (this.shown)(&there.record) == (this.shown)(&record) {
                        return Ok(Wrote::ThereAlready);
                    }
                    return Err(ChargingFault::exists(this.what, key));
                }
                (this.check)(&record, records, change)?;
                change.rely_on::<T>(&key, None);
                change.put(&record);
                Ok(Wrote::Written)
            }),
        }
    }
}

pub(super) fn rows<T: Record + Send + Sync + 'static>(records: Vec<T>, plain: Plain<T>) -> Vec<Row> {
    let plain = Arc::new(plain);
    records.into_iter().map(|record| plain.row(record)).collect()
}

impl ExchangeDesk {
    /// The rows of one table, ready to be written.
    pub(super) fn read_table(&self, by: &By, kind: Kind, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let (today, note) = (self.parts.today(), self.parts.note(by));
        let policy = self.parts.policy();
        match kind {
            Kind::Uses => read_uses(table).map(use_rows).map_err(of_rows),
            Kind::Spaces => self.read_spaces(table, &note),
            Kind::Pools => {
                let list = Self::any_use(&records, &pool_uses(table))?;
                read_pools(table, &list, today, &note).map(pool_rows).map_err(of_rows)
            }
            Kind::FeeItems => read_fee_items(table, policy, today, &note).map(fee_rows).map_err(of_rows),
            Kind::Packages => read_packages(table, policy, today).map(package_rows).map_err(of_rows),
            Kind::Holders => read_holders(table, &note).map(holder_rows).map_err(of_rows),
            Kind::Vehicles => read_vehicles(table, &note).map(vehicle_rows).map_err(of_rows),
            Kind::Cards => self.card_rows(by, table),
            Kind::Bills => self.bill_rows(by, table),
            Kind::Deposits => self.deposit_rows(by, table),
            Kind::Balances => self.balance_rows(table),
            Kind::Inside => self.inside_rows(table),
            Kind::Merchants => self.merchant_rows(table),
            Kind::Coupons => self.coupon_rows(by, table),
            Kind::FreeList => self.free_rows(by, table),
            Kind::Tariffs => self.tariff_rows(table),
            Kind::Journal | Kind::Estate => Err(ChargingFault::wrong("", "没有这样的表", "there is no such table")),
        }
    }

    fn read_spaces(&self, table: &Rows, note: &Note) -> Result<Vec<Row>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let list = Self::any_use(&records, &column(table, &["use", "车位用途"]))?;
        let spaces = import_spaces(table, &list, |_| false, self.parts.today(), note).map_err(of_rows)?;
        Ok(rows(
            spaces,
            Plain {
                kind: Kind::Spaces,
                what: "space",
                shown: |space| export_spaces([space]),
                check: |space: &Space, records, _| {
                    let list = uses(records)?;
                    for change in space.attributes.changes() {
                        list.allows(&change.value).map_err(|why| {
                            let zh = format!("车位 {} 的用途不允许", space.number);
                            ChargingFault::wrong("use", zh, format!("space {}: {why}", space.number))
                        })?;
                    }
                    Ok(())
                },
            },
        ))
    }

    /// The uses on record, and those that a table names: they may come with the same workbook, and are looked at again
    /// when a row is written.
    fn any_use(records: &impl Records, named: &[String]) -> Result<UseList, ChargingFault> {
        let mut all = uses(records)?.all().to_vec();
        for name in named {
            let known = all.iter().any(|one| one.id.as_str() == name || one.name.zh == *name);
            let id = tollhouse_core::charging::label::UseId::new(name).ok().filter(|_| !known);
            all.extend(id.map(|id| Use {
                id,
                name: Words::new(name.clone(), name.clone()),
                tenures: tollhouse_core::charging::estate::Tenure::ALL.to_vec(),
            }));
        }
        Ok(UseList::new(all))
    }

    fn tariff_rows(&self, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let Some((header, lines)) = table.split_first() else { return Ok(vec![]) };
        let Some(at) = header.iter().position(|name| name.trim() == "text") else {
            return Err(ChargingFault::wrong("text", "缺少此列", "this column is missing"));
        };
        let now = self.parts.now();
        let (mut versions, mut faults) = (vec![], vec![]);
        for (place, line) in lines.iter().enumerate() {
            let text = line.get(at).cloned().unwrap_or_default();
            match parse::parse(&text) {
                Ok(file) => versions.push(TariffVersion::new(&file, &text, now)),
                Err(found) => faults.extend(found.into_iter().map(|fault| {
                    let en = format!("line {}: {}: {}", fault.line, fault.path, fault.message);
                    Finding::of("text", &Words::new(format!("第 {} 行有误", fault.line), en)).in_row(place + 2)
                })),
            }
        }
        if !faults.is_empty() {
            return Err(ChargingFault::Wrong(faults));
        }
        let shown = |one: &TariffVersion| vec![vec![one.key(), one.text.clone()]];
        Ok(rows(versions, Plain { kind: Kind::Tariffs, what: "tariff", shown, check: |_, _, _| Ok(()) }))
    }
}

/// The words of a column, each once.
fn column(table: &Rows, names: &[&str]) -> Vec<String> {
    let Some((header, lines)) = table.split_first() else { return vec![] };
    let Some(at) = header.iter().position(|name| names.contains(&name.trim())) else { return vec![] };
    let mut words: Vec<String> =
        lines.iter().filter_map(|line| line.get(at)).map(|word| word.trim().to_owned()).collect();
    words.sort();
    words.dedup();
    words
}

fn pool_uses(table: &Rows) -> Vec<String> {
    column(table, &["use", "车位用途"])
}

fn use_rows(list: Vec<Use>) -> Vec<Row> {
    let shown = |one: &Use| export_uses([one]);
    let check = |one: &Use, records: &Over<'_>, change: &mut Change| {
        // The first use that is written writes the usual ones too, so that none of them is lost.
        for usual in crate::charging::estate::missing_uses(records, &uses(records)?)? {
            if usual.id != one.id {
                change.put(&usual);
            }
        }
        Ok(())
    };
    rows(list, Plain { kind: Kind::Uses, what: "use", shown, check })
}

fn pool_rows(pools: Vec<Pool>) -> Vec<Row> {
    let check = |pool: &Pool, records: &Over<'_>, _: &mut Change| {
        let list = uses(records)?;
        let known = pool.terms.changes().iter().all(|change| list.by_word(change.value.usage.as_str()).is_some());
        if known { Ok(()) } else { Err(ChargingFault::wrong("use", "没有此用途", "there is no such use")) }
    };
    rows(pools, Plain { kind: Kind::Pools, what: "pool", shown: |pool| export_pools([pool]), check })
}

fn fee_rows(items: Vec<FeeItem>) -> Vec<Row> {
    let check = |item: &FeeItem, records: &Over<'_>, change: &mut Change| {
        fees(records)?.with(item.clone()).map_err(of_fees)?;
        change.count(crate::charging::prices::CHANGES, 1, None);
        Ok(())
    };
    rows(items, Plain { kind: Kind::FeeItems, what: "fee item", shown: |item| export_fee_items([item]), check })
}

fn package_rows(packages: Vec<Package>) -> Vec<Row> {
    let plain = Plain {
        kind: Kind::Packages,
        what: "package",
        shown: |package: &Package| export_packages([package]),
        check: |_: &Package, _: &Over<'_>, _: &mut Change| Ok(()),
    };
    rows(packages, plain)
}

fn holder_rows(holders: Vec<Holder>) -> Vec<Row> {
    let check = |holder: &Holder, _: &Over<'_>, change: &mut Change| {
        for text in [&holder.name, &holder.telephone, &holder.email].into_iter().filter(|text| !text.is_empty()) {
            change.personal(text);
        }
        Ok(())
    };
    rows(holders, Plain { kind: Kind::Holders, what: "holder", shown: |holder| export_holders([holder]), check })
}

fn vehicle_rows(vehicles: Vec<RegisteredVehicle>) -> Vec<Row> {
    let check = |vehicle: &RegisteredVehicle, records: &Over<'_>, change: &mut Change| {
        change.personal(vehicle.plate.as_str());
        match &vehicle.holder {
            Some(holder) if !is_there::<Holder>(records, holder.as_str())? => {
                Err(ChargingFault::unknown("holder", holder))
            }
            _ => Ok(()),
        }
    };
    rows(vehicles, Plain { kind: Kind::Vehicles, what: "vehicle", shown: |one| export_vehicles([one]), check })
}
