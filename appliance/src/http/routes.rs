//! Which address leads where: every route of the box in one place.

use std::sync::Arc;

use actix_web::dev::Handler;
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::web::{self, Data, JsonConfig, PathConfig, PayloadConfig, QueryConfig, ServiceConfig};
use actix_web::{Error, FromRequest, HttpRequest, Resource, Responder};

use super::api::Entry;
use super::doors::Doors;
use super::live::Watchers;
use super::problem::Problem;
use super::rate::Rates;
use super::{
    api, assets, drafts, drivers, live, notify, openapi, opening, operate, page, pay, pay_arrears, pay_page, sandbox,
    tariffs,
};
use crate::config::{LivePage, Sandbox};

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Enters all routes.
pub(super) fn configure(app: &mut ServiceConfig, doors: &Arc<Doors>, rates: &Arc<Rates>, entry: &Arc<Entry>) {
    app.app_data(Data::new(Arc::clone(doors)))
        .app_data(Data::new(Arc::clone(rates)))
        .app_data(Data::new(Arc::clone(entry)))
        .app_data(PayloadConfig::new(MAX_BODY_BYTES))
        .app_data(JsonConfig::default().limit(MAX_BODY_BYTES).error_handler(bad_body))
        .app_data(PathConfig::default().error_handler(bad_path))
        .app_data(QueryConfig::default().error_handler(bad_query))
        .service(get("/api/v1/pay/lanes/{lane}", pay::lane))
        .service(get("/api/v1/pay/plates/{plate}", pay::plate))
        .service(get("/api/v1/pay/bills/{bill}", pay::bill))
        .service(post("/api/v1/pay/bills/{bill}/orders", pay::make_order))
        .service(get("/api/v1/pay/orders/{order}", pay::order))
        .service(post("/api/v1/lanes/{lane}/openings", opening::open))
        .service(get("/api/v1/drivers", drivers::list))
        .service(get("/api/v1/tariffs", tariffs::list))
        .service(post("/api/v1/tariffs/quote", tariffs::quote))
        .service(post("/api/v1/tariffs/check", drafts::check))
        .service(post("/api/v1/tariffs/preview", drafts::preview))
        .service(post("/api/v1/tariffs/chart.svg", drafts::picture))
        .service(get("/api/v1/tariffs/{id}", tariffs::one))
        .service(get("/api/v1/tariffs/{id}/chart.svg", tariffs::picture))
        .service(get("/pay/lanes/{lane}", pay_page::lane))
        .service(get("/pay/lanes/{lane}/qr.svg", pay_page::qr))
        .service(get("/pay/plates/{plate}", pay_page::plate))
        .service(get("/pay/bills/{bill}", pay_page::bill))
        .service(get("/pay/bills/{bill}/picture", pay_arrears::picture))
        .service(get("/pay/sign-in", pay_page::sign_in))
        .service(post("/pay/notify/wechat", notify::wechat))
        .service(post("/pay/notify/alipay", notify::alipay))
        .service(get("/assets/{version}/{name}", assets::asset))
        .service(get("/healthz", operate::healthz))
        .service(get("/readyz", operate::readyz))
        .service(get("/metrics", operate::metrics))
        .service(get("/api/openapi.json", openapi::document))
        .configure(api::routes)
        .default_service(web::to(nothing_here));
    if doors.live_page == LivePage::Open {
        app.app_data(Data::new(Arc::new(Watchers::default())))
            .service(get("/", page::live))
            .service(get("/api/v1/lanes", live::lanes))
            .service(get("/api/v1/live", live::stream));
    } else {
        app.app_data(Data::new(Arc::new(Watchers::default())))
            .service(get("/api/v1/lanes", live::lanes_to_callers))
            .service(get("/api/v1/live", live::stream_to_callers));
    }
    if doors.sandbox == Sandbox::On {
        app.service(get("/sandbox/orders/{order}", sandbox::wallet))
            .service(post("/sandbox/orders/{order}/pay", sandbox::pay));
    }
}

fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let head = web::head().to(handler.clone());
    web::resource(path).route(web::get().to(handler)).route(head).default_service(web::to(only_get))
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(web::to(only_post))
}

async fn nothing_here() -> Result<&'static str, Problem> {
    Err(Problem::no_route())
}

async fn only_get() -> Result<&'static str, Problem> {
    Err(Problem::method("GET, HEAD"))
}

async fn only_post() -> Result<&'static str, Problem> {
    Err(Problem::method("POST"))
}

#[expect(clippy::needless_pass_by_value, reason = "the framework's signature")]
fn bad_body(error: JsonPayloadError, _: &HttpRequest) -> Error {
    match &error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Problem::large_body(MAX_BODY_BYTES)
        }
        JsonPayloadError::ContentType => Problem::media_type(),
        _ => Problem::bad_request("bad-json", "Bad JSON", error.to_string()),
    }
    .into()
}

fn bad_path(_: PathError, _: &HttpRequest) -> Error {
    Problem::bad_request("bad-address", "Bad address", "a part of the address is not UTF-8").into()
}

fn bad_query(_: QueryPayloadError, _: &HttpRequest) -> Error {
    Problem::bad_request("bad-query", "Bad query", "what stands after the question mark cannot be read").into()
}
