//! Invoices and receipts, as the box offers them: one desk, the interface that invoice providers fill, and the default
//! without one: a numbered receipt that says that it is no tax invoice, and a queue of exports.

mod actor;
mod desk;
mod export;
mod provider;
mod receipt;
#[cfg(test)]
mod tests;

pub use actor::InvoiceActor;
pub use desk::{InvoiceDesk, InvoiceFault, InvoiceParts, Request};
pub use export::{ExportCommand, Which, table};
pub use provider::{Answer, InvoiceAt, InvoiceProvider, ReversalAt};
pub use receipt::{RECEIPT, ReceiptProvider};
