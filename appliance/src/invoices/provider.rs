//! What the box needs of an invoice provider (payments.md, 'Invoices'): request, query, reverse, query_reversal.
//!
//! Each call may be repeated: the invoice's id is the number under which the provider knows the request. An error means:
//! not known, ask again.

use std::future::Future;
use std::pin::Pin;

use tollhouse_core::invoice::{Invoice, Numbering};

/// An answer that takes its time; the error is told in the log, and the call repeated.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// How an invoice stands at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceAt {
    /// Being made.
    Pending,
    /// Issued, under this number.
    Issued(Numbering),
    /// Refused for good, and why.
    Refused(String),
}

/// How a reversal stands at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversalAt {
    /// Waits for a confirmation.
    Pending,
    /// Done; the red-letter invoice has this number.
    Confirmed(Numbering),
    /// Nobody confirmed it in time, or it was refused; and why.
    Lapsed(String),
}

/// Who issues invoices.
pub trait InvoiceProvider: Send + Sync {
    /// Its name, as invoices bear it.
    fn name(&self) -> &'static str;
    /// Asks for an invoice.
    fn request<'a>(&'a self, invoice: &'a Invoice) -> Answer<'a, InvoiceAt>;
    /// Asks how it stands.
    fn query<'a>(&'a self, invoice: &'a Invoice) -> Answer<'a, InvoiceAt>;
    /// Asks for the reversal that `red` is.
    fn reverse<'a>(&'a self, red: &'a Invoice) -> Answer<'a, ReversalAt>;
    /// Asks how that stands.
    fn query_reversal<'a>(&'a self, red: &'a Invoice) -> Answer<'a, ReversalAt>;
}
