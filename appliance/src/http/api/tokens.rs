//! `/api/v1/tokens`: bearer tokens of programs. One's own with no permission but being signed in; those of others with
//! that of changing accounts.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::id::UserName;
use tollhouse_core::user::{Permission, Token};
use utoipa::ToSchema;

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

/// A token lasts a year unless asked otherwise.
const USUAL_DAYS: u16 = 365;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/tokens").get(list).post(issue).enter(app);
    At::new("/api/v1/tokens/{id}").delete(revoke).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, issue, revoke))]
pub(super) struct Description;

/// What is shown of a token: never itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenAnswer {
    /// How it is called where it is revoked.
    id: String,
    /// Whose.
    user: String,
    /// What it is for.
    name: String,
    /// Its last characters.
    last: String,
    /// When it was made.
    made_at: String,
    /// From when on it is refused.
    expires_at: String,
}

impl TokenAnswer {
    fn of(token: &Token, zone: Tz) -> Self {
        Self {
            id: token.id().to_owned(),
            user: token.user.to_string(),
            name: token.name.clone(),
            last: token.last.clone(),
            made_at: wire::time(token.made_at, zone),
            expires_at: wire::time(token.expires_at, zone),
        }
    }
}

/// A token that was issued.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IssuedAnswer {
    /// The token: send it as `Authorization: Bearer ...`. It is said in this answer alone.
    token: String,
    /// What is kept of it.
    #[serde(flatten)]
    kept: TokenAnswer,
}

/// A token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Whose; the caller's own if left out.
    user: Option<String>,
    /// How long it lasts, 1 to 3660; a year if left out.
    #[schema(minimum = 1, maximum = 3660)]
    days: Option<u16>,
}

/// One's own tokens, or everybody's for who may see accounts.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "users", params(Paging),
    responses((status = 200, body = Listed<TokenAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<TokenAnswer>>, Problem> {
    let own = (!caller.has(Permission::UsersRead)).then(|| caller.known().name.clone());
    let tokens = doors.desks.users.tokens(own.as_ref())?;
    Ok(Json(page.of_all(tokens, |token| token.hash.clone(), |token| TokenAnswer::of(&token, doors.zone))))
}

/// Issues a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "users", request_body = NewToken,
    responses((status = 201, body = IssuedAnswer), WriteProblems))]
async fn issue(doors: Data<Arc<Doors>>, asked: Asked<NewToken>) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let name = fields.text("/name", &asked.body.name, 64);
    let own = asked.caller.known().name.clone();
    let user = match &asked.body.user {
        Some(user) => fields.read("/user", UserName::new(user)),
        None => Some(own.clone()),
    };
    fields.done()?;
    let (Some(name), Some(user)) = (name, user) else { return Err(Problem::broken()) };
    if user != own {
        asked.caller.may(Permission::UsersWrite)?;
    }
    let life = TimeDelta::days(i64::from(asked.body.days.unwrap_or(USUAL_DAYS)));
    let desk = &doors.desks.users;
    let issued = desk.issue_token(&user, &name, life, &asked.by("a token")).await?;
    let kept = TokenAnswer::of(&issued.token, doors.zone);
    Ok(created(&format!("/api/v1/tokens/{}", kept.id), &IssuedAnswer { token: desk.token_text(&issued), kept }))
}

/// Takes a token back.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204, description = "It is refused from now on"), WriteProblems))]
async fn revoke(doors: Data<Arc<Doors>>, id: Path<String>, asked: Asked<()>) -> Result<HttpResponse, Problem> {
    let desk = &doors.desks.users;
    let own = desk.tokens(Some(&asked.caller.known().name))?.iter().any(|token| token.id() == id.as_str());
    if !own {
        asked.caller.may(Permission::UsersWrite)?;
    }
    desk.revoke_token(&id, &asked.by("a token is taken back")).await?;
    Ok(HttpResponse::NoContent().finish())
}
