//! `/api/v1/merchants`: the accounts of merchants, their money and their statements. An account of the role `merchant`
//! sees its own and nothing else.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{
    Contact, Limits, Merchant, MerchantMoney, MerchantState, MerchantTerms, MoneyKind, Received, StatementLine,
};
use tollhouse_core::id::UserName;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::coupon_fields::{seen, sees};
use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::coupons::{Month, NewMerchant, ShownMerchant};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/merchants").get(list).post(open).enter(app);
    At::new("/api/v1/merchants/{id}").get(one).patch(change).enter(app);
    At::new("/api/v1/merchants/{id}/payments").post(pay).enter(app);
    At::new("/api/v1/merchants/{id}/statements/{month}").get(statement).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, open, one, change, pay, statement))]
pub(super) struct Description;

/// Whom to call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MerchantContact)]
pub(super) struct ContactBody {
    /// A person.
    name: String,
    /// Their telephone number.
    phone: String,
}

/// What a merchant may give away; what is left out has no limit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = MerchantLimits)]
pub(super) struct LimitsBody {
    /// Coupons taken in one of the lot's days.
    coupons_per_day: Option<u32>,
    /// Coupons taken in a month.
    coupons_per_month: Option<u32>,
    /// What the coupons of a day come to.
    value_per_day: Option<String>,
    /// What the coupons of a month come to.
    value_per_month: Option<String>,
    /// What one coupon may come to.
    most_per_coupon: Option<String>,
    /// Coupons for one stay.
    per_stay: Option<u8>,
}

impl LimitsBody {
    fn read(&self, fields: &mut Fields, currency: Currency) -> Limits {
        let mut money = |name: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| fields.money(&format!("/limits/{name}"), text, currency))
        };
        Limits {
            coupons_per_day: self.coupons_per_day,
            coupons_per_month: self.coupons_per_month,
            value_per_day: money("value_per_day", &self.value_per_day),
            value_per_month: money("value_per_month", &self.value_per_month),
            most_per_coupon: money("most_per_coupon", &self.most_per_coupon),
            per_stay: self.per_stay,
        }
    }

    fn of(limits: &Limits) -> Self {
        Self {
            coupons_per_day: limits.coupons_per_day,
            coupons_per_month: limits.coupons_per_month,
            value_per_day: limits.value_per_day.map(Money::amount),
            value_per_month: limits.value_per_month.map(Money::amount),
            most_per_coupon: limits.most_per_coupon.map(Money::amount),
            per_stay: limits.per_stay,
        }
    }
}

/// A merchant's account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Merchant)]
pub(super) struct MerchantAnswer {
    /// Its id.
    id: String,
    /// As drivers know it.
    name: String,
    /// Whom the lot calls; for who may read personal texts, and for the merchant itself.
    contact: Option<ContactBody>,
    /// The accounts that act for it.
    accounts: Vec<String>,
    /// `prepaid` or `monthly`.
    terms: &'static str,
    /// What a monthly account may owe; null: no limit.
    credit: Option<String>,
    /// What it may give away.
    limits: LimitsBody,
    /// `open` or `closed`.
    state: &'static str,
    /// What it has to its credit; negative: it owes.
    #[schema(examples("120.00"))]
    balance: String,
    /// What of it is spoken for by coupons of cars that are inside.
    reserved: String,
    /// What its coupons may still come to; null: no limit.
    available: Option<String>,
    /// ISO 4217.
    currency: &'static str,
    /// How many batches of coupons were issued to it.
    batches: u32,
    /// When the account was opened.
    since: String,
}

impl MerchantAnswer {
    fn of(shown: ShownMerchant, caller: &Caller, zone: Tz) -> Self {
        let personal = caller.has(Permission::PersonalRead) || caller.has(Permission::MerchantOwn);
        let merchant = shown.merchant;
        let (terms, credit) = match merchant.terms {
            MerchantTerms::Prepaid => ("prepaid", None),
            MerchantTerms::Monthly { credit } => ("monthly", credit.map(Money::amount)),
        };
        Self {
            id: merchant.id.to_string(),
            name: merchant.name,
            contact: merchant.contact.filter(|_| personal).map(|of| ContactBody { name: of.name, phone: of.phone }),
            accounts: merchant.accounts.iter().map(ToString::to_string).collect(),
            terms,
            credit,
            limits: LimitsBody::of(&merchant.limits),
            state: if merchant.state == MerchantState::Open { "open" } else { "closed" },
            balance: shown.balance.amount(),
            reserved: shown.reserved.amount(),
            available: shown.available.map(Money::amount),
            currency: shown.balance.currency().code(),
            batches: merchant.batches,
            since: wire::time(merchant.since, zone),
        }
    }
}

/// A merchant's account that is opened or changed; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MerchantBody {
    /// Its id, where the account is opened: 1 to 32 letters and digits of any script, `-`, `_`, `.`, `#`.
    id: Option<String>,
    /// As drivers know it: it stands on their bills.
    #[schema(max_length = 40)]
    name: Option<String>,
    /// Whom the lot calls.
    contact: Option<ContactBody>,
    /// The accounts that act for it, with the role `merchant`.
    accounts: Option<Vec<String>>,
    /// `prepaid` or `monthly`.
    #[schema(pattern = "^(prepaid|monthly)$")]
    terms: Option<String>,
    /// What a monthly account may owe.
    credit: Option<String>,
    /// What it may give away.
    limits: Option<LimitsBody>,
    /// `open` or `closed`: whether its coupons are taken.
    #[schema(pattern = "^(open|closed)$")]
    state: Option<String>,
}

impl MerchantBody {
    fn read(&self, fields: &mut Fields, currency: Currency) -> NewMerchant {
        let credit = self.credit.as_ref().and_then(|credit| fields.money("/credit", credit, currency));
        let terms = match self.terms.as_deref() {
            None => None,
            Some("prepaid") => Some(MerchantTerms::Prepaid),
            Some("monthly") => Some(MerchantTerms::Monthly { credit }),
            Some(_) => fields.read("/terms", Err("the terms are prepaid and monthly")),
        };
        let state = match self.state.as_deref() {
            None => None,
            Some("open") => Some(MerchantState::Open),
            Some("closed") => Some(MerchantState::Closed),
            Some(_) => fields.read("/state", Err("the states are open and closed")),
        };
        let accounts = self.accounts.as_ref().map(|names| {
            let named = names.iter().enumerate();
            named.filter_map(|(place, name)| fields.read(&format!("/accounts/{place}"), UserName::new(name))).collect()
        });
        NewMerchant {
            name: self.name.clone(),
            contact: self.contact.clone().map(|of| Contact { name: of.name, phone: of.phone }),
            accounts,
            terms,
            limits: self.limits.as_ref().map(|limits| limits.read(fields, currency)),
            state,
        }
    }
}

/// All accounts that the caller sees, by id.
#[utoipa::path(get, path = "/api/v1/merchants", tag = "merchants", params(Paging),
    responses((status = 200, body = Listed<MerchantAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<MerchantAnswer>>, Problem> {
    if !caller.has(Permission::MerchantsRead) {
        caller.may(Permission::MerchantOwn)?;
    }
    let records = doors.desks.records();
    let mut fault = None;
    let listed = page.of(&records, |kept: tollhouse_core::record::Kept<Merchant>| {
        let shown = sees(&caller, &kept.record).then(|| doors.desks.coupons.shown(kept.record, &records))?;
        shown.map_err(|refusal| fault = Some(refusal)).ok().map(|shown| MerchantAnswer::of(shown, &caller, doors.zone))
    })?;
    match fault {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Json(listed)),
    }
}

/// Opens an account.
#[utoipa::path(post, path = "/api/v1/merchants", tag = "merchants", request_body = MerchantBody,
    responses((status = 201, body = MerchantAnswer), WriteProblems))]
async fn open(doors: Data<Arc<Doors>>, asked: Asked<MerchantBody>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::MerchantsWrite)?;
    let mut fields = Fields::default();
    let id = fields.read("/id", MerchantId::new(asked.body.id.as_deref().unwrap_or_default()));
    let new = asked.body.read(&mut fields, doors.currency);
    fields.done()?;
    let Some(id) = id else { return Err(Problem::broken()) };
    let shown = doors.desks.coupons.open(&id, &new, &asked.by("a merchant's account")).await?;
    Ok(created(&format!("/api/v1/merchants/{id}"), &MerchantAnswer::of(shown, &asked.caller, doors.zone)))
}

/// One account.
#[utoipa::path(get, path = "/api/v1/merchants/{id}", tag = "merchants", params(("id" = String, Path)),
    responses((status = 200, body = MerchantAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<MerchantAnswer>, Problem> {
    let id = seen(&doors, &caller, &id)?;
    let shown = doors.desks.coupons.merchant(id.as_str())?;
    Ok(Json(MerchantAnswer::of(shown, &caller, doors.zone)))
}

/// Changes an account.
#[utoipa::path(patch, path = "/api/v1/merchants/{id}", tag = "merchants", params(("id" = String, Path)),
    request_body = MerchantBody, responses((status = 200, body = MerchantAnswer), WriteProblems))]
async fn change(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<MerchantBody>,
) -> Result<Json<MerchantAnswer>, Problem> {
    asked.caller.may(Permission::MerchantsWrite)?;
    let id = seen(&doors, &asked.caller, &id)?;
    let mut fields = Fields::default();
    if asked.body.id.is_some() {
        fields.fault("/id", "the id of an account never changes");
    }
    let new = asked.body.read(&mut fields, doors.currency);
    fields.done()?;
    let shown = doors.desks.coupons.change(&id, &new, &asked.by("a merchant's account")).await?;
    Ok(Json(MerchantAnswer::of(shown, &asked.caller, doors.zone)))
}

/// Money from or to a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MerchantPaymentBody)]
pub(super) struct PaymentBody {
    /// `top_up`, `settlement` or `returned`.
    #[schema(pattern = "^(top_up|settlement|returned)$")]
    kind: String,
    /// How much, above zero.
    #[schema(examples("500.00"))]
    amount: String,
    /// The name of the payment provider that took it; left out: the bank.
    provider: Option<String>,
    /// The bank's or the clerk's reference.
    #[schema(max_length = 100)]
    reference: String,
}

/// Money that was booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MerchantPayment)]
pub(super) struct PaymentAnswer {
    /// Its id.
    id: String,
    /// What for.
    kind: &'static str,
    /// How much.
    amount: String,
    /// ISO 4217.
    currency: &'static str,
    /// Its reference.
    reference: String,
    /// When it was booked.
    at: String,
    /// By whom.
    by: String,
}

impl PaymentAnswer {
    fn of(money: &MerchantMoney, zone: Tz) -> Self {
        Self {
            id: money.id.to_string(),
            kind: kind(money.kind),
            amount: money.amount.amount(),
            currency: money.amount.currency().code(),
            reference: money.reference.clone(),
            at: wire::time(money.at, zone),
            by: money.by.clone(),
        }
    }
}

fn kind(kind: MoneyKind) -> &'static str {
    match kind {
        MoneyKind::TopUp => "top_up",
        MoneyKind::Settlement => "settlement",
        MoneyKind::Returned => "returned",
    }
}

/// Books money from or to a merchant: bank or clearing against its account.
#[utoipa::path(post, path = "/api/v1/merchants/{id}/payments", tag = "merchants", params(("id" = String, Path)),
    request_body = PaymentBody, responses((status = 201, body = PaymentAnswer), WriteProblems))]
async fn pay(doors: Data<Arc<Doors>>, id: Path<String>, asked: Asked<PaymentBody>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::MerchantsWrite)?;
    let id = seen(&doors, &asked.caller, &id)?;
    let mut fields = Fields::default();
    let kinds = [MoneyKind::TopUp, MoneyKind::Settlement, MoneyKind::Returned];
    let found = kinds.into_iter().find(|one| kind(*one) == asked.body.kind);
    let found = fields.read("/kind", found.ok_or("the kinds are top_up, settlement and returned"));
    let amount = fields.money("/amount", &asked.body.amount, doors.currency);
    let through = match &asked.body.provider {
        None => Some(Received::Bank),
        Some(name) => {
            let plain = (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let read = if plain { Ok(Received::Provider(name.clone())) } else { Err("the name of a payment provider") };
            fields.read("/provider", read)
        }
    };
    fields.done()?;
    let (Some(kind), Some(amount), Some(through)) = (found, amount, through) else { return Err(Problem::broken()) };
    let by = asked.by(&asked.body.reference);
    let money = doors.desks.coupons.move_money(&id, (kind, amount, through), &asked.body.reference, &by).await?;
    Ok(created(&format!("/api/v1/merchants/{id}"), &PaymentAnswer::of(&money, doors.zone)))
}

/// A statement of one of the lot's months.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MerchantStatement)]
pub(super) struct StatementAnswer {
    /// What the merchant had to its credit at the beginning; negative: it owed.
    opening: String,
    /// What its coupons were charged.
    charged: String,
    /// What it paid, less what went back.
    received: String,
    /// What it has at the end.
    closing: String,
    /// ISO 4217.
    currency: &'static str,
    /// In the order of time.
    lines: Vec<StatementLineAnswer>,
    /// Lines that had no room; the sums hold them.
    left_out: usize,
}

/// One line of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MerchantStatementLine)]
pub(super) struct StatementLineAnswer {
    /// When.
    at: String,
    /// `charge`, `top_up`, `settlement` or `returned`.
    kind: &'static str,
    /// The coupon of a charge, or the reference of money.
    reference: String,
    /// What the coupon came to, of a charge.
    value: Option<String>,
    /// What it adds to the merchant's credit.
    credit: String,
}

/// A merchant's statement of a month.
#[utoipa::path(get, path = "/api/v1/merchants/{id}/statements/{month}", tag = "merchants",
    params(("id" = String, Path), ("month" = String, Path, description = "As 2026-11")),
    responses((status = 200, body = StatementAnswer), Problems))]
async fn statement(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    path: Path<(String, String)>,
) -> Result<Json<StatementAnswer>, Problem> {
    let (id, month) = path.into_inner();
    let id = seen(&doors, &caller, &id)?;
    let mut fields = Fields::default();
    let month = fields.read("?month", month.parse::<Month>());
    fields.done()?;
    let Some(month) = month else { return Err(Problem::broken()) };
    let found = doors.desks.coupons.statement(&id, month)?;
    let line = |line: &StatementLine| StatementLineAnswer {
        at: wire::time(line.at(), doors.zone),
        kind: match line {
            StatementLine::Charge(_) => "charge",
            StatementLine::Money(money) => kind(money.kind),
        },
        reference: match line {
            StatementLine::Charge(charge) => charge.coupon.to_string(),
            StatementLine::Money(money) => money.reference.clone(),
        },
        value: match line {
            StatementLine::Charge(charge) => Some(charge.value.amount()),
            StatementLine::Money(_) => None,
        },
        credit: line.credit().amount(),
    };
    Ok(Json(StatementAnswer {
        opening: found.opening.amount(),
        charged: found.charged.amount(),
        received: found.received.amount(),
        closing: found.closing.amount(),
        currency: found.closing.currency().code(),
        lines: found.lines.iter().map(line).collect(),
        left_out: found.left_out,
    }))
}
