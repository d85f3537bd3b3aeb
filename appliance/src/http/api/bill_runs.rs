//! `/api/v1/bill-runs` and `/api/v1/bill-days`: drawing the bills of all cards, and the days of temporary bills.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::BillRun;
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, Query, WriteProblems};
use crate::charging::bills::view::{BillView, DayView, RunSumsView, RunView};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

/// Days of one answer.
const MOST_DAYS: usize = 4_000;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/bill-runs").get(list).post(begin).enter(app);
    At::new("/api/v1/bill-runs/preview").get(preview).enter(app);
    At::new("/api/v1/bill-runs/{as_of}").get(one).enter(app);
    At::new("/api/v1/bill-days").get(days).enter(app);
    At::new("/api/v1/bill-days/{day}").get(day).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, begin, preview, one, days, day))]
pub(super) struct Description;

pub(super) fn path_date(text: &str, what: &'static str) -> Result<NaiveDate, Problem> {
    let unknown = || crate::charging::ChargingFault::unknown(what, text.chars().take(40).collect::<String>());
    text.parse().map_err(|_| unknown().into())
}

/// The runs that there were, by day.
#[utoipa::path(get, path = "/api/v1/bill-runs", tag = "bills", params(Paging),
    responses((status = 200, body = Listed<RunView>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<RunView>>, Problem> {
    caller.may(Permission::BillsRead)?;
    let show = |kept: tollhouse_core::record::Kept<BillRun>| {
        Some(RunView::new(&kept.record, doors.desks.lot.currency, doors.zone))
    };
    page.of(&doors.desks.records(), show).map(Json)
}

/// As of which day bills are drawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunAsked {
    /// Every bill whose issue date is not after this day is drawn; today if left out.
    #[schema(format = Date, example = "2026-01-01")]
    as_of: Option<String>,
}

/// Begins a run, or goes on with one that was interrupted; it goes on while this is answered. A period is never billed
/// twice, however often it is run. Watch it at its address.
#[utoipa::path(post, path = "/api/v1/bill-runs", tag = "bills", request_body = RunAsked,
    responses((status = 202, body = RunView), WriteProblems))]
async fn begin(doors: Data<Arc<Doors>>, asked: Asked<RunAsked>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    let mut fields = Fields::default();
    let as_of = match &asked.body.as_of {
        Some(text) => fields.date("/as_of", text),
        None => Some(doors.desks.charging.runs.today()),
    };
    fields.done()?;
    let as_of = as_of.ok_or_else(Problem::broken)?;
    let runs = doors.desks.charging.runs.clone();
    let by = asked.by(&format!("a bill run as of {as_of}"));
    let run = runs.begin(as_of, &by).await?;
    let body = RunView::new(&run, doors.desks.lot.currency, doors.zone);
    let address = (header::LOCATION, format!("/api/v1/bill-runs/{as_of}"));
    Ok(HttpResponse::Accepted().insert_header(address).json(body))
}

/// A run: how far it is, and what it drew.
#[utoipa::path(get, path = "/api/v1/bill-runs/{as_of}", tag = "bills", params(("as_of" = String, Path)),
    responses((status = 200, body = RunView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<RunView>, Problem> {
    caller.may(Permission::BillsRead)?;
    let run = doors.desks.charging.runs.run_of(path_date(&path, "bill run")?)?;
    Ok(Json(RunView::new(&run, doors.desks.lot.currency, doors.zone)))
}

/// As of which day a run is tried.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PreviewAsked {
    /// Today if left out.
    #[param(max_length = 10)]
    as_of: Option<String>,
}

/// What a run would draw.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewAnswer {
    /// As of which day.
    as_of: NaiveDate,
    /// ISO 4217.
    #[schema(example = "CNY")]
    currency: &'static str,
    /// In all.
    sums: RunSumsView,
    /// The first bills, at most a thousand.
    bills: Vec<BillView>,
}

/// What a run would draw; nothing is written.
#[utoipa::path(get, path = "/api/v1/bill-runs/preview", tag = "bills", params(PreviewAsked),
    responses((status = 200, body = PreviewAnswer), Problems))]
async fn preview(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    asked: Query<PreviewAsked>,
) -> Result<Json<PreviewAnswer>, Problem> {
    caller.may(Permission::BillsRead)?;
    let mut fields = Fields::default();
    let today = doors.desks.charging.runs.today();
    let as_of = asked.0.as_of.as_ref().map_or(Some(today), |text| fields.date("?as_of", text));
    fields.done()?;
    let (runs, as_of) = (doors.desks.charging.runs.clone(), as_of.ok_or_else(Problem::broken)?);
    let found = actix_web::web::block(move || runs.preview(as_of)).await;
    let found = found.map_err(|_| Problem::full("the box is ending"))??;
    let currency = doors.desks.lot.currency;
    let bills = found.bills.iter().map(|bill| BillView::new(bill, u64::MAX, None, today, doors.zone)).collect();
    Ok(Json(PreviewAnswer { as_of, currency: currency.code(), sums: RunSumsView::new(&found.sums, currency), bills }))
}

/// The figures of temporary bills, day by day. A day closes at the lot's midnight; what arrives later belongs to the next.
#[utoipa::path(get, path = "/api/v1/bill-days", tag = "bills", params(Paging),
    responses((status = 200, body = Listed<DayView>), Problems))]
async fn days(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<DayView>>, Problem> {
    caller.may(Permission::BillsRead)?;
    let days = doors.desks.charging.bill_days.days(None, MOST_DAYS)?;
    Ok(Json(page.of_all(days, |day| day.day.to_string(), |day| DayView::new(&day, doors.zone))))
}

/// The figures of one day.
#[utoipa::path(get, path = "/api/v1/bill-days/{day}", tag = "bills", params(("day" = String, Path)),
    responses((status = 200, body = DayView), Problems))]
async fn day(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<DayView>, Problem> {
    caller.may(Permission::BillsRead)?;
    let day = doors.desks.charging.bill_days.day(path_date(&path, "day of temporary bills")?)?;
    Ok(Json(DayView::new(&day, doors.zone)))
}
