//! `/api/v1/cards`: opening, finding and showing cards, what was done to them, and batches.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use tollhouse_core::charging::tables::state_by_word;
use tollhouse_core::user::Permission;
use utoipa::IntoParams;

use super::charging::{All, Why};
use super::{Asked, At, Caller, Listed, Paging, Problems, Query, WriteProblems, created};
use crate::charging::ChargingFault;
use crate::charging::cards::{
    ActView, Batch, BatchOutcome, CardDone, CardFilter, CardSummary, CardView, NewCard, WantedUndo,
};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/cards").get(list).post(open).enter(app);
    At::new("/api/v1/cards/batches").post(batch).enter(app);
    At::new("/api/v1/cards/{number}").get(one).enter(app);
    At::new("/api/v1/cards/{number}/acts").get(acts).enter(app);
    At::new("/api/v1/cards/{number}/undo").post(undo).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, open, batch, one, acts, undo))]
pub(super) struct Description;

/// Which cards.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// With this plate, now or ever.
    plate: Option<String>,
    /// Holding this space, now or ever.
    space: Option<String>,
    /// Of this holder, as user or payer.
    holder: Option<String>,
    /// Of this room, or of rooms that begin so: `3`, `3-2`.
    room: Option<String>,
    /// With a place in this area today.
    area: Option<String>,
    /// `pending`, `active`, `suspended`, `lost`, `expired` or `closed`.
    state: Option<String>,
}

/// Cards, by number.
#[utoipa::path(get, path = "/api/v1/cards", tag = "cards", params(Which, Paging),
    responses((status = 200, body = Listed<CardSummary>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<CardSummary>>, Problem> {
    caller.may(Permission::CardsRead)?;
    let Which { plate, space, holder, room, area, state } = which.0;
    let word = |word: String| state_by_word(&word).map_err(|words| ChargingFault::wrong("state", words.zh, words.en));
    let filter = CardFilter { plate, space, holder, room, area, state: state.map(word).transpose()? };
    let desk = doors.desks.charging.cards.clone();
    let found = web::block(move || {
        let (after, limit) = page.asked();
        desk.find(&filter, after, limit)
    });
    Ok(Json(found.await.map_err(|_| Problem::full("the box is ending"))??.into()))
}

/// Opens a card: holder, places, vehicles and package are bound, and its first bill is drawn, at once or not at all.
#[utoipa::path(post, path = "/api/v1/cards", tag = "cards", request_body = NewCard, params(Why),
    responses((status = 201, body = CardDone), WriteProblems))]
async fn open(doors: Data<Arc<Doors>>, asked: Asked<NewCard>, why: Query<Why>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a new card"));
    let made = doors.desks.charging.cards.open(&by, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{}", made.card), &made))
}

/// The same for many cards: extend, reprice, suspend or resume. With `preview` it says what would be done, and does nothing.
#[utoipa::path(post, path = "/api/v1/cards/batches", tag = "cards", request_body = Batch, params(Why),
    responses((status = 200, body = BatchOutcome), WriteProblems))]
async fn batch(doors: Data<Arc<Doors>>, asked: Asked<Batch>, why: Query<Why>) -> Result<Json<BatchOutcome>, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a batch"));
    Ok(Json(doors.desks.charging.cards.batch(&by, &asked.body).await?))
}

/// One card: its five parts together (holder, places, fees, packages, bills), its vehicles and how it stood.
#[utoipa::path(get, path = "/api/v1/cards/{number}", tag = "cards", params(("number" = String, Path)),
    responses((status = 200, body = CardView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, number: Path<String>) -> Result<Json<CardView>, Problem> {
    caller.may(Permission::CardsRead)?;
    Ok(Json(doors.desks.charging.cards.card(&number)?))
}

/// What was done to a card: who, when, why, what it drew and credited; the first act first.
#[utoipa::path(get, path = "/api/v1/cards/{number}/acts", tag = "cards", params(("number" = String, Path)),
    responses((status = 200, body = All<ActView>), Problems))]
async fn acts(doors: Data<Arc<Doors>>, caller: Caller, number: Path<String>) -> Result<Json<All<ActView>>, Problem> {
    caller.may(Permission::CardsRead)?;
    Ok(Json(All { items: doors.desks.charging.cards.acts(&number)? }))
}

/// Undoes an act by its opposite: the last one that was not undone, or the one that is named.
#[utoipa::path(post, path = "/api/v1/cards/{number}/undo", tag = "cards", request_body = WantedUndo,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn undo(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedUndo>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "undone"));
    let done = doors.desks.charging.cards.undo(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}
