//! `/api/v1/reconciliations`: each provider's days held against the books, and the three-way check with the gate.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::reconciliation::three_way::ThreeWay;
use tollhouse_core::reconciliation::{Class, Reconciliation};
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;
use crate::reconciliation::{ReconcileFault, Source, StatementFault};
use crate::store::CommitError;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/reconciliations").get(list).post(run).enter(app);
    At::new("/api/v1/reconciliations/{provider}/{day}").get(one).enter(app);
    At::new("/api/v1/three-way-checks/{day}").get(check).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, run, one, check))]
pub(super) struct Description;

/// Rows of one class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationClass)]
pub(super) struct ClassAnswer {
    #[schema(examples("matched"))]
    class: &'static str,
    rows: u32,
    /// Payments less refunds.
    amount: String,
}

/// A provider's day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub(super) struct DayAnswer {
    provider: String,
    merchant: String,
    day: String,
    /// `open`: something differs that nobody owns; `closed`.
    state: &'static str,
    at: String,
    /// SHA-256 of the statement.
    statement_sha256: String,
    statement_rows: u32,
    /// Every class; each row of both sides is in exactly one.
    classes: Vec<ClassAnswer>,
    /// Rows that were booked by the statement's evidence.
    repaired: u32,
    fees: String,
    currency: &'static str,
    /// Cases, one for each difference.
    cases: Vec<String>,
}

impl DayAnswer {
    fn of(day: &Reconciliation, zone: Tz) -> Self {
        let class = |class: Class| {
            let total = day.classes.get(&class);
            let amount = total.map_or_else(|| "0.00".to_owned(), |total| total.amount.amount());
            ClassAnswer { class: class.as_str(), rows: total.map_or(0, |total| total.rows), amount }
        };
        Self {
            provider: day.provider.clone(),
            merchant: day.merchant.clone(),
            day: day.day.to_string(),
            state: day.state.as_str(),
            at: wire::time(day.at, zone),
            statement_sha256: day.statement.sha256.clone(),
            statement_rows: day.statement.rows,
            classes: Class::ALL.into_iter().map(class).collect(),
            repaired: day.repaired,
            fees: day.fees.amount(),
            currency: day.fees.currency().code(),
            cases: day.differences.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A provider's day, for each of our accounts there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciledDay)]
pub(super) struct DaysAnswer {
    items: Vec<DayAnswer>,
}

/// What a day of releases, bills and money looks like.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThreeWayCheck)]
pub(super) struct CheckAnswer {
    /// Releases at exits by what let them go.
    releases: std::collections::BTreeMap<String, u64>,
    /// Bills whose stay ended on the day.
    bills: u64,
    /// Of these with their money.
    settled: u64,
    /// Of these with an open claim.
    claims: u64,
    /// How many things do not fit.
    misfits: u64,
    findings: Vec<FindingAnswer>,
}

/// One thing that does not fit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThreeWayFinding)]
pub(super) struct FindingAnswer {
    #[schema(examples("released_unpaid"))]
    misfit: String,
    /// The passage or the bill.
    about: String,
}

impl CheckAnswer {
    fn of(check: ThreeWay) -> Self {
        let findings = check.findings.into_iter().map(|one| FindingAnswer {
            misfit: serde_json::to_value(one.misfit)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            about: one.about,
        });
        Self {
            releases: check.releases,
            bills: check.bills,
            settled: check.settled,
            claims: check.claims,
            misfits: check.misfits,
            findings: findings.collect(),
        }
    }
}

/// Which day of whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReconciliation {
    /// `wechat`, `alipay` or `sandbox`.
    #[schema(examples("sandbox"))]
    provider: String,
    #[schema(examples("2026-03-01"))]
    day: String,
    /// The statement as it was downloaded, in base64; without it the provider is asked for it.
    statement: Option<String>,
}

/// Days that were reconciled, by provider and day.
#[utoipa::path(get, path = "/api/v1/reconciliations", tag = "books", params(Paging),
    responses((status = 200, body = Listed<DayAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<DayAnswer>>, Problem> {
    caller.may(Permission::BooksRead)?;
    let show = |kept: Kept<Reconciliation>| Some(DayAnswer::of(&kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// One provider's day.
#[utoipa::path(get, path = "/api/v1/reconciliations/{provider}/{day}", tag = "books",
    params(("provider" = String, Path), ("day" = String, Path)),
    responses((status = 200, body = DaysAnswer), Problems))]
async fn one(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<(String, String)>,
) -> Result<Json<DaysAnswer>, Problem> {
    caller.may(Permission::BooksRead)?;
    let unknown = || Problem::unknown("this day was not reconciled");
    let day: NaiveDate = path.1.parse().map_err(|_| unknown())?;
    let kept = doors.desks.records().list::<Reconciliation>(&Reconciliation::key_of(&path.0, day, ""), 16)?;
    let of_day = kept.iter().filter(|kept| kept.record.provider == path.0 && kept.record.day == day);
    let items: Vec<DayAnswer> = of_day.map(|kept| DayAnswer::of(&kept.record, doors.zone)).collect();
    if items.is_empty() { Err(unknown()) } else { Ok(Json(DaysAnswer { items })) }
}

/// Matches a day's statement with the books, books what it proves, and keeps the rest as cases. Run again, it changes
/// nothing.
#[utoipa::path(post, path = "/api/v1/reconciliations", tag = "books", request_body = NewReconciliation,
    responses((status = 201, body = DaysAnswer), WriteProblems))]
async fn run(doors: Data<Arc<Doors>>, asked: Asked<NewReconciliation>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::Reconcile)?;
    let mut fields = Fields::default();
    let day = fields.date("/day", &asked.body.day);
    let provider = fields.text("/provider", &asked.body.provider, 40);
    let bytes =
        asked.body.statement.as_ref().map(|text| {
            fields.read("/statement", STANDARD.decode(text).map_err(|_| "the statement is sent in base64"))
        });
    fields.done()?;
    let (Some(day), Some(provider)) = (day, provider) else { return Err(Problem::broken()) };
    let source = bytes.flatten().map_or(Source::Fetch, Source::File);
    let reports = doors.desks.reconciler.run(&asked.by("reconciled"), &provider, day, &source).await?;
    let location = format!("/api/v1/reconciliations/{provider}/{day}");
    let items = reports.iter().map(|report| DayAnswer::of(&report.reconciliation, doors.zone)).collect();
    Ok(created(&location, &DaysAnswer { items }))
}

/// The three-way check of one of the lot's days: each release has its bill settled, a pass, nothing owed or a person's
/// reason; each bill has its money or an open claim.
#[utoipa::path(get, path = "/api/v1/three-way-checks/{day}", tag = "books", params(("day" = String, Path)),
    responses((status = 200, body = CheckAnswer), Problems))]
async fn check(doors: Data<Arc<Doors>>, caller: Caller, day: Path<String>) -> Result<Json<CheckAnswer>, Problem> {
    caller.may(Permission::BooksRead)?;
    let day: NaiveDate = day.parse().map_err(|_| Problem::unknown("a day is written like 2026-03-01"))?;
    let desk = doors.desks.reconciler.clone();
    let check = actix_web::web::block(move || desk.three_way(day)).await;
    let check = check.map_err(|_| Problem::full("the box is ending"))??;
    Ok(Json(CheckAnswer::of(check)))
}

impl From<ReconcileFault> for Problem {
    fn from(fault: ReconcileFault) -> Self {
        let detail = fault.to_string();
        match fault {
            ReconcileFault::Statement(StatementFault::Provider(_)) => {
                Self::bad_request("unknown-provider", "Unknown provider", detail)
            }
            ReconcileFault::Statement(_) => Self::bad_request("bad-statement", "Not a statement", detail),
            ReconcileFault::KeyReused => Self::key_reused(),
            ReconcileFault::Commit(CommitError::Busy(_)) => Self::full(&detail),
            ReconcileFault::NoStatement(_) => Self::new(StatusCode::CONFLICT, "no-statement", "No statement", detail),
            fault => {
                tracing::error!(%fault, "a day cannot be reconciled");
                Self::broken()
            }
        }
    }
}
