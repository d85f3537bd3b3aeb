//! The lot's tariff over HTTP: what it is, what a stay would cost by it or by a draft, and its picture.
//!
//! Owns the calls. Reading files is `tariffs`', pricing core's. A draft is read, priced and forgotten; nothing is kept.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tollhouse_core::tariff::{StayFacts, parse};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::api::{Caller, Problems};
use super::client;
use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use super::rate::Rates;
use crate::chart::{self, Wanted};
use crate::quote::{QuoteAnswer, Text, local};
use crate::tariffs::{self, TariffFault, Tariffs};

/// Nobody waits longer for a price; ten years take a thousandth of it.
const PRICE_TIMEOUT: Duration = Duration::from_secs(3);
/// So many faults of a draft are told at once.
pub(super) const MOST_FAULTS: usize = 20;

/// A tariff of the lot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TariffAnswer {
    /// Which tariff.
    #[schema(examples("harbour-garage"))]
    id: String,
    /// What people call it.
    name: Text,
    /// ISO 4217.
    currency: &'static str,
    /// Whose clock on the wall it follows.
    time_zone: String,
    /// The version in force now.
    version: String,
    /// All versions that the box was told of, the oldest first.
    versions: Vec<VersionAnswer>,
}

/// A version of a tariff.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionAnswer {
    /// Its name.
    version: String,
    /// From when it holds; null: always.
    in_force_from: Option<String>,
    /// The file, character for character; in the answer of one tariff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// What is to be priced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuoteRequest {
    /// The id of a tariff of the lot; either this or `text`.
    tariff: Option<String>,
    /// A draft: the text of a tariff file, TOML or JSON.
    text: Option<String>,
    /// The stay, with the keys of docs/tariffs.md: `enter`, `exit` and, if there is more to tell, `vehicle`, `colour`,
    /// `areas`, `earlier`, `payments`, `lost`, `covered`, `calendar`.
    #[schema(value_type = Object, examples(json!({"enter": "2026-03-02 08:00", "exit": "2026-03-02 10:30", "colour": "blue"})))]
    stay: Value,
}

/// What is to be drawn.
#[derive(Debug, Deserialize)]
pub(super) struct ChartQuery {
    enter: Option<String>,
    #[serde(default = "day")]
    to: String,
    #[serde(default = "small")]
    vehicle: String,
}

pub(super) fn day() -> String {
    "24h".to_owned()
}

pub(super) fn small() -> String {
    "small".to_owned()
}

impl TariffAnswer {
    fn new(doors: &Doors, texts: Texts) -> Self {
        let plan = doors.tariffs.book.in_force_at((doors.clock)());
        let file = plan.file();
        let version = |version: &tariffs::Version| VersionAnswer {
            version: version.file.version.clone(),
            in_force_from: version.file.in_force_from.map(|at| local(at, file.time_zone)),
            text: (texts == Texts::Told).then(|| version.text.clone()),
        };
        Self {
            id: file.id.clone(),
            name: (&file.name).into(),
            currency: file.currency.code(),
            time_zone: file.time_zone.to_string(),
            version: file.version.clone(),
            versions: doors.tariffs.versions.iter().map(version).collect(),
        }
    }
}

/// Whether an answer holds the versions' texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    Told,
    LeftOut,
}

/// The lot's tariffs. Prices are public: no sign-in.
#[utoipa::path(get, path = "/api/v1/tariffs", tag = "tariffs", responses((status = 200, body = Vec<TariffAnswer>)))]
pub(super) async fn list(doors: Data<Arc<Doors>>) -> HttpResponse {
    HttpResponse::Ok().json([TariffAnswer::new(&doors, Texts::LeftOut)])
}

/// One tariff, with the text of each version.
#[utoipa::path(
    get, path = "/api/v1/tariffs/{id}", tag = "tariffs", params(("id" = String, Path, description = "The tariff's id")),
    responses((status = 200, body = TariffAnswer),
              (status = 404, description = "No such tariff", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn one(doors: Data<Arc<Doors>>, id: Path<String>) -> Result<HttpResponse, Problem> {
    known(&doors, &id)?;
    Ok(HttpResponse::Ok().json(TariffAnswer::new(&doors, Texts::Told)))
}

/// What a stay costs, line by line, by a tariff of the lot or by a draft.
#[utoipa::path(
    post, path = "/api/v1/tariffs/quote", tag = "tariffs", request_body = QuoteRequest,
    responses((status = 200, body = QuoteAnswer),
              Problems,
              (status = 422, description = "The draft or the stay is faulty; `detail` tells each fault with its line", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn quote(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    body: Json<QuoteRequest>,
) -> Result<Json<QuoteAnswer>, Problem> {
    caller.may(Permission::PricesRead)?;
    let QuoteRequest { tariff, text, stay } = body.into_inner();
    let tariffs = match (tariff, text) {
        (Some(id), None) => {
            known(&doors, &id)?;
            Arc::clone(&doors.tariffs)
        }
        (None, Some(text)) => Arc::new(off_the_threads(move || draft(text)).await??),
        _ => return Err(faulty("give `tariff`, the id of one, or `text`, a draft")),
    };
    off_the_threads(move || priced(&tariffs, &stay)).await?.map(Json)
}

/// Fee over duration as a picture.
#[utoipa::path(
    get, path = "/api/v1/tariffs/{id}/chart.svg", tag = "tariffs",
    params(("id" = String, Path, description = "The tariff's id"),
           ("enter" = Option<String>, Query, description = "When the car comes in: RFC 3339 or the tariff's local time; now, if left out", example = "2026-03-02 08:00"),
           ("to" = Option<String>, Query, description = "Up to which duration, at most 31d; 24h if left out", example = "48h"),
           ("vehicle" = Option<String>, Query, description = "The kind of vehicle; small if left out")),
    responses((status = 200, body = String, content_type = "image/svg+xml"),
              (status = 422, description = "It cannot be drawn", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many questions", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn picture(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    request: HttpRequest,
    id: Path<String>,
    query: Query<ChartQuery>,
) -> Result<HttpResponse, Problem> {
    known(&doors, &id)?;
    if let Some(client) = client::address(&doors, &request) {
        rates.ask(client).map_err(Problem::too_often)?;
    }
    let (tariffs, now) = (Arc::clone(&doors.tariffs), (doors.clock)());
    let drawn = off_the_threads(move || {
        let ChartQuery { enter, to, vehicle } = query.into_inner();
        let wanted = Wanted { enter: enter.as_deref(), now, to: &to, vehicle: &vehicle };
        chart::picture(&tariffs, &wanted).map(|picture| chart::svg(&picture)).map_err(|why| faulty(why.to_string()))
    });
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(drawn.await??))
}

pub(super) fn known(doors: &Doors, id: &str) -> Result<(), Problem> {
    let is_ours = doors.tariffs.versions.iter().any(|version| version.file.id == id);
    is_ours.then_some(()).ok_or_else(Problem::no_route)
}

/// Runs on a thread for slow work, and not for ever.
pub(super) async fn off_the_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    within(PRICE_TIMEOUT, work).await
}

/// The same with a time of its own.
pub(super) async fn within<T: Send + 'static>(
    most: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    match tokio::time::timeout(most, web::block(work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(Problem::full("the box is ending")),
        Err(_) => Err(Problem::full("this takes too long")),
    }
}

pub(super) fn draft(text: String) -> Result<Tariffs, Problem> {
    let told = |faults: Vec<TariffFault>| faulty(lines(&faults));
    tariffs::book(vec![tariffs::version("draft", text).map_err(told)?]).map_err(told)
}

fn priced(tariffs: &Tariffs, stay: &Value) -> Result<QuoteAnswer, Problem> {
    let newest = &tariffs.versions.last().expect("a book has a version").file;
    let stay = parse::parse_stay(&stay.to_string(), newest).map_err(|faults| {
        let message = |fault: &parse::Fault| format!("stay: {}: {}", fault.path, fault.message);
        faulty(faults.iter().take(MOST_FAULTS).map(message).collect::<Vec<_>>().join("\n"))
    })?;
    let owed = tariffs.book.owed(&StayFacts::from(&stay)).map_err(|why| faulty(why.to_string()))?;
    Ok(QuoteAnswer::new(&owed, newest.time_zone))
}

fn lines(faults: &[TariffFault]) -> String {
    let one = |fault: &TariffFault| match fault.path.as_str() {
        "" => format!("line {}, column {}: {}", fault.line, fault.column, fault.message),
        path => format!("line {}, column {}: {path}: {}", fault.line, fault.column, fault.message),
    };
    faults.iter().take(MOST_FAULTS).map(one).collect::<Vec<_>>().join("\n")
}

pub(super) fn faulty(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "faulty-tariff", "Faulty tariff or stay", detail)
}
