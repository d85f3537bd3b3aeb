//! The sandbox provider's wallet: a page with one button, and what the button does. Served only while the sandbox is on.

use std::sync::Arc;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tollhouse_core::id::OrderId;
use tollhouse_core::words::Language;

use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use super::wire::{OrderStateAnswer, order_word};
use super::{assets, language, page};
use crate::actors::payment::messages::{AskOrder, PayProblem, SandboxPay};

/// `?back=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// What a driver's wallet would do at a real provider. No money is taken.
#[utoipa::path(
    post, path = "/sandbox/orders/{order_id}/pay", tag = "sandbox", params(("order_id" = String, Path)),
    responses((status = 200, body = OrderStateAnswer),
              (status = 404, description = "No such order, or the sandbox is off", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "It is paid, expired or closed already", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn pay(doors: Data<Arc<Doors>>, order: Path<String>) -> Result<HttpResponse, Problem> {
    let order: OrderId = order.parse().map_err(|_| PayProblem::Unknown)?;
    doors.ask(&doors.sandbox_pay, SandboxPay { order }).await?;
    Ok(HttpResponse::Ok().json(OrderStateAnswer { state: "paid" }))
}

#[derive(Template)]
#[template(path = "sandbox.html")]
struct SandboxPage<'a> {
    language: Language,
    assets: &'static assets::Version,
    order: String,
    state: &'static str,
    back: Option<&'a str>,
}

impl SandboxPage<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        page::say(self.language, zh, en)
    }
}

/// Where the order's redirect leads: one button, and the way back to the pay page.
#[utoipa::path(
    get, path = "/sandbox/orders/{order_id}", tag = "sandbox",
    params(("order_id" = String, Path), ("back" = Option<String>, Query, description = "The pay page's path")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "No such order, or the sandbox is off"))
)]
pub(super) async fn wallet(
    doors: Data<Arc<Doors>>,
    order: Path<String>,
    back: Query<Back>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let order: OrderId = order.parse().map_err(|_| PayProblem::Unknown)?;
    let state = doors.ask(&doors.ask_order, AskOrder { order }).await?;
    let language = language::of(&request);
    // Back leads to a pay page of this box and nowhere else.
    let back = Some(back.back.as_str()).filter(|path| path.starts_with("/pay/") && !path.contains('\\'));
    let page =
        SandboxPage { language, assets: assets::version(), order: order.to_string(), state: order_word(state), back };
    Ok(page::html(&page, language))
}
