//! For who operates the box: alive, ready, metrics.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::doors::Doors;
use super::problem::Problem;
use crate::metrics;
use crate::readiness::Part;

/// Whether the box is ready.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadyAnswer {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// Parts that are not up: `store`, `lanes`, `subscriptions`.
    #[schema(value_type = Vec<String>)]
    missing: Vec<Part>,
    /// Devices and drivers that are not there. The box is ready all the same.
    degraded: Vec<String>,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operate", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// Store, lanes and subscriptions are up. Absent devices are listed and are no 503.
#[utoipa::path(get, path = "/readyz", tag = "operate",
    responses((status = 200, body = ReadyAnswer), (status = 503, body = ReadyAnswer)))]
pub(super) async fn readyz(doors: Data<Arc<Doors>>) -> HttpResponse {
    let report = doors.readiness.report();
    let (code, status) = if report.missing.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    HttpResponse::build(code).json(ReadyAnswer { status, missing: report.missing, degraded: report.degraded })
}

/// Metrics for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operate", responses((status = 200, body = String, content_type = "text/plain; version=0.0.4")))]
pub(super) async fn metrics(doors: Data<Arc<Doors>>) -> Result<HttpResponse, Problem> {
    let text = doors.metrics.text().map_err(|error| {
        tracing::error!(%error, "the metrics cannot be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "metrics", "No metrics", "the metrics cannot be written")
    })?;
    Ok(HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(text))
}
