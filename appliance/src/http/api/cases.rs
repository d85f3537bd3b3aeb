//! `/api/v1/cases`: what the gate, payment and reconciliation leave to people: who has it, and what came of it.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::lane::Case;
use tollhouse_core::pay::PaymentCase;
use tollhouse_core::reconciliation::{Difference, HandlingState, Side};
use tollhouse_core::record::{Kept, ReadError};
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, Query, WriteProblems};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;
use crate::reconciliation::{CaseRefusal, CaseView, Decided, MoneyWaiting, of_difference, of_gate, of_payment};

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/cases").get(list).enter(app);
    At::new("/api/v1/cases/{id}").get(one).enter(app);
    At::new("/api/v1/cases/{id}/assignments").post(assign).enter(app);
    At::new("/api/v1/cases/{id}/resolutions").post(resolve).enter(app);
    At::new("/api/v1/cases/{id}/reopenings").post(reopen).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, one, assign, resolve, reopen))]
pub(super) struct Description;

/// One side of a difference.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DifferenceSide)]
pub(super) struct SideAnswer {
    /// `paid`, `refund` or `reversed`.
    kind: &'static str,
    at: String,
    transaction: String,
    order: String,
    refund: String,
    amount: String,
    currency: &'static str,
    /// The line of the statement, or the record.
    place: String,
}

impl SideAnswer {
    fn of(side: &Side, zone: Tz) -> Self {
        Self {
            kind: side.kind.as_str(),
            at: wire::time(side.at, zone),
            transaction: side.transaction.clone(),
            order: side.order.clone(),
            refund: side.refund.clone(),
            amount: side.amount.amount(),
            currency: side.amount.currency().code(),
            place: side.place.clone(),
        }
    }
}

/// A difference between books and statement, both sides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
pub(super) struct DifferenceAnswer {
    provider: String,
    day: String,
    /// What differs.
    #[schema(examples("missing_with_us"))]
    class: &'static str,
    theirs: Option<SideAnswer>,
    ours: Option<SideAnswer>,
    /// What is proposed, as a word.
    #[schema(examples("find_order"))]
    proposal: String,
}

/// Money that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MoneyWaiting)]
pub(super) struct MoneyAnswer {
    provider: String,
    /// Our account there.
    merchant: String,
    order: String,
    /// The order's number at the provider.
    number: String,
    /// Which refund is stuck.
    refund: Option<String>,
    /// Which payment is in suspense.
    payment: Option<String>,
    amount: String,
    currency: &'static str,
}

impl MoneyAnswer {
    fn of(money: &MoneyWaiting) -> Self {
        let case = &money.case;
        Self {
            provider: money.provider.clone(),
            merchant: money.merchant.clone(),
            order: case.order.to_string(),
            number: money.number.clone(),
            refund: case.refund.map(|refund| refund.to_string()),
            payment: case.payment.clone(),
            amount: case.amount.amount(),
            currency: case.amount.currency().code(),
        }
    }
}

/// What was done about a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseNote)]
pub(super) struct NoteAnswer {
    at: String,
    by: String,
    text: String,
}

/// A case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(super) struct CaseAnswer {
    id: String,
    /// The gate's word, `refund_stuck` or `suspense` of payment, or the class of a difference.
    #[schema(examples("left_unpaid"))]
    kind: String,
    at: String,
    text_zh: String,
    text_en: String,
    passage: Option<String>,
    stay: Option<String>,
    difference: Option<DifferenceAnswer>,
    money: Option<MoneyAnswer>,
    /// `open`, `assigned` or `resolved`.
    state: &'static str,
    owner: Option<String>,
    notes: Vec<NoteAnswer>,
}

fn state_word(state: HandlingState) -> &'static str {
    match state {
        HandlingState::Open => "open",
        HandlingState::Assigned => "assigned",
        HandlingState::Resolved => "resolved",
    }
}

impl CaseAnswer {
    pub(super) fn of(case: &CaseView, zone: Tz) -> Self {
        let difference = case.difference.as_ref().map(|one| DifferenceAnswer {
            provider: one.provider.clone(),
            day: one.day.to_string(),
            class: one.class.as_str(),
            theirs: one.theirs.as_ref().map(|side| SideAnswer::of(side, zone)),
            ours: one.ours.as_ref().map(|side| SideAnswer::of(side, zone)),
            proposal: serde_json::to_value(one.proposal)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
        });
        let notes = case.handling.notes.iter().map(|note| NoteAnswer {
            at: wire::time(note.at, zone),
            by: note.by.clone(),
            text: note.text.clone(),
        });
        Self {
            id: case.id.clone(),
            kind: case.kind.clone(),
            at: wire::time(case.at, zone),
            text_zh: case.words.zh.clone(),
            text_en: case.words.en.clone(),
            passage: case.passage.clone(),
            stay: case.stay.clone(),
            difference,
            money: case.money.as_ref().map(MoneyAnswer::of),
            state: state_word(case.handling.state),
            owner: case.handling.owner.clone(),
            notes: notes.collect(),
        }
    }
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `gate` (as when it is left out), `payment` or `reconciliation`.
    #[param(pattern = "^(gate|payment|reconciliation)$")]
    source: Option<String>,
    /// Only `open`, `assigned` or `resolved` ones.
    #[param(pattern = "^(open|assigned|resolved)$")]
    state: Option<String>,
}

/// Who has it from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAssignment {
    /// An account's name.
    owner: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    reason: String,
}

/// Cases of the gate, of payment or of reconciliation.
#[utoipa::path(get, path = "/api/v1/cases", tag = "books", params(Which, Paging),
    responses((status = 200, body = Listed<CaseAnswer>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<CaseAnswer>>, Problem> {
    caller.may(Permission::CasesRead)?;
    let mut fields = Fields::default();
    let state = which.0.state.as_deref();
    if state.is_some_and(|state| !matches!(state, "open" | "assigned" | "resolved")) {
        fields.fault("?state", "the states are open, assigned and resolved");
    }
    let records = doors.desks.records();
    let show = |view: Result<CaseView, ReadError>| match view {
        Ok(view) if state.is_none_or(|state| state_word(view.handling.state) == state) => {
            Some(Ok(CaseAnswer::of(&view, doors.zone)))
        }
        Ok(_) => None,
        Err(fault) => Some(Err(Problem::from(fault))),
    };
    let source = which.0.source.as_deref().unwrap_or("gate");
    if !matches!(source, "gate" | "payment" | "reconciliation") {
        fields.fault("?source", "the sources are gate, payment and reconciliation");
    }
    fields.done()?;
    let listed = match source {
        "gate" => page.of(&records, |kept: Kept<Case>| show(of_gate(kept.record, &records)))?,
        "payment" => page.of(&records, |kept: Kept<PaymentCase>| show(of_payment(kept.record, &records)))?,
        _ => page.of(&records, |kept: Kept<Difference>| show(of_difference(kept.record, &records)))?,
    };
    let items: Result<Vec<CaseAnswer>, Problem> = listed.items.into_iter().collect();
    Ok(Json(Listed { items: items?, next: listed.next }))
}

/// One case.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "books", params(("id" = String, Path)),
    responses((status = 200, body = CaseAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<CaseAnswer>, Problem> {
    caller.may(Permission::CasesRead)?;
    let case = doors.desks.cases.one(&id)?.ok_or_else(|| Problem::unknown("there is no such case"))?;
    Ok(Json(CaseAnswer::of(&case, doors.zone)))
}

async fn decided(
    doors: &Doors,
    id: &str,
    by: &tollhouse_core::record::By,
    decided: &Decided,
) -> Result<HttpResponse, Problem> {
    let case = doors.desks.cases.decide(by, id, decided).await?;
    Ok(super::created(&format!("/api/v1/cases/{id}"), &CaseAnswer::of(&case, doors.zone)))
}

/// Gives a case to somebody. The day of a difference closes with its last owner.
#[utoipa::path(post, path = "/api/v1/cases/{id}/assignments", tag = "books", params(("id" = String, Path)),
    request_body = NewAssignment, responses((status = 201, body = CaseAnswer), WriteProblems))]
async fn assign(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<NewAssignment>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CasesResolve)?;
    let mut fields = Fields::default();
    let owner = fields.text("/owner", &asked.body.owner, 64);
    fields.done()?;
    let owner = owner.ok_or_else(Problem::broken)?;
    decided(&doors, &id, &asked.by("assigned"), &Decided::Assigned(owner)).await
}

/// Settles a case, with a reason.
#[utoipa::path(post, path = "/api/v1/cases/{id}/resolutions", tag = "books", params(("id" = String, Path)),
    request_body = Because, responses((status = 201, body = CaseAnswer), WriteProblems))]
async fn resolve(doors: Data<Arc<Doors>>, id: Path<String>, asked: Asked<Because>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CasesResolve)?;
    let mut fields = Fields::default();
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let reason = reason.ok_or_else(Problem::broken)?;
    decided(&doors, &id, &asked.by(&reason), &Decided::Resolved(reason.clone())).await
}

/// Opens a settled case again, with a reason.
#[utoipa::path(post, path = "/api/v1/cases/{id}/reopenings", tag = "books", params(("id" = String, Path)),
    request_body = Because, responses((status = 201, body = CaseAnswer), WriteProblems))]
async fn reopen(doors: Data<Arc<Doors>>, id: Path<String>, asked: Asked<Because>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CasesResolve)?;
    let mut fields = Fields::default();
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let reason = reason.ok_or_else(Problem::broken)?;
    decided(&doors, &id, &asked.by(&reason), &Decided::Reopened(reason.clone())).await
}

impl From<CaseRefusal> for Problem {
    fn from(refusal: CaseRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            CaseRefusal::Unknown(_) => Self::unknown(detail),
            CaseRefusal::Resolved => Self::new(StatusCode::CONFLICT, "resolved", "Resolved", detail),
            CaseRefusal::Read(_) => Self::broken(),
        }
    }
}
