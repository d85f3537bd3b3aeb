//! `/api/v1/passages`: one car at one lane, whatever was decided.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use serde::{Deserialize, Serialize};
use tollhouse_core::lane::{Direction, Passage};
use tollhouse_core::money::Money;
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::stays::{Plates, sees_plates};
use super::{At, Caller, Fields, Listed, Paging, Problems, Query};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::{pay_arrears, wire};

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/passages").get(list).enter(app);
    At::new("/api/v1/passages/{id}").get(one).enter(app);
    At::new("/api/v1/passages/{id}/picture").get(picture).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, one, picture))]
pub(super) struct Description;

/// One car at one lane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passage)]
pub(super) struct PassageAnswer {
    id: String,
    lane: String,
    /// `entry` or `exit`.
    direction: &'static str,
    /// The plate; null where none was read, and for who may not read personal data.
    plate: Option<String>,
    /// When the car stood there, by the box's clock.
    captured_at: String,
    /// When it was decided.
    decided_at: String,
    /// The machine code of what was decided.
    code: &'static str,
    /// `waiting`, `granted`, `refused`, `passed`, `lapsed`.
    state: String,
    /// The one cause of the opening, if it was given.
    cause: Option<String>,
    /// What was due then.
    due: Option<String>,
    currency: Option<&'static str>,
    stay_id: Option<String>,
    bill_id: Option<String>,
    /// What ended it, and when.
    ended_by: Option<String>,
    ended_at: Option<String>,
}

/// Which passages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PassageQuery {
    /// At this lane alone.
    lane: Option<String>,
    /// Captured at or after this moment, RFC 3339.
    from: Option<String>,
    /// Captured before this moment, RFC 3339.
    to: Option<String>,
}

/// The word that a state or cause has on record.
fn word(state: &impl Serialize) -> String {
    let value = serde_json::to_value(state).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn answer(doors: &Doors, passage: Passage, plates: Plates) -> PassageAnswer {
    let time = |at| wire::time(at, doors.zone);
    PassageAnswer {
        id: passage.id.to_string(),
        lane: passage.lane.to_string(),
        direction: if passage.direction == Direction::Entry { "entry" } else { "exit" },
        plate: passage.plate.filter(|_| plates == Plates::Shown).map(|plate| plate.to_string()),
        captured_at: time(passage.captured_at),
        decided_at: time(passage.decided_at),
        code: passage.code.as_str(),
        state: word(&passage.state),
        cause: passage.grant.map(|grant| word(&grant.cause)),
        due: passage.due.map(Money::amount),
        currency: passage.due.map(|due| due.currency().code()),
        stay_id: passage.stay.map(|stay| stay.to_string()),
        bill_id: passage.bill.map(|bill| bill.to_string()),
        ended_by: passage.ended.as_ref().map(|ended| word(&ended.by)),
        ended_at: passage.ended.map(|ended| time(ended.at)),
    }
}

/// Passages, in the order of their ids.
#[utoipa::path(get, path = "/api/v1/passages", tag = "stays", params(PassageQuery, Paging),
    responses((status = 200, body = Listed<PassageAnswer>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    query: Query<PassageQuery>,
    page: Paging,
) -> Result<Json<Listed<PassageAnswer>>, Problem> {
    caller.may(Permission::GateRead)?;
    let plates = sees_plates(&caller);
    let Query(PassageQuery { lane, from, to }) = query;
    let mut fields = Fields::default();
    let from = from.and_then(|text| fields.time("?from", &text));
    let to = to.and_then(|text| fields.time("?to", &text));
    fields.done()?;
    let wanted = |passage: &Passage| {
        lane.as_deref().is_none_or(|lane| passage.lane.as_str() == lane)
            && from.is_none_or(|from| passage.captured_at >= from)
            && to.is_none_or(|to| passage.captured_at < to)
    };
    let show = |kept: Kept<Passage>| wanted(&kept.record).then(|| answer(&doors, kept.record, plates));
    page.of(&doors.desks.records(), show).map(Json)
}

/// One passage.
#[utoipa::path(get, path = "/api/v1/passages/{id}", tag = "stays", params(("id" = String, Path)),
    responses((status = 200, body = PassageAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<PassageAnswer>, Problem> {
    caller.may(Permission::GateRead)?;
    let kept = doors.desks.records().get::<Passage>(&id)?;
    let passage = kept.ok_or_else(|| Problem::unknown("there is no such passage"))?.record;
    Ok(Json(answer(&doors, passage, sees_plates(&caller))))
}

/// The picture of a car at a lane, if its camera sent one. For who may read personal data.
#[utoipa::path(get, path = "/api/v1/passages/{id}/picture", tag = "stays", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), Problems))]
async fn picture(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    caller.may(Permission::GateRead)?;
    caller.may(Permission::PersonalRead)?;
    let unknown = || Problem::unknown("there is no such passage");
    let passage = doors.desks.records().get::<Passage>(&id)?.ok_or_else(unknown)?;
    pay_arrears::shown(&doors, &passage.record).await
}
