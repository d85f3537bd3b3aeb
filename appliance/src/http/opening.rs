//! A person opens a lane, with a reason that is on record for ever.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::{EventId, LaneId};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::api::{Caller, WriteProblems};
use super::doors::Doors;
use super::problem::Problem;
use crate::actors::lot::messages::{NotOpened, OpenLane};

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Why the lane is opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningRequest {
    /// In the person's own words, 1 to 200 characters.
    reason: String,
}

/// What was ordered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpeningAnswer {
    /// The lane.
    lane: String,
    /// The order's own id: the same one opens once.
    request: String,
}

/// Opens a lane by hand. The opening is decided by the lane and shows on the live page and in the journal.
#[utoipa::path(
    post, path = "/api/v1/lanes/{lane}/openings", tag = "lanes",
    params(("lane" = String, Path, description = "The lane's name"),
           ("Idempotency-Key" = Option<String>, Header, description = "1 to 64 characters of A-Z, a-z, 0-9, _ and -: the same key opens once")),
    request_body = OpeningRequest,
    responses((status = 201, body = OpeningAnswer, description = "Decided, on record, and on its way to the barrier; the same again under the same key"),
              WriteProblems)
)]
pub(super) async fn open(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    lane: Path<String>,
    request: HttpRequest,
    body: Json<OpeningRequest>,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::LaneOpen)?;
    let reason = body.into_inner().reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS || reason.chars().any(char::is_control) {
        let detail = "say in 1 to 200 characters why the lane is opened";
        return Err(Problem::bad_request("reason", "A reason is needed", detail));
    }
    let lane = LaneId::new(lane.into_inner()).map_err(|_| Problem::no_route())?;
    let id = request_id(&request)?;
    let order = OpenLane { lane: lane.clone(), name: caller.name().to_owned(), reason, request: id.clone() };
    match doors.open_lane.send(order).await {
        Ok(Ok(())) => {}
        Ok(Err(NotOpened::NoSuchLane(_))) => return Err(Problem::no_route()),
        Ok(Err(NotOpened::AnotherOrder)) => return Err(Problem::key_reused()),
        Ok(Err(NotOpened::Busy(_))) | Err(_) => return Err(Problem::full("the lane is being started again")),
    }
    Ok(HttpResponse::Created().json(OpeningAnswer { lane: lane.to_string(), request: id.to_string() }))
}

fn request_id(request: &HttpRequest) -> Result<EventId, Problem> {
    let Some(key) = request.headers().get("Idempotency-Key") else {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|fault| Problem::full(&fault.to_string()))?;
        let drawn = tollhouse_core::id::OrderId::from_bytes(bytes).to_string();
        return Ok(EventId::new(drawn).expect("an id is a plain name"));
    };
    let key = key.to_str().ok().and_then(|key| EventId::new(key).ok());
    let detail = "an Idempotency-Key has 1 to 64 characters of A-Z, a-z, 0-9, _ and -";
    key.ok_or_else(|| Problem::bad_request("idempotency-key", "Not a key", detail))
}
