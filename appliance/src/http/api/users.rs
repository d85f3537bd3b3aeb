//! `/api/v1/users`: accounts of people and programs.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::id::UserName;
use tollhouse_core::record::Records;
use tollhouse_core::user::{Fresh, Permission, Role, User, UserRefusal, UserState};
use utoipa::ToSchema;

use super::{Asked, At, Caller, Fields, Listed, Paging, Problems, WriteProblems, created};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;
use crate::users::{self, PasswordFault};

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/users").get(list).post(add).enter(app);
    At::new("/api/v1/users/{name}").get(one).patch(change).enter(app);
    At::new("/api/v1/users/{name}/passwords").post(set_password).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, add, one, change, set_password),
    tags((name = "users", description = "Accounts of people and programs, their sessions and tokens"))
)]
pub(super) struct Description;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserAnswer {
    /// By which it signs in.
    name: String,
    /// As people read it.
    display_name: String,
    /// What it is to the lot.
    #[schema(example = json!(["clerk"]))]
    roles: Vec<&'static str>,
    /// `active` or `disabled`.
    state: &'static str,
    /// When it was made.
    made_at: String,
}

impl UserAnswer {
    fn of(user: User, zone: Tz) -> Self {
        Self {
            name: user.name.to_string(),
            display_name: user.display_name,
            roles: user.roles.iter().map(|role| role.as_str()).collect(),
            state: user.state.as_str(),
            made_at: wire::time(user.made_at, zone),
        }
    }
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// By which it signs in.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    name: String,
    /// As people read it; its name if left out.
    display_name: Option<String>,
    /// `administrator`, `manager`, `clerk`, `attendant`, `accountant`, `auditor`, `merchant`.
    #[schema(min_items = 1)]
    roles: Vec<String>,
    /// 10 to 200 characters; an account without a password has tokens alone.
    password: Option<String>,
}

/// What of an account changes. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// Other roles. Its sessions end.
    roles: Option<Vec<String>>,
    /// `active` or `disabled`.
    state: Option<String>,
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// 10 to 200 characters.
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

/// All accounts, by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(Paging),
    responses((status = 200, body = Listed<UserAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<UserAnswer>>, Problem> {
    caller.may(Permission::UsersRead)?;
    let show = |kept: tollhouse_core::record::Kept<User>| Some(UserAnswer::of(kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// One account.
#[utoipa::path(get, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    responses((status = 200, body = UserAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, name: Path<String>) -> Result<Json<UserAnswer>, Problem> {
    caller.may(Permission::UsersRead)?;
    let kept = doors.desks.records().get::<User>(&name)?;
    let user = kept.ok_or_else(|| UserRefusal::Unknown(name.into_inner()))?.record;
    Ok(Json(UserAnswer::of(user, doors.zone)))
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserAnswer), WriteProblems))]
async fn add(doors: Data<Arc<Doors>>, asked: Asked<NewUser>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::UsersWrite)?;
    let mut fields = Fields::default();
    let name = fields.read("/name", UserName::new(&asked.body.name));
    let roles = roles(&mut fields, &asked.body.roles);
    let display_name = fields.text("/display_name", asked.body.display_name.as_ref().unwrap_or(&asked.body.name), 64);
    let hash = match &asked.body.password {
        Some(password) => Some(hashed(password.clone()).await?),
        None => None,
    };
    let hash = hash.map(|hash| fields.read("/password", hash));
    fields.done()?;
    let (Some(name), Some(display_name)) = (name, display_name) else { return Err(Problem::broken()) };
    let fresh = Fresh { name, display_name, roles, password: hash.flatten() };
    let user = doors.desks.users.add(fresh, &asked.by("a new account")).await?;
    Ok(created(&format!("/api/v1/users/{}", user.name), &UserAnswer::of(user, doors.zone)))
}

/// Gives an account other roles, or lets it in or no longer.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    request_body = UserChange, responses((status = 200, body = UserAnswer), WriteProblems))]
async fn change(
    doors: Data<Arc<Doors>>,
    name: Path<String>,
    asked: Asked<UserChange>,
) -> Result<Json<UserAnswer>, Problem> {
    asked.caller.may(Permission::UsersWrite)?;
    let desk = &doors.desks.users;
    let mut fields = Fields::default();
    let wanted = asked.body.roles.as_ref().map(|wanted| roles(&mut fields, wanted));
    let state = asked.body.state.as_ref().and_then(|word| match word.as_str() {
        "active" => Some(UserState::Active),
        "disabled" => Some(UserState::Disabled),
        _ => fields.read("/state", Err::<UserState, _>("the states are active and disabled")),
    });
    fields.done()?;
    let user = desk.change(&name, wanted.as_deref(), state, &asked.by("roles or state")).await?;
    Ok(Json(UserAnswer::of(user, doors.zone)))
}

/// Gives an account another password; one's own too, with no permission but being signed in. Its sessions end.
#[utoipa::path(post, path = "/api/v1/users/{name}/passwords", tag = "users", params(("name" = String, Path)),
    request_body = NewPassword, responses((status = 204, description = "It is changed"), WriteProblems))]
async fn set_password(
    doors: Data<Arc<Doors>>,
    name: Path<String>,
    asked: Asked<NewPassword>,
) -> Result<HttpResponse, Problem> {
    if asked.caller.name() != name.as_str() {
        asked.caller.may(Permission::UsersWrite)?;
    }
    let mut fields = Fields::default();
    let hash = fields.read("/password", hashed(asked.body.password.clone()).await?);
    fields.done()?;
    doors.desks.users.set_password(&name, &hash.unwrap_or_default(), &asked.by("another password")).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hashing takes tens of milliseconds: off the serving threads.
async fn hashed(password: String) -> Result<Result<String, PasswordFault>, Problem> {
    let hashed = actix_web::web::block(move || users::password_hash(&password)).await;
    match hashed.map_err(|_| Problem::full("the box is ending"))? {
        Err(PasswordFault::Machine(_)) => Err(Problem::broken()),
        hashed => Ok(hashed),
    }
}

fn roles(fields: &mut Fields, words: &[String]) -> Vec<Role> {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let known = |(place, word): (usize, &String)| {
        let role = Role::by_name(word).ok_or_else(|| format!("the roles are {}", names.join(", ")));
        fields.read(&format!("/roles/{place}"), role)
    };
    words.iter().enumerate().filter_map(known).collect()
}

impl From<UserRefusal> for Problem {
    fn from(refusal: UserRefusal) -> Self {
        let detail = refusal.to_string();
        let (status, word, title) = match refusal {
            UserRefusal::Unknown(_) | UserRefusal::UnknownToken(_) => (StatusCode::NOT_FOUND, "unknown", "Not known"),
            UserRefusal::Taken(_) => (StatusCode::CONFLICT, "taken", "Name taken"),
            UserRefusal::Admin | UserRefusal::AdminPassword => {
                (StatusCode::CONFLICT, "administrator", "Stays the administrator")
            }
            UserRefusal::Disabled(_) => (StatusCode::CONFLICT, "disabled", "Account disabled"),
            UserRefusal::TooMany(_) => (StatusCode::CONFLICT, "too-many", "Too many"),
            UserRefusal::NoRole | UserRefusal::Text | UserRefusal::Life => {
                (StatusCode::BAD_REQUEST, "invalid", "Not as it should be")
            }
            UserRefusal::Read(_) => return Self::broken(),
        };
        Self::new(status, word, title, detail)
    }
}
