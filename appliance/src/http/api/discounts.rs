//! `/api/v1/stays/{id}/discounts`: a discount by hand, with a reason and within the limit of the giver's roles. And
//! `/api/v1/free-list`: cars that are free until a day.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::coupons::{CouponRefusal, FreeEntry, FreeReason, Manual};
use tollhouse_core::id::StayId;
use tollhouse_core::money::Money;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::Kept;
use tollhouse_core::user::{GivenUp, Permission};
use utoipa::ToSchema;

use super::coupon_fields::{TakenAnswer, WorthBody};
use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::coupons::Target;
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/stays/{id}/discounts").post(give).enter(app);
    At::new("/api/v1/free-list").get(list).enter(app);
    At::new("/api/v1/free-list/{plate}").put(enter).delete(leave).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(give, list, enter, leave))]
pub(super) struct Description;

/// A discount that is given by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDiscount {
    /// What it is worth.
    worth: WorthBody,
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Gives a discount to a stay that is not paid yet.
#[utoipa::path(post, path = "/api/v1/stays/{id}/discounts", tag = "merchants", params(("id" = String, Path)),
    request_body = NewDiscount, responses((status = 201, body = TakenAnswer), WriteProblems))]
async fn give(doors: Data<Arc<Doors>>, id: Path<String>, asked: Asked<NewDiscount>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::DiscountGive)?;
    let mut fields = Fields::default();
    let worth = asked.body.worth.read("/worth", &mut fields, doors.currency);
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let (Some(worth), Some(reason)) = (worth, reason) else { return Err(Problem::broken()) };
    let stay: StayId = id.parse().map_err(|_| CouponRefusal::NotInside)?;
    let limit = asked.caller.known().limits.of(GivenUp::Discount).map(|most| Money::new(most, doors.currency));
    let by = asked.by(&reason);
    let manual = Manual { worth, by: asked.caller.name().to_owned(), reason, limit };
    let desk = &doors.desks.coupons;
    let taken = desk.give(&manual, &Target::Stay(stay), &by, &doors.tariffs.book).await?;
    doors.bill_moved();
    Ok(created(&format!("/api/v1/stays/{stay}"), &TakenAnswer::of(&taken)))
}

/// A car on the free list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FreeEntry)]
pub(super) struct FreeAnswer {
    /// The car.
    plate: String,
    /// `courier`, `mover`, `contractor`, `official`, `guest`, `other`.
    reason: FreeWord,
    /// Who, and what for.
    note: String,
    /// The last day on which it is free.
    until: String,
    /// Since when.
    since: String,
    /// Who put it there.
    by: String,
}

/// On what ground a car is free.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FreeReason)]
pub(super) enum FreeWord {
    /// 快递
    Courier,
    /// 搬家
    Mover,
    /// 施工
    Contractor,
    /// 公务
    Official,
    /// 来访
    Guest,
    /// Anything else; the note says what.
    Other,
}

impl From<FreeReason> for FreeWord {
    fn from(reason: FreeReason) -> Self {
        match reason {
            FreeReason::Courier => Self::Courier,
            FreeReason::Mover => Self::Mover,
            FreeReason::Contractor => Self::Contractor,
            FreeReason::Official => Self::Official,
            FreeReason::Guest => Self::Guest,
            FreeReason::Other => Self::Other,
        }
    }
}

impl From<FreeWord> for FreeReason {
    fn from(word: FreeWord) -> Self {
        match word {
            FreeWord::Courier => Self::Courier,
            FreeWord::Mover => Self::Mover,
            FreeWord::Contractor => Self::Contractor,
            FreeWord::Official => Self::Official,
            FreeWord::Guest => Self::Guest,
            FreeWord::Other => Self::Other,
        }
    }
}

impl FreeAnswer {
    fn of(entry: FreeEntry, zone: Tz) -> Self {
        Self {
            plate: entry.plate.to_string(),
            reason: entry.reason.into(),
            note: entry.note,
            until: entry.until.with_timezone(&zone).date_naive().to_string(),
            since: wire::time(entry.since, zone),
            by: entry.by,
        }
    }
}

/// A car that is to be free.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFreeEntry {
    /// On what ground.
    reason: FreeWord,
    /// Who, and what for.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
    /// The last day on which it is free; within a year.
    #[schema(examples("2026-12-31"))]
    until: String,
}

/// The free list, by plate.
#[utoipa::path(get, path = "/api/v1/free-list", tag = "merchants", params(Paging),
    responses((status = 200, body = Listed<FreeAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<FreeAnswer>>, Problem> {
    caller.may(Permission::MerchantsRead)?;
    let show = |kept: Kept<FreeEntry>| Some(FreeAnswer::of(kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// Puts a car on the free list, or gives it another end.
#[utoipa::path(put, path = "/api/v1/free-list/{plate}", tag = "merchants", params(("plate" = String, Path)),
    request_body = NewFreeEntry, responses((status = 200, body = FreeAnswer), WriteProblems))]
async fn enter(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<NewFreeEntry>,
) -> Result<Json<FreeAnswer>, Problem> {
    asked.caller.may(Permission::GateOperate)?;
    let mut fields = Fields::default();
    let plate = fields.plate("?plate", &path);
    let note = fields.text("/note", &asked.body.note, 200);
    let until = fields.date("/until", &asked.body.until);
    fields.done()?;
    let (Some(plate), Some(note), Some(until)) = (plate, note, until) else { return Err(Problem::broken()) };
    let desk = &doors.desks.coupons;
    let until = desk.end_of(until);
    let entry = FreeEntry { plate, reason: asked.body.reason.into(), note, until, since: until, by: String::new() };
    let entry = desk.list_free(&entry, &asked.by(&entry.note)).await?;
    Ok(Json(FreeAnswer::of(entry, doors.zone)))
}

/// Takes a car off the free list.
#[utoipa::path(delete, path = "/api/v1/free-list/{plate}", tag = "merchants", params(("plate" = String, Path)),
    responses((status = 204, description = "It pays as others do from its next entry on"), WriteProblems))]
async fn leave(doors: Data<Arc<Doors>>, path: Path<String>, asked: Asked<()>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::GateOperate)?;
    let mut fields = Fields::default();
    let plate: Option<Plate> = fields.plate("?plate", &path);
    fields.done()?;
    let Some(plate) = plate else { return Err(Problem::broken()) };
    let reason = "taken off the free list";
    doors.desks.coupons.drop_free(&plate, reason, &asked.by(reason)).await?;
    Ok(HttpResponse::NoContent().finish())
}
