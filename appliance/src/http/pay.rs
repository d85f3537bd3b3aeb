//! The public pay calls: JSON for a driver's phone, without signing in.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tollhouse_core::arrears::Owed;
use tollhouse_core::id::{BillId, OrderId};
use tollhouse_core::pay::Way;
use tollhouse_core::plate::Plate;

use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use super::rate::Rates;
use super::wire::{OrderAnswer, OrderRequest, OrderStateAnswer, OwedAnswer, PayAnswer, order_word};
use super::{browser, client, language, pay_arrears};
use crate::actors::billing::messages::{AskBill, AskLane, AskPlate, PayState, PayView};
use crate::actors::payment::messages::{AskOrder, MakeOrder, PayProblem};

/// The longest `Idempotency-Key`.
const MAX_KEY_CHARS: usize = 255;
/// The longest lane code, token and provider.
const MAX_WORD_CHARS: usize = 64;

/// `?token=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    pub(super) token: String,
}

pub(super) fn is_word(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    plain && (1..=MAX_WORD_CHARS).contains(&text.len())
}

/// What waits at the lane with this code. What cannot be a code is no lane.
pub(super) async fn view_of_lane(doors: &Doors, code: &str) -> Result<PayView, Problem> {
    if !is_word(code) {
        return Err(PayProblem::Unknown.into());
    }
    doors.ask(&doors.ask_lane, AskLane { lane_code: code.to_owned() }).await
}

/// What a car inside owes, unless its asker asks too often.
pub(super) async fn view_of_plate(
    doors: &Doors,
    rates: &Rates,
    request: &HttpRequest,
    plate: &str,
    token: &str,
) -> Result<PayView, Problem> {
    if let Some(client) = client::address(doors, request) {
        rates.ask(client).map_err(Problem::too_often)?;
    }
    let plate =
        Plate::new(plate).map_err(|error| Problem::bad_request("bad-plate", "Not a plate", error.to_string()))?;
    if !is_word(token) {
        return Err(PayProblem::WrongToken.into());
    }
    doors.ask(&doors.ask_plate, AskPlate { plate, token: token.to_owned() }).await
}

/// How a bill stands. What cannot be an id is no bill.
pub(super) async fn view_of_bill(doors: &Doors, bill: &str) -> Result<PayView, Problem> {
    let bill: BillId = bill.parse().map_err(|_| PayProblem::Unknown)?;
    doors.ask(&doors.ask_bill, AskBill { bill }).await
}

pub(super) fn answer(doors: &Doors, request: &HttpRequest, view: &PayView) -> Result<HttpResponse, Problem> {
    let language = language::of(request);
    // Who asks by plate learns nothing of a car that owes nothing now.
    let owed = if view.state == PayState::NothingDue { vec![] } else { doors.arrears.asked(&view.plate, view.bill)? };
    let shown = |one: &Owed| OwedAnswer::of(one, pay_arrears::picture_of(one, doors), doors.zone, language);
    let owed = owed.iter().map(shown).collect();
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Language", language::tag(language)))
        .insert_header(("Vary", "Accept-Language"))
        .json(PayAnswer::new(view, owed, doors.zone, language)))
}

/// What the car that waits at a lane owes.
#[utoipa::path(
    get, path = "/api/v1/pay/lanes/{lane}", tag = "pay",
    params(("lane" = String, Path, description = "The public code of the lane, as its QR code says it"),
           ("lang" = Option<String>, Query, description = "zh or en; otherwise Accept-Language decides")),
    responses((status = 200, body = PayAnswer), (status = 404, description = "No car waits, or no such lane", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn lane(
    doors: Data<Arc<Doors>>,
    code: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = view_of_lane(&doors, &code).await?;
    answer(&doors, &request, &view)
}

/// What a car that is still inside owes. Cards, absent and unknown plates answer alike: `nothing_due`.
#[utoipa::path(
    get, path = "/api/v1/pay/plates/{plate}", tag = "pay",
    params(("plate" = String, Path, description = "The plate, as 粤C12345"),
           ("token" = String, Query, description = "The token of a QR code inside the lot"),
           ("lang" = Option<String>, Query, description = "zh or en; otherwise Accept-Language decides")),
    responses((status = 200, body = PayAnswer),
              (status = 400, description = "Not a plate", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 403, description = "Wrong token", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many questions; Retry-After says when to ask again", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn plate(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    plate: Path<String>,
    token: Query<Token>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = view_of_plate(&doors, &rates, &request, &plate, &token.token).await?;
    answer(&doors, &request, &view)
}

/// How a bill stands: for a page that stays with its bill.
#[utoipa::path(
    get, path = "/api/v1/pay/bills/{bill_id}", tag = "pay",
    params(("bill_id" = String, Path), ("lang" = Option<String>, Query, description = "zh or en; otherwise Accept-Language decides")),
    responses((status = 200, body = PayAnswer), (status = 404, body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn bill(
    doors: Data<Arc<Doors>>,
    bill: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = view_of_bill(&doors, &bill).await?;
    answer(&doors, &request, &view)
}

/// Makes an order for what is still due of a bill. The same `Idempotency-Key` gives the same order.
#[utoipa::path(
    post, path = "/api/v1/pay/bills/{bill_id}/orders", tag = "pay",
    params(("bill_id" = String, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible characters")),
    request_body = OrderRequest,
    responses((status = 201, body = OrderAnswer),
              (status = 404, description = "No such bill", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "Nothing is due, five orders are open, or WeChat did not say who pays", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, description = "The provider cannot be reached, or the box is busy", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request, or the provider or the way is not offered", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn make_order(
    doors: Data<Arc<Doors>>,
    bill: Path<String>,
    asked: Json<OrderRequest>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let bill: BillId = bill.parse().map_err(|_| PayProblem::Unknown)?;
    let OrderRequest { provider, way, code, instead_of } = asked.into_inner();
    if !is_word(&provider) {
        let shown: String = provider.chars().take(MAX_WORD_CHARS).collect();
        return Err(PayProblem::UnknownProvider(shown).into());
    }
    let idempotency_key = key_of(&request)?;
    let way = way.map(|way| way_of(&way)).transpose()?;
    let instead_of = instead_of.map(|order| order.parse().map_err(|_| PayProblem::Unknown)).transpose()?;
    if code.as_deref().is_some_and(|code| !is_code(code)) {
        return Err(PayProblem::SignInAgain.into());
    }
    let asked = MakeOrder {
        bill,
        provider,
        way,
        browser: browser::of(&request),
        payer_code: code,
        address: client::address(&doors, &request),
        back: format!("/pay/bills/{bill}"),
        instead_of,
        idempotency_key,
    };
    let order = doors.ask(&doors.make_order, asked).await?;
    let place = format!("/api/v1/pay/orders/{}", order.order);
    Ok(HttpResponse::build(StatusCode::CREATED)
        .insert_header(("Location", place))
        .json(OrderAnswer::new(order, doors.zone)))
}

fn way_of(text: &str) -> Result<Way, PayProblem> {
    let way = Way::ALL.iter().copied().find(|way| way.as_str() == text && *way != Way::Code);
    way.ok_or_else(|| PayProblem::NotOffered(text.chars().take(MAX_WORD_CHARS).collect()))
}

/// What WeChat's sign-in hands out.
fn is_code(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("Idempotency-Key") else { return Ok(None) };
    let bytes = value.as_bytes();
    let plain = (1..=MAX_KEY_CHARS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if plain => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad_request("bad-key", "Not a key", "Idempotency-Key has 1 to 255 visible ASCII characters")),
    }
}

/// How an order stands.
#[utoipa::path(
    get, path = "/api/v1/pay/orders/{order_id}", tag = "pay", params(("order_id" = String, Path)),
    responses((status = 200, body = OrderStateAnswer), (status = 404, body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn order(doors: Data<Arc<Doors>>, order: Path<String>) -> Result<HttpResponse, Problem> {
    let order: OrderId = order.parse().map_err(|_| PayProblem::Unknown)?;
    let state = doors.ask(&doors.ask_order, AskOrder { order }).await?;
    Ok(HttpResponse::Ok().json(OrderStateAnswer { state: order_word(state) }))
}
