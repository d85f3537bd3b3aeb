//! Putting bills of cards and what they post into a change. It must not know why the bills moved.

use chrono::NaiveDate;
use tollhouse_core::books::Account;
use tollhouse_core::charging::bills::{BillBooks, Moved};
use tollhouse_core::record::{Change, Records};

use super::fault::ChargingFault;

/// Writes bills that moved and all that follows from them; on `other` stands what came or went. `on` is the lot's date,
/// from which a new box begins to earn.
pub fn book(
    change: &mut Change,
    records: &impl Records,
    moved: Vec<Moved>,
    other: &Account,
    on: NaiveDate,
) -> Result<(), ChargingFault> {
    BillBooks::open(records, on)?.write(change, moved, other);
    Ok(())
}
