//! A driver's receipt, without signing in: who knows a paid bill's id, which nobody can guess, may ask for it once per yuan.
//! The page at `/pay/bills/{bill}/invoice` asks for the title; the document is at `/pay/invoices/{id}.pdf`.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tollhouse_core::id::BillId;
use tollhouse_core::invoice::{BillRef, Invoice, InvoiceKind};
use tollhouse_core::money::Money;
use tollhouse_core::record::{By, Cause};
use tollhouse_core::words::Language;
use utoipa::ToSchema;

use super::invoices::{BuyerBody, InvoiceAnswer, pdf};
use super::{At, Fields};
use crate::actors::payment::messages::PayProblem;
use crate::http::doors::Doors;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::rate::Rates;
use crate::http::{assets, client, language, page};
use crate::invoices::InvoiceDesk;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/pay/bills/{bill}/invoices").post(ask).enter(app);
    At::new("/pay/bills/{bill}/invoice").get(show).enter(app);
    At::new("/pay/invoices/{id}.pdf").get(document).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(ask, show, document))]
pub(super) struct Description;

/// To whom the receipt is made out.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct DriversInvoice {
    /// The buyer.
    buyer: BuyerBody,
}

fn place(invoice: &Invoice) -> String {
    format!("/pay/invoices/{}.pdf", invoice.id)
}

fn bill_of(text: &str) -> Result<BillId, Problem> {
    text.parse().map_err(|_| PayProblem::Unknown.into())
}

/// Asks for the receipt of all that was paid on a bill and is on no receipt yet.
#[utoipa::path(
    post, path = "/api/v1/pay/bills/{bill}/invoices", tag = "pay", params(("bill" = String, Path)),
    request_body = DriversInvoice,
    responses((status = 201, body = InvoiceAnswer),
              (status = 400, description = "The buyer is not as it should be; `errors` names the fields", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 404, description = "No such bill", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "Nothing was paid that is not on a receipt already", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many tries; Retry-After says when to try again", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 500, description = "A fault of the box", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, description = "The box is busy", body = ProblemDocument, content_type = "application/problem+json"))
)]
async fn ask(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    path: Path<String>,
    request: HttpRequest,
    body: Json<DriversInvoice>,
) -> Result<HttpResponse, Problem> {
    if let Some(client) = client::address(&doors, &request) {
        rates.ask(client).map_err(Problem::too_often)?;
    }
    let bill = bill_of(&path)?;
    let mut fields = Fields::default();
    let buyer = body.buyer.read("/buyer", &mut fields);
    fields.done()?;
    let Some(buyer) = buyer else { return Err(Problem::broken()) };
    let by = By { cause: Cause::Driver, once: None };
    let invoice = doors.desks.invoices.request(&InvoiceDesk::of_driver(bill, buyer), &by).await?;
    let place = place(&invoice);
    Ok(HttpResponse::build(StatusCode::CREATED)
        .insert_header(("Location", place.as_str()))
        .json(InvoiceAnswer::of(&invoice, &place, &doors)))
}

#[derive(Template)]
#[template(path = "invoice.html")]
struct InvoicePage<'a> {
    language: Language,
    assets: &'static assets::Version,
    lot: &'a str,
    bill: String,
    /// What can still be put on a receipt.
    open: Option<String>,
    /// Number, sum and place of those that are issued.
    issued: Vec<(String, String, String)>,
}

impl InvoicePage<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        page::say(self.language, zh, en)
    }
}

/// The page on which a driver asks for the receipt of a paid bill.
#[utoipa::path(
    get, path = "/pay/bills/{bill}/invoice", tag = "pages",
    params(("bill" = String, Path), ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "No such bill"))
)]
async fn show(doors: Data<Arc<Doors>>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let language = language::of(&request);
    let bill = bill_of(&path)?;
    let (open, invoices) = doors.desks.invoices.of_bill(&BillRef::Stay(bill))?;
    let sum = open.iter().map(|line| line.open.minor()).sum::<i64>();
    let issued = invoices.iter().filter(|invoice| invoice.kind == InvoiceKind::Blue);
    let issued = issued
        .filter_map(|invoice| Some((invoice.number.clone()?, format!("¥{}", invoice.total.amount()), place(invoice))));
    let page = InvoicePage {
        language,
        assets: assets::version(),
        lot: &doors.lot_name,
        bill: bill.to_string(),
        open: (sum > 0).then(|| format!("¥{}", Money::new(sum, doors.currency).amount())),
        issued: issued.collect(),
    };
    Ok(page::html(&page, language))
}

/// The document of a receipt.
#[utoipa::path(
    get, path = "/pay/invoices/{id}.pdf", tag = "pages",
    params(("id" = String, Path), ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"),
              (status = 404, description = "No such receipt", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, description = "The box has no font for documents", body = ProblemDocument, content_type = "application/problem+json"))
)]
async fn document(doors: Data<Arc<Doors>>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    pdf(&doors.desks.invoices, super::invoices::id(&path)?, language::asked(&request)).await
}
