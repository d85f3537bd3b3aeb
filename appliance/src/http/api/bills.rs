//! `/api/v1/bills`: periodic and independent bills of cards, what people correct on them, and printed notices.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollhouse_core::bill::BillKind;
use tollhouse_core::charging::label::{CardNumber, HolderId};
use tollhouse_core::id::BillId;
use tollhouse_core::user::{GivenUp, Permission};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, Query, WriteProblems};
use crate::charging::ChargingFault;
use crate::charging::bills::desk::{BillDesk, Corrected, Correction, FreedTo};
use crate::charging::bills::list::BillQuery;
use crate::charging::bills::notices::{NoticeOf, NoticeQuery};
use crate::charging::bills::view::{BillView, CreditNoteView};
use crate::http::doors::Doors;
use crate::http::language;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/bills").get(list).enter(app);
    At::new("/api/v1/bills/notices").get(notices).enter(app);
    At::new("/api/v1/bills/{id}").get(one).enter(app);
    At::new("/api/v1/bills/{id}/credit-notes").get(credit_notes).post(credit).enter(app);
    At::new("/api/v1/bills/{id}/write-offs").post(write_off).enter(app);
    At::new("/api/v1/bills/{id}/recoveries").post(recover).enter(app);
    At::new("/api/v1/bills/{id}/waivers").post(waive).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, notices, one, credit_notes, credit, write_off, recover, waive),
    tags((name = "bills", description = "Periodic and independent bills of cards: runs, corrections, notices, days"))
)]
pub(super) struct Description;

/// Which bills are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BillsAsked {
    /// Of this card.
    #[param(max_length = 32)]
    card: Option<String>,
    /// Owed by this holder.
    #[param(max_length = 32)]
    holder: Option<String>,
    /// Of this building, unit or room: `3`, `3-2`, `3-2-1201`.
    #[param(max_length = 50)]
    room: Option<String>,
    /// `periodic` or `independent`.
    #[param(max_length = 20)]
    kind: Option<String>,
    /// `open`, `part_paid`, `paid`, `void`, `refunded`, `written_off`; or `unpaid`, `overdue`.
    #[param(max_length = 20)]
    state: Option<String>,
}

fn queried(asked: &BillsAsked) -> Result<BillQuery, Problem> {
    let mut fields = Fields::default();
    let kind = |word: &str| {
        let known = BillKind::ALL.iter().copied().find(|kind| kind.as_str() == word);
        known.ok_or("the kinds are periodic and independent")
    };
    let query = BillQuery {
        card: asked.card.as_ref().and_then(|text| fields.read("?card", CardNumber::new(text))),
        holder: asked.holder.as_ref().and_then(|text| fields.read("?holder", HolderId::new(text))),
        room: asked.room.as_ref().and_then(|text| fields.text("?room", text, 50)),
        kind: asked.kind.as_ref().and_then(|text| fields.read("?kind", kind(text))),
        state: asked.state.as_ref().and_then(|text| fields.read("?state", text.parse())),
    };
    fields.done()?;
    Ok(query)
}

fn desk(doors: &Doors) -> &BillDesk {
    &doors.desks.charging.bills
}

fn view(doors: &Doors, kept: &tollhouse_core::record::Kept<tollhouse_core::charging::bills::CardBill>) -> BillView {
    desk(doors).view(kept)
}

pub(super) fn id(text: &str) -> Result<BillId, Problem> {
    text.parse().map_err(|_| ChargingFault::unknown("bill", text.chars().take(40).collect::<String>()).into())
}

/// Bills of cards: by card, or by due date where only open ones are asked for.
#[utoipa::path(get, path = "/api/v1/bills", tag = "bills", params(BillsAsked, Paging),
    responses((status = 200, body = Listed<BillView>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    asked: Query<BillsAsked>,
    page: Paging,
) -> Result<Json<Listed<BillView>>, Problem> {
    caller.may(Permission::BillsRead)?;
    let found = desk(&doors).list(&queried(&asked.0)?, page.after(), page.limit())?;
    let items = found.bills.iter().map(|kept| view(&doors, kept)).collect();
    Ok(Json(Listed { items, next: found.next.as_deref().map(Paging::next) }))
}

/// One bill.
#[utoipa::path(get, path = "/api/v1/bills/{id}", tag = "bills", params(("id" = String, Path)),
    responses((status = 200, body = BillView), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<BillView>, Problem> {
    caller.may(Permission::BillsRead)?;
    Ok(Json(view(&doors, &desk(&doors).bill(id(&path)?)?)))
}

/// The credit notes of a bill.
#[utoipa::path(get, path = "/api/v1/bills/{id}/credit-notes", tag = "bills", params(("id" = String, Path), Paging),
    responses((status = 200, body = Listed<CreditNoteView>), Problems))]
async fn credit_notes(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<String>,
    page: Paging,
) -> Result<Json<Listed<CreditNoteView>>, Problem> {
    caller.may(Permission::BillsRead)?;
    let bill = desk(&doors).bill(id(&path)?)?.record;
    let notes = desk(&doors).credit_notes(&bill)?;
    Ok(Json(page.of_all(notes, |note| note.id.to_string(), |note| CreditNoteView::new(&note, doors.zone))))
}

/// What of a bill is owed no longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditAsked {
    /// Which line, from 0; left out: the whole bill is withdrawn, and its days can be billed again.
    #[schema(minimum = 0, maximum = 10_000)]
    line: Option<u32>,
    /// With a line: the first day.
    from: Option<NaiveDate>,
    /// With a line: the first day after.
    until: Option<NaiveDate>,
    /// The part of what was paid that is kept, 0 to 1; nothing if left out.
    #[schema(value_type = Option<String>, example = "0")]
    retention: Option<Decimal>,
    /// Where goes what was paid and comes free; the holder's credit if left out.
    freed_to: Option<FreedTo>,
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

impl CreditAsked {
    fn correction(&self, fields: &mut Fields) -> Option<Correction> {
        let retention = self.retention.unwrap_or_default();
        match (self.line, self.from, self.until) {
            (None, None, None) => Some(Correction::Void { retention }),
            (Some(line), Some(from), Some(until)) => {
                let line = usize::try_from(line).unwrap_or(usize::MAX);
                Some(Correction::CreditDays { line, from, until, retention })
            }
            _ => {
                fields
                    .fault("/line", "a line goes with both from and until; without all three the whole bill is meant");
                None
            }
        }
    }
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonAsked {
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A bill after a correction.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CorrectedAnswer {
    /// As it is.
    bill: BillView,
    /// The credit note, where there is one.
    credit_note: Option<CreditNoteView>,
}

async fn correct<T>(
    doors: &Doors,
    asked: &Asked<T>,
    path: &str,
    correction: &Correction,
    (freed, reason): (FreedTo, &str),
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let reason = fields.text("/reason", reason, 200).unwrap_or_default();
    fields.done()?;
    let bill = id(path)?;
    let Corrected { note, .. } = desk(doors).correct(bill, correction, freed, &asked.by(&reason)).await?;
    let answer = CorrectedAnswer {
        bill: view(doors, &desk(doors).bill(bill)?),
        credit_note: note.map(|note| CreditNoteView::new(&note, doors.zone)),
    };
    Ok(HttpResponse::Created().json(answer))
}

/// Credits days of a line, or withdraws the whole bill. A bill is never edited.
#[utoipa::path(post, path = "/api/v1/bills/{id}/credit-notes", tag = "bills", params(("id" = String, Path)),
    request_body = CreditAsked, responses((status = 201, body = CorrectedAnswer), WriteProblems))]
async fn credit(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<CreditAsked>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    let mut fields = Fields::default();
    let correction = asked.body.correction(&mut fields);
    fields.done()?;
    let correction = correction.ok_or_else(Problem::broken)?;
    let freed = asked.body.freed_to.unwrap_or_default();
    correct(&doors, &asked, &path, &correction, (freed, &asked.body.reason)).await
}

/// Gives up as lost what is open, within the limit of the caller's roles.
#[utoipa::path(post, path = "/api/v1/bills/{id}/write-offs", tag = "bills", params(("id" = String, Path)),
    request_body = ReasonAsked, responses((status = 201, body = CorrectedAnswer), WriteProblems))]
async fn write_off(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<ReasonAsked>,
) -> Result<HttpResponse, Problem> {
    give_up(&doors, &path, &asked, &Correction::WriteOff).await
}

/// Forgives a late fee, as far as it is not paid, within the limit of the caller's roles.
#[utoipa::path(post, path = "/api/v1/bills/{id}/waivers", tag = "bills", params(("id" = String, Path)),
    request_body = ReasonAsked, responses((status = 201, body = CorrectedAnswer), WriteProblems))]
async fn waive(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<ReasonAsked>,
) -> Result<HttpResponse, Problem> {
    give_up(&doors, &path, &asked, &Correction::WaiveLateFee).await
}

async fn give_up(
    doors: &Doors,
    path: &str,
    asked: &Asked<ReasonAsked>,
    correction: &Correction,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::WriteOff)?;
    let at_stake = desk(doors).at_stake(id(path)?, correction)?;
    asked.caller.within(GivenUp::WriteOff, at_stake)?;
    correct(doors, asked, path, correction, (FreedTo::Credit, &asked.body.reason)).await
}

/// Claims again what was written off.
#[utoipa::path(post, path = "/api/v1/bills/{id}/recoveries", tag = "bills", params(("id" = String, Path)),
    request_body = ReasonAsked, responses((status = 201, body = CorrectedAnswer), WriteProblems))]
async fn recover(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<ReasonAsked>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    correct(&doors, &asked, &path, &Correction::Recover, (FreedTo::Credit, &asked.body.reason)).await
}

/// Which notices are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NoticesAsked {
    /// A building, unit or room: `3`, `3-2`, `3-2-1201`; all if left out.
    #[param(max_length = 50)]
    building: Option<String>,
    /// `overdue` (if left out) or `unpaid`.
    #[param(max_length = 20)]
    of: Option<String>,
}

/// Notices to print on A4, by building, unit and room (催缴单).
#[utoipa::path(get, path = "/api/v1/bills/notices", tag = "bills", params(NoticesAsked),
    responses((status = 200, body = String, content_type = "text/html"),
        (status = 409, description = "No room owes anything of that kind"), Problems))]
async fn notices(
    doors: Data<Arc<Doors>>,
    request: HttpRequest,
    caller: Caller,
    asked: Query<NoticesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::BillsRead)?;
    let mut fields = Fields::default();
    let of = match asked.0.of.as_deref() {
        None | Some("overdue") => Ok(NoticeOf::Overdue),
        Some("unpaid") => Ok(NoticeOf::Unpaid),
        Some(_) => Err("of is overdue or unpaid"),
    };
    let of = fields.read("?of", of);
    fields.done()?;
    let query =
        NoticeQuery { building: asked.0.building, of: of.unwrap_or_default(), language: language::of(&request) };
    let desk = desk(&doors).clone();
    let page =
        actix_web::web::block(move || desk.notices(&query)).await.map_err(|_| Problem::full("the box is ending"))?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page?))
}
