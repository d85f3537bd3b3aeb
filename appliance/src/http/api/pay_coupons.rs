//! `/api/v1/pay/bills/{bill}/coupons`: a driver types a coupon's code at the pay page, without signing in. The bill is drawn
//! up again at once. Bounded by client, so that nobody tries codes.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tollhouse_core::coupons::{CouponCode, CouponRefusal, Which};
use tollhouse_core::id::BillId;
use tollhouse_core::record::{By, Cause};
use utoipa::ToSchema;

use super::At;
use crate::actors::payment::messages::PayProblem;
use crate::coupons::Target;
use crate::http::doors::Doors;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::rate::Rates;
use crate::http::wire::PayAnswer;
use crate::http::{client, language, pay};
use crate::store::Undone;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/pay/bills/{bill}/coupons").post(redeem).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(redeem))]
pub(super) struct Description;

/// A coupon as the driver has it.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TypedCoupon {
    /// Its code, with or without dashes, in either case.
    #[schema(max_length = 64, examples("7k2p-9x0m-q4td-3vhc"))]
    code: String,
}

/// Redeems a coupon for a bill that is not paid yet, and answers what is due now. The same code again answers the same.
#[utoipa::path(
    post, path = "/api/v1/pay/bills/{bill}/coupons", tag = "pay",
    params(("bill" = String, Path),
           ("lang" = Option<String>, Query, description = "zh or en; otherwise Accept-Language decides")),
    request_body = TypedCoupon,
    responses((status = 200, body = PayAnswer),
              (status = 400, description = "The body is not as described", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 404, description = "No such bill or coupon", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The coupon is not taken for this bill; `detail` says why, in the language of the request", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many tries; Retry-After says when to try again", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 500, description = "A fault of the box", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 503, description = "The box is busy", body = ProblemDocument, content_type = "application/problem+json"))
)]
async fn redeem(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    path: Path<String>,
    request: HttpRequest,
    typed: Json<TypedCoupon>,
) -> Result<HttpResponse, Problem> {
    if let Some(client) = client::address(&doors, &request) {
        rates.ask(client).map_err(Problem::too_often)?;
    }
    let bill: BillId = path.parse().map_err(|_| PayProblem::Unknown)?;
    let spoken = language::of(&request);
    let told = |refusal: CouponRefusal| {
        let words = refusal.words().in_language(spoken).to_owned();
        let problem = Problem::from(refusal);
        if problem.status == StatusCode::INTERNAL_SERVER_ERROR {
            return problem;
        }
        // What makes no sense as a code is a code that there is not.
        let status = if problem.status == StatusCode::BAD_REQUEST { StatusCode::NOT_FOUND } else { problem.status };
        Problem { status, detail: words, ..problem }
    };
    let code: CouponCode = typed.code.parse().map_err(|_| told(CouponRefusal::Unknown))?;
    let by = By { cause: Cause::Driver, once: None };
    let desk = &doors.desks.coupons;
    match desk.redeem(&Which::Code(code), &Target::Bill(bill), &by, &doors.tariffs.book).await {
        Ok(_) => doors.bill_moved(),
        Err(Undone::Refused(refusal)) => return Err(told(refusal)),
        Err(other) => return Err(other.into()),
    }
    let view = pay::view_of_bill(&doors, &bill.to_string()).await?;
    pay::answer(&doors, &request, &view)
}
