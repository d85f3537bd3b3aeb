//! Money that goes back through providers, by a person's word: `/api/v1/orders/{id}/refunds` begins a refund of what was paid,
//! `/api/v1/refunds/{id}/explanations` says what one was for that was made in the provider's console.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig};
use serde::Deserialize;
use tollhouse_core::cash::PayOut;
use tollhouse_core::id::{BillId, OrderId, RefundId};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::money::more_than_nothing;
use super::payments::RefundAnswer;
use super::{Asked, At, Fields, WriteProblems, created};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/orders/{id}/refunds").post(begin).enter(app);
    At::new("/api/v1/refunds/{id}/explanations").post(explain).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(begin, explain))]
pub(super) struct Description;

/// Money that is to go back to who paid an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrderRefund {
    /// The stay's bill that took too much; or leave it out and name in `due` what is owed to somebody already.
    bill: Option<String>,
    /// What is owed back already: a credit note, money that left suspense.
    due: Option<String>,
    /// No more than was paid for the order and has not gone back.
    #[schema(examples("5.00"))]
    amount: String,
    reason: String,
}

/// What a refund of the provider's console was for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewExplanation {
    /// The stay's bill that had taken too much; or leave it out and name in `due` what was owed to somebody already.
    bill: Option<String>,
    /// What was owed back already.
    due: Option<String>,
    reason: String,
}

fn what(fields: &mut Fields, bill: Option<&str>, due: Option<&str>) -> Option<PayOut> {
    match (bill, due) {
        (Some(bill), None) => fields.read("/bill", bill.parse::<BillId>()).map(PayOut::StayBill),
        (None, Some(due)) => fields.text("/due", due, 200).map(PayOut::RefundDue),
        _ => fields.read("", Err::<PayOut, _>("either bill or due is wanted")),
    }
}

/// Gives money back through the provider that took it. It is on record before the provider is asked, and asked for until it is
/// done: `GET /api/v1/refunds` tells how it stands.
#[utoipa::path(post, path = "/api/v1/orders/{id}/refunds", tag = "till", params(("id" = String, Path)),
    request_body = NewOrderRefund, responses((status = 201, body = RefundAnswer), WriteProblems))]
async fn begin(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<NewOrderRefund>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::RefundMake)?;
    let order: OrderId = id.parse().map_err(|_| Problem::unknown("there is no such order"))?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let what = what(&mut fields, body.bill.as_deref(), body.due.as_deref());
    let amount = more_than_nothing(&mut fields, "/amount", &body.amount, doors.currency);
    let reason = fields.text("/reason", &body.reason, 200);
    fields.done()?;
    let (Some(what), Some(amount), Some(reason)) = (what, amount, reason) else { return Err(Problem::broken()) };
    let refund = doors.till.refund_order(&asked.by(&reason), order, &what, amount, &reason).await?;
    Ok(created("/api/v1/refunds", &RefundAnswer::of(&refund, doors.zone)))
}

/// Says what a refund was for that was made in the provider's console: its amount leaves suspense.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/explanations", tag = "till", params(("id" = String, Path)),
    request_body = NewExplanation, responses((status = 201, body = RefundAnswer), WriteProblems))]
async fn explain(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<NewExplanation>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::RefundMake)?;
    let refund: RefundId = id.parse().map_err(|_| Problem::unknown("there is no such refund"))?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let what = what(&mut fields, body.bill.as_deref(), body.due.as_deref());
    let reason = fields.text("/reason", &body.reason, 200);
    fields.done()?;
    let (Some(what), Some(reason)) = (what, reason) else { return Err(Problem::broken()) };
    let refund = doors.till.explain_refund(&asked.by(&reason), refund, &what, &reason).await?;
    Ok(created("/api/v1/refunds", &RefundAnswer::of(&refund, doors.zone)))
}
