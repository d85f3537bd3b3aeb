//! `/api/v1/sessions`: people sign in and out. A session is a cookie that scripts cannot read and that no other site can
//! send along.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Data, Json, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::caller::{self, COOKIE};
use super::{At, Caller, Problems, WriteProblems};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;
use crate::users::{Known, SESSION_LIFE};

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/sessions").post(begin).enter(app);
    At::new("/api/v1/sessions/current").get(current).delete(end).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(begin, current, end))]
pub(super) struct Description;

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The account's name.
    #[schema(max_length = 64)]
    name: String,
    /// Its password.
    #[schema(max_length = 200)]
    password: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallerAnswer {
    /// The account's name.
    name: String,
    /// As people read it.
    display_name: String,
    /// What it is to the lot.
    roles: Vec<&'static str>,
    /// What its roles may do.
    permissions: Vec<&'static str>,
    /// When the session that has just begun ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl CallerAnswer {
    fn of(known: &Known, expires_at: Option<String>) -> Self {
        Self {
            name: known.name.to_string(),
            display_name: known.display_name.clone(),
            roles: known.roles.iter().map(|role| role.as_str()).collect(),
            permissions: known.permissions.iter().map(Permission::as_str).collect(),
            expires_at,
        }
    }
}

/// Signs in: sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "users", request_body = SignIn, security(()),
    responses((status = 201, body = CallerAnswer, headers(("Set-Cookie" = String))), WriteProblems))]
async fn begin(doors: Data<Arc<Doors>>, request: HttpRequest, body: Json<SignIn>) -> Result<HttpResponse, Problem> {
    let SignIn { name, password } = body.into_inner();
    let signed_in = caller::by_password(&request, name, password).await?;
    let known = signed_in.known();
    let (value, session) = doors.desks.users.begin_session(&known.name).await?;
    let answer = CallerAnswer::of(known, Some(wire::time(session.expires_at, doors.zone)));
    let cookie = cookie(&doors, &value, SESSION_LIFE.num_seconds());
    Ok(HttpResponse::Created().insert_header((header::SET_COOKIE, cookie)).json(answer))
}

/// Who is signed in, by whatever way.
#[utoipa::path(get, path = "/api/v1/sessions/current", tag = "users",
    responses((status = 200, body = CallerAnswer), Problems))]
async fn current(caller: Caller) -> Json<CallerAnswer> {
    Json(CallerAnswer::of(caller.known(), None))
}

/// Signs out: the session of the cookie is over.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "users",
    responses((status = 204, description = "It is over"), WriteProblems))]
async fn end(doors: Data<Arc<Doors>>, _: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if let Some(value) = caller::cookie(request.headers()) {
        doors.desks.users.end_session(&value).await?;
    }
    Ok(HttpResponse::NoContent().insert_header((header::SET_COOKIE, cookie(&doors, "", 0))).finish())
}

/// The cookie for so many seconds; for none it is taken away.
fn cookie(doors: &Doors, value: &str, seconds: i64) -> String {
    // A guard's screen inside the lot may reach the box without TLS: `Secure` only where the box is said to be behind it.
    let secure = if doors.public_url.as_ref().is_some_and(|url| url.starts_with("https://")) { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}
