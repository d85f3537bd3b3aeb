//! What is done with accounts: decided in `core`, committed with who did it and why.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::{IdKey, UserName};
use tollhouse_core::record::{By, ReadError, Records};
use tollhouse_core::user::{self, Fresh, FreshToken, Role, RoleLimits, Session, Token, User, UserRefusal, UserState};

use super::hash;
use super::{SESSION_LIFE, TOKEN_PREFIX};
use crate::admin::Admin;
use crate::clock::BoxClock;
use crate::store::{Store, Undone};

/// So many characters of a token are kept to recognise it by.
const LAST_CHARS: usize = 4;

/// The desk.
#[derive(Clone)]
pub struct UserDesk {
    pub(super) store: Store,
    pub(super) clock: BoxClock,
    pub(super) key: IdKey,
    pub(super) limits: RoleLimits,
    pub(super) admin: Option<Arc<Admin>>,
}

/// A token as it was issued: what is sent can be told from it with the box's key, and from the journal without it not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedToken {
    /// What is kept of it.
    pub token: Token,
    /// What it was drawn from.
    seed: String,
}

/// What making an account or a token can end with.
pub type UserOutcome<T> = Result<T, Undone<UserRefusal>>;

impl UserDesk {
    /// Over this store; `admin` is the administrator, whose password is kept elsewhere.
    pub fn new(store: Store, clock: BoxClock, key: IdKey, limits: RoleLimits, admin: Option<Arc<Admin>>) -> Self {
        Self { store, clock, key, limits, admin }
    }

    /// Makes an account.
    pub async fn add(&self, fresh: Fresh, by: &By) -> UserOutcome<User> {
        let now = self.clock.now();
        self.store.decide(by, |records| with_change(user::add(fresh.clone(), now, by, records))).await
    }

    /// Gives an account other roles, lets it in or no longer, or both.
    pub async fn change(
        &self,
        name: &str,
        roles: Option<&[Role]>,
        state: Option<UserState>,
        by: &By,
    ) -> UserOutcome<User> {
        let now = self.clock.now();
        let decide = |records: &_| with_change(user::change(name, roles, state, now, by, records));
        self.store.decide(by, decide).await
    }

    /// Gives an account the password of this hash.
    pub async fn set_password(&self, name: &str, hash: &str, by: &By) -> UserOutcome<User> {
        let now = self.clock.now();
        self.store.decide(by, |records| with_change(user::set_password(name, hash.to_owned(), now, by, records))).await
    }

    /// Issues a token; [`UserDesk::token_text`] says what is sent.
    pub async fn issue_token(&self, user: &UserName, name: &str, life: TimeDelta, by: &By) -> UserOutcome<IssuedToken> {
        let now = self.clock.now();
        let seed = hash::draw().map_err(|fault| Undone::Failed(fault.to_string()))?;
        let text = self.text_of(&seed);
        let fresh = FreshToken {
            hash: hash::digest(&text),
            last: text[text.len() - LAST_CHARS..].to_owned(),
            name: name.to_owned(),
            life,
        };
        let decide = |records: &_| {
            let (token, change) = user::issue_token(user, fresh.clone(), now, by, records)?;
            Ok((IssuedToken { token, seed: seed.clone() }, Some(change)))
        };
        self.store.decide(by, decide).await
    }

    /// The token as it is sent. It can be said again to whoever repeats the request that issued it, and to nobody else.
    pub fn token_text(&self, issued: &IssuedToken) -> String {
        self.text_of(&issued.seed)
    }

    fn text_of(&self, seed: &str) -> String {
        format!("{TOKEN_PREFIX}{}", hash::hex(&self.key.secret(&["token", seed])))
    }

    /// Takes a token back.
    pub async fn revoke_token(&self, id: &str, by: &By) -> UserOutcome<Token> {
        let now = self.clock.now();
        self.store.decide(by, |records| with_change(user::revoke_token(id, now, by, records))).await
    }

    /// Begins a session of an account that has shown its password: the cookie's value, and what is kept of it.
    pub async fn begin_session(&self, user: &UserName) -> UserOutcome<(String, Session)> {
        let now = self.clock.now();
        let cookie = hash::draw().map_err(|fault| Undone::Failed(fault.to_string()))?;
        let digest = hash::digest(&cookie);
        let by = By::person(user.as_str(), "signed in");
        let begun = |records: &_| with_change(user::begin_session(user, digest.clone(), SESSION_LIFE, now, records));
        let session = self.store.decide(&by, begun).await?;
        Ok((cookie, session))
    }

    /// Ends the session of this cookie, if there is one.
    pub async fn end_session(&self, cookie: &str) -> UserOutcome<()> {
        let now = self.clock.now();
        let digest = hash::digest(cookie);
        let by = By::the_box("signed out");
        let ended = |records: &_| Ok(((), user::end_session(&digest, now, records)?));
        self.store.decide(&by, ended).await
    }

    /// All accounts, by name.
    pub fn users(&self) -> Result<Vec<User>, ReadError> {
        let kept = self.store.snapshot().list::<User>("", usize::MAX)?;
        Ok(kept.into_iter().map(|kept| kept.record).collect())
    }

    /// The tokens of one account, or of all.
    pub fn tokens(&self, user: Option<&UserName>) -> Result<Vec<Token>, ReadError> {
        user::of_user(user, &self.store.snapshot())
    }

    /// The time, by the box's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

fn with_change<T, C, E>(decided: Result<(T, C), E>) -> Result<(T, Option<C>), E> {
    decided.map(|(outcome, change)| (outcome, Some(change)))
}
