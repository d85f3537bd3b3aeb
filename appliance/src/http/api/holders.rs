//! `/api/v1/holders` and `/api/v1/vehicles`: who has cards, and what is registered of their vehicles.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use tollhouse_core::user::Permission;
use utoipa::IntoParams;

use super::charging::Why;
use super::{Asked, At, Caller, Listed, Paging, Problems, Query, WriteProblems, created};
use crate::charging::holders::{HolderBody, HolderChange, HolderFilter, HolderView, VehicleBody, VehicleView};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/holders").get(list).post(add).enter(app);
    At::new("/api/v1/holders/{id}").get(one).patch(change).enter(app);
    At::new("/api/v1/vehicles").get(vehicles).post(register).enter(app);
    At::new("/api/v1/vehicles/{plate}").get(vehicle).delete(unregister).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, add, one, change, vehicles, register, vehicle, unregister),
    tags((name = "cards", description = "Holders, vehicles, cards and invitations"))
)]
pub(super) struct Description;

/// Which holders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// A part of their name, or of their telephone number (3 digits at least).
    q: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    room: Option<String>,
}

/// Whose vehicles.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Of this holder.
    holder: Option<String>,
}

/// Holders, by id.
#[utoipa::path(get, path = "/api/v1/holders", tag = "cards", params(Which, Paging),
    responses((status = 200, body = Listed<HolderView>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<HolderView>>, Problem> {
    caller.may(Permission::CardsRead)?;
    let filter = HolderFilter { text: which.0.q, room: which.0.room };
    let (after, limit) = page.asked();
    Ok(Json(doors.desks.charging.holders.holders(&filter, after, limit)?.into()))
}

/// Enters a holder.
#[utoipa::path(post, path = "/api/v1/holders", tag = "cards", request_body = HolderBody, params(Why),
    responses((status = 201, body = HolderView), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<HolderBody>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a new holder"));
    let made = doors.desks.charging.holders.add_holder(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/holders/{}", made.id), &made))
}

/// One holder.
#[utoipa::path(get, path = "/api/v1/holders/{id}", tag = "cards", params(("id" = String, Path)),
    responses((status = 200, body = HolderView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<HolderView>, Problem> {
    caller.may(Permission::CardsRead)?;
    Ok(Json(doors.desks.charging.holders.holder(&id)?))
}

/// Changes a holder; what is left out stays, an empty text takes away.
#[utoipa::path(patch, path = "/api/v1/holders/{id}", tag = "cards", request_body = HolderChange,
    params(("id" = String, Path), Why), responses((status = 200, body = HolderView), WriteProblems))]
async fn change(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<HolderChange>,
    why: Query<Why>,
) -> Result<Json<HolderView>, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a change of the holder"));
    Ok(Json(doors.desks.charging.holders.change_holder(&by, &id, &asked.body).await?))
}

/// Registered vehicles, by plate.
#[utoipa::path(get, path = "/api/v1/vehicles", tag = "cards", params(Whose, Paging),
    responses((status = 200, body = Listed<VehicleView>), Problems))]
async fn vehicles(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    whose: Query<Whose>,
    page: Paging,
) -> Result<Json<Listed<VehicleView>>, Problem> {
    caller.may(Permission::CardsRead)?;
    let (after, limit) = page.asked();
    Ok(Json(doors.desks.charging.holders.vehicles(whose.0.holder.as_deref(), after, limit)?.into()))
}

/// Registers a vehicle, or registers it anew: its kind goes before the one that its plate's colour tells.
#[utoipa::path(post, path = "/api/v1/vehicles", tag = "cards", request_body = VehicleBody, params(Why),
    responses((status = 201, body = VehicleView), WriteProblems))]
async fn register(
    doors: Data<Arc<Doors>>,
    asked: Asked<VehicleBody>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a registration"));
    let made = doors.desks.charging.holders.register(&by, &asked.body).await?;
    Ok(created("/api/v1/vehicles", &made))
}

/// One registered vehicle.
#[utoipa::path(get, path = "/api/v1/vehicles/{plate}", tag = "cards", params(("plate" = String, Path)),
    responses((status = 200, body = VehicleView), Problems))]
async fn vehicle(doors: Data<Arc<Doors>>, caller: Caller, plate: Path<String>) -> Result<Json<VehicleView>, Problem> {
    caller.may(Permission::CardsRead)?;
    Ok(Json(doors.desks.charging.holders.vehicle(&plate)?))
}

/// Takes a registration back.
#[utoipa::path(delete, path = "/api/v1/vehicles/{plate}", tag = "cards", params(("plate" = String, Path), Why),
    responses((status = 204, description = "It is gone"), WriteProblems))]
async fn unregister(
    doors: Data<Arc<Doors>>,
    plate: Path<String>,
    asked: Asked<()>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a registration taken back"));
    doors.desks.charging.holders.unregister(&by, &plate).await?;
    Ok(HttpResponse::NoContent().finish())
}
