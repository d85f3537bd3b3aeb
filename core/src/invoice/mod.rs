//! Invoices and receipts (发票, 收据): what was paid can be invoiced, each yuan at most once, under numbers without gaps.
//!
//! Here stands what is true whoever issues: what is open to be invoiced, who the buyer is, the steps from requested to
//! issued or failed, and the red-letter reversal. How a provider is reached, and what a document looks like, is the
//! shell's business.

mod amount;
mod buyer;
mod documents;
mod open;
mod record;
mod request;
mod reverse;
mod step;
mod uscc;

pub use amount::{CapitalError, in_capitals};
pub use buyer::{Buyer, BuyerFault, BuyerKind};
pub use documents::{Documents, SellerTitle};
pub use open::{BillRef, Open, OpenLine, Seller, open_lines};
pub use record::{
    Invoice, InvoiceKind, InvoiceLine, InvoiceNumber, InvoiceSeries, InvoiceState, Invoiced, OpenInvoice, Reversal,
    ReversalState,
};
pub use request::{InvoiceRefusal, MOST_BILLS, Wanted, request};
pub use reverse::{reversal_confirmed, reversal_lapsed, reverse};
pub use step::{Numbering, exported, failed, issued, pending};
pub use uscc::{Uscc, UsccError};
