//! `/api/v1/stays`: who is inside, and who was.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path, ServiceConfig};
use serde::{Deserialize, Serialize};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::stay::{Basis, Stay, StayState};
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::{At, Caller, Fields, Listed, Paging, Problems, Query};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/stays").get(list).enter(app);
    At::new("/api/v1/stays/{id}").get(one).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, one), tags((name = "stays", description = "Stays and passages")))]
pub(super) struct Description;

/// One vehicle from entry to exit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stay)]
pub(super) struct StayAnswer {
    id: String,
    /// The plate; null for who may not read personal data.
    plate: Option<String>,
    /// Where it stands.
    area: String,
    /// `temporary`, `pass` or `free`.
    basis: &'static str,
    /// The card, if it came in on one's pass.
    card: Option<String>,
    /// `open`, `closed`, `exit_missed`, `voided`.
    state: &'static str,
    entered_at: String,
    entry_lane: String,
    exited_at: Option<String>,
    exit_lane: Option<String>,
    /// Its temporary bill.
    bill_id: Option<String>,
    /// Paid early: arriving at an exit by then, it owes no more.
    leave_by: Option<String>,
}

/// Which stays.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StayQuery {
    /// `open`, `closed`, `exit_missed`, `voided`; all if left out.
    #[param(pattern = "^(open|closed|exit_missed|voided)$")]
    state: Option<String>,
    /// Of this car alone.
    plate: Option<String>,
}

pub(super) const fn word(state: StayState) -> &'static str {
    match state {
        StayState::Open => "open",
        StayState::Closed => "closed",
        StayState::ExitMissed => "exit_missed",
        StayState::Voided => "voided",
    }
}

/// Who works at the gate needs plates; anybody else needs the permission for personal data.
pub(super) fn sees_plates(caller: &Caller) -> Plates {
    let sees = caller.has(Permission::PersonalRead) || caller.has(Permission::GateOperate);
    if sees { Plates::Shown } else { Plates::Hidden }
}

/// Whether plates are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plates {
    Shown,
    Hidden,
}

fn answer(doors: &Doors, stay: Stay, plates: Plates) -> StayAnswer {
    let time = |at| wire::time(at, doors.zone);
    let card = match &stay.basis {
        Basis::Pass { card } => Some(card.clone()),
        _ => None,
    };
    StayAnswer {
        id: stay.id.to_string(),
        plate: (plates == Plates::Shown).then(|| stay.plate.to_string()),
        area: stay.area.to_string(),
        basis: stay.basis.tenure(),
        card,
        state: word(stay.state),
        entered_at: time(stay.entered_at),
        entry_lane: stay.entry_lane.to_string(),
        exited_at: stay.exited_at.map(time),
        exit_lane: stay.exit_lane.map(|lane| lane.to_string()),
        bill_id: stay.bill.map(|bill| bill.to_string()),
        leave_by: stay.leave_by.map(time),
    }
}

/// Stays, in the order of their ids. Asking by plate takes the permission for personal data.
#[utoipa::path(get, path = "/api/v1/stays", tag = "stays", params(StayQuery, Paging),
    responses((status = 200, body = Listed<StayAnswer>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    query: Query<StayQuery>,
    page: Paging,
) -> Result<Json<Listed<StayAnswer>>, Problem> {
    caller.may(Permission::GateRead)?;
    let plates = sees_plates(&caller);
    let Query(StayQuery { state, plate }) = query;
    if plate.is_some() && plates == Plates::Hidden {
        caller.may(Permission::PersonalRead)?;
    }
    let mut fields = Fields::default();
    let plate: Option<Plate> = plate.and_then(|text| fields.plate("?plate", &text));
    if state.as_deref().is_some_and(|state| !["open", "closed", "exit_missed", "voided"].contains(&state)) {
        fields.fault("?state", "the states are open, closed, exit_missed and voided");
    }
    fields.done()?;
    let wanted = |stay: &Stay| {
        state.as_deref().is_none_or(|state| word(stay.state) == state)
            && plate.as_ref().is_none_or(|plate| stay.plate == *plate)
    };
    let show = |kept: Kept<Stay>| wanted(&kept.record).then(|| answer(&doors, kept.record, plates));
    page.of(&doors.desks.records(), show).map(Json)
}

/// One stay.
#[utoipa::path(get, path = "/api/v1/stays/{id}", tag = "stays", params(("id" = String, Path)),
    responses((status = 200, body = StayAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<StayAnswer>, Problem> {
    caller.may(Permission::GateRead)?;
    let kept = doors.desks.records().get::<Stay>(&id)?;
    let stay = kept.ok_or_else(|| Problem::unknown("there is no such stay"))?.record;
    Ok(Json(answer(&doors, stay, sees_plates(&caller))))
}
