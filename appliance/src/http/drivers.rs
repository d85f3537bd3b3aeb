//! The box's drivers over HTTP: how they stand. Changing them is for a command at the box (`tollhouse driver`).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json};
use tollhouse_core::user::Permission;

use super::api::{Caller, Problems};
use super::doors::Doors;
use super::problem::Problem;
use crate::drivers::order::Roll;

/// The instances of the configuration, each with its state, version, restarts and last fault; and the versions that are kept.
#[utoipa::path(
    get, path = "/api/v1/drivers", tag = "operate",
    responses((status = 200, body = Roll),
              Problems)
)]
pub(super) async fn list(doors: Data<Arc<Doors>>, caller: Caller) -> Result<Json<Roll>, Problem> {
    caller.may(Permission::DriversRead)?;
    let ask = Arc::clone(&doors.drivers);
    match web::block(move || ask()).await {
        Ok(Ok(roll)) => Ok(Json(roll)),
        Ok(Err(why)) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "drivers", "No list of drivers", why)),
        Err(_) => Err(Problem::full("the box is ending")),
    }
}
