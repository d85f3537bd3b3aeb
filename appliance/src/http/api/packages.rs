//! `/api/v1/packages`: what is on sale, and which package would have cost a holder least.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use tollhouse_core::user::Permission;

use super::charging::{All, Why};
use super::{Asked, At, Caller, Problems, Query, WriteProblems, created};
use crate::charging::prices::{
    PackageBody, PackageView, RecommendationView, ReplayView, SaleEnd, WantedRecommendation,
};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/packages").get(list).post(add).enter(app);
    At::new("/api/v1/packages/recommendations").post(recommend).enter(app);
    At::new("/api/v1/packages/recommendations/{id}").get(replay).enter(app);
    At::new("/api/v1/packages/{id}").get(one).patch(end).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, add, one, end, recommend, replay))]
pub(super) struct Description;

/// All packages.
#[utoipa::path(get, path = "/api/v1/packages", tag = "prices",
    responses((status = 200, body = All<PackageView>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<All<PackageView>>, Problem> {
    caller.may(Permission::PricesRead)?;
    Ok(Json(All { items: doors.desks.charging.prices.packages()? }))
}

/// Makes a package.
#[utoipa::path(post, path = "/api/v1/packages", tag = "prices", request_body = PackageBody, params(Why),
    responses((status = 201, body = PackageView), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<PackageBody>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let by = asked.by(Why::or(&why, "a new package"));
    let made = doors.desks.charging.prices.add_package(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/packages/{}", made.package.id), &made))
}

/// One package.
#[utoipa::path(get, path = "/api/v1/packages/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = PackageView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<PackageView>, Problem> {
    caller.may(Permission::PricesRead)?;
    Ok(Json(doors.desks.charging.prices.package(&id)?))
}

/// Takes a package off sale on a day, or lets it stay. What was sold stays as it was sold.
#[utoipa::path(patch, path = "/api/v1/packages/{id}", tag = "prices", request_body = SaleEnd,
    params(("id" = String, Path), Why), responses((status = 200, body = PackageView), WriteProblems))]
async fn end(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<SaleEnd>,
    why: Query<Why>,
) -> Result<Json<PackageView>, Problem> {
    asked.caller.may(Permission::PricesWrite)?;
    let by = asked.by(Why::or(&why, "the end of a sale"));
    Ok(Json(doors.desks.charging.prices.end_sale(&by, &id, &asked.body).await?))
}

/// What each package on sale, and none, would have cost over the days that are looked back upon: the cheapest first, each
/// with the reason. Put on record, so that it can be reckoned again.
#[utoipa::path(post, path = "/api/v1/packages/recommendations", tag = "prices", request_body = WantedRecommendation,
    params(Why), responses((status = 201, body = RecommendationView), WriteProblems))]
async fn recommend(
    doors: Data<Arc<Doors>>,
    asked: Asked<WantedRecommendation>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsRead)?;
    let by = asked.by(Why::or(&why, "a recommendation"));
    let made = doors.desks.charging.prices.recommend(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/packages/recommendations/{}", made.id), &made))
}

/// A recommendation that was made, reckoned again from the record alone.
#[utoipa::path(get, path = "/api/v1/packages/recommendations/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = ReplayView), Problems))]
async fn replay(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<ReplayView>, Problem> {
    caller.may(Permission::CardsRead)?;
    let desk = doors.desks.charging.prices.clone();
    let made = web::block(move || desk.replay(&id)).await.map_err(|_| Problem::full("the box is ending"))?;
    Ok(Json(made?))
}
