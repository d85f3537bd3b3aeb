//! Who a request is from: a name with a password, a bearer token, or a session's cookie.

use std::sync::OnceLock;

use tollhouse_core::id::UserName;
use tollhouse_core::record::Records;
use tollhouse_core::user::{ADMIN, Limits, Permissions, Role, Session, Token, User, UserState};

use super::desk::UserDesk;
use super::hash;
use crate::admin::Recognised;

/// An account that has shown that it is it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// By which it signed in.
    pub name: UserName,
    /// As people read it.
    pub display_name: String,
    /// What it is to the lot.
    pub roles: Vec<Role>,
    /// What it may do.
    pub permissions: Permissions,
    /// How far it may go where money is given up.
    pub limits: Limits,
}

/// Why nobody is known by what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// It is nobody's, or no longer.
    Nobody,
    /// The box cannot say.
    Failed(String),
}

impl UserDesk {
    /// By name and password. Slow by design: call it off the threads that serve, a few at a time.
    pub fn by_password(&self, name: &str, password: &str) -> Result<Known, Unknown> {
        if name == ADMIN {
            let admin = self.admin.as_ref().ok_or(Unknown::Nobody)?;
            return match admin.recognises(name, password) {
                Recognised::Yes => Ok(self.administrator()),
                Recognised::No => Err(Unknown::Nobody),
            };
        }
        let user = self.active(name)?;
        let hash = user.as_ref().and_then(|user| user.password.as_deref());
        // An unknown name takes as long as a wrong password, so that nobody learns which names there are.
        let right = hash::is_password(password, hash.unwrap_or_else(|| nobodys_hash())) && hash.is_some();
        user.filter(|_| right).map(|user| self.known(user)).ok_or(Unknown::Nobody)
    }

    /// By a bearer token.
    pub fn by_token(&self, token: &str) -> Result<Known, Unknown> {
        let records = self.store.snapshot();
        let kept = records.get::<Token>(&hash::digest(token)).map_err(failed)?.ok_or(Unknown::Nobody)?;
        if kept.record.expires_at <= self.clock.now() {
            return Err(Unknown::Nobody);
        }
        self.active(kept.record.user.as_str())?.map(|user| self.known(user)).ok_or(Unknown::Nobody)
    }

    /// By a session's cookie.
    pub fn by_session(&self, cookie: &str) -> Result<Known, Unknown> {
        let records = self.store.snapshot();
        let kept = records.get::<Session>(&hash::digest(cookie)).map_err(failed)?.ok_or(Unknown::Nobody)?;
        let session = kept.record;
        if session.expires_at <= self.clock.now() {
            return Err(Unknown::Nobody);
        }
        let user = self.active(session.user.as_str())?.filter(|user| user.sessions_from <= session.made_at);
        user.map(|user| self.known(user)).ok_or(Unknown::Nobody)
    }

    fn active(&self, name: &str) -> Result<Option<User>, Unknown> {
        let kept = self.store.snapshot().get::<User>(name).map_err(failed)?;
        Ok(kept.map(|kept| kept.record).filter(|user| user.state == UserState::Active))
    }

    fn known(&self, user: User) -> Known {
        Known {
            permissions: user.permissions(),
            limits: self.limits.of(&user.roles),
            name: user.name,
            display_name: user.display_name,
            roles: user.roles,
        }
    }

    fn administrator(&self) -> Known {
        let roles = vec![Role::Administrator];
        Known {
            name: UserName::new(ADMIN).expect("a plain word is a name"),
            display_name: "Administrator".to_owned(),
            permissions: Permissions::all(),
            limits: self.limits.of(&roles),
            roles,
        }
    }
}

fn failed(fault: impl std::fmt::Display) -> Unknown {
    tracing::error!(%fault, "accounts cannot be read");
    Unknown::Failed(fault.to_string())
}

/// A hash that no password has, made once.
fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash::draw().and_then(|drawn| hash::password_hash(&drawn)).unwrap_or_default())
}
