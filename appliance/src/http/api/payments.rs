//! `/api/v1/payments`, `/refunds` and `/stored-values`: money that came and went back, and the taking of cash and stored
//! value at the window. What a provider takes comes by its own way and is only shown here.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::cash::{PayOut, StoredMove, StoredMoved, StoredValue, Taking, Tendered};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::BillId;
use tollhouse_core::pay::{Ending, Payment, Refund};
use tollhouse_core::record::{Kept, Record, Records};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::money::more_than_nothing;
use super::shifts::ReceiptAnswer;
use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::actors::payment::messages::ReleaseBill;
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/payments").get(payments).post(pay).enter(app);
    At::new("/api/v1/refunds").get(refunds).post(give_back).enter(app);
    At::new("/api/v1/stored-values/{card}").get(stored).enter(app);
    At::new("/api/v1/stored-values/{card}/top-ups").post(top_up).enter(app);
    At::new("/api/v1/stored-values/{card}/returns").post(return_stored).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(payments, pay, refunds, give_back, stored, top_up, return_stored))]
pub(super) struct Description;

/// Money that a provider took.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentAnswer {
    /// Provider, merchant account and transaction.
    id: String,
    provider: String,
    merchant: String,
    transaction: String,
    order: String,
    amount: String,
    /// What of it settled bills.
    to_bill: String,
    /// What goes back.
    excess: String,
    /// What nobody can assign.
    suspense: String,
    currency: &'static str,
    paid_at: String,
}

impl PaymentAnswer {
    fn of(payment: &Payment, zone: Tz) -> Self {
        Self {
            id: payment.key(),
            provider: payment.provider.clone(),
            merchant: payment.merchant.clone(),
            transaction: payment.transaction.clone(),
            order: payment.order.to_string(),
            amount: payment.amount.amount(),
            to_bill: payment.to_bill.amount(),
            excess: payment.excess.amount(),
            suspense: payment.suspense.amount(),
            currency: payment.amount.currency().code(),
            paid_at: wire::time(payment.paid_at, zone),
        }
    }
}

/// Money on its way back through a provider, or there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(super) struct RefundAnswer {
    id: String,
    order: String,
    amount: String,
    currency: &'static str,
    /// `requested`, `accepted`, `abnormal` or `done`.
    state: String,
    reason: String,
    made_at: String,
    done_at: Option<String>,
    /// What it was for, of one that was made in the provider's console and has been explained.
    explained: Option<String>,
}

impl RefundAnswer {
    pub(super) fn of(refund: &Refund, zone: Tz) -> Self {
        let state = serde_json::to_value(refund.state).ok().and_then(|word| word.as_str().map(str::to_owned));
        Self {
            id: refund.id.to_string(),
            order: refund.order.to_string(),
            amount: refund.amount.amount(),
            currency: refund.amount.currency().code(),
            state: state.unwrap_or_default(),
            reason: refund.reason.clone(),
            made_at: wire::time(refund.made_at, zone),
            done_at: refund.done_at.map(|at| wire::time(at, zone)),
            explained: refund.explained.clone(),
        }
    }
}

/// A payment at the window.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPayment {
    /// The bill of a stay.
    bill: String,
    /// `cash` or `stored`.
    #[schema(examples("cash"))]
    method: String,
    /// Cash: what was put on the counter.
    #[schema(examples("20.00"))]
    tendered: Option<String>,
    /// Cash: less than what is due is welcome too.
    #[serde(default)]
    part: bool,
    /// Stored value: of which card.
    card: Option<String>,
}

/// What was paid at the window: one of both.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WindowPayment)]
pub(super) struct PaidAnswer {
    /// Cash: the receipt.
    receipt: Option<ReceiptAnswer>,
    /// Stored value: the move.
    stored: Option<StoredMoveAnswer>,
}

/// A move of a card's stored value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoredMove)]
pub(super) struct StoredMoveAnswer {
    card: String,
    number: u32,
    at: String,
    /// `topped_up`, `spent` or `given_back`.
    kind: &'static str,
    /// The receipt or the bill.
    about: String,
    /// By how much the balance rose; below zero it fell.
    amount: String,
    balance: String,
    currency: &'static str,
}

impl StoredMoveAnswer {
    fn of(line: &StoredMove, zone: Tz) -> Self {
        let (kind, about) = match &line.moved {
            StoredMoved::ToppedUp { receipt } => ("topped_up", receipt.clone()),
            StoredMoved::Spent { bill } => ("spent", bill.to_string()),
            StoredMoved::GivenBack { receipt } => ("given_back", receipt.clone()),
        };
        Self {
            card: line.card.to_string(),
            number: line.number,
            at: wire::time(line.at, zone),
            kind,
            about,
            amount: line.amount.amount(),
            balance: line.balance.amount(),
            currency: line.amount.currency().code(),
        }
    }
}

/// What a card holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoredValue)]
pub(super) struct StoredAnswer {
    card: String,
    balance: String,
    currency: &'static str,
    moves: Listed<StoredMoveAnswer>,
}

/// Cash that is given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    /// The stay's bill that took too much; or leave it out and name in `due` what is owed to somebody already.
    bill: Option<String>,
    /// What is owed back already: a credit note, a refund that no provider can make.
    due: Option<String>,
    #[schema(examples("5.00"))]
    amount: String,
    reason: String,
}

/// An amount of money, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredBody {
    #[schema(examples("100.00"))]
    amount: String,
    /// Needed where it is given back.
    reason: Option<String>,
}

/// Payments that providers took, by provider, merchant account and transaction.
#[utoipa::path(get, path = "/api/v1/payments", tag = "till", params(Paging),
    responses((status = 200, body = Listed<PaymentAnswer>), Problems))]
async fn payments(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    page: Paging,
) -> Result<Json<Listed<PaymentAnswer>>, Problem> {
    caller.may(Permission::PaymentsRead)?;
    let show = |kept: Kept<Payment>| Some(PaymentAnswer::of(&kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// Takes cash or stored value for the bill of a stay; a car that waits for it goes. Orders of
/// phones that are open for the same bill are asked about and closed first; what is paid all the same goes back by itself.
#[utoipa::path(post, path = "/api/v1/payments", tag = "till", request_body = NewPayment,
    responses((status = 201, body = PaidAnswer), WriteProblems))]
async fn pay(doors: Data<Arc<Doors>>, asked: Asked<NewPayment>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::PaymentsTake)?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let bill = fields.read("/bill", body.bill.parse::<BillId>());
    let zone = doors.zone;
    match body.method.as_str() {
        "cash" => {
            let given = body.tendered.as_deref().unwrap_or_default();
            let amount = fields.money("/tendered", given, doors.currency);
            fields.done()?;
            let (Some(bill), Some(amount)) = (bill, amount) else { return Err(Problem::broken()) };
            released(&doors, bill).await?;
            let taking = if body.part { Taking::Part } else { Taking::All };
            let tendered = Tendered { bill, amount, taking };
            let receipt = doors.till.take(&asked.by("cash"), asked.caller.name(), &tendered).await?;
            let receipt = ReceiptAnswer::of(&receipt, zone);
            Ok(created("/api/v1/payments", &PaidAnswer { receipt: Some(receipt), stored: None }))
        }
        "stored" => {
            let card = fields.read("/card", CardNumber::new(body.card.as_deref().unwrap_or_default()));
            fields.done()?;
            let (Some(bill), Some(card)) = (bill, card) else { return Err(Problem::broken()) };
            released(&doors, bill).await?;
            let line = doors.till.spend(&asked.by("stored value"), &card, bill).await?;
            let stored = StoredMoveAnswer::of(&line, zone);
            Ok(created("/api/v1/payments", &PaidAnswer { receipt: None, stored: Some(stored) }))
        }
        _ => {
            fields.fault("/method", "the methods are cash and stored");
            fields.done()?;
            Err(Problem::broken())
        }
    }
}

/// No phone pays this bill from now on, as far as providers can be asked.
async fn released(doors: &Doors, bill: BillId) -> Result<(), Problem> {
    match doors.ask(&doors.release, ReleaseBill { bill, why: Ending::Cash }).await {
        // The till says so itself, or knows this request and answers it as it did before.
        Err(problem) if problem.word == "nothing-due" => Ok(()),
        released => released,
    }
}

/// Refunds through providers.
#[utoipa::path(get, path = "/api/v1/refunds", tag = "till", params(Paging),
    responses((status = 200, body = Listed<RefundAnswer>), Problems))]
async fn refunds(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<RefundAnswer>>, Problem> {
    caller.may(Permission::PaymentsRead)?;
    let show = |kept: Kept<Refund>| Some(RefundAnswer::of(&kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// Gives cash back out of one's open shift.
#[utoipa::path(post, path = "/api/v1/refunds", tag = "till", request_body = NewRefund,
    responses((status = 201, body = ReceiptAnswer), WriteProblems))]
async fn give_back(doors: Data<Arc<Doors>>, asked: Asked<NewRefund>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::RefundMake)?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let what = match (&body.bill, &body.due) {
        (Some(bill), None) => fields.read("/bill", bill.parse::<BillId>()).map(PayOut::StayBill),
        (None, Some(due)) => fields.text("/due", due, 200).map(PayOut::RefundDue),
        _ => fields.read("", Err::<PayOut, _>("either bill or due is wanted")),
    };
    let amount = more_than_nothing(&mut fields, "/amount", &body.amount, doors.currency);
    let reason = fields.text("/reason", &body.reason, 200);
    fields.done()?;
    let (Some(what), Some(amount), Some(reason)) = (what, amount, reason) else { return Err(Problem::broken()) };
    let receipt = doors.till.pay_out(&asked.by(&reason), asked.caller.name(), &what, amount, &reason).await?;
    Ok(created("/api/v1/refunds", &ReceiptAnswer::of(&receipt, doors.zone)))
}

fn card_number(text: &str) -> Result<CardNumber, Problem> {
    CardNumber::new(text).map_err(|_| Problem::unknown("there is no such card"))
}

/// What a card holds, and how that came.
#[utoipa::path(get, path = "/api/v1/stored-values/{card}", tag = "till", params(("card" = String, Path), Paging),
    responses((status = 200, body = StoredAnswer), Problems))]
async fn stored(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    card: Path<String>,
    page: Paging,
) -> Result<Json<StoredAnswer>, Problem> {
    caller.may(Permission::PaymentsRead)?;
    let (card, records) = (card_number(&card)?, doors.desks.records());
    let kept = records.get::<StoredValue>(card.as_str())?;
    let kept = kept.ok_or_else(|| Problem::unknown("this card holds no stored value"))?;
    let show = |kept: Kept<StoredMove>| Some(StoredMoveAnswer::of(&kept.record, doors.zone));
    let moves = page.under(&format!("{card}/"), &records, show)?;
    let balance = kept.record.balance;
    Ok(Json(StoredAnswer {
        card: card.to_string(),
        balance: balance.amount(),
        currency: balance.currency().code(),
        moves,
    }))
}

/// Tops a card up with cash.
#[utoipa::path(post, path = "/api/v1/stored-values/{card}/top-ups", tag = "till", params(("card" = String, Path)),
    request_body = StoredBody, responses((status = 201, body = StoredMoveAnswer), WriteProblems))]
async fn top_up(
    doors: Data<Arc<Doors>>,
    card: Path<String>,
    asked: Asked<StoredBody>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::PaymentsTake)?;
    let card = card_number(&card)?;
    let mut fields = Fields::default();
    let amount = more_than_nothing(&mut fields, "/amount", &asked.body.amount, doors.currency);
    fields.done()?;
    let amount = amount.ok_or_else(Problem::broken)?;
    let line = doors.till.top_up(&asked.by("top-up"), asked.caller.name(), &card, amount).await?;
    Ok(created(&format!("/api/v1/stored-values/{card}"), &StoredMoveAnswer::of(&line, doors.zone)))
}

/// Gives stored value back in cash.
#[utoipa::path(post, path = "/api/v1/stored-values/{card}/returns", tag = "till", params(("card" = String, Path)),
    request_body = StoredBody, responses((status = 201, body = StoredMoveAnswer), WriteProblems))]
async fn return_stored(
    doors: Data<Arc<Doors>>,
    card: Path<String>,
    asked: Asked<StoredBody>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::RefundMake)?;
    let card = card_number(&card)?;
    let mut fields = Fields::default();
    let amount = more_than_nothing(&mut fields, "/amount", &asked.body.amount, doors.currency);
    let reason = fields.text("/reason", asked.body.reason.as_deref().unwrap_or_default(), 200);
    fields.done()?;
    let (Some(amount), Some(reason)) = (amount, reason) else { return Err(Problem::broken()) };
    let line = doors.till.give_back(&asked.by(&reason), asked.caller.name(), &card, amount, &reason).await?;
    Ok(created(&format!("/api/v1/stored-values/{card}"), &StoredMoveAnswer::of(&line, doors.zone)))
}
