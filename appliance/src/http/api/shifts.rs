//! `/api/v1/shifts`: an attendant's time at the till: opened with a count, closed or handed over with a count.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::cash::{CashFor, CashReceipt, CashRefusal, MovedCash, Shift, ShiftState, Way};
use tollhouse_core::id::ShiftId;
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::money::{PiecesBody, count, more_than_nothing};
use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::cash::{Deed, ReportFault, ShiftReport};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/shifts").get(list).post(open).enter(app);
    At::new("/api/v1/shifts/{id}").get(one).enter(app);
    At::new("/api/v1/shifts/{id}/closings").post(close).enter(app);
    At::new("/api/v1/shifts/{id}/moves").post(move_cash).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, open, one, close, move_cash),
    tags((name = "till", description = "Shifts, cash and stored value"))
)]
pub(super) struct Description;

/// A shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shift)]
pub(super) struct ShiftAnswer {
    id: String,
    /// Whose.
    attendant: String,
    /// `open` or `closed`.
    state: &'static str,
    opened_at: String,
    /// What was counted into the drawer.
    #[schema(examples("200.00"))]
    float: String,
    /// What went in since, net of change.
    taken: String,
    /// What went out since.
    paid_out: String,
    /// What should be there: float + taken - paid_out.
    expected: String,
    currency: &'static str,
    receipts: u32,
    /// The shift that handed over to it.
    from: Option<String>,
    closing: Option<ClosingAnswer>,
}

/// How a shift was closed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShiftClosing)]
pub(super) struct ClosingAnswer {
    at: String,
    expected: String,
    counted: String,
    /// Counted less expected: below zero is short.
    #[schema(examples("-0.50"))]
    difference: String,
    pieces: Vec<PiecesBody>,
    reason: Option<String>,
    /// The shift that it handed over to.
    handed_to: Option<String>,
}

impl ShiftAnswer {
    fn of(shift: &Shift, zone: Tz) -> Result<Self, Problem> {
        let expected = shift.expected().map_err(|_| Problem::broken())?;
        let closing = shift.closing.as_ref().map(|closing| ClosingAnswer {
            at: wire::time(closing.at, zone),
            expected: closing.expected.amount(),
            counted: closing.counted.amount(),
            difference: closing.difference.amount(),
            pieces: PiecesBody::of(&closing.pieces),
            reason: closing.reason.clone(),
            handed_to: closing.handed_to.map(|id| id.to_string()),
        });
        Ok(Self {
            id: shift.id.to_string(),
            attendant: shift.attendant.clone(),
            state: if shift.state == ShiftState::Open { "open" } else { "closed" },
            opened_at: wire::time(shift.opened_at, zone),
            float: shift.float.amount(),
            taken: shift.taken.amount(),
            paid_out: shift.paid_out.amount(),
            expected: expected.amount(),
            currency: expected.currency().code(),
            receipts: shift.receipts,
            from: shift.from.map(|id| id.to_string()),
            closing,
        })
    }
}

/// What went into or out of a drawer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CashReceipt)]
pub(super) struct ReceiptAnswer {
    shift: String,
    number: u32,
    at: String,
    /// `in` or `out`.
    way: &'static str,
    /// What the drawer gained or lost.
    amount: String,
    /// What was given.
    tendered: String,
    /// What was given back of it.
    change: String,
    /// What the books settle beyond the cash, because there is no smaller coin.
    rounding: String,
    currency: &'static str,
    /// `stay_bill`, `card_bills`, `stored`, `refund_due` or `safe`.
    kind: &'static str,
    /// The bill, card or what else it was for.
    about: Option<String>,
    reason: Option<String>,
}

impl ReceiptAnswer {
    pub(super) fn of(receipt: &CashReceipt, zone: Tz) -> Self {
        let (kind, about) = match &receipt.subject {
            CashFor::StayBill { bill } => ("stay_bill", Some(bill.to_string())),
            CashFor::CardBills { card, .. } => ("card_bills", Some(card.to_string())),
            CashFor::Stored { card } => ("stored", Some(card.to_string())),
            CashFor::RefundDue { of } => ("refund_due", Some(of.clone())),
            CashFor::Safe => ("safe", None),
        };
        Self {
            shift: receipt.shift.to_string(),
            number: receipt.number,
            at: wire::time(receipt.at, zone),
            way: if receipt.way == Way::In { "in" } else { "out" },
            amount: receipt.amount.amount(),
            tendered: receipt.tendered.amount(),
            change: receipt.change.amount(),
            rounding: receipt.rounding.amount(),
            currency: receipt.amount.currency().code(),
            kind,
            about,
            reason: receipt.reason.clone(),
        }
    }
}

/// Something that a person did by hand during the shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deed)]
pub(super) struct DeedAnswer {
    /// Its entry in the journal.
    position: u64,
    at: String,
    /// What, in the journal's word: `passage.granted` is an opening by hand.
    #[schema(examples("passage.granted"))]
    kind: String,
    lane: Option<String>,
    by: String,
    reason: String,
}

/// A shift with its receipts and what else was done by hand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShiftReport)]
pub(super) struct ReportAnswer {
    shift: ShiftAnswer,
    receipts: Vec<ReceiptAnswer>,
    deeds: Vec<DeedAnswer>,
}

impl ReportAnswer {
    fn of(report: &ShiftReport, zone: Tz) -> Result<Self, Problem> {
        let deed = |deed: &Deed| DeedAnswer {
            position: deed.position,
            at: wire::time(deed.at, zone),
            kind: serde_json::to_value(deed.kind)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            lane: deed.lane.as_ref().map(ToString::to_string),
            by: deed.by.clone(),
            reason: deed.reason.clone(),
        };
        Ok(Self {
            shift: ShiftAnswer::of(&report.shift, zone)?,
            receipts: report.receipts.iter().map(|receipt| ReceiptAnswer::of(receipt, zone)).collect(),
            deeds: report.deeds.iter().map(deed).collect(),
        })
    }
}

/// A shift begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShift {
    /// What was counted into the drawer.
    #[schema(examples("200.00"))]
    float: String,
    /// Piece by piece, if it was counted so; it has to come to the float.
    #[serde(default)]
    pieces: Vec<PiecesBody>,
}

/// A shift ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewClosing {
    /// What was counted.
    #[schema(examples("1234.50"))]
    counted: String,
    /// Piece by piece, if it was counted so; it has to come to the sum.
    #[serde(default)]
    pieces: Vec<PiecesBody>,
    /// Why there is a difference; needed where there is one.
    reason: Option<String>,
    /// Who takes over, and with how much in the drawer.
    next: Option<NextShift>,
}

/// Who takes over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextShift {
    /// The account's name.
    attendant: String,
    /// What stays in the drawer; the rest goes into the safe.
    #[schema(examples("200.00"))]
    float: String,
}

/// Cash between the drawer and the safe.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMove {
    /// `safe` or `drawer`.
    to: String,
    #[schema(examples("500.00"))]
    amount: String,
    reason: String,
}

/// Shifts: one's own, or everybody's with `shifts.read`.
#[utoipa::path(get, path = "/api/v1/shifts", tag = "till", params(Paging),
    responses((status = 200, body = Listed<ShiftAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<ShiftAnswer>>, Problem> {
    if !caller.has(Permission::ShiftsRead) {
        caller.may(Permission::ShiftOwn)?;
    }
    let own = |shift: &Shift| caller.has(Permission::ShiftsRead) || shift.attendant == caller.name();
    let show = |kept: Kept<Shift>| own(&kept.record).then(|| ShiftAnswer::of(&kept.record, doors.zone));
    let listed = page.of(&doors.desks.records(), show)?;
    let items: Result<Vec<ShiftAnswer>, Problem> = listed.items.into_iter().collect();
    Ok(Json(Listed { items: items?, next: listed.next }))
}

/// Opens a shift with a counted float, which comes out of the safe.
#[utoipa::path(post, path = "/api/v1/shifts", tag = "till", request_body = NewShift,
    responses((status = 201, body = ShiftAnswer), WriteProblems))]
async fn open(doors: Data<Arc<Doors>>, asked: Asked<NewShift>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::ShiftOwn)?;
    let mut fields = Fields::default();
    let float = count(&mut fields, ("/float", &asked.body.float), &asked.body.pieces, doors.currency);
    fields.done()?;
    let float = float.ok_or_else(Problem::broken)?;
    let shift = doors.till.open(&asked.by("shift opened"), asked.caller.name(), &float).await?;
    Ok(created(&format!("/api/v1/shifts/{}", shift.id), &ShiftAnswer::of(&shift, doors.zone)?))
}

fn id(text: &str) -> Result<ShiftId, Problem> {
    text.parse().map_err(|_| Problem::unknown("there is no such shift"))
}

/// The shift, if the caller may have it in hand: one's own, or anybody's with the permission.
fn shift(doors: &Doors, caller: &Caller, text: &str, others: Permission) -> Result<Shift, Problem> {
    let kept = doors.desks.records().get::<Shift>(&id(text)?.to_string())?;
    let shift = kept.ok_or_else(|| Problem::unknown("there is no such shift"))?.record;
    caller.may(if shift.attendant == caller.name() { Permission::ShiftOwn } else { others })?;
    Ok(shift)
}

/// A shift with its receipts, and what people did by hand meanwhile: openings, discounts, corrections.
#[utoipa::path(get, path = "/api/v1/shifts/{id}", tag = "till", params(("id" = String, Path)),
    responses((status = 200, body = ReportAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<ReportAnswer>, Problem> {
    let shift = shift(&doors, &caller, &path, Permission::ShiftsRead)?;
    let (desk, zone) = (doors.till.clone(), doors.zone);
    let report = actix_web::web::block(move || desk.report(shift.id)).await;
    let report = report.map_err(|_| Problem::full("the box is ending"))??;
    let report = report.ok_or_else(|| Problem::unknown("there is no such shift"))?;
    ReportAnswer::of(&report, zone).map(Json)
}

/// Counts and closes a shift; with `next` it is handed over in the same entry. Another's takes `books.write`.
#[utoipa::path(post, path = "/api/v1/shifts/{id}/closings", tag = "till", params(("id" = String, Path)),
    request_body = NewClosing, responses((status = 201, body = ShiftAnswer), WriteProblems))]
async fn close(doors: Data<Arc<Doors>>, path: Path<String>, asked: Asked<NewClosing>) -> Result<HttpResponse, Problem> {
    let shift = shift(&doors, &asked.caller, &path, Permission::BooksWrite)?;
    let (body, currency) = (&asked.body, doors.currency);
    let mut fields = Fields::default();
    let counted = count(&mut fields, ("/counted", &body.counted), &body.pieces, currency);
    let reason = body.reason.as_ref().and_then(|reason| fields.text("/reason", reason, 200));
    let float = body.next.as_ref().map(|next| count(&mut fields, ("/next/float", &next.float), &[], currency));
    fields.done()?;
    let counted = counted.ok_or_else(Problem::broken)?;
    let next = body.next.as_ref().zip(float.flatten());
    let next = next.as_ref().map(|(next, float)| (next.attendant.as_str(), float));
    let by = asked.by("shift closed");
    let closed = doors.till.close(&by, &shift.attendant, &counted, reason.as_deref(), next).await?;
    Ok(created(&format!("/api/v1/shifts/{}", closed.id), &ShiftAnswer::of(&closed, doors.zone)?))
}

/// Moves cash between the drawer of one's open shift and the safe.
#[utoipa::path(post, path = "/api/v1/shifts/{id}/moves", tag = "till", params(("id" = String, Path)),
    request_body = NewMove, responses((status = 201, body = ReceiptAnswer), WriteProblems))]
async fn move_cash(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<NewMove>,
) -> Result<HttpResponse, Problem> {
    let shift = shift(&doors, &asked.caller, &path, Permission::BooksWrite)?;
    let mut fields = Fields::default();
    let which = match asked.body.to.as_str() {
        "safe" => Some(MovedCash::ToSafe),
        "drawer" => Some(MovedCash::FromSafe),
        _ => fields.read("/to", Err::<MovedCash, _>("it goes to the safe or to the drawer")),
    };
    let amount = more_than_nothing(&mut fields, "/amount", &asked.body.amount, doors.currency);
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let (Some(which), Some(amount), Some(reason)) = (which, amount, reason) else { return Err(Problem::broken()) };
    let by = asked.by(&reason);
    let receipt = doors.till.move_cash(&by, &shift.attendant, which, amount, &reason).await?;
    let location = format!("/api/v1/shifts/{}", shift.id);
    Ok(created(&location, &ReceiptAnswer::of(&receipt, doors.zone)))
}

impl From<ReportFault> for Problem {
    fn from(fault: ReportFault) -> Self {
        tracing::error!(%fault, "a shift cannot be shown");
        Self::broken()
    }
}

impl From<CashRefusal> for Problem {
    fn from(refusal: CashRefusal) -> Self {
        let detail = refusal.to_string();
        let (status, word, title) = match &refusal {
            CashRefusal::Attendant | CashRefusal::Reason | CashRefusal::Amount(_) | CashRefusal::Count { .. } => {
                (StatusCode::BAD_REQUEST, "invalid", "Not as it should be")
            }
            CashRefusal::OpenAlready(_) => (StatusCode::CONFLICT, "shift-open", "A shift is open"),
            CashRefusal::NoShift(_) => (StatusCode::CONFLICT, "no-shift", "No open shift"),
            CashRefusal::NotEnough { .. } => (StatusCode::CONFLICT, "not-enough", "Not enough"),
            CashRefusal::NotThere { .. } => (StatusCode::CONFLICT, "not-there", "Not so much there"),
            CashRefusal::NotPaidFor | CashRefusal::NotUnexplained => return Self::unknown(detail),
            CashRefusal::StillInside => (StatusCode::CONFLICT, "still-inside", "The car is inside"),
            CashRefusal::DifferenceUnnamed(_) => (StatusCode::CONFLICT, "difference", "A difference without a reason"),
            CashRefusal::Bill(tollhouse_core::pay::OrderRefusal::UnknownBill) => {
                (StatusCode::NOT_FOUND, "unknown", "Not known")
            }
            CashRefusal::Bill(tollhouse_core::pay::OrderRefusal::NothingDue) => {
                (StatusCode::CONFLICT, "nothing-due", "Nothing due")
            }
            CashRefusal::Unfit(_) | CashRefusal::Bill(_) | CashRefusal::Money(_) | CashRefusal::Read(_) => {
                tracing::error!(%refusal, "the till cannot go on");
                return Self::broken();
            }
        };
        Self::new(status, word, title, detail)
    }
}
