//! `/api/v1/areas` and `/api/v1/buildings`: how full the estate is, by area and class; its buildings, units and rooms.

use std::sync::Arc;

use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use tollhouse_core::user::Permission;
use utoipa::IntoParams;

use super::charging::All;
use super::{At, Caller, Problems, Query};
use crate::charging::estate::{AreaView, BuildingView};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/areas").get(list).enter(app);
    At::new("/api/v1/areas/{area}").get(one).enter(app);
    At::new("/api/v1/buildings").get(buildings).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, one, buildings),
    tags((name = "estate", description = "Areas, buildings, uses, spaces and pools"))
)]
pub(super) struct Description;

/// Which building.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// This building alone.
    building: Option<String>,
}

/// All areas, with how full they are by class.
#[utoipa::path(get, path = "/api/v1/areas", tag = "estate", responses((status = 200, body = All<AreaView>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<All<AreaView>>, Problem> {
    caller.may(Permission::EstateRead)?;
    let desk = doors.desks.charging.estate.clone();
    let items = web::block(move || desk.areas()).await.map_err(|_| Problem::full("the box is ending"))??;
    Ok(Json(All { items }))
}

/// One area.
#[utoipa::path(get, path = "/api/v1/areas/{area}", tag = "estate", params(("area" = String, Path)),
    responses((status = 200, body = AreaView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, area: Path<String>) -> Result<Json<AreaView>, Problem> {
    caller.may(Permission::EstateRead)?;
    let desk = doors.desks.charging.estate.clone();
    let found = web::block(move || desk.area(&area)).await.map_err(|_| Problem::full("the box is ending"))?;
    Ok(Json(found?))
}

/// Buildings, units and rooms, with the holders and spaces of each.
#[utoipa::path(get, path = "/api/v1/buildings", tag = "estate", params(Which),
    responses((status = 200, body = All<BuildingView>), Problems))]
async fn buildings(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
) -> Result<Json<All<BuildingView>>, Problem> {
    caller.may(Permission::EstateRead)?;
    let desk = doors.desks.charging.estate.clone();
    let found = web::block(move || desk.buildings(which.0.building.as_deref())).await;
    let items = found.map_err(|_| Problem::full("the box is ending"))??;
    Ok(Json(All { items }))
}
