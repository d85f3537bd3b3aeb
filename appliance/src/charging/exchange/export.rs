//! Every kind of record as a table, in the order of its keys.

use tollhouse_core::charging::bills::CardBill;
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{Pool, Space, export_spaces};
use tollhouse_core::charging::fees::FeeItem;
use tollhouse_core::charging::holders::{Holder, RegisteredVehicle};
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::charging::packages::Package;
use tollhouse_core::charging::tables::{
    Rows, deposit_columns, export_balances, export_bills, export_cards, export_fee_items, export_free_list,
    export_holders, export_merchants, export_packages, export_pools, export_uses, export_vehicles, inside_columns,
};
use tollhouse_core::coupons::{FreeEntry, Merchant};
use tollhouse_core::money::Money;
use tollhouse_core::record::{Counter, Kept, Record, Records};
use tollhouse_core::stay::{Inside, Stay};
use tollhouse_core::tariff::TariffVersion;

use super::merchants::coupons;
use super::{ExchangeDesk, Kind};
use crate::charging::estate::uses;
use crate::charging::fault::ChargingFault;
use crate::charging::reading::{Seen, all, each};
use crate::charging::sheets::{Format, Sheet, write};

/// Counters of what holders have to their credit begin so.
const CREDIT: &str = "credit/";

impl ExchangeDesk {
    /// A kind as a file.
    pub fn export(&self, kind: Kind, format: Format) -> Result<Vec<u8>, ChargingFault> {
        write(&self.export_sheets(kind)?, format)
    }

    /// A kind as tables: one, or those of a whole estate.
    pub fn export_sheets(&self, kind: Kind) -> Result<Vec<Sheet>, ChargingFault> {
        let kinds = if kind == Kind::Estate { Kind::OF_ESTATE.to_vec() } else { vec![kind] };
        let sheet = |kind: Kind| Ok(Sheet { name: kind.name().to_owned(), rows: self.table(kind)? });
        kinds.into_iter().map(sheet).collect()
    }

    fn table(&self, kind: Kind) -> Result<Rows, ChargingFault> {
        let records = self.parts.store.snapshot();
        Ok(match kind {
            Kind::Uses => export_uses(uses(&records)?.all()),
            Kind::Spaces => export_spaces(&all::<Space>(&records, "")?),
            Kind::Pools => export_pools(&all::<Pool>(&records, "")?),
            Kind::FeeItems => export_fee_items(&all::<FeeItem>(&records, "")?),
            Kind::Packages => export_packages(&all::<Package>(&records, "")?),
            Kind::Holders => export_holders(&all::<Holder>(&records, "")?),
            Kind::Vehicles => export_vehicles(&all::<RegisteredVehicle>(&records, "")?),
            Kind::Cards => export_cards(&all::<Card>(&records, "")?),
            Kind::Bills => export_bills(&all::<CardBill>(&records, "")?),
            // Deposits of this box stand in its bills.
            Kind::Deposits => vec![deposit_columns()],
            Kind::Balances => self.balances(&records)?,
            Kind::Inside => inside(&records)?,
            Kind::Merchants => export_merchants(&all::<Merchant>(&records, "")?),
            Kind::Coupons => coupons(&records)?,
            Kind::FreeList => {
                // Who is no longer free is nobody's to take over.
                let now = self.parts.now();
                export_free_list(all::<FreeEntry>(&records, "")?.iter().filter(|entry| entry.until > now))
            }
            Kind::Tariffs => tariffs(&records)?,
            Kind::Journal => self.export_journal()?,
            Kind::Estate => return Err(ChargingFault::wrong("", "请分表导出", "an estate is several tables")),
        })
    }

    fn balances(&self, records: &impl Records) -> Result<Rows, ChargingFault> {
        let prefix = CREDIT;
        let mut found: Vec<(HolderId, Money)> = vec![];
        each(records, prefix, |kept: Kept<Counter>| {
            let holder = kept.record.counter.strip_prefix(prefix).and_then(|id| HolderId::new(id).ok());
            if let Some(holder) = holder.filter(|_| kept.record.value > 0) {
                found.push((holder, Money::new(kept.record.value, self.parts.currency())));
            }
            Seen::More
        })?;
        Ok(export_balances(found.iter().map(|(holder, credit)| (holder, *credit))))
    }
}

fn inside(records: &impl Records) -> Result<Rows, ChargingFault> {
    let mut table = vec![inside_columns()];
    for one in all::<Inside>(records, "")? {
        let Some(stay) = records.get::<Stay>(&one.stay.to_string())? else { continue };
        let stay = stay.record;
        table.push(vec![
            stay.plate.to_string(),
            stay.colour.as_str().to_owned(),
            stay.entered_at.to_rfc3339(),
            stay.area.to_string(),
        ]);
    }
    Ok(table)
}

fn tariffs(records: &impl Records) -> Result<Rows, ChargingFault> {
    let mut table = vec![["id", "version", "in_force_from", "text"].map(str::to_owned).to_vec()];
    for one in all::<TariffVersion>(records, "")? {
        let from = one.in_force_from.map(|from| from.to_rfc3339()).unwrap_or_default();
        debug_assert_eq!(one.key(), format!("{}@{}", one.id, one.version));
        table.push(vec![one.id, one.version, from, one.text]);
    }
    Ok(table)
}
