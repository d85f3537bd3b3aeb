//! The default without an invoice provider: receipts under numbers of our own, issued at once, one series a year.

use chrono::Datelike;
use chrono_tz::Tz;
use tollhouse_core::invoice::{Invoice, Numbering};

use super::provider::{Answer, InvoiceAt, InvoiceProvider, ReversalAt};
use crate::clock::BoxClock;

/// Its name on records.
pub const RECEIPT: &str = "receipt";

/// Issues receipts.
pub struct ReceiptProvider {
    clock: BoxClock,
    zone: Tz,
}

impl ReceiptProvider {
    /// By this clock, in the lot's zone.
    pub fn new(clock: BoxClock, zone: Tz) -> Self {
        Self { clock, zone }
    }

    fn next(&self) -> Numbering {
        let year = self.clock.now().with_timezone(&self.zone).year();
        Numbering::Next { series: format!("R{year}") }
    }
}

impl InvoiceProvider for ReceiptProvider {
    fn name(&self) -> &'static str {
        RECEIPT
    }

    fn request<'a>(&'a self, invoice: &'a Invoice) -> Answer<'a, InvoiceAt> {
        self.query(invoice)
    }

    fn query<'a>(&'a self, _: &'a Invoice) -> Answer<'a, InvoiceAt> {
        Box::pin(async { Ok(InvoiceAt::Issued(self.next())) })
    }

    fn reverse<'a>(&'a self, red: &'a Invoice) -> Answer<'a, ReversalAt> {
        self.query_reversal(red)
    }

    fn query_reversal<'a>(&'a self, _: &'a Invoice) -> Answer<'a, ReversalAt> {
        Box::pin(async { Ok(ReversalAt::Confirmed(self.next())) })
    }
}
