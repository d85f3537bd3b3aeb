//! A draft of a tariff over HTTP, for the console: what is wrong with it, what it would have done to the lot's last stays,
//! and its picture. For who may see prices; a draft is looked at and forgotten, nothing is kept and nothing comes in force.
//!
//! Owns the calls. What is slow is done one call at a time, off the threads that serve pages.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::Value;
use tollhouse_core::tariff::StayFacts;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::api::{Caller, Problems};
use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use super::tariffs::{day, draft, faulty, off_the_threads, small, within};
use crate::changes;
use crate::chart::{self, Wanted};
use crate::findings::Found;
use crate::past;

/// The linter asks the engine many thousand times; a preview reads the store.
const SLOW_TIMEOUT: Duration = Duration::from_secs(30);
/// As many stays as a console waits for; `tollhouse tariff preview` takes more.
const MOST_STAYS: u32 = 100_000;

/// A draft to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRequest {
    /// The text of a tariff file, TOML or JSON.
    text: String,
}

/// A draft to be held against the lot's tariff.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRequest {
    /// The text of a tariff file, TOML or JSON.
    text: String,
    /// The last so many stays, 1 to 100000.
    #[serde(default = "ten_thousand")]
    #[schema(minimum = 1, maximum = 100_000, default = 10_000)]
    last: u32,
}

/// A draft to be drawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChartRequest {
    /// The text of a tariff file, TOML or JSON.
    text: String,
    /// When the car comes in: RFC 3339 or the tariff's local time; now, if left out.
    #[schema(examples("2026-03-02 08:00"))]
    enter: Option<String>,
    /// Up to which duration, at most 31d; 24h if left out.
    #[serde(default = "day")]
    #[schema(examples("48h"))]
    to: String,
    /// The kind of vehicle; small if left out.
    #[serde(default = "small")]
    vehicle: String,
}

fn ten_thousand() -> u32 {
    10_000
}

/// Everything that is to be said of a draft: faults with line and column, examples that do not hold, warnings. A draft
/// with faults is answered with 200 and `"ok": false`: the question was a good one.
#[utoipa::path(
    post, path = "/api/v1/tariffs/check", tag = "tariffs", request_body = CheckRequest,
    responses((status = 200, description = "What `tollhouse tariff check --json` says of one file", body = Value),
              Problems,
              (status = 503, description = "Another draft is being looked at, or it took too long", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn check(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    body: Json<CheckRequest>,
) -> Result<Json<Value>, Problem> {
    caller.may(Permission::PricesRead)?;
    let text = body.into_inner().text;
    one_at_a_time(&doors, move || Found::of_text("draft".to_owned(), text).json()).await.map(Json)
}

/// What a draft would have done to the lot's last stays, beside the lot's tariff: who pays more, who less, how much in
/// all, the ten largest changes each way.
#[utoipa::path(
    post, path = "/api/v1/tariffs/preview", tag = "tariffs", request_body = PreviewRequest,
    responses((status = 200, description = "What `tollhouse tariff preview --json` says", body = Value),
              Problems,
              (status = 422, description = "The draft is faulty, or charges in another currency", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, description = "Another draft is being looked at, or it took too long", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn preview(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    body: Json<PreviewRequest>,
) -> Result<Json<Value>, Problem> {
    caller.may(Permission::PricesRead)?;
    let PreviewRequest { text, last } = body.into_inner();
    if !(1..=MOST_STAYS).contains(&last) {
        return Err(faulty(format!("`last` is 1 to {MOST_STAYS}")));
    }
    let (old, ask) = (Arc::clone(&doors.tariffs), Arc::clone(&doors.past));
    let zone = doors.zone;
    let work = move || {
        let new = draft(text)?;
        let ended = ask(last as usize).map_err(|fault| {
            tracing::error!(%fault, "the last stays cannot be read");
            Problem::full("the last stays cannot be read (the box's log says why)")
        })?;
        let stays: Vec<StayFacts> = ended.iter().map(|stay| past::facts(stay, zone)).collect();
        let found = changes::compare(&old, &new, &stays, || {}).map_err(|why| faulty(why.to_string()))?;
        Ok(changes::json(&found, &stays, &new))
    };
    one_at_a_time(&doors, work).await?.map(Json)
}

/// Fee over duration of a draft as a picture.
#[utoipa::path(
    post, path = "/api/v1/tariffs/chart.svg", tag = "tariffs", request_body = ChartRequest,
    responses((status = 200, body = String, content_type = "image/svg+xml"),
              Problems,
              (status = 422, description = "The draft is faulty, or it cannot be drawn", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn picture(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    body: Json<ChartRequest>,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::PricesRead)?;
    let now = (doors.clock)();
    let drawn = off_the_threads(move || {
        let ChartRequest { text, enter, to, vehicle } = body.into_inner();
        let wanted = Wanted { enter: enter.as_deref(), now, to: &to, vehicle: &vehicle };
        let picture = chart::picture(&draft(text)?, &wanted).map_err(|why| faulty(why.to_string()))?;
        Ok::<_, Problem>(chart::svg(&picture))
    });
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(drawn.await??))
}

/// Slow work, and only one of it. What took too long is let go, but its place is free only when it has really ended.
async fn one_at_a_time<T: Send + 'static>(
    doors: &Doors,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let slow = Arc::clone(&doors.slow);
    let place = slow.try_acquire_owned().map_err(|_| Problem::full("another draft is being looked at"))?;
    within(SLOW_TIMEOUT, move || {
        let done = work();
        drop(place);
        done
    })
    .await
}
