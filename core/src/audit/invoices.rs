//! The invariants of invoices: numbers without gaps, and each yuan at most once. They must not know how one is issued.

use std::collections::BTreeMap;

use super::invariants::{Faults, each_row, puts};
use super::{Invariant, JournalEntry};
use crate::bill::Bill;
use crate::invoice::{Invoice, InvoiceKind, InvoiceNumber, InvoiceSeries, InvoiceState, Invoiced};
use crate::record::Records;

/// The numbers of each series follow each other from 1, each stands for one invoice, and none is ever given again.
#[derive(Default)]
pub(super) struct NumbersWithoutGaps {
    last: BTreeMap<String, u64>,
    faults: Faults,
}

impl Invariant for NumbersWithoutGaps {
    fn name(&self) -> &'static str {
        "the numbers of invoices follow each other without a gap"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        let numbers: Vec<InvoiceNumber> = puts::<InvoiceNumber>(entry).flatten().collect();
        for series in puts::<InvoiceSeries>(entry) {
            match series {
                Ok(series) => {
                    let last = self.last.entry(series.series.clone()).or_default();
                    if series.last != *last + 1 {
                        self.faults.add(format!(
                            "entry {} counts series {} from {last} to {}",
                            entry.position, series.series, series.last
                        ));
                    }
                    *last = series.last;
                    let number = format!("{}-{:08}", series.series, series.last);
                    if !numbers.iter().any(|one| one.number == number && one.exported_at.is_none()) {
                        self.faults.add(format!("entry {} counts {number}, and no invoice has it", entry.position));
                    }
                }
                Err(fault) => self.faults.add(fault),
            }
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut given: BTreeMap<String, String> = BTreeMap::new();
        each_row::<Invoice>(records, |invoice| {
            let Some(number) = invoice.number else { return };
            let id = invoice.id.to_string();
            if let Some(other) = given.insert(number.clone(), id.clone()) {
                self.faults.add(format!("number {number} stands on invoices {other} and {id}"));
            }
        })?;
        let mut known = 0;
        each_row::<InvoiceNumber>(records, |number| {
            known += 1;
            if given.get(&number.number) != Some(&number.invoice.to_string()) {
                self.faults.add(format!("number {} is not on its invoice", number.number));
            }
        })?;
        if known != given.len() {
            self.faults.add(format!("{} invoices have numbers, and {known} numbers are on record", given.len()));
        }
        self.faults.verdict(self.last.values().sum())
    }
}

/// What stands on live invoices of a bill's line is what the bill has noted, and an invoice's lines are its total.
#[derive(Default)]
pub(super) struct YuanInvoicedOnce {
    /// The most that each bill ever came to.
    highest: BTreeMap<String, i64>,
}

impl Invariant for YuanInvoicedOnce {
    fn name(&self) -> &'static str {
        "each yuan stands on at most one invoice"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        for bill in puts::<Bill>(entry).flatten() {
            let highest = self.highest.entry(bill.id.to_string()).or_default();
            *highest = bill.total.minor().max(*highest);
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut faults = Faults::default();
        let mut live: BTreeMap<(String, u32), i64> = BTreeMap::new();
        let mut count = 0;
        each_row::<Invoice>(records, |invoice| {
            count += 1;
            let (gross, tax) = invoice
                .lines
                .iter()
                .fold((0, 0), |(gross, tax), line| (gross + line.gross.minor(), tax + line.tax.minor()));
            if (gross, tax) != (invoice.total.minor(), invoice.tax.minor()) {
                faults.add(format!("the lines of invoice {} are not its total and its tax", invoice.id));
            }
            let is_live =
                matches!(invoice.state, InvoiceState::Requested | InvoiceState::Pending | InvoiceState::Issued);
            if invoice.kind == InvoiceKind::Blue && is_live {
                for line in &invoice.lines {
                    *live.entry((line.bill.to_string(), line.line)).or_default() += line.gross.minor();
                }
            }
        })?;
        each_row::<Invoiced>(records, |invoiced| {
            for (line, sum) in &invoiced.lines {
                let stands = live.remove(&(invoiced.bill.to_string(), *line)).unwrap_or(0);
                if stands != sum.minor() {
                    faults.add(format!(
                        "bill {} has noted {sum} of line {line}, and {stands} is invoiced",
                        invoiced.bill
                    ));
                }
            }
        })?;
        for ((bill, line), sum) in live.into_iter().filter(|(_, sum)| *sum != 0) {
            faults.add(format!("line {line} of bill {bill} is invoiced for {sum}, which it has not noted"));
        }
        each_within(&self.highest, records, &mut faults)?;
        faults.verdict(count)
    }
}

/// A bill is never invoiced beyond the most that it ever came to; what is refunded later may wait for its reversal.
fn each_within(highest: &BTreeMap<String, i64>, records: &dyn Records, faults: &mut Faults) -> Result<(), String> {
    each_row::<Invoiced>(records, |invoiced| {
        let sum: i64 = invoiced.lines.values().map(|sum| sum.minor()).sum();
        if highest.get(&invoiced.bill.to_string()).is_some_and(|total| sum > *total) {
            faults.add(format!("bill {} is invoiced beyond its total", invoiced.bill));
        }
    })
}
