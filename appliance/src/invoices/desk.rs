//! The desk of invoices: on record first, then at the provider; what the provider says is booked once. After a crash the
//! rounds go on where it stopped.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tollhouse_core::bill::Bill;
use tollhouse_core::id::{BillId, InvoiceId};
use tollhouse_core::invoice::{
    self, BillRef, Buyer, Invoice, InvoiceKind, InvoiceRefusal, InvoiceState, Invoiced, OpenInvoice, OpenLine, Seller,
    Wanted, open_lines,
};
use tollhouse_core::lot::Lot;
use tollhouse_core::record::{By, Cause, Change, ChangeKind, Kept, Records};
use tollhouse_core::stay::Stay;
use tollhouse_core::words::Language;
use tollhouse_documents::{Font, FontError, Party, Receipt, receipt};

use super::provider::{InvoiceAt, InvoiceProvider, ReversalAt};
use crate::clock::BoxClock;
use crate::store::{Snapshot, Store, Undone};

/// So many open invoices are looked after in one round.
const AT_ONCE: usize = 200;

/// What the desk is made of.
#[derive(Clone)]
pub struct InvoiceParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// The lot, with what stands on its documents.
    pub lot: Arc<Lot>,
    /// Who issues, by name; the first is asked for new invoices.
    pub providers: Vec<Arc<dyn InvoiceProvider>>,
}

/// The desk.
#[derive(Clone)]
pub struct InvoiceDesk {
    parts: InvoiceParts,
    by_name: BTreeMap<&'static str, Arc<dyn InvoiceProvider>>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// For what was paid of these bills.
    pub bills: Vec<BillRef>,
    /// Whose money.
    pub seller: Seller,
    /// To whom.
    pub buyer: Buyer,
    /// What is to stand on it; without it, the car and its times.
    pub remark: Option<String>,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum InvoiceFault {
    /// No such invoice, or none that is issued.
    #[error("there is no issued invoice of this name")]
    Unknown,
    /// No font that it could be written with.
    #[error(transparent)]
    Font(#[from] FontError),
    /// The records cannot be read.
    #[error(transparent)]
    Read(#[from] tollhouse_core::record::ReadError),
}

type Told<T> = Result<T, Undone<InvoiceRefusal>>;

fn fresh_id<E>() -> Result<InvoiceId, Undone<E>> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|fault| Undone::Failed(fault.to_string()))?;
    Ok(InvoiceId::from_bytes(bytes))
}

impl InvoiceDesk {
    /// With these parts.
    pub fn new(parts: InvoiceParts) -> Self {
        let by_name = parts.providers.iter().map(|provider| (provider.name(), Arc::clone(provider))).collect();
        Self { parts, by_name }
    }

    fn now(&self) -> DateTime<Utc> {
        self.parts.clock.now()
    }

    /// Asks for an invoice; it is on record when this returns, and issued if its provider is quick.
    pub async fn request(&self, request: &Request, by: &By) -> Told<Invoice> {
        let (now, id) = (self.now(), fresh_id()?);
        let Some(provider) = self.parts.providers.first() else {
            return Err(Undone::Failed("no invoice provider is configured".to_owned()));
        };
        let person = match &by.cause {
            Cause::Person { name, .. } => Some(name.clone()),
            _ => None,
        };
        let id: InvoiceId = self
            .parts
            .store
            .decide(by, |records| {
                let remark = match &request.remark {
                    Some(remark) => remark.clone(),
                    None => self.remark(&request.bills, records)?,
                };
                let wanted = Wanted {
                    id,
                    provider: provider.name().to_owned(),
                    seller: request.seller,
                    bills: request.bills.clone(),
                    buyer: request.buyer.clone(),
                    remark,
                    by: person.clone(),
                };
                let (change, _) = invoice::request(&wanted, now, records)?;
                Ok((id, Some(change)))
            })
            .await?;
        self.drive(id).await;
        self.one(id).map_err(Undone::Refused)
    }

    /// The car and its times, where the invoice is about one stay.
    fn remark(&self, bills: &[BillRef], records: &Snapshot) -> Result<String, InvoiceRefusal> {
        let [BillRef::Stay(bill)] = bills else { return Ok(String::new()) };
        let bill: Option<Kept<Bill>> = records.get(&bill.to_string())?;
        let Some(bill) = bill else { return Ok(String::new()) };
        let stay: Option<Kept<Stay>> = records.get(&bill.record.stay.to_string())?;
        let time = |at: DateTime<Utc>| at.with_timezone(&self.parts.lot.zone).format("%Y-%m-%d %H:%M").to_string();
        let mut remark = format!("车牌 {}", bill.record.plate);
        if let Some(stay) = stay {
            let stay = stay.record;
            remark.extend(["；入场 ", &time(stay.entered_at)]);
            if let Some(left) = stay.exited_at.or(stay.clock_stopped_at) {
                remark.extend(["；出场 ", &time(left)]);
            }
        }
        Ok(remark)
    }

    /// Asks for the red-letter reversal of an invoice; gives the red one.
    pub async fn reverse(&self, id: InvoiceId, reason: &str, by: &By) -> Told<Invoice> {
        let (now, red) = (self.now(), fresh_id()?);
        let red: InvoiceId = self
            .parts
            .store
            .decide(by, |records| {
                let kept: Kept<Invoice> = records.get(&id.to_string())?.ok_or(InvoiceRefusal::Unknown)?;
                let (change, _) = invoice::reverse(&kept, red, by.name(), reason, now)?;
                Ok((red, Some(change)))
            })
            .await?;
        self.drive(red).await;
        self.one(red).map_err(Undone::Refused)
    }

    /// An invoice as it is.
    pub fn one(&self, id: InvoiceId) -> Result<Invoice, InvoiceRefusal> {
        let kept: Option<Kept<Invoice>> = self.parts.store.snapshot().get(&id.to_string())?;
        kept.map(|kept| kept.record).ok_or(InvoiceRefusal::Unknown)
    }

    /// What of a bill can be invoiced, and the invoices that there are of it, the newest first.
    pub fn of_bill(&self, bill: &BillRef) -> Result<(Vec<OpenLine>, Vec<Invoice>), InvoiceRefusal> {
        let records = self.parts.store.snapshot();
        // Nothing is committed: the change only carries what a request would rely on.
        let mut unused = Change::new(ChangeKind::InvoiceMoved, self.now(), Cause::Time);
        let open = open_lines(bill, &mut unused, &records)?.ok_or_else(|| InvoiceRefusal::UnknownBill(bill.clone()))?;
        let known: Option<Kept<Invoiced>> = records.get(&bill.to_string())?;
        let mut invoices = vec![];
        for id in known.iter().flat_map(|kept| kept.record.invoices.iter().rev()) {
            let kept: Option<Kept<Invoice>> = records.get(&id.to_string())?;
            invoices.extend(kept.map(|kept| kept.record));
        }
        Ok((open.lines, invoices))
    }

    /// One round: every invoice that a provider owes an answer for.
    pub async fn round(&self) {
        match self.parts.store.snapshot().list::<OpenInvoice>("", AT_ONCE) {
            Ok(open) => {
                for kept in open {
                    self.drive(kept.record.invoice).await;
                }
            }
            Err(fault) => tracing::error!(%fault, "open invoices cannot be read"),
        }
    }

    /// Asks the provider about one invoice, and books what it says. Asked at once from two sides, it is booked once.
    async fn drive(&self, id: InvoiceId) {
        if let Err(fault) = self.driven(id).await {
            tracing::warn!(%fault, invoice = %id, "an invoice waits; it is asked for again");
        }
    }

    async fn driven(&self, id: InvoiceId) -> Result<(), String> {
        let invoice = self.one(id).map_err(|fault| fault.to_string())?;
        let provider = self.by_name.get(invoice.provider.as_str());
        let provider = provider.ok_or_else(|| format!("there is no invoice provider {:?}", invoice.provider))?;
        let asked_before = match invoice.state {
            InvoiceState::Requested => false,
            InvoiceState::Pending => true,
            _ => return Ok(()),
        };
        let said = match (invoice.kind, asked_before) {
            (InvoiceKind::Blue, false) => Said::Invoice(provider.request(&invoice).await?),
            (InvoiceKind::Blue, true) => Said::Invoice(provider.query(&invoice).await?),
            (InvoiceKind::Red { .. }, false) => Said::Reversal(provider.reverse(&invoice).await?),
            (InvoiceKind::Red { .. }, true) => Said::Reversal(provider.query_reversal(&invoice).await?),
        };
        let by = By::the_box(format!("the invoice provider {} says so", invoice.provider));
        let now = self.now();
        let booked = self.parts.store.decide(&by, |records| {
            let kept: Kept<Invoice> = records.get(&id.to_string())?.ok_or(InvoiceRefusal::Unknown)?;
            Ok::<_, InvoiceRefusal>(((), said.change(&kept, now, records)?))
        });
        booked.await.map_err(|fault| fault.to_string())
    }

    /// The document of an issued invoice, in a language.
    pub fn document(&self, id: InvoiceId, language: Language) -> Result<(String, Vec<u8>), InvoiceFault> {
        let records = self.parts.store.snapshot();
        let kept: Kept<Invoice> = records.get(&id.to_string())?.ok_or(InvoiceFault::Unknown)?;
        let invoice = kept.record;
        let Some(number) = invoice.number.clone() else { return Err(InvoiceFault::Unknown) };
        let reverses = match invoice.kind {
            InvoiceKind::Red { of } => records.get::<Invoice>(&of.to_string())?.and_then(|kept| kept.record.number),
            InvoiceKind::Blue => None,
        };
        let lot = &self.parts.lot;
        let named = lot.documents.seller(invoice.seller);
        let seller = Party {
            title: if named.title.is_empty() { lot.name.clone() } else { named.title.clone() },
            tax_number: named.tax_number.clone(),
            address: named.address.clone(),
            bank: named.bank.clone(),
        };
        let address = lot.documents.public_url.as_ref().map(|url| format!("{url}/pay/invoices/{id}.pdf"));
        let font = Font::find(lot.documents.font.as_deref().map(Path::new))?;
        let made = Receipt {
            invoice: &invoice,
            seller: &seller,
            lot: &lot.name,
            zone: lot.zone,
            address: address.as_deref(),
            reverses: reverses.as_deref(),
            language,
        };
        Ok((number, receipt(&made, &font)?))
    }

    /// What a driver asks for at the pay page: the receipt of one bill.
    pub fn of_driver(bill: BillId, buyer: Buyer) -> Request {
        Request { bills: vec![BillRef::Stay(bill)], seller: Seller::Firm, buyer, remark: None }
    }
}

/// What a provider said.
enum Said {
    Invoice(InvoiceAt),
    Reversal(ReversalAt),
}

impl Said {
    fn change(
        &self,
        kept: &Kept<Invoice>,
        now: DateTime<Utc>,
        records: &Snapshot,
    ) -> Result<Option<Change>, InvoiceRefusal> {
        Ok(match self {
            Self::Invoice(InvoiceAt::Pending) | Self::Reversal(ReversalAt::Pending) => invoice::pending(kept, now),
            Self::Invoice(InvoiceAt::Issued(number)) => {
                invoice::issued(kept, number, now, records)?.map(|(change, _)| change)
            }
            Self::Invoice(InvoiceAt::Refused(why)) => invoice::failed(kept, why, now, records)?,
            Self::Reversal(ReversalAt::Confirmed(number)) => {
                invoice::reversal_confirmed(kept, number, now, records)?.map(|(change, _)| change)
            }
            Self::Reversal(ReversalAt::Lapsed(why)) => invoice::reversal_lapsed(kept, why, now, records)?,
        })
    }
}
