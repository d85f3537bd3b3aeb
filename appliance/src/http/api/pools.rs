//! `/api/v1/pools`: places that are not numbered, and dated changes of how many there are.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use tollhouse_core::user::Permission;

use super::charging::{All, Why};
use super::spaces::day;
use super::{Asked, At, Caller, Problems, Query, WriteProblems, created};
use crate::charging::estate::{NewPool, PoolChange, PoolView};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/pools").get(list).post(add).enter(app);
    At::new("/api/v1/pools/{id}").get(one).enter(app);
    At::new("/api/v1/pools/{id}/changes").post(change).enter(app);
    At::new("/api/v1/pools/{id}/changes/{from}").delete(take_back).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, add, one, change, take_back))]
pub(super) struct Description;

/// All pools.
#[utoipa::path(get, path = "/api/v1/pools", tag = "estate", responses((status = 200, body = All<PoolView>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<All<PoolView>>, Problem> {
    caller.may(Permission::EstateRead)?;
    Ok(Json(All { items: doors.desks.charging.estate.pools()? }))
}

/// Makes a pool.
#[utoipa::path(post, path = "/api/v1/pools", tag = "estate", request_body = NewPool, params(Why),
    responses((status = 201, body = PoolView), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<NewPool>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "a new pool"));
    let made = doors.desks.charging.estate.add_pool(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/pools/{}", made.id), &made))
}

/// One pool, with its history.
#[utoipa::path(get, path = "/api/v1/pools/{id}", tag = "estate", params(("id" = String, Path)),
    responses((status = 200, body = PoolView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<PoolView>, Problem> {
    caller.may(Permission::EstateRead)?;
    Ok(Json(doors.desks.charging.estate.pool(&id)?))
}

/// From a day on a pool is something else; what is left out stays.
#[utoipa::path(post, path = "/api/v1/pools/{id}/changes", tag = "estate", request_body = PoolChange,
    params(("id" = String, Path), Why), responses((status = 201, body = PoolView), WriteProblems))]
async fn change(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<PoolChange>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "a change of the pool"));
    let pool = doors.desks.charging.estate.change_pool(&by, &id, &asked.body).await?;
    Ok(created(&format!("/api/v1/pools/{}", pool.id), &pool))
}

/// Takes a change back.
#[utoipa::path(delete, path = "/api/v1/pools/{id}/changes/{from}", tag = "estate",
    params(("id" = String, Path), ("from" = NaiveDate, Path), Why),
    responses((status = 200, body = PoolView), WriteProblems))]
async fn take_back(
    doors: Data<Arc<Doors>>,
    at: Path<(String, String)>,
    asked: Asked<()>,
    why: Query<Why>,
) -> Result<Json<PoolView>, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let (id, from) = at.into_inner();
    let by = asked.by(Why::or(&why, "a change of the pool taken back"));
    Ok(Json(doors.desks.charging.estate.take_back_pool(&by, &id, day(&from)?).await?))
}
