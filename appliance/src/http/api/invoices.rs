//! `/api/v1/invoices`: invoices and receipts for what was paid, their documents and their red-letter reversals.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentType};
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::InvoiceId;
use tollhouse_core::invoice::{
    BillRef, Buyer, BuyerKind, Invoice, InvoiceKind, InvoiceRefusal, InvoiceState, ReversalState, Seller, Uscc,
};
use tollhouse_core::record::Kept;
use tollhouse_core::user::Permission;
use tollhouse_core::words::Language;
use utoipa::ToSchema;

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::{language, wire};
use crate::invoices::{InvoiceDesk, InvoiceFault, Request};

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/invoices").get(list).post(ask).enter(app);
    At::new("/api/v1/invoices/{id}").get(one).enter(app);
    At::new("/api/v1/invoices/{id}/document").get(document).enter(app);
    At::new("/api/v1/invoices/{id}/reversals").post(reverse).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, ask, one, document, reverse))]
pub(super) struct Description;

/// To whom an invoice is made out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvoiceBuyer)]
pub(in crate::http) struct BuyerBody {
    /// `person` or `firm`.
    #[schema(pattern = "^(person|firm)$")]
    kind: String,
    /// The title.
    #[schema(min_length = 1, max_length = 100)]
    title: String,
    /// The unified social credit code; a firm has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("91350100M000100Y43"))]
    uscc: Option<String>,
    /// Its address.
    #[serde(default)]
    #[schema(max_length = 100)]
    address: String,
    /// Its telephone number.
    #[serde(default)]
    #[schema(max_length = 100)]
    phone: String,
    /// Its bank and account.
    #[serde(default)]
    #[schema(max_length = 100)]
    bank: String,
    /// An e-mail address or mobile number to send it to.
    #[serde(default)]
    #[schema(max_length = 100)]
    send_to: String,
}

impl BuyerBody {
    /// The buyer, with a fault for each field that does not fit.
    pub(in crate::http) fn read(&self, pointer: &str, fields: &mut Fields) -> Option<Buyer> {
        let kind = match self.kind.as_str() {
            "person" => Some(BuyerKind::Person),
            "firm" => Some(BuyerKind::Firm),
            _ => fields.read(&format!("{pointer}/kind"), Err("a buyer is a person or a firm")),
        };
        let given = self.uscc.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let uscc = match given {
            Some(text) => fields.read(&format!("{pointer}/uscc"), text.parse::<Uscc>()).map(Some),
            None => Some(None),
        };
        let buyer = Buyer {
            kind: kind?,
            title: self.title.trim().to_owned(),
            uscc: uscc?,
            address: self.address.trim().to_owned(),
            phone: self.phone.trim().to_owned(),
            bank: self.bank.trim().to_owned(),
            send_to: self.send_to.trim().to_owned(),
        };
        fields.read(pointer, buyer.check()).map(|()| buyer)
    }

    fn of(buyer: &Buyer) -> Self {
        Self {
            kind: if buyer.kind == BuyerKind::Firm { "firm" } else { "person" }.to_owned(),
            title: buyer.title.clone(),
            uscc: buyer.uscc.as_ref().map(ToString::to_string),
            address: buyer.address.clone(),
            phone: buyer.phone.clone(),
            bank: buyer.bank.clone(),
            send_to: buyer.send_to.clone(),
        }
    }
}

/// One line of an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub(super) struct LineAnswer {
    /// Of which bill.
    bill: String,
    /// What was paid for.
    text: String,
    /// The tax office's category code.
    category: String,
    /// The rate, as 0.09.
    rate: String,
    /// Without tax.
    net: String,
    /// The tax.
    tax: String,
    /// With tax.
    amount: String,
}

/// An invoice or a receipt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
pub(in crate::http) struct InvoiceAnswer {
    /// Its id.
    pub(in crate::http) id: String,
    /// `blue`, or `red`: it takes another back.
    kind: &'static str,
    /// Which one a red one takes back.
    reverses: Option<String>,
    /// Who issues it: `receipt`, where no invoice provider is configured.
    provider: String,
    /// Its number, once issued.
    pub(in crate::http) number: Option<String>,
    /// `requested`, `pending`, `issued`, `failed` or `reversed`.
    pub(in crate::http) state: &'static str,
    /// Why it failed.
    failure: Option<String>,
    /// Its reversal: `requested`, `confirmed` or `lapsed`; null: there is none.
    reversal: Option<&'static str>,
    /// `firm` or `owners`.
    seller: &'static str,
    /// To whom it is made out.
    buyer: BuyerBody,
    /// Line by line.
    lines: Vec<LineAnswer>,
    /// With tax.
    pub(in crate::http) total: String,
    /// The tax in it.
    tax: String,
    /// ISO 4217.
    currency: &'static str,
    /// What stands on it.
    remark: String,
    /// When it was asked for.
    requested_at: String,
    /// When it was issued.
    issued_at: Option<String>,
    /// Where its document is, once issued.
    document: Option<String>,
}

impl InvoiceAnswer {
    /// `document` is where its document is found by this caller.
    pub(in crate::http) fn of(invoice: &Invoice, document: &str, doors: &Doors) -> Self {
        let (kind, reverses) = match invoice.kind {
            InvoiceKind::Blue => ("blue", None),
            InvoiceKind::Red { of } => ("red", Some(of.to_string())),
        };
        let line = |line: &tollhouse_core::invoice::InvoiceLine| LineAnswer {
            bill: line.bill.to_string(),
            text: line.name.zh.clone(),
            category: line.category.clone(),
            rate: line.rate.to_string(),
            net: tollhouse_core::money::Money::new(line.gross.minor() - line.tax.minor(), line.gross.currency())
                .amount(),
            tax: line.tax.amount(),
            amount: line.gross.amount(),
        };
        let failure = match &invoice.state {
            InvoiceState::Failed(why) => Some(why.clone()),
            _ => None,
        };
        Self {
            id: invoice.id.to_string(),
            kind,
            reverses,
            provider: invoice.provider.clone(),
            number: invoice.number.clone(),
            state: word(&invoice.state),
            failure,
            reversal: invoice.reversal.as_ref().map(|reversal| match reversal.state {
                ReversalState::Requested => "requested",
                ReversalState::Confirmed => "confirmed",
                ReversalState::Lapsed => "lapsed",
            }),
            seller: if invoice.seller == Seller::Firm { "firm" } else { "owners" },
            buyer: BuyerBody::of(&invoice.buyer),
            lines: invoice.lines.iter().map(line).collect(),
            total: invoice.total.amount(),
            tax: invoice.tax.amount(),
            currency: invoice.total.currency().code(),
            remark: invoice.remark.clone(),
            requested_at: wire::time(invoice.requested_at, doors.zone),
            issued_at: invoice.issued_at.map(|at| wire::time(at, doors.zone)),
            document: invoice.number.as_ref().map(|_| document.to_owned()),
        }
    }

    fn for_clerk(invoice: &Invoice, doors: &Doors) -> Self {
        Self::of(invoice, &format!("/api/v1/invoices/{}/document", invoice.id), doors)
    }
}

fn word(state: &InvoiceState) -> &'static str {
    match state {
        InvoiceState::Requested => "requested",
        InvoiceState::Pending => "pending",
        InvoiceState::Issued => "issued",
        InvoiceState::Failed(_) => "failed",
        InvoiceState::Reversed => "reversed",
    }
}

/// An invoice that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvoice {
    /// For what was paid of these bills: a stay's by its id, a card's as card, slash and id. At most 50.
    #[schema(min_items = 1, max_items = 50)]
    bills: Vec<String>,
    /// Whose money: `firm` or `owners`; the firm's if left out.
    #[schema(pattern = "^(firm|owners)$")]
    seller: Option<String>,
    /// To whom.
    buyer: BuyerBody,
    /// What is to stand on it; plate and times if left out.
    #[schema(max_length = 200)]
    remark: Option<String>,
}

/// All invoices, by id.
#[utoipa::path(get, path = "/api/v1/invoices", tag = "invoices", params(Paging),
    responses((status = 200, body = Listed<InvoiceAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<InvoiceAnswer>>, Problem> {
    caller.may(Permission::InvoicesRead)?;
    let show = |kept: Kept<Invoice>| Some(InvoiceAnswer::for_clerk(&kept.record, &doors));
    page.of(&doors.desks.records(), show).map(Json)
}

/// Asks for an invoice for all that was paid on the bills and is on no invoice yet.
#[utoipa::path(post, path = "/api/v1/invoices", tag = "invoices", request_body = NewInvoice,
    responses((status = 201, body = InvoiceAnswer), WriteProblems))]
async fn ask(doors: Data<Arc<Doors>>, asked: Asked<NewInvoice>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::InvoicesWrite)?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let named = body.bills.iter().enumerate();
    let bills: Vec<BillRef> =
        named.filter_map(|(place, bill)| fields.read(&format!("/bills/{place}"), bill.parse::<BillRef>())).collect();
    let seller = match body.seller.as_deref() {
        None | Some("firm") => Some(Seller::Firm),
        Some("owners") => Some(Seller::Owners),
        Some(_) => fields.read("/seller", Err("the sellers are firm and owners")),
    };
    let buyer = body.buyer.read("/buyer", &mut fields);
    fields.done()?;
    let (Some(seller), Some(buyer)) = (seller, buyer) else { return Err(Problem::broken()) };
    let request = Request { bills, seller, buyer, remark: body.remark.clone() };
    let invoice = doors.desks.invoices.request(&request, &asked.by("an invoice")).await?;
    Ok(created(&format!("/api/v1/invoices/{}", invoice.id), &InvoiceAnswer::for_clerk(&invoice, &doors)))
}

pub(in crate::http) fn id(text: &str) -> Result<InvoiceId, Problem> {
    text.parse().map_err(|_| InvoiceRefusal::Unknown.into())
}

/// One invoice.
#[utoipa::path(get, path = "/api/v1/invoices/{id}", tag = "invoices", params(("id" = String, Path)),
    responses((status = 200, body = InvoiceAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<InvoiceAnswer>, Problem> {
    caller.may(Permission::InvoicesRead)?;
    let invoice = doors.desks.invoices.one(id(&path)?)?;
    Ok(Json(InvoiceAnswer::for_clerk(&invoice, &doors)))
}

/// The document of an issued invoice.
#[utoipa::path(get, path = "/api/v1/invoices/{id}/document", tag = "invoices",
    params(("id" = String, Path), ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"), Problems))]
async fn document(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::InvoicesRead)?;
    pdf(&doors.desks.invoices, id(&path)?, language::asked(&request)).await
}

/// A document as an answer, drawn off the serving threads.
pub(in crate::http) async fn pdf(
    desk: &InvoiceDesk,
    id: InvoiceId,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let desk = desk.clone();
    let made = web::block(move || desk.document(id, language)).await.map_err(|_| Problem::full("the box is ending"))?;
    let (number, bytes) = made?;
    let name = format!("inline; filename=\"{number}.pdf\"");
    Ok(HttpResponse::Ok()
        .insert_header(ContentType("application/pdf".parse().expect("a media type")))
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header(("Cache-Control", "private, no-store"))
        .body(bytes))
}

/// Why an invoice is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReversal {
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Asks for the red-letter reversal of an issued invoice; the answer is the red one. What it was about can be invoiced
/// again once the reversal is confirmed.
#[utoipa::path(post, path = "/api/v1/invoices/{id}/reversals", tag = "invoices", params(("id" = String, Path)),
    request_body = NewReversal, responses((status = 201, body = InvoiceAnswer), WriteProblems))]
async fn reverse(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<NewReversal>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::InvoicesWrite)?;
    let id = id(&path)?;
    let mut fields = Fields::default();
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let Some(reason) = reason else { return Err(Problem::broken()) };
    let red = doors.desks.invoices.reverse(id, &reason, &asked.by(&reason)).await?;
    Ok(created(&format!("/api/v1/invoices/{}", red.id), &InvoiceAnswer::for_clerk(&red, &doors)))
}

impl From<InvoiceRefusal> for Problem {
    fn from(refusal: InvoiceRefusal) -> Self {
        use InvoiceRefusal as R;
        let detail = refusal.to_string();
        let (status, word, title) = match &refusal {
            R::Unknown | R::UnknownBill(_) => (StatusCode::NOT_FOUND, "unknown", "Not known"),
            R::NothingOpen => (StatusCode::CONFLICT, "nothing-open", "Nothing to invoice"),
            R::TooMany => (StatusCode::CONFLICT, "too-many", "Too many"),
            R::NotReversible => (StatusCode::CONFLICT, "not-reversible", "Not reversible"),
            R::Bills | R::Buyer(_) | R::Remark => (StatusCode::BAD_REQUEST, "invalid", "Not as it should be"),
            R::Read(_) | R::Money(_) => {
                tracing::error!(fault = %detail, "an invoice cannot be made");
                return Self::broken();
            }
        };
        Self::new(status, word, title, detail)
    }
}

impl From<InvoiceFault> for Problem {
    fn from(fault: InvoiceFault) -> Self {
        let detail = fault.to_string();
        match fault {
            InvoiceFault::Unknown => Self::new(StatusCode::NOT_FOUND, "unknown", "Not known", detail),
            InvoiceFault::Font(_) => {
                tracing::error!(fault = %detail, "a document cannot be written");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-font", "No font for documents", detail)
            }
            InvoiceFault::Read(fault) => fault.into(),
        }
    }
}
