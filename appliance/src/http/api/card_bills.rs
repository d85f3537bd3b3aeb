//! `/api/v1/cards/{number}/...` where it concerns money: bills ahead, several bills under one id, credit, deposits.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig};
use chrono::Months;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::calendar::Cycle;
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::BillId;
use tollhouse_core::record::Kept;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::{Asked, At, Fields, WriteProblems};
use crate::charging::ChargingFault;
use crate::charging::bills::desk::{DepositTo, Settled};
use crate::charging::bills::view::BillView;
use crate::http::doors::Doors;
use crate::http::problem::Problem;

/// The most months ahead.
const MOST_MONTHS: u32 = 36;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/cards/{number}/months-ahead").post(ahead).enter(app);
    At::new("/api/v1/cards/{number}/payables").post(together).enter(app);
    At::new("/api/v1/cards/{number}/credit-uses").post(use_credit).enter(app);
    At::new("/api/v1/cards/{number}/deposit-uses").post(use_deposit).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(ahead, together, use_credit, use_deposit))]
pub(super) struct Description;

/// What was taken or is offered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SettledAnswer {
    /// What was taken, came free, or is due in all.
    #[schema(example = "930.00")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "CNY")]
    currency: &'static str,
    /// The bills that it concerns, as they are.
    bills: Vec<BillView>,
    /// Under this id all of them are paid at once.
    payable_id: Option<String>,
}

fn answer(doors: &Doors, settled: Settled) -> HttpResponse {
    let desk = &doors.desks.charging.bills;
    let view = |bill| desk.view(&Kept { revision: u64::MAX, record: bill });
    HttpResponse::Created().json(SettledAnswer {
        amount: settled.amount.amount(),
        currency: settled.amount.currency().code(),
        bills: settled.bills.into_iter().map(view).collect(),
        payable_id: settled.payable.map(|id| id.to_string()),
    })
}

fn number(text: &str) -> Result<CardNumber, Problem> {
    let unknown = |_| ChargingFault::unknown("card", text.chars().take(40).collect::<String>()).into();
    CardNumber::new(text).map_err(unknown)
}

/// How far ahead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AheadAsked {
    /// So many months after this one.
    #[schema(minimum = 1, maximum = 36)]
    months: u32,
}

/// Draws the card's periodic bills for months ahead, and offers all that is open to be paid at once.
#[utoipa::path(post, path = "/api/v1/cards/{number}/months-ahead", tag = "bills", params(("number" = String, Path)),
    request_body = AheadAsked, responses((status = 201, body = SettledAnswer), WriteProblems))]
async fn ahead(doors: Data<Arc<Doors>>, path: Path<String>, asked: Asked<AheadAsked>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    let months = asked.body.months;
    let mut fields = Fields::default();
    if !(1..=MOST_MONTHS).contains(&months) {
        fields.fault("/months", format!("1 to {MOST_MONTHS} months can be billed ahead"));
    }
    fields.done()?;
    let this_month = Cycle::calendar(1).period_of(doors.desks.charging.runs.today());
    let until = this_month.until.checked_add_months(Months::new(months)).ok_or_else(Problem::broken)?;
    let by = asked.by(&format!("{months} months ahead"));
    Ok(answer(&doors, doors.desks.charging.bills.ahead(&number(&path)?, until, &by).await?))
}

/// Which bills are offered together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TogetherAsked {
    /// Open bills of the card; all of them if left out.
    #[serde(default)]
    #[schema(max_items = 400)]
    bills: Vec<String>,
}

/// Offers several open bills of a card to be paid at once, under one unguessable id.
#[utoipa::path(post, path = "/api/v1/cards/{number}/payables", tag = "bills", params(("number" = String, Path)),
    request_body = TogetherAsked, responses((status = 201, body = SettledAnswer), WriteProblems))]
async fn together(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<TogetherAsked>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsRead)?;
    let mut fields = Fields::default();
    let ids = asked.body.bills.iter().take(400).enumerate();
    let ids: Vec<BillId> =
        ids.filter_map(|(place, text)| fields.read(&format!("/bills/{place}"), text.parse())).collect();
    fields.done()?;
    let by = asked.by("several bills to be paid at once");
    Ok(answer(&doors, doors.desks.charging.bills.together(&number(&path)?, &ids, &by).await?))
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditUseAsked {
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Uses what the holder has to their credit for the card's open bills.
#[utoipa::path(post, path = "/api/v1/cards/{number}/credit-uses", tag = "bills", params(("number" = String, Path)),
    request_body = CreditUseAsked, responses((status = 201, body = SettledAnswer), WriteProblems))]
async fn use_credit(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<CreditUseAsked>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    let mut fields = Fields::default();
    let reason = fields.text("/reason", &asked.body.reason, 200).unwrap_or_default();
    fields.done()?;
    let settled = doors.desks.charging.bills.pay_from_credit(&number(&path)?, &asked.by(&reason)).await?;
    Ok(answer(&doors, settled))
}

/// What is done with a deposit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DepositUseAsked {
    /// How much; all that is held if left out.
    #[schema(example = "500.00")]
    amount: Option<String>,
    /// The holder's credit, back to the payer, the card's open bills, or kept as income.
    to: DepositTo,
    /// Why.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Gives a deposit that is held back, uses it for what is due, or keeps it.
#[utoipa::path(post, path = "/api/v1/cards/{number}/deposit-uses", tag = "bills", params(("number" = String, Path)),
    request_body = DepositUseAsked, responses((status = 201, body = SettledAnswer), WriteProblems))]
async fn use_deposit(
    doors: Data<Arc<Doors>>,
    path: Path<String>,
    asked: Asked<DepositUseAsked>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BillsWrite)?;
    let mut fields = Fields::default();
    let amount = asked.body.amount.as_ref().and_then(|text| fields.money("/amount", text, doors.currency));
    let reason = fields.text("/reason", &asked.body.reason, 200).unwrap_or_default();
    fields.done()?;
    let desk = &doors.desks.charging.bills;
    let settled = desk.settle_deposit(&number(&path)?, amount, asked.body.to, &asked.by(&reason)).await?;
    Ok(answer(&doors, settled))
}
