//! Who calls: an account that has shown that it is it, by a bearer token (programs), a session's cookie (people), or name
//! and password (HTTP Basic).

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::LocalBoxFuture;
use tollhouse_core::money::Money;
use tollhouse_core::record::By;
use tollhouse_core::user::{GivenUp, Permission};

use super::entry::Entry;
use crate::http::client;
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::users::{Known, Unknown, UserDesk};

/// The session's cookie.
pub(super) const COOKIE: &str = "tollhouse_session";

/// An account that calls. As an argument of a handler it answers 401 for everybody else.
#[derive(Debug, Clone)]
pub(in crate::http) struct Caller {
    known: Known,
}

impl Caller {
    /// The account.
    pub(in crate::http) fn known(&self) -> &Known {
        &self.known
    }

    /// The account's name.
    pub(in crate::http) fn name(&self) -> &str {
        self.known.name.as_str()
    }

    /// 403 unless its roles have this permission.
    pub(in crate::http) fn may(&self, permission: Permission) -> Result<(), Problem> {
        if self.has(permission) {
            return Ok(());
        }
        let detail = format!("your roles do not have the permission {}", permission.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Not yours to do", detail))
    }

    /// Whether its roles have this permission: for what is shown to some and hidden from others.
    pub(in crate::http) fn has(&self, permission: Permission) -> bool {
        self.known.permissions.allow(permission)
    }

    /// 403 when more would be given up than the limit of its roles.
    pub(in crate::http) fn within(&self, way: GivenUp, amount: Money) -> Result<(), Problem> {
        if self.known.limits.allow(way, amount) {
            return Ok(());
        }
        let most = self.known.limits.of(way).map_or(i64::MAX, |most| most);
        let most = Money::new(most, amount.currency());
        let detail = format!("your roles allow a {} of at most {most}: ask somebody with a higher limit", way.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, "over-limit", "Over your limit", detail))
    }

    /// On whose order something changes, for what reason; [`super::Asked::by`] adds the request's key.
    pub(in crate::http) fn by(&self, reason: &str) -> By {
        By::person(self.name(), reason)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { recognise(&request).await })
    }
}

/// The box's inside, as every handler has it.
pub(super) fn doors(request: &HttpRequest) -> &Arc<Doors> {
    request.app_data::<Data<Arc<Doors>>>().expect("all routes have the doors")
}

/// The door, as every handler has it.
pub(super) fn entry(request: &HttpRequest) -> &Arc<Entry> {
    request.app_data::<Data<Arc<Entry>>>().expect("all routes have the entry")
}

async fn recognise(request: &HttpRequest) -> Result<Caller, Problem> {
    let desk = &doors(request).desks.users;
    if let Some(given) = request.headers().get(header::AUTHORIZATION) {
        let given = given.to_str().map_err(|_| Problem::unauthorised())?;
        if let Some(token) = scheme(given, "bearer") {
            // 256 random bits are not guessed: only passwords are counted.
            return Ok(Caller { known: known(desk.by_token(token))? });
        }
        let (name, password) = scheme(given, "basic").and_then(credentials).ok_or_else(Problem::unauthorised)?;
        return by_password(request, name, password).await;
    }
    let Some(cookie) = cookie(request.headers()) else { return Err(Problem::unauthorised()) };
    same_origin(request)?;
    Ok(Caller { known: known(desk.by_session(&cookie))? })
}

/// What follows the scheme's name.
fn scheme<'a>(given: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

fn credentials(encoded: &str) -> Option<(String, String)> {
    let text = STANDARD.decode(encoded).ok()?;
    let (name, password) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Name and password, looked at off the serving threads, a few at a time, and not often wrong.
pub(super) async fn by_password(request: &HttpRequest, name: String, password: String) -> Result<Caller, Problem> {
    let client = client::address(doors(request), request);
    let entry = entry(request);
    entry.tried(client)?;
    let desk: UserDesk = doors(request).desks.users.clone();
    let turn = entry.turn().await?;
    let found = web::block(move || desk.by_password(&name, &password)).await;
    drop(turn);
    let known = known(found.map_err(|_| Problem::full("the box is ending"))?)?;
    entry.succeeded(client);
    Ok(Caller { known })
}

fn known(found: Result<Known, Unknown>) -> Result<Known, Problem> {
    found.map_err(|unknown| match unknown {
        Unknown::Nobody => Problem::unauthorised(),
        Unknown::Failed(_) => Problem::broken(),
    })
}

/// The session's cookie, if the request bears one.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_owned())
    })
}

/// A page of another origin cannot change anything with a person's cookie: `SameSite=Strict` keeps it from being sent, and
/// where a browser does not know that, it names the origin.
fn same_origin(request: &HttpRequest) -> Result<(), Problem> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = request.headers().get("Sec-Fetch-Site").and_then(|value| value.to_str().ok());
    let from_elsewhere = match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, from)| from != host),
        (Some(_), None) => true,
        (None, _) => site.is_some_and(|site| !matches!(site, "same-origin" | "none")),
    };
    if reads || !from_elsewhere {
        return Ok(());
    }
    let detail = "a page of another address has sent this with your cookie: nothing was done";
    Err(Problem::new(StatusCode::FORBIDDEN, "other-origin", "From another page", detail))
}
