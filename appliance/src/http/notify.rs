//! Where payment providers call: the raw body and all headers go to payment, which answers at once. Nothing is decided here.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use crate::actors::payment::alipay::ALIPAY;
use crate::actors::payment::messages::{PayProblem, ProviderCalls};
use crate::actors::payment::wechat::WECHAT;

/// WeChat Pay calls: a payment or a refund has come to an end.
#[utoipa::path(
    post, path = "/pay/notify/wechat", tag = "pay", security(()), request_body(content = String, content_type = "application/json"),
    responses((status = 204, description = "Taken"),
              (status = 400, description = "Signed, and not as agreed"),
              (status = 401, description = "Not signed by WeChat Pay, stale, or a probe"),
              (status = 404, description = "No account at WeChat Pay"),
              (status = 413, description = "Too long", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 500, description = "The APIv3 key is not that of the console"),
              (status = 503, body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn wechat(
    doors: Data<Arc<Doors>>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    called(&doors, WECHAT, &request, &body, "application/json").await
}

/// Alipay calls: a trade has changed. Taken, it is answered with the word `success`.
#[utoipa::path(
    post, path = "/pay/notify/alipay", tag = "pay", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, description = "`success`", content_type = "text/plain"),
              (status = 400, description = "Signed, and not as agreed"),
              (status = 401, description = "Not signed by Alipay"),
              (status = 404, description = "No account at Alipay"),
              (status = 413, description = "Too long", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn alipay(
    doors: Data<Arc<Doors>>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    called(&doors, ALIPAY, &request, &body, "text/plain; charset=utf-8").await
}

async fn called(
    doors: &Doors,
    provider: &'static str,
    request: &HttpRequest,
    body: &Bytes,
    kind: &'static str,
) -> Result<HttpResponse, Problem> {
    let headers = request.headers().iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    let call = ProviderCalls { provider, headers, body: body.to_vec() };
    let answer = doors.provider_calls.send(call).await.map_err(|_| Problem::from(PayProblem::Busy))?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::NOT_FOUND {
        return Err(PayProblem::NoAccount.into());
    }
    let mut shown = HttpResponse::build(status);
    if status != StatusCode::NO_CONTENT {
        shown.content_type(kind);
    }
    Ok(shown.body(answer.body))
}
