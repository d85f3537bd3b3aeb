//! `/api/v1/fee-items`: the price list, prices from dates on, and their way back. A change never touches a bill that exists.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono::NaiveDate;
use serde::Deserialize;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::charging::{All, Why};
use super::spaces::day;
use super::{Asked, At, Caller, Problems, Query, WriteProblems, created};
use crate::charging::prices::{FeeItemBody, FeeItemView, NewPrice};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/fee-items").get(list).post(add).enter(app);
    At::new("/api/v1/fee-items/{id}").get(one).patch(end).enter(app);
    At::new("/api/v1/fee-items/{id}/prices").post(set_price).enter(app);
    At::new("/api/v1/fee-items/{id}/prices/{from}").delete(take_back).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, add, one, end, set_price, take_back),
    tags((name = "prices", description = "Fee items, packages and recommendations"))
)]
pub(super) struct Description;

/// When an item goes out of force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemEnd {
    /// The first day on which it is no longer in force; null: it stays.
    until: Option<NaiveDate>,
}

/// All fee items.
#[utoipa::path(get, path = "/api/v1/fee-items", tag = "prices",
    responses((status = 200, body = All<FeeItemView>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<All<FeeItemView>>, Problem> {
    caller.may(Permission::PricesRead)?;
    Ok(Json(All { items: doors.desks.charging.prices.fee_items()? }))
}

/// Makes a fee item. One that is as specific as another and meets it is refused, and both are named.
#[utoipa::path(post, path = "/api/v1/fee-items", tag = "prices", request_body = FeeItemBody, params(Why),
    responses((status = 201, body = FeeItemView), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<FeeItemBody>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let by = asked.by(Why::or(&why, "a new fee item"));
    let made = doors.desks.charging.prices.add_fee_item(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/fee-items/{}", made.item.id), &made))
}

/// One fee item, with its prices.
#[utoipa::path(get, path = "/api/v1/fee-items/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = FeeItemView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<FeeItemView>, Problem> {
    caller.may(Permission::PricesRead)?;
    Ok(Json(doors.desks.charging.prices.fee_item(&id)?))
}

/// Ends an item on a day, or takes that back.
#[utoipa::path(patch, path = "/api/v1/fee-items/{id}", tag = "prices", request_body = ItemEnd,
    params(("id" = String, Path), Why), responses((status = 200, body = FeeItemView), WriteProblems))]
async fn end(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<ItemEnd>,
    why: Query<Why>,
) -> Result<Json<FeeItemView>, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let by = asked.by(Why::or(&why, "the end of the fee item"));
    Ok(Json(doors.desks.charging.prices.end_fee_item(&by, &id, asked.body.until).await?))
}

/// From a day on an item has another price. Bills that exist keep theirs.
#[utoipa::path(post, path = "/api/v1/fee-items/{id}/prices", tag = "prices", request_body = NewPrice,
    params(("id" = String, Path), Why), responses((status = 201, body = FeeItemView), WriteProblems))]
async fn set_price(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<NewPrice>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let by = asked.by(Why::or(&why, "another price"));
    let item = doors.desks.charging.prices.set_price(&by, &id, &asked.body).await?;
    Ok(created(&format!("/api/v1/fee-items/{}", item.item.id), &item))
}

/// Takes a price back: from that day on it is what it was before.
#[utoipa::path(delete, path = "/api/v1/fee-items/{id}/prices/{from}", tag = "prices",
    params(("id" = String, Path), ("from" = NaiveDate, Path), Why),
    responses((status = 200, body = FeeItemView), WriteProblems))]
async fn take_back(
    doors: Data<Arc<Doors>>,
    at: Path<(String, String)>,
    asked: Asked<()>,
    why: Query<Why>,
) -> Result<Json<FeeItemView>, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let (id, from) = at.into_inner();
    let by = asked.by(Why::or(&why, "a price taken back"));
    Ok(Json(doors.desks.charging.prices.take_back_price(&by, &id, day(&from)?).await?))
}
