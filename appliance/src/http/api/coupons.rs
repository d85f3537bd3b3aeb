//! `/api/v1/coupons`: batches of one-time codes, and redeeming one for a car that is inside: by the merchant with its own
//! account, or by the attendant.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::coupons::{BatchOrder, Coupon, CouponBatch, CouponCode, CouponRefusal, Which};
use tollhouse_core::id::DiscountId;
use tollhouse_core::money::Money;
use tollhouse_core::record::Records as _;
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::coupon_fields::{TakenAnswer, WorthBody, seen};
use super::{Asked, At, Caller, Fields, Problems, Query, WriteProblems, created};
use crate::coupons::{ShownCoupon, Target};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

/// Coupons of one answer.
const AT_ONCE: usize = 2_000;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/coupons").get(list).post(issue).enter(app);
    At::new("/api/v1/coupons/redemptions").post(redeem).enter(app);
    At::new("/api/v1/coupons/{id}").get(one).enter(app);
    At::new("/api/v1/coupons/{id}/voids").post(void).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, issue, redeem, one, void))]
pub(super) struct Description;

/// Which batch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfBatch {
    /// Whose.
    merchant: String,
    /// The batch's number, from 1.
    batch: u32,
}

/// A batch of coupons.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CouponBatch)]
pub(super) struct BatchAnswer {
    /// Whose.
    merchant: String,
    /// Its number, from 1.
    batch: u32,
    /// What each is worth.
    worth: WorthBody,
    /// Each comes to at most this.
    most: Option<String>,
    /// How many hundredths the merchant pays.
    pays_percent: u8,
    /// How many.
    count: u32,
    /// How many are left.
    stock: u32,
    /// The first day on which they are taken.
    valid_from: String,
    /// The last day.
    valid_to: String,
    /// What for.
    note: String,
    /// When they were issued.
    issued_at: String,
    /// By whom.
    issued_by: String,
    /// The coupons, by number.
    coupons: Vec<CouponAnswer>,
}

impl BatchAnswer {
    fn of(batch: CouponBatch, coupons: Vec<CouponAnswer>, zone: Tz) -> Self {
        Self {
            merchant: batch.merchant.to_string(),
            batch: batch.number,
            worth: WorthBody::of(batch.worth),
            most: batch.most.map(Money::amount),
            pays_percent: batch.pays_percent,
            count: batch.count,
            stock: batch.stock,
            valid_from: batch.valid_from.to_string(),
            valid_to: batch.valid_until.pred_opt().unwrap_or(batch.valid_until).to_string(),
            note: batch.note,
            issued_at: wire::time(batch.issued_at, zone),
            issued_by: batch.issued_by,
            coupons,
        }
    }
}

/// One coupon.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Coupon)]
pub(super) struct CouponAnswer {
    /// How it is called where it is withdrawn.
    id: String,
    /// Whose.
    merchant: String,
    /// Of which batch.
    batch: u32,
    /// Its number in it.
    number: u32,
    /// `issued`, `redeemed` or `void`.
    state: String,
    /// When it was redeemed or withdrawn.
    at: Option<String>,
    /// For which stay.
    stay: Option<String>,
    /// Its code: in the list of its batch alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl CouponAnswer {
    fn of(coupon: ShownCoupon, zone: Tz) -> Self {
        Self {
            id: coupon.id.to_string(),
            merchant: coupon.merchant,
            batch: coupon.batch,
            number: coupon.number,
            state: coupon.state,
            at: coupon.at.map(|at| wire::time(at, zone)),
            stay: coupon.stay.map(|stay| stay.to_string()),
            code: coupon.code,
        }
    }
}

/// Coupons that are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBatch {
    /// For whom.
    merchant: String,
    /// What each is worth.
    worth: WorthBody,
    /// Each comes to at most this; none: as the merchant's account says.
    most: Option<String>,
    /// How many hundredths the merchant pays; all if left out.
    #[schema(minimum = 0, maximum = 100)]
    pays_percent: Option<u8>,
    /// How many.
    #[schema(minimum = 1, maximum = 2000)]
    count: u32,
    /// The first day on which they are taken; today if left out.
    valid_from: Option<String>,
    /// The last day.
    valid_to: String,
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// A batch with its coupons and their codes.
#[utoipa::path(get, path = "/api/v1/coupons", tag = "merchants", params(OfBatch),
    responses((status = 200, body = BatchAnswer), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, of: Query<OfBatch>) -> Result<Json<BatchAnswer>, Problem> {
    let merchant = seen(&doors, &caller, &of.0.merchant)?;
    let desk = &doors.desks.coupons;
    let batch = desk.batch(&merchant, of.0.batch)?;
    let coupons = desk.coupons(&merchant, of.0.batch, 0, AT_ONCE)?;
    let coupons = coupons.into_iter().map(|coupon| CouponAnswer::of(coupon, doors.zone)).collect();
    Ok(Json(BatchAnswer::of(batch, coupons, doors.zone)))
}

/// Issues a batch of coupons; the answer has their codes.
#[utoipa::path(post, path = "/api/v1/coupons", tag = "merchants", request_body = NewBatch,
    responses((status = 201, body = BatchAnswer), WriteProblems))]
async fn issue(doors: Data<Arc<Doors>>, asked: Asked<NewBatch>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::MerchantsWrite)?;
    let body = &asked.body;
    let merchant = seen(&doors, &asked.caller, &body.merchant)?;
    let desk = &doors.desks.coupons;
    let mut fields = Fields::default();
    let worth = body.worth.read("/worth", &mut fields, doors.currency);
    let most = body.most.as_ref().and_then(|most| fields.money("/most", most, doors.currency));
    let from = match &body.valid_from {
        Some(day) => fields.date("/valid_from", day),
        None => Some(desk.today()),
    };
    let until = fields.date("/valid_to", &body.valid_to).and_then(|day| day.succ_opt());
    fields.done()?;
    let (Some(worth), Some(valid_from), Some(valid_until)) = (worth, from, until) else {
        return Err(CouponRefusal::Unsound("a batch has a worth, a first and a last day").into());
    };
    let order = BatchOrder {
        merchant: merchant.clone(),
        worth,
        most,
        pays_percent: body.pays_percent.unwrap_or(100),
        count: body.count,
        valid_from,
        valid_until,
        note: body.note.clone(),
    };
    let issued = desk.issue(&order, &asked.by("coupons issued")).await?;
    let coupons = desk.coupons(&merchant, issued.batch.number, 0, AT_ONCE)?;
    let coupons = coupons.into_iter().map(|coupon| CouponAnswer::of(coupon, doors.zone)).collect();
    let place = format!("/api/v1/coupons?merchant={merchant}&batch={}", issued.batch.number);
    Ok(created(&place, &BatchAnswer::of(issued.batch, coupons, doors.zone)))
}

/// A coupon for a car that is inside: by its code, or the next one of a merchant's batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redemption {
    /// The car.
    #[schema(examples("粤C12345"))]
    plate: String,
    /// The code; or else merchant and batch.
    code: Option<String>,
    /// Whose batch.
    merchant: Option<String>,
    /// The batch's number.
    batch: Option<u32>,
}

/// Redeems a coupon for a car that is inside. An account of the role `merchant` gives its own.
#[utoipa::path(post, path = "/api/v1/coupons/redemptions", tag = "merchants", request_body = Redemption,
    responses((status = 201, body = TakenAnswer), WriteProblems))]
async fn redeem(doors: Data<Arc<Doors>>, asked: Asked<Redemption>) -> Result<HttpResponse, Problem> {
    let (caller, body) = (&asked.caller, &asked.body);
    if !caller.has(Permission::DiscountGive) && !caller.has(Permission::MerchantsWrite) {
        caller.may(Permission::MerchantOwn)?;
    }
    let mut fields = Fields::default();
    let plate = fields.plate("/plate", &body.plate);
    let which = match (&body.code, &body.merchant, body.batch) {
        (Some(code), None, None) => fields.read("/code", code.parse::<CouponCode>().map(Which::Code)),
        (None, Some(merchant), Some(batch)) => Some(Which::NextOf(seen(&doors, caller, merchant)?, batch)),
        _ => fields.read("/code", Err("give a code, or else merchant and batch")),
    };
    fields.done()?;
    let (Some(plate), Some(which)) = (plate, which) else { return Err(Problem::broken()) };
    let desk = &doors.desks.coupons;
    let taken = desk.redeem(&which, &Target::Plate(plate), &asked.by("coupon"), &doors.tariffs.book).await?;
    doors.bill_moved();
    Ok(created(&format!("/api/v1/coupons/{}", taken.id), &TakenAnswer::of(&taken)))
}

fn id(text: &str) -> Result<DiscountId, Problem> {
    text.parse().map_err(|_| CouponRefusal::Unknown.into())
}

/// One coupon, without its code.
#[utoipa::path(get, path = "/api/v1/coupons/{id}", tag = "merchants", params(("id" = String, Path)),
    responses((status = 200, body = CouponAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, path: Path<String>) -> Result<Json<CouponAnswer>, Problem> {
    if !caller.has(Permission::MerchantsRead) {
        caller.may(Permission::MerchantOwn)?;
    }
    let kept = doors.desks.records().get::<Coupon>(&id(&path)?.to_string())?.ok_or(CouponRefusal::Unknown)?;
    seen(&doors, &caller, kept.record.merchant.as_str())?;
    Ok(Json(CouponAnswer::of(doors.desks.coupons.coupon(kept.record.id)?, doors.zone)))
}

/// Why a coupon is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Withdraws a coupon that nobody has redeemed.
#[utoipa::path(post, path = "/api/v1/coupons/{id}/voids", tag = "merchants", params(("id" = String, Path)),
    request_body = Withdrawal, responses((status = 201, body = CouponAnswer), WriteProblems))]
async fn void(doors: Data<Arc<Doors>>, path: Path<String>, asked: Asked<Withdrawal>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::MerchantsWrite)?;
    let id = id(&path)?;
    let coupon = doors.desks.coupons.void(id, &asked.body.reason, &asked.by(&asked.body.reason)).await?;
    Ok(created(&format!("/api/v1/coupons/{id}"), &CouponAnswer::of(coupon, doors.zone)))
}
