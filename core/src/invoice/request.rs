//! Asking for an invoice: all that is open of the named bills, on record before any provider hears of it.

use chrono::{DateTime, Utc};

use super::buyer::{Buyer, BuyerFault};
use super::open::{BillRef, Seller, open_lines};
use super::record::{Invoice, InvoiceKind, InvoiceLine, InvoiceState, Invoiced};
use crate::books::split_tax;
use crate::id::InvoiceId;
use crate::money::{Money, MoneyError};
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Records};

/// The most bills of one invoice.
pub const MOST_BILLS: usize = 50;
/// Invoices that were ever asked for of one bill: each failed or reversed one makes room for another.
const MOST_INVOICES: usize = 50;
const MOST_REMARK_CHARS: usize = 200;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The id of the new invoice, drawn by the shell.
    pub id: InvoiceId,
    /// Who is to issue it.
    pub provider: String,
    /// Whose money.
    pub seller: Seller,
    /// For what was paid of these bills.
    pub bills: Vec<BillRef>,
    /// To whom.
    pub buyer: Buyer,
    /// Plate, entry, exit.
    pub remark: String,
    /// Who asks; `None`: the driver, at the pay page.
    pub by: Option<String>,
}

/// Why no invoice was made, or none was reversed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceRefusal {
    /// No such invoice.
    #[error("there is no such invoice")]
    Unknown,
    /// No such bill.
    #[error("there is no bill {0}")]
    UnknownBill(BillRef),
    /// None, too many, or one twice.
    #[error("an invoice is about 1 to 50 bills, each named once")]
    Bills,
    /// Nothing was paid that is not on an invoice already.
    #[error("nothing was paid on these bills that is not on an invoice already")]
    NothingOpen,
    /// The buyer is incomplete.
    #[error(transparent)]
    Buyer(#[from] BuyerFault),
    /// The remark is too long.
    #[error("a remark has at most 200 characters")]
    Remark,
    /// Too many invoices of one bill.
    #[error("too many invoices of this bill failed or were reversed: ask the operator")]
    TooMany,
    /// Only an issued blue invoice can be reversed.
    #[error("only an invoice that is issued can be reversed, once")]
    NotReversible,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Makes an invoice for all that is open of the bills. Commit the change, then ask the provider.
pub fn request(
    wanted: &Wanted,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, Invoice), InvoiceRefusal> {
    wanted.buyer.check()?;
    if wanted.remark.chars().count() > MOST_REMARK_CHARS {
        return Err(InvoiceRefusal::Remark);
    }
    let mut named = wanted.bills.clone();
    named.sort();
    named.dedup();
    if named.is_empty() || named.len() > MOST_BILLS || named.len() != wanted.bills.len() {
        return Err(InvoiceRefusal::Bills);
    }
    let cause = match &wanted.by {
        Some(name) => Cause::Person { name: name.clone(), reason: "invoice requested".to_owned() },
        None => Cause::Driver,
    };
    let mut change = Change::new(ChangeKind::InvoiceMoved, now, cause);
    let mut lines = vec![];
    for bill in &wanted.bills {
        let found = open_lines(bill, &mut change, records)?;
        let found = found.ok_or_else(|| InvoiceRefusal::UnknownBill(bill.clone()))?;
        let open: Vec<_> = found.lines.into_iter().filter(|line| line.seller == wanted.seller).collect();
        if open.is_empty() {
            continue;
        }
        let mut invoiced = found.invoiced.map_or_else(|| Invoiced::of(bill), |kept| kept.record);
        if invoiced.invoices.len() >= MOST_INVOICES {
            return Err(InvoiceRefusal::TooMany);
        }
        invoiced.invoices.push(wanted.id);
        for line in open {
            invoiced.add(line.line, line.open)?;
            lines.push(InvoiceLine {
                bill: bill.clone(),
                line: line.line,
                name: line.name,
                category: line.category,
                tax: split_tax(line.open, line.rate),
                rate: line.rate,
                gross: line.open,
            });
        }
        change.put(&invoiced);
    }
    let Some(first) = lines.first() else { return Err(InvoiceRefusal::NothingOpen) };
    let zero = Money::zero(first.gross.currency());
    let total = lines.iter().try_fold(zero, |sum, line| sum.plus(line.gross))?;
    let tax = lines.iter().try_fold(zero, |sum, line| sum.plus(line.tax))?;
    let invoice = Invoice {
        id: wanted.id,
        kind: InvoiceKind::Blue,
        provider: wanted.provider.clone(),
        seller: wanted.seller,
        buyer: wanted.buyer.clone(),
        lines,
        total,
        tax,
        remark: wanted.remark.clone(),
        state: InvoiceState::Requested,
        number: None,
        requested_at: now,
        requested_by: wanted.by.clone().unwrap_or_else(|| "driver".to_owned()),
        issued_at: None,
        reversal: None,
    };
    change.rely_on::<Invoice>(&wanted.id.to_string(), None);
    invoice.write(&mut change);
    Ok((change, invoice))
}

impl Invoiced {
    fn of(bill: &BillRef) -> Self {
        Self { bill: bill.clone(), lines: std::collections::BTreeMap::new(), invoices: vec![] }
    }

    fn add(&mut self, line: u32, amount: Money) -> Result<(), MoneyError> {
        let sum = self.lines.entry(line).or_insert(Money::zero(amount.currency()));
        *sum = sum.plus(amount)?;
        Ok(())
    }
}

/// Makes what an invoice was about open again.
pub(super) fn release(invoice: &Invoice, change: &mut Change, records: &impl Records) -> Result<(), InvoiceRefusal> {
    let mut bills: Vec<&BillRef> = invoice.lines.iter().map(|line| &line.bill).collect();
    bills.sort();
    bills.dedup();
    for bill in bills {
        let key = bill.to_string();
        let Some(kept) = records.get::<Invoiced>(&key)? else { continue };
        change.rely_on(&key, Some(&kept));
        let mut invoiced: Kept<Invoiced> = kept;
        for line in invoice.lines.iter().filter(|line| line.bill == *bill) {
            invoiced.record.add(line.line, line.gross.negated())?;
        }
        invoiced.record.lines.retain(|_, sum| !sum.is_zero());
        change.put(&invoiced.record);
    }
    Ok(())
}
