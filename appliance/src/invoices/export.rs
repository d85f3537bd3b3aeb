//! The queue of exports: every number that was given stands in it until `tollhouse export invoices FILE` has taken it out.
//! The file is written before the numbers are marked, so that a crash between exports some twice, under the same numbers,
//! and never one not at all.

use serde::{Deserialize, Serialize};
use tollhouse_core::invoice::{self, Invoice, InvoiceKind, InvoiceNumber};
use tollhouse_core::record::{By, Kept, ReadError, Records};

use crate::desks::{DeskCommand, Desks};

/// Rows read at a time.
const PAGE: usize = 500;
/// The most invoices of one file.
const MOST: usize = 50_000;

/// Which invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those that were never exported.
    Waiting,
    /// All of them.
    All,
}

/// What the command asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportCommand {
    /// Show invoices by number.
    Show(Which),
    /// These numbers stand in a file now.
    Mark(Vec<String>, By),
}

impl DeskCommand for ExportCommand {
    const DESK: &'static str = "invoice_exports";
    type Answer = Vec<Invoice>;

    async fn carry_out(self, desks: &Desks) -> Result<Vec<Invoice>, String> {
        match self {
            Self::Show(which) => shown(which, &desks.records()).map_err(|fault| fault.to_string()),
            Self::Mark(numbers, by) => {
                let now = desks.clock.now();
                for part in numbers.chunks(PAGE) {
                    let decided = desks.store.decide(&by, |records| {
                        let mut kept = vec![];
                        for number in part {
                            kept.extend(records.get::<InvoiceNumber>(number)?);
                        }
                        Ok::<_, ReadError>(((), invoice::exported(&kept, by.name(), now)))
                    });
                    decided.await.map_err(|fault| fault.to_string())?;
                }
                Ok(vec![])
            }
        }
    }
}

fn shown(which: Which, records: &impl Records) -> Result<Vec<Invoice>, ReadError> {
    let (mut invoices, mut from) = (vec![], String::new());
    loop {
        let page: Vec<Kept<InvoiceNumber>> = records.list(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            from = format!("{}\u{0}", kept.record.number);
            if which == Which::Waiting && kept.record.exported_at.is_some() {
                continue;
            }
            let invoice: Option<Kept<Invoice>> = records.get(&kept.record.invoice.to_string())?;
            invoices.extend(invoice.map(|kept| kept.record));
            if invoices.len() == MOST {
                return Ok(invoices);
            }
        }
        if !full {
            return Ok(invoices);
        }
    }
}

/// The columns of the file: one row a line of an invoice.
const COLUMNS: [&str; 21] = [
    "number",
    "kind",
    "issued_at",
    "reverses",
    "buyer_kind",
    "buyer_title",
    "buyer_tax_number",
    "buyer_address",
    "buyer_phone",
    "buyer_bank",
    "send_to",
    "item",
    "category",
    "rate",
    "net",
    "tax",
    "gross",
    "currency",
    "remark",
    "bill",
    "request",
];

/// The invoices as rows, the columns' names first.
pub fn table(invoices: &[Invoice], number_of: impl Fn(&str) -> Option<String>) -> Vec<Vec<String>> {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for invoice in invoices {
        let (kind, reverses) = match invoice.kind {
            InvoiceKind::Blue => ("blue", None),
            InvoiceKind::Red { of } => ("red", number_of(&of.to_string())),
        };
        let buyer = &invoice.buyer;
        for line in &invoice.lines {
            let net = tollhouse_core::money::Money::new(line.gross.minor() - line.tax.minor(), line.gross.currency());
            rows.push(vec![
                invoice.number.clone().unwrap_or_default(),
                kind.to_owned(),
                invoice.issued_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
                reverses.clone().unwrap_or_default(),
                if buyer.uscc.is_some() { "firm" } else { "person" }.to_owned(),
                buyer.title.clone(),
                buyer.uscc.as_ref().map(ToString::to_string).unwrap_or_default(),
                buyer.address.clone(),
                buyer.phone.clone(),
                buyer.bank.clone(),
                buyer.send_to.clone(),
                line.name.zh.clone(),
                line.category.clone(),
                line.rate.to_string(),
                net.amount(),
                line.tax.amount(),
                line.gross.amount(),
                line.gross.currency().code().to_owned(),
                invoice.remark.clone(),
                line.bill.to_string(),
                invoice.id.to_string(),
            ]);
        }
    }
    rows
}
