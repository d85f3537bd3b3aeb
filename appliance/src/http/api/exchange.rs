//! `/api/v1/imports` and `/api/v1/exports`: tables in and out, as files. Which rows a file may have, and what is wrong with
//! them, says the desk; one file is looked at at a time.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, Json, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tollhouse_core::user::Permission;
use utoipa::IntoParams;

use super::asked::read;
use super::{At, Caller, Fields, Problems, Query, WriteProblems};
use crate::charging::exchange::{Imported, Kind, Mode};
use crate::charging::sheets::Format;
use crate::http::doors::Doors;
use crate::http::problem::Problem;

/// The largest file that is taken over HTTP, in bytes; a larger one goes in by the command.
const MAX_FILE_BYTES: usize = 16 << 20;
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const CSV: &str = "text/csv";
const JSON: &str = "application/json";

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/imports/{kind}").post(import).enter(app);
    At::new("/api/v1/exports/{kind}").get(export).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(import, export),
    tags((name = "exchange", description = "Tables in and out, as .csv, .xlsx or .json"))
)]
pub(super) struct Description;

/// What it takes to read a kind, and to write it.
type Wanted = (&'static [Permission], &'static [Permission]);

/// What it takes for a kind; `None`: it does not go over HTTP.
fn permissions(kind: Kind) -> Option<Wanted> {
    use Permission as P;
    let wanted: Wanted = match kind {
        Kind::Uses | Kind::Spaces | Kind::Pools => (&[P::EstateRead], &[P::EstateWrite]),
        Kind::FeeItems | Kind::Packages => (&[P::PricesRead], &[P::PricesWrite]),
        Kind::Holders | Kind::Vehicles | Kind::Cards => (&[P::CardsRead, P::PersonalRead], &[P::CardsWrite]),
        Kind::Bills | Kind::Deposits | Kind::Balances => (&[P::BillsRead], &[P::CardsWrite, P::BillsWrite]),
        Kind::Inside => (&[P::GateRead, P::PersonalRead], &[P::GateOperate]),
        Kind::Merchants | Kind::Coupons => (&[P::MerchantsRead, P::PersonalRead], &[P::MerchantsWrite]),
        Kind::FreeList => (&[P::GateRead, P::PersonalRead], &[P::DiscountGive]),
        Kind::Estate => (
            &[P::EstateRead, P::PricesRead, P::CardsRead, P::BillsRead, P::GateRead, P::MerchantsRead, P::PersonalRead],
            &[
                P::EstateWrite,
                P::PricesWrite,
                P::CardsWrite,
                P::BillsWrite,
                P::GateOperate,
                P::MerchantsWrite,
                P::DiscountGive,
            ],
        ),
        // These are the operator's own, by the command line.
        Kind::Tariffs | Kind::Journal => return None,
    };
    Some(wanted)
}

fn kind_of(text: &str) -> Result<(Kind, Wanted), Problem> {
    let kind: Option<Kind> = text.parse().ok();
    let found = kind.and_then(|kind| permissions(kind).map(|wanted| (kind, wanted)));
    found.ok_or_else(|| Problem::unknown("no table of this name goes in or out over HTTP"))
}

fn may(caller: &Caller, wanted: &[Permission]) -> Result<(), Problem> {
    wanted.iter().try_for_each(|permission| caller.may(*permission))
}

/// A place for one slow thing at a time.
fn place(doors: &Doors) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&doors.slow).try_acquire_owned().map_err(|_| Problem::full("another file is being looked at"))
}

fn ended<E>(_: E) -> Problem {
    Problem::full("the box is ending")
}

/// Whether an import writes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// `true`: say what is wrong and what would be written, and write nothing.
    #[param(value_type = Option<bool>)]
    dry_run: Option<String>,
    /// Why: it stands in the journal.
    #[param(max_length = 200)]
    reason: Option<String>,
}

/// Takes a table in: `text/csv`, a workbook or `application/json` by its Content-Type; at most 16 MiB. All or nothing: with
/// faults nothing is written, and each is told by row and column. The same file again does nothing.
#[utoipa::path(post, path = "/api/v1/imports/{kind}", tag = "exchange", params(("kind" = String, Path), ImportQuery),
    request_body(content = String, content_type = "text/csv", description = "Or a workbook, or JSON, by its Content-Type"),
    responses((status = 200, description = "What was written; with `faults`, nothing was", body = Imported), WriteProblems))]
async fn import(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<String>,
    query: Query<ImportQuery>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Imported>, Problem> {
    let (kind, (_, writes)) = kind_of(&path)?;
    may(&caller, writes)?;
    let mut fields = Fields::default();
    let mode = match query.0.dry_run.as_deref() {
        None | Some("false") => Mode::Write,
        Some("true") => Mode::DryRun,
        Some(_) => {
            fields.fault("?dry_run", "true or false is wanted");
            Mode::DryRun
        }
    };
    fields.done()?;
    let format = format_of(&request)?;
    let bytes: Bytes = read(&request, payload.into_inner(), MAX_FILE_BYTES).await?;
    let place = place(&doors)?;
    let reason = query.0.reason.filter(|reason| !reason.trim().is_empty());
    let by = caller.by(reason.as_deref().unwrap_or("an import"));
    let (desk, runtime) = (doors.desks.charging.exchange.clone(), Handle::current());
    let done = web::block(move || {
        let _one_at_a_time = place;
        runtime.block_on(desk.import(&by, kind, &bytes, format, mode))
    });
    Ok(Json(done.await.map_err(ended)??))
}

fn format_of(request: &HttpRequest) -> Result<Format, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        CSV => Ok(Format::Csv),
        JSON => Ok(Format::Json),
        XLSX => Ok(Format::Xlsx),
        _ => {
            let detail = format!("send Content-Type: {CSV}, {XLSX} or {JSON}");
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "No table", detail))
        }
    }
}

/// As what a table goes out.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    /// `csv`, `xlsx` or `json`; `csv` if left out. A whole estate has no single table: `xlsx` or `json`.
    format: Option<String>,
}

/// Gives a table out, as `import` takes it in.
#[utoipa::path(get, path = "/api/v1/exports/{kind}", tag = "exchange", params(("kind" = String, Path), ExportQuery),
    responses((status = 200, description = "The file", content((String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (Vec<u8> = "application/json"))), Problems))]
async fn export(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<String>,
    query: Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let (kind, (reads, _)) = kind_of(&path)?;
    may(&caller, reads)?;
    let mut fields = Fields::default();
    let (format, media, ending) = match query.0.format.as_deref() {
        None | Some("csv") => (Format::Csv, CSV, "csv"),
        Some("xlsx") => (Format::Xlsx, XLSX, "xlsx"),
        Some("json") => (Format::Json, JSON, "json"),
        Some(_) => {
            fields.fault("?format", "csv, xlsx or json is wanted");
            (Format::Csv, CSV, "csv")
        }
    };
    fields.done()?;
    let place = place(&doors)?;
    let desk = doors.desks.charging.exchange.clone();
    let made = web::block(move || {
        let _one_at_a_time = place;
        desk.export(kind, format)
    });
    let bytes = made.await.map_err(ended)??;
    let name = format!("attachment; filename=\"{kind}.{ending}\"");
    Ok(HttpResponse::Ok()
        .content_type(media)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(bytes))
}
