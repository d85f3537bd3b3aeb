//! Invoices as records: the invoice, what of each bill it takes, the numbers of a series, and the queue of exports.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::buyer::Buyer;
use super::open::{BillRef, Seller};
use crate::id::InvoiceId;
use crate::money::Money;
use crate::record::{Change, Record, Table};
use crate::words::Words;

/// An invoice or a receipt. It is never edited: steps are added to it, and a reversal is an invoice of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Shown to the public, so unguessable; also the number under which a provider knows the request.
    pub id: InvoiceId,
    /// Blue, or the red-letter one of another.
    pub kind: InvoiceKind,
    /// Who issues it: the name of an invoice provider.
    pub provider: String,
    /// Whose money it is about.
    pub seller: Seller,
    /// To whom it is made out.
    pub buyer: Buyer,
    /// Line by line; of a red one the amounts are negative.
    pub lines: Vec<InvoiceLine>,
    /// With tax: the sum of the lines.
    pub total: Money,
    /// The tax of it: the sum of the lines'.
    pub tax: Money,
    /// 备注: plate, entry, exit.
    pub remark: String,
    /// How it stands.
    pub state: InvoiceState,
    /// Its number, once issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// By whom: an account, or the driver.
    pub requested_by: String,
    /// When it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<DateTime<Utc>>,
    /// Its red-letter reversal, if one was ever asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal: Option<Reversal>,
}

/// Blue or red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// 蓝字: says that something was paid.
    Blue,
    /// 红字: takes back another.
    Red {
        /// Which.
        of: InvoiceId,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// Of which bill.
    pub bill: BillRef,
    /// Of which of its lines.
    pub line: u32,
    /// What was paid for.
    pub name: Words,
    /// The tax office's category code; empty where there is none.
    pub category: String,
    /// The rate, such as `0.09`.
    pub rate: Decimal,
    /// With tax.
    pub gross: Money,
    /// The tax in it.
    pub tax: Money,
}

/// How an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// On record; the provider has not been asked yet.
    Requested,
    /// The provider is at it.
    Pending,
    /// It has a number.
    Issued,
    /// The provider refused, and why. What it was about can be invoiced again.
    Failed(String),
    /// Taken back by its red-letter one. What it was about can be invoiced again.
    Reversed,
}

/// The reversal of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// The red-letter invoice.
    pub red: InvoiceId,
    /// How it stands.
    pub state: ReversalState,
    /// Why.
    pub reason: String,
}

/// How a reversal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversalState {
    /// Waits for the buyer's or the tax office's confirmation.
    Requested,
    /// Done.
    Confirmed,
    /// Nobody confirmed it in time; it can be asked for again.
    Lapsed,
}

impl Record for Invoice {
    const TABLE: Table = Table::Invoices;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Invoice {
    /// Writes it, its buyer and remark as personal texts, and keeps it among those that a provider owes an answer for.
    pub(super) fn write(&self, change: &mut Change) {
        self.buyer.mark(change);
        if !self.remark.is_empty() {
            change.personal(&self.remark);
        }
        change.put(self);
        match self.state {
            InvoiceState::Requested | InvoiceState::Pending => change.put(&OpenInvoice { invoice: self.id }),
            _ => change.delete(Table::OpenInvoices, &self.id.to_string()),
        }
    }

    /// What it comes to without tax.
    pub fn net(&self) -> Money {
        Money::new(self.total.minor() - self.tax.minor(), self.total.currency())
    }
}

/// An invoice that waits for its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvoice {
    /// Which.
    pub invoice: InvoiceId,
}

impl Record for OpenInvoice {
    const TABLE: Table = Table::OpenInvoices;
    fn key(&self) -> String {
        self.invoice.to_string()
    }
}

/// What of a bill's lines stands on invoices that are neither failed nor reversed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoiced {
    /// Which bill.
    pub bill: BillRef,
    /// How much, by line.
    pub lines: BTreeMap<u32, Money>,
    /// Every invoice that was ever asked for of it, the oldest first.
    #[serde(default)]
    pub invoices: Vec<InvoiceId>,
}

impl Record for Invoiced {
    const TABLE: Table = Table::Invoiced;
    fn key(&self) -> String {
        self.bill.to_string()
    }
}

/// How far a series of numbers has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSeries {
    /// Its name, such as `R2026`.
    pub series: String,
    /// The last number that was given; the first is 1.
    pub last: u64,
}

impl Record for InvoiceSeries {
    const TABLE: Table = Table::InvoiceSeries;
    fn key(&self) -> String {
        self.series.clone()
    }
}

/// An invoice that was issued, under its number: what exports go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceNumber {
    /// The number.
    pub number: String,
    /// Whose it is.
    pub invoice: InvoiceId,
    /// When it was exported first; `None`: it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported_at: Option<DateTime<Utc>>,
}

impl Record for InvoiceNumber {
    const TABLE: Table = Table::InvoiceNumbers;
    fn key(&self) -> String {
        self.number.clone()
    }
}
