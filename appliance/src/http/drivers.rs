//! The box's drivers over HTTP: how they stand. Changing them is for a command at the box (`tollhouse driver`).

use std::sync::Arc;

use actix_web::web::{self, Data, Json};
use actix_web::{HttpRequest, http::StatusCode};

use super::doors::Doors;
use super::opening::sign_in;
use super::problem::{Problem, ProblemDocument};
use super::rate::Rates;
use crate::drivers::order::Roll;

/// The instances of the configuration, each with its state, version, restarts and last fault; and the versions that are kept.
#[utoipa::path(
    get, path = "/api/v1/drivers", tag = "operate",
    responses((status = 200, body = Roll),
              (status = 401, description = "Sign in as admin (HTTP Basic)", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    request: HttpRequest,
) -> Result<Json<Roll>, Problem> {
    sign_in(&doors, &rates, &request).await?;
    let ask = Arc::clone(&doors.drivers);
    match web::block(move || ask()).await {
        Ok(Ok(roll)) => Ok(Json(roll)),
        Ok(Err(why)) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "drivers", "No list of drivers", why)),
        Err(_) => Err(Problem::full("the box is ending")),
    }
}
