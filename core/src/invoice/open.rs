//! What of a bill can be invoiced: what was paid for each of its lines, less what stands on an invoice already. Deposits
//! never; what a merchant paid for its coupon is the merchant's, not the driver's.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::Invoiced;
use crate::bill::Bill;
use crate::books::Payee;
use crate::charging::bills::{CardBill, Nature};
use crate::charging::label::CardNumber;
use crate::id::BillId;
use crate::money::Money;
use crate::record::{Change, Kept, ReadError, Records};
use crate::words::Words;

/// The tax office's category of vehicle parking (车辆停放服务).
const PARKING: &str = "3040502020200000000";

/// Which bill: a stay's, written as its id, or a card's, written as card, slash and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BillRef {
    /// The temporary bill of a stay.
    Stay(BillId),
    /// A bill of a card.
    Card(CardNumber, BillId),
}

impl fmt::Display for BillRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stay(bill) => bill.fmt(f),
            Self::Card(card, bill) => write!(f, "{card}/{bill}"),
        }
    }
}

impl FromStr for BillRef {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a bill is named by its id, a card's by the card's number, a slash and its id";
        match text.rsplit_once('/') {
            None => text.parse().map(Self::Stay).map_err(|_| WRONG),
            Some((card, bill)) => Ok(Self::Card(card.parse().map_err(|_| WRONG)?, bill.parse().map_err(|_| WRONG)?)),
        }
    }
}

impl Serialize for BillRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BillRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whose money an invoice is about: each has a title and a tax number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seller {
    /// The firm.
    Firm,
    /// The owners (公共收益).
    Owners,
}

impl From<Payee> for Seller {
    fn from(payee: Payee) -> Self {
        match payee {
            Payee::Firm => Self::Firm,
            Payee::Owners => Self::Owners,
        }
    }
}

/// What of a bill's line is open to be invoiced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLine {
    /// Of which line.
    pub line: u32,
    /// Whose money.
    pub seller: Seller,
    /// What it is for.
    pub name: Words,
    /// The category code.
    pub category: String,
    /// The rate.
    pub rate: Decimal,
    /// With tax.
    pub open: Money,
}

/// What of a bill is open, and what stands on invoices already.
#[derive(Debug, Clone)]
pub struct Open {
    /// Lines of which something is open.
    pub lines: Vec<OpenLine>,
    /// What is on invoices; `None`: there never was one.
    pub invoiced: Option<Kept<Invoiced>>,
}

/// What of a bill is open, noting in `change` what that rests on; `None`: there is no such bill.
pub fn open_lines(bill: &BillRef, change: &mut Change, records: &impl Records) -> Result<Option<Open>, ReadError> {
    let Some(paid) = paid_lines(bill, change, records)? else { return Ok(None) };
    let key = bill.to_string();
    let invoiced: Option<Kept<Invoiced>> = records.get(&key)?;
    change.rely_on(&key, invoiced.as_ref());
    let taken =
        |line: u32| invoiced.as_ref().and_then(|kept| kept.record.lines.get(&line)).map_or(0, |sum| sum.minor());
    let open = paid.into_iter().map(|line| {
        let open = Money::new((line.open.minor() - taken(line.line)).max(0), line.open.currency());
        OpenLine { open, ..line }
    });
    let lines = open.filter(|line| line.open.is_positive()).collect();
    Ok(Some(Open { lines, invoiced }))
}

fn paid_lines(bill: &BillRef, change: &mut Change, records: &impl Records) -> Result<Option<Vec<OpenLine>>, ReadError> {
    let key = bill.to_string();
    Ok(match bill {
        BillRef::Stay(_) => {
            let Some(kept) = records.get::<Bill>(&key)? else { return Ok(None) };
            change.rely_on(&key, Some(&kept));
            Some(vec![OpenLine {
                line: 0,
                seller: Seller::Firm,
                name: Words::new("停车费", "Parking"),
                category: PARKING.to_owned(),
                rate: kept.record.tax_rate,
                open: kept.record.paid,
            }])
        }
        BillRef::Card(..) => {
            let Some(kept) = records.get::<CardBill>(&key)? else { return Ok(None) };
            change.rely_on(&key, Some(&kept));
            let lines = kept.record.lines.iter().zip(0u32..);
            let paid = lines.filter(|(line, _)| line.nature != Nature::Deposit).map(|(line, place)| OpenLine {
                line: place,
                seller: line.tax.payee.into(),
                name: line.text.clone(),
                category: line.tax.invoice_category.clone(),
                rate: line.tax.rate,
                open: Money::new(line.paid.minor() - line.returned.minor(), line.paid.currency()),
            });
            Some(paid.collect())
        }
    })
}
