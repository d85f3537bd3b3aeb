//! Looking at the price of a car that is still inside, and drawing up its bill.

use chrono::{DateTime, Utc};

use crate::bill::Bill;
use crate::id::IdKey;
use crate::lane::LaneFault;
use crate::plate::Plate;
use crate::record::{Cause, Change, ChangeKind, Kept, Records};
use crate::stay::{Inside, Stay};
use crate::tariff::TariffBook;
use rust_decimal::Decimal;

/// What paying early finds.
#[derive(Debug)]
pub enum Early {
    /// A card, an absent or an unknown plate: nobody can follow a car by asking.
    NothingDue,
    /// The car's stay and its bill as of now; `change` makes a bill known that was not, so that it can be paid.
    Owes {
        /// The stay.
        stay: Box<Stay>,
        /// The bill as of now.
        bill: Box<Bill>,
        /// To be committed first, if the bill is new.
        change: Option<Box<Change>>,
    },
}

/// What a temporary car inside owes now. Looking never posts.
pub fn look_early(
    plate: &Plate,
    now: DateTime<Utc>,
    tariff: &TariffBook,
    tax_rate: Decimal,
    key: &IdKey,
    records: &impl Records,
) -> Result<Early, LaneFault> {
    let Some(inside) = records.get::<Inside>(plate.as_str())? else { return Ok(Early::NothingDue) };
    let stay_key = inside.record.stay.to_string();
    let stay: Option<Kept<Stay>> = records.get(&stay_key)?;
    let Some(kept) = stay else { return Ok(Early::NothingDue) };
    let mut stay = kept.record.clone();
    let until = stay.clock_stopped_at.unwrap_or(now);
    stay.look_at_pass(until, records)?;
    if !stay.is_charged() {
        return Ok(Early::NothingDue);
    }
    let before: Option<Kept<Bill>> = match kept.record.bill {
        Some(id) => records.get(&id.to_string())?,
        None => None,
    };
    let bill = Bill::assessed(before.as_ref().map(|bill| &bill.record), &stay, until, tariff, tax_rate, key)?;
    if bill.total.is_zero() {
        return Ok(Early::NothingDue);
    }
    if before.is_some() {
        return Ok(Early::Owes { stay: Box::new(stay), bill: Box::new(bill), change: None });
    }
    let mut change = Change::new(ChangeKind::BillAssessed, now, Cause::Driver);
    change.rely_on(&stay_key, Some(&kept));
    change.rely_on::<Bill>(&bill.id.to_string(), None);
    let stay = Stay { bill: Some(bill.id), ..stay };
    change.put(&stay);
    bill.write(&mut change, None);
    Ok(Early::Owes { stay: Box::new(stay), bill: Box::new(bill), change: Some(Box::new(change)) })
}
