//! `/api/v1/arrears`: claims on cars that left without paying.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::arrears::{Arrears, ForgiveRefusal};
use tollhouse_core::id::{BillId, StayId};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Kept, ReadError};
use tollhouse_core::user::{GivenUp, Permission};
use utoipa::{IntoParams, ToSchema};

use super::money::more_than_nothing;
use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, Query, WriteProblems, created};
use crate::arrears::{ArrearsRefusal, Claim};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/arrears").get(list).post(claim).enter(app);
    At::new("/api/v1/arrears/{bill}/forgivenesses").post(forgive).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, claim, forgive),
    tags((name = "arrears", description = "Claims on cars that left without paying"))
)]
pub(super) struct Description;

/// A claim on a car.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Arrears)]
pub(super) struct ClaimAnswer {
    /// The bill of its stay: it is paid like any other.
    bill: String,
    plate: String,
    stay: String,
    /// Whose card, if it came in on one.
    card: Option<String>,
    entered_at: String,
    left_at: Option<String>,
    lane: Option<String>,
    /// The passage; its picture shows the car.
    passage: String,
    /// `by_hand`, `on_a_pass`, `unopened` or `exit_missed`.
    how: &'static str,
    /// `open`, `paid` or `forgiven`.
    state: &'static str,
    total: String,
    due: String,
    currency: &'static str,
}

impl ClaimAnswer {
    fn of(claim: &Claim, zone: Tz) -> Self {
        let one = &claim.arrears;
        Self {
            bill: one.bill.to_string(),
            plate: one.plate.to_string(),
            stay: one.stay.to_string(),
            card: one.card.clone(),
            entered_at: wire::time(one.entered_at, zone),
            left_at: one.left_at.map(|at| wire::time(at, zone)),
            lane: one.lane.as_ref().map(ToString::to_string),
            passage: one.passage.to_string(),
            how: one.how.as_str(),
            state: claim.state.as_str(),
            total: claim.total.amount(),
            due: claim.due.amount(),
            currency: claim.due.currency().code(),
        }
    }
}

/// Which claims.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those on this car.
    #[param(max_length = 32)]
    plate: Option<String>,
    /// Only `open`, `paid` or `forgiven` ones.
    #[param(pattern = "^(open|paid|forgiven)$")]
    state: Option<String>,
}

/// What a car owes that was not seen to leave.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewClaim {
    /// The stay whose exit was missed.
    stay: String,
    /// When it must have left.
    #[schema(examples("2026-03-01T18:30:00+08:00"))]
    until: String,
    reason: String,
}

/// A claim given up, or a part of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewForgiveness {
    plate: String,
    /// All that is due if left out.
    amount: Option<String>,
    reason: String,
}

/// Claims, by plate.
#[utoipa::path(get, path = "/api/v1/arrears", tag = "arrears", params(Which, Paging),
    responses((status = 200, body = Listed<ClaimAnswer>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<ClaimAnswer>>, Problem> {
    caller.may(Permission::ArrearsRead)?;
    let mut fields = Fields::default();
    let plate = which.0.plate.as_deref().and_then(|plate| fields.plate("?plate", plate));
    let state = which.0.state.as_deref();
    if state.is_some_and(|state| !matches!(state, "open" | "paid" | "forgiven")) {
        fields.fault("?state", "the states are open, paid and forgiven");
    }
    fields.done()?;
    let records = doors.desks.records();
    let show = |kept: Kept<Arrears>| match Claim::of(kept.record, &records) {
        Ok(Some(claim)) if state.is_none_or(|state| claim.state.as_str() == state) => {
            Some(Ok(ClaimAnswer::of(&claim, doors.zone)))
        }
        Ok(_) => None,
        Err(fault) => Some(Err(fault)),
    };
    let prefix = plate.map_or_else(String::new, |plate| format!("{plate}/"));
    let listed = page.under(&prefix, &records, show)?;
    let items: Result<Vec<ClaimAnswer>, ReadError> = listed.items.into_iter().collect();
    Ok(Json(Listed { items: items?, next: listed.next }))
}

/// Claims what a car owes that was not seen to leave, up to when it must have left.
#[utoipa::path(post, path = "/api/v1/arrears", tag = "arrears", request_body = NewClaim,
    responses((status = 201, body = ClaimAnswer), WriteProblems))]
async fn claim(doors: Data<Arc<Doors>>, asked: Asked<NewClaim>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CasesResolve)?;
    let mut fields = Fields::default();
    let stay = fields.read("/stay", asked.body.stay.parse::<StayId>());
    let until = fields.time("/until", &asked.body.until);
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let (Some(stay), Some(until), Some(reason)) = (stay, until, reason) else { return Err(Problem::broken()) };
    let claim = doors.arrears.claim_missed_exit(&asked.by(&reason), stay, until).await?;
    Ok(created("/api/v1/arrears", &ClaimAnswer::of(&claim, doors.zone)))
}

/// Gives up a claim or a part of it, within the limit of one's roles.
#[utoipa::path(post, path = "/api/v1/arrears/{bill}/forgivenesses", tag = "arrears", params(("bill" = String, Path)),
    request_body = NewForgiveness, responses((status = 201, body = ClaimAnswer), WriteProblems))]
async fn forgive(
    doors: Data<Arc<Doors>>,
    bill: Path<String>,
    asked: Asked<NewForgiveness>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::ArrearsForgive)?;
    let mut fields = Fields::default();
    let plate: Option<Plate> = fields.plate("/plate", &asked.body.plate);
    let amount = asked.body.amount.as_ref().map(|text| more_than_nothing(&mut fields, "/amount", text, doors.currency));
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let (Some(plate), Some(reason)) = (plate, reason) else { return Err(Problem::broken()) };
    let bill: BillId = bill.parse().map_err(|_| Problem::unknown("there is no such claim"))?;
    let claim = doors.arrears.one(&plate, bill)?.ok_or_else(|| Problem::unknown("there is no such claim"))?;
    let amount = amount.flatten();
    asked.caller.within(GivenUp::Forgiveness, amount.unwrap_or(claim.due))?;
    let claim = doors.arrears.forgive(&asked.by(&reason), (&plate, bill), amount, &reason).await?;
    Ok(created("/api/v1/arrears", &ClaimAnswer::of(&claim, doors.zone)))
}

impl From<ArrearsRefusal> for Problem {
    fn from(refusal: ArrearsRefusal) -> Self {
        let detail = refusal.to_string();
        let (status, word, title) = match refusal {
            ArrearsRefusal::UnknownStay(_) | ArrearsRefusal::Forgive(ForgiveRefusal::Unknown(_)) => {
                return Self::unknown(detail);
            }
            ArrearsRefusal::NothingToClaim => (StatusCode::CONFLICT, "nothing-to-claim", "Nothing to claim"),
            ArrearsRefusal::Forgive(ForgiveRefusal::Amount { .. }) => {
                (StatusCode::CONFLICT, "not-there", "Not so much due")
            }
            ArrearsRefusal::Forgive(ForgiveRefusal::Reason) => (StatusCode::BAD_REQUEST, "invalid", "Say why"),
            ArrearsRefusal::Forgive(ForgiveRefusal::Read(_) | ForgiveRefusal::Money(_))
            | ArrearsRefusal::Price(_)
            | ArrearsRefusal::Read(_) => return Self::broken(),
        };
        Self::new(status, word, title, detail)
    }
}
