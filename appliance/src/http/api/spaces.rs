//! `/api/v1/spaces` and `/api/v1/uses`: numbered spaces, dated changes of what they are, and who stands where.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono::NaiveDate;
use serde::Deserialize;
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::charging::{All, Why};
use super::{Asked, At, Caller, Listed, Paging, Problems, Query, WriteProblems, created};
use crate::charging::ChargingFault;
use crate::charging::estate::{NewSpaces, SpaceChange, SpaceFilter, SpaceView, SpacesMade, StandingView, UseView};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/spaces").get(list).post(add).enter(app);
    At::new("/api/v1/spaces/{number}").get(one).enter(app);
    At::new("/api/v1/spaces/{number}/changes").post(change).enter(app);
    At::new("/api/v1/spaces/{number}/changes/{from}").delete(take_back).enter(app);
    At::new("/api/v1/spaces/{number}/standing").get(standing).put(correct).enter(app);
    At::new("/api/v1/uses").get(uses).post(put_use).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, add, one, change, take_back, standing, correct, uses, put_use))]
pub(super) struct Description;

/// Which spaces, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// In this area.
    area: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    room: Option<String>,
    /// `owned`, `rented` or `temporary` today.
    tenure: Option<String>,
    /// Numbers that begin so.
    number: Option<String>,
}

/// How the cars stand, the innermost first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    /// Their plates.
    cars: Vec<String>,
}

/// Spaces, by number.
#[utoipa::path(get, path = "/api/v1/spaces", tag = "estate", params(Which, Paging),
    responses((status = 200, body = Listed<SpaceView>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<SpaceView>>, Problem> {
    caller.may(Permission::EstateRead)?;
    let Which { area, room, tenure, number } = which.0;
    let word = |word: String| {
        let wrong = || ChargingFault::wrong("tenure", "应为产权、出租、临停", "one of: owned, rented, temporary");
        Tenure::by_word(&word).ok_or_else(wrong)
    };
    let filter = SpaceFilter { area, room, tenure: tenure.map(word).transpose()?, number };
    let (after, limit) = page.asked();
    Ok(Json(doors.desks.charging.estate.spaces(&filter, after, limit)?.into()))
}

/// Makes spaces that are alike: one, or a range such as `B1-001..B1-240`.
#[utoipa::path(post, path = "/api/v1/spaces", tag = "estate", request_body = NewSpaces, params(Why),
    responses((status = 201, body = SpacesMade), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<NewSpaces>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "new spaces"));
    let made = doors.desks.charging.estate.add_spaces(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/spaces/{}", made.first), &made))
}

/// One space, with its history.
#[utoipa::path(get, path = "/api/v1/spaces/{number}", tag = "estate", params(("number" = String, Path)),
    responses((status = 200, body = SpaceView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, number: Path<String>) -> Result<Json<SpaceView>, Problem> {
    caller.may(Permission::EstateRead)?;
    Ok(Json(doors.desks.charging.estate.space(&number)?))
}

/// From a day on a space is something else; what is left out stays.
#[utoipa::path(post, path = "/api/v1/spaces/{number}/changes", tag = "estate", request_body = SpaceChange,
    params(("number" = String, Path), Why), responses((status = 201, body = SpaceView), WriteProblems))]
async fn change(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<SpaceChange>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "a change of the space"));
    let space = doors.desks.charging.estate.change_space(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/spaces/{}", space.number), &space))
}

/// Takes a change back: from that day on the space is what it was before.
#[utoipa::path(delete, path = "/api/v1/spaces/{number}/changes/{from}", tag = "estate",
    params(("number" = String, Path), ("from" = NaiveDate, Path), Why),
    responses((status = 200, body = SpaceView), WriteProblems))]
async fn take_back(
    doors: Data<Arc<Doors>>,
    at: Path<(String, String)>,
    asked: Asked<()>,
    why: Query<Why>,
) -> Result<Json<SpaceView>, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let (number, from) = at.into_inner();
    let from = day(&from)?;
    let by = asked.by(Why::or(&why, "a change of the space taken back"));
    Ok(Json(doors.desks.charging.estate.take_back_change(&by, &number, from).await?))
}

/// A day in an address.
pub(super) fn day(text: &str) -> Result<NaiveDate, Problem> {
    let wrong = || Problem::bad_request("bad-address", "Bad address", "a day is written like 2026-03-01");
    text.parse().map_err(|_| wrong())
}

/// Who stands on a space, the innermost first, and who blocks whom.
#[utoipa::path(get, path = "/api/v1/spaces/{number}/standing", tag = "estate", params(("number" = String, Path)),
    responses((status = 200, body = StandingView), Problems))]
async fn standing(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    number: Path<String>,
) -> Result<Json<StandingView>, Problem> {
    caller.may(Permission::EstateRead)?;
    Ok(Json(doors.desks.charging.estate.standing(&number)?))
}

/// Somebody has looked: the cars stand in this order. It never alters gate or fee.
#[utoipa::path(put, path = "/api/v1/spaces/{number}/standing", tag = "estate", request_body = Standing,
    params(("number" = String, Path), Why), responses((status = 200, body = StandingView), WriteProblems))]
async fn correct(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<Standing>,
    why: Query<Why>,
) -> Result<Json<StandingView>, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "somebody looked"));
    Ok(Json(doors.desks.charging.estate.correct_standing(&by, &number, &asked.body.cars).await?))
}

/// The uses of spaces.
#[utoipa::path(get, path = "/api/v1/uses", tag = "estate", responses((status = 200, body = All<UseView>), Problems))]
async fn uses(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<All<UseView>>, Problem> {
    caller.may(Permission::EstateRead)?;
    Ok(Json(All { items: doors.desks.charging.estate.uses()? }))
}

/// Writes a use, new or changed.
#[utoipa::path(post, path = "/api/v1/uses", tag = "estate", request_body = UseView, params(Why),
    responses((status = 201, body = UseView), WriteProblems))]
async fn put_use(doors: Data<Arc<Doors>>, asked: Asked<UseView>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::EstateWrite)?;
    let by = asked.by(Why::or(&why, "a use of spaces"));
    let made = doors.desks.charging.estate.put_use(&by, &asked.body).await?;
    Ok(created("/api/v1/uses", &made))
}
