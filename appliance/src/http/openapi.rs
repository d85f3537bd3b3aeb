//! The description of all routes, served at `/api/openapi.json`.

use actix_web::HttpResponse;
use utoipa::OpenApi;

use super::{
    assets, drafts, drivers, live, notify, opening, operate, page, pay, pay_arrears, pay_page, problem, sandbox,
    tariffs,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollhouse",
        description = "The box in the guard-house of a car park: what browsers and programs may ask. Money is a string beside a currency; times are RFC 3339 with the lot's offset; errors are RFC 9457 problem documents."
    ),
    paths(
        pay::lane, pay::plate, pay::bill, pay::make_order, pay::order, notify::wechat, notify::alipay,
        live::lanes, live::stream, opening::open,
        page::live, pay_page::lane, pay_page::plate, pay_page::bill, pay_page::sign_in, pay_page::qr, pay_arrears::picture, assets::asset,
        tariffs::list, tariffs::one, tariffs::quote, tariffs::picture,
        drafts::check, drafts::preview, drafts::picture,
        sandbox::wallet, sandbox::pay, drivers::list,
        operate::healthz, operate::readyz, operate::metrics, document,
    ),
    components(schemas(live::HappeningAnswer, live::LaneAnswer, live::TotalsAnswer, problem::FieldFault)),
    tags(
        (name = "pay", description = "What a driver's phone needs, without signing in"),
        (name = "lanes", description = "What people order at a lane"),
        (name = "tariffs", description = "What a stay costs: the lot's tariff, drafts, pictures"),
        (name = "live", description = "The lot as it stands; off unless [http] live_page is open"),
        (name = "pages", description = "For people with a browser"),
        (name = "sandbox", description = "A provider that takes no money; there only while it is switched on"),
        (name = "merchants", description = "Merchants, coupons, discounts by hand, the free list"),
        (name = "invoices", description = "Invoices and receipts for what was paid"),
        (name = "operate", description = "Alive, ready, metrics"),
    )
)]
struct Description;

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operate", responses((status = 200, body = serde_json::Value)))]
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok().json(description())
}

pub(super) fn description() -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    super::api::describe(&mut document);
    document
}
